use super::random::noise;
use super::synthetic::{At, Synthetic};
use crate::analysis::peaks::{Moment, PeaksOptions};
use crate::analysis::{Quantity, coincidences, layer_of, peaks};
use crate::error::LcaError;

const TENSORS: [(&str, usize); 5] = [
    ("fc1.weight", 2),
    ("fc1.bias", 1),
    ("fc2.weight", 2),
    ("fc2.bias", 1),
    ("frozen.weight", 1),
];

/// Steps at which both layers help much more than else, by class.
const MOMENTS: [&[u64]; 2] = [&[20, 120, 300], &[120, 200]];

/// A dip of a layer at the planted steps, in noise; weight and bias noisier than their sum.
fn planted(at: At) -> f64 {
    if at.tensor == "frozen.weight" {
        return 0.0;
    }
    let class = at.class.unwrap_or_default();
    let dip = MOMENTS[class as usize].contains(&at.iteration) && at.index == 0;
    let shared = noise(at.iteration, layer_of(at.tensor), 99);
    let opposed = if at.tensor.ends_with("bias") {
        -2.0
    } else {
        1.0
    };
    let own = 0.001 * noise(at.iteration, at.tensor, class as u64);
    -0.01 + own + 0.1 * opposed * shared - if dip { 0.05 } else { 0.0 }
}

fn run(folder: &std::path::Path, steps: u64) -> crate::Run {
    Synthetic::new(&TENSORS, steps)
        .classes(2)
        .without_parameters()
        .lca(planted)
        .step(|at| 0.01 * (1.0 + noise(at.iteration, at.tensor, 7)).abs())
        .write(folder)
}

fn iterations(moments: &[Moment], class: i32) -> Vec<u64> {
    let with = moments.iter().filter(|moment| {
        moment
            .classes
            .iter()
            .any(|other| other.class == Some(class))
    });
    with.map(|moment| moment.iteration).collect()
}

#[test]
fn planted_moments_are_listed_with_their_classes() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), 400);
    let options = PeaksOptions {
        top: 3,
        ..PeaksOptions::default()
    };
    let peaks = peaks(&run, &options).unwrap();
    assert_eq!(peaks.layers, ["fc1", "fc2"]);
    assert_eq!(peaks.layers_without, ["frozen"]);
    assert_eq!((peaks.steps, peaks.left_out, peaks.gaps), (400, 0, 0));
    assert_eq!(iterations(&peaks.moments, 0), MOMENTS[0]);
    assert_eq!(iterations(&peaks.moments, 1), MOMENTS[1]);
    let moment = &peaks.moments[1].classes[0];
    assert_eq!(
        (moment.layers, moment.name.as_deref()),
        (2, Some("class 0"))
    );
    // Two layers, each of two tensors with a dip of 0.05, besides 0.01 per parameter.
    assert!((moment.height - 0.2).abs() < 0.02, "{moment:?}");
    assert!((moment.value + 0.26).abs() < 0.02, "{moment:?}");
    let of_class: Vec<usize> = peaks
        .classes
        .iter()
        .map(|class| class.alignment[0].observed)
        .collect();
    assert_eq!(of_class, [3, 2]);
    assert_eq!(peaks.alignment[0].observed, 5);
    assert!(peaks.alignment[0].p < 0.01);
}

/// Of 14 layers 7 dip at one step and the other 7 at another, of 12 only 6.
#[test]
fn of_many_layers_half_of_them_are_a_moment_of_few_only_all() {
    let found = |layers: usize| {
        let names: Vec<String> = (0..layers)
            .map(|layer| format!("l{layer:02}.weight"))
            .collect();
        let tensors: Vec<(&str, usize)> = names.iter().map(|name| (&**name, 1)).collect();
        let half = names[layers / 2].clone();
        let folder = tempfile::tempdir().unwrap();
        let run = Synthetic::new(&tensors, 200)
            .without_parameters()
            .lca(move |at| {
                let moment = if *at.tensor < *half { 50 } else { 120 };
                if at.iteration == moment { -1.0 } else { -0.01 }
            })
            .write(folder.path());
        let peaks = peaks(&run, &PeaksOptions::default()).unwrap();
        let moments = peaks.moments.iter().map(|moment| moment.iteration);
        (peaks.min_layers, moments.collect::<Vec<u64>>())
    };
    assert_eq!(found(14), (7, vec![50, 120]));
    assert_eq!(found(12), (12, vec![]));
}

#[test]
fn the_steps_of_layers_with_their_own_noise_do_not_explain_the_moments() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), 400);
    let options = PeaksOptions {
        quantity: Quantity::Step,
        ..PeaksOptions::default()
    };
    let peaks = peaks(&run, &options).unwrap();
    // The step is no class's own.
    assert_eq!(peaks.classes.len(), 1);
    assert_eq!(peaks.classes[0].class, None);
    assert!(peaks.alignment[0].p > 0.05, "{:?}", peaks.alignment);
    // A layer's norm is that of its tensors as one: three parameters' steps at iteration 0.
    let first = &peaks.series[0].peaks[0];
    let step = |tensor| 0.01 * (1.0 + noise(first.iteration, tensor, 7)).abs();
    let norm = (2.0 * step("fc1.weight").powi(2) + step("fc1.bias").powi(2)).sqrt();
    assert!((first.value - norm).abs() < 1e-12);
}

/// Every layer's gradient is large where it helps most, for the class that it helps; its step is large
/// elsewhere, in all layers alike. Of the 5 peaks of LCA a layer has, all are peaks of the gradient.
#[test]
fn peaks_of_lca_are_told_to_coincide_with_the_gradients_and_not_with_the_steps() {
    let folder = tempfile::tempdir().unwrap();
    let at_moment = |at: At| MOMENTS[at.class.unwrap_or_default() as usize].contains(&at.iteration);
    let run = Synthetic::new(&TENSORS[..4], 400)
        .classes(2)
        .without_parameters()
        .lca(planted)
        .gradient(move |at| 0.1 + if at_moment(at) { 1.0 } else { 0.0 })
        .step(|at| {
            if [70, 170, 260].contains(&at.iteration) {
                0.5
            } else {
                0.01
            }
        })
        .write(folder.path());
    let options = PeaksOptions::default().top(3).permutations(200);
    let found = coincidences(&run, &options).unwrap();
    let pairs: Vec<[Quantity; 2]> = found.iter().map(|pair| pair.quantities).collect();
    let (lca, step, gradient) = (Quantity::Lca, Quantity::Step, Quantity::Gradient);
    assert_eq!(pairs, [[lca, step], [lca, gradient], [step, gradient]]);
    // Three peaks of two layers and classes; class 1 has only two moments, so one more by noise.
    assert_eq!(
        found.iter().map(|pair| pair.peaks).collect::<Vec<_>>(),
        [12, 12, 12]
    );
    assert_eq!((found[0].observed, found[2].observed), (0, 0));
    assert_eq!(found[1].observed, 10);
    assert!(found[1].p < 0.01 && found[1].expected < 2.0, "{found:?}");
    assert!(found[0].p > 0.9, "{found:?}");
}

#[test]
fn steps_that_are_not_finite_are_left_out_and_their_neighbours_meet() {
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::new(&[("a.weight", 1), ("b.weight", 1)], 40)
        .without_parameters()
        .lca(|at| match (at.iteration, at.tensor) {
            (11, "a.weight") => f64::NAN,
            // Its neighbours are 10 and 13.
            (12, _) => -5.0,
            _ => -1.0,
        })
        .write(folder.path());
    let peaks = peaks(&run, &PeaksOptions::default()).unwrap();
    assert_eq!((peaks.steps, peaks.left_out, peaks.gaps), (39, 1, 1));
    assert_eq!(peaks.moments.len(), 1);
    assert_eq!(peaks.moments[0].iteration, 12);
}

#[test]
fn runs_too_short_for_peaks_have_none_and_those_without_steps_are_refused() {
    for steps in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let run = run(folder.path(), steps);
        match peaks(&run, &PeaksOptions::default()) {
            Ok(peaks) => assert!(steps > 0 && peaks.moments.is_empty(), "{peaks:?}"),
            Err(LcaError::NotRecorded { .. }) => assert_eq!(steps, 0),
            Err(error) => panic!("{error}"),
        }
    }
}

/// The noise of a sample is in all layers at once, so peaks of LCA would line up by themselves. The
/// step has nothing to do with the sample.
#[test]
fn peaks_of_sampled_lca_are_refused_and_those_of_the_step_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::new(&[("fc1.weight", 2), ("fc2.weight", 2)], 40)
        .step(|at| if at.iteration % 9 == 4 { 0.5 } else { 0.01 })
        .halves(|_| 0.01)
        .write(folder.path());
    let options = || PeaksOptions::default().top(3).detrend(9).window(8);
    for quantity in [Quantity::Lca, Quantity::Gradient] {
        let error = peaks(&run, &options().quantity(quantity)).unwrap_err();
        assert!(matches!(error, LcaError::NotRecorded { .. }), "{error:?}");
        assert!(error.to_string().contains("training is sampled"), "{error}");
    }
    let found = peaks(&run, &options().quantity(Quantity::Step)).unwrap();
    assert_eq!(found.layers, ["fc1", "fc2"]);
}
