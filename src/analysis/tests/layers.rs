use tempfile::TempDir;

use super::random::{noise, p_of_uniform};
use super::synthetic::{At, Synthetic};
use crate::analysis::layers::{LayerSum, Layers, LayersOptions};
use crate::analysis::{Grouping, layers};
use crate::error::LcaError;
use crate::record::Run;

const TENSORS: [(&str, usize); 4] = [
    ("fc1.weight", 6),
    ("fc1.bias", 2),
    ("fc2.weight", 4),
    ("still", 1),
];

/// Of 10 steps: fc1.weight helps by 6 · 0.01, one parameter of fc1.bias hurts by 0.02 and the
/// other is zero, fc2 hurts by 4 · 0.005; `still` is always zero. On the validation probe all is
/// the other way round, class 1 does three times as much as class 0.
fn planted(at: At) -> f64 {
    let lca = match (at.tensor, at.index) {
        ("fc1.weight", _) => -0.01,
        ("fc1.bias", 0) => 0.02,
        ("fc2.weight", _) => 0.005,
        _ => 0.0,
    };
    let class = match at.class {
        Some(0) => 0.5,
        Some(_) => 1.5,
        None => 1.0,
    };
    if at.validation {
        -lca * class
    } else {
        lca * class
    }
}

fn run(steps: u64, lca: impl Fn(At) -> f64 + 'static) -> (TempDir, Run) {
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::new(&TENSORS, steps)
        .classes(2)
        .validation()
        .without_parameters()
        .lca(lca)
        .write(folder.path());
    (folder, run)
}

/// Runs with these factors on what is planted.
fn seeds(factors: &[f64]) -> (Vec<TempDir>, Vec<Run>) {
    let runs = factors.iter().map(|factor| {
        let factor = *factor;
        run(10, move |at| factor * planted(at))
    });
    runs.unzip()
}

fn of(runs: &[Run], options: LayersOptions) -> Layers {
    layers(runs, &options).unwrap()
}

fn names(found: &Layers, keep: impl Fn(&LayerSum) -> bool) -> Vec<&str> {
    let kept = found.layers.iter().filter(|layer| keep(layer));
    kept.map(|layer| layer.name.as_str()).collect()
}

fn assert_near(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-9, "{value}, not {expected}");
}

#[test]
fn a_hurting_layer_is_marked() {
    let (_folder, run) = run(10, planted);
    let found = of(&[run], LayersOptions::default());
    assert_eq!(names(&found, |_| true), ["fc1", "fc2", "still"]);
    assert_eq!(names(&found, |layer| layer.hurts), ["fc2"]);
    assert_near(found.lca, -0.2);
    let [fc1, fc2, still] = &found.layers[..] else {
        panic!("{found:?}")
    };
    assert_near(fc1.lca, -0.4);
    assert_near(fc1.fraction_of_network, 2.0);
    assert_near(fc1.lca_per_parameter, -0.05);
    assert_eq!(fc1.counts.fraction_of_all(), Some(0.75));
    assert_eq!(fc1.counts.fraction_of_nonzero(), Some(6.0 / 7.0));
    assert_eq!(
        (fc1.fraction_hurting_steps, fc2.fraction_hurting_steps),
        (0.0, 1.0)
    );
    assert_eq!(fc1.per_parameter().lca, fc1.lca_per_parameter);
    assert_near(fc2.lca, 0.2);
    assert_near(fc2.fraction_of_network, -1.0);
    assert_eq!(
        (still.lca, still.counts.fraction_of_all()),
        (0.0, Some(0.0))
    );
    assert_eq!(still.counts.fraction_of_nonzero(), None);
}

#[test]
fn one_run_is_not_tested_over_runs() {
    let (_folder, run) = run(10, planted);
    let found = of(&[run], LayersOptions::default());
    assert_eq!(found.test, None);
    for layer in found.layers {
        assert_eq!((layer.deviation, layer.significance), (None, None));
        assert_eq!(layer.by_run, [layer.lca]);
    }
}

#[test]
fn tensors_classes_and_probes_are_told_apart() {
    let (_folder, run) = run(10, planted);
    let runs = [run];
    let options = |by, class, probe: &str| {
        let options = LayersOptions::default().by(by).class(class);
        options.probe(Some(probe.into()))
    };
    let found = of(&runs, options(Grouping::Tensor, Some(1), "training"));
    let lca: Vec<f64> = found.layers.iter().map(|tensor| tensor.lca).collect();
    for (lca, expected) in lca.into_iter().zip([-0.9, 0.3, 0.3, 0.0]) {
        assert_near(lca, expected);
    }
    assert_eq!(
        names(&found, |tensor| tensor.hurts),
        ["fc1.bias", "fc2.weight"]
    );
    let found = of(&runs, options(Grouping::Layer, None, "validation"));
    assert_eq!(names(&found, |layer| layer.hurts), ["fc1"]);
}

#[test]
fn layers_are_tested_over_the_runs() {
    // fc1 does −0.4 and fc2 0.2 times 1, 2, 6: t² = 27/7, p = 1 − √(27/41) for both (see the
    // tests of significance), 2 of 8 flips are as far from zero, Holm doubles the p of two.
    let (_folders, runs) = seeds(&[1.0, 2.0, 6.0]);
    let found = of(&runs, LayersOptions::default());
    let test = found.test.unwrap();
    assert_eq!((test.runs, test.layers), (3, 2));
    assert_eq!((test.sign_flip.exact, test.sign_flip.least_p), (true, 0.25));
    let [fc1, fc2, still] = &found.layers[..] else {
        panic!("{found:?}")
    };
    assert_near(fc1.lca, -1.2);
    assert_near(fc1.deviation.unwrap(), 0.4 * 7.0_f64.sqrt());
    let [low, high] = fc1.spread.unwrap();
    assert_near(low, -1.2 - 0.4 * 7.0_f64.sqrt());
    assert_near(high, -1.2 + 0.4 * 7.0_f64.sqrt());
    // It has 8 parameters.
    assert_near(fc1.per_parameter().spread.unwrap()[0], low / 8.0);
    assert_eq!(found.caution, None);
    for (run, expected) in fc2.by_run.iter().zip([0.2, 0.4, 1.2]) {
        assert_near(*run, expected);
    }
    let p = 1.0 - (27.0_f64 / 41.0).sqrt();
    for layer in [fc1, fc2] {
        let test = layer.significance.unwrap();
        assert_near(test.t.powi(2), 27.0 / 7.0);
        assert_near(test.p_t, p);
        assert_near(test.p_t_corrected, 2.0 * p);
        assert_eq!((test.p_sign_flip, test.p_sign_flip_corrected), (0.25, 0.5));
    }
    assert!(fc1.significance.unwrap().t < 0.0 && fc2.significance.unwrap().t > 0.0);
    assert_eq!(still.significance, None);
}

#[test]
fn p_values_of_independent_noise_around_zero_are_uniform() {
    let tensors: Vec<String> = (0..200)
        .map(|layer| format!("layer{layer}.weight"))
        .collect();
    let tensors: Vec<(&str, usize)> = tensors.iter().map(|tensor| (tensor.as_str(), 1)).collect();
    let (_folders, runs): (Vec<TempDir>, Vec<Run>) = (0..8)
        .map(|seed| {
            let folder = tempfile::tempdir().unwrap();
            let run = Synthetic::new(&tensors, 12)
                .without_parameters()
                .lca(move |at| noise(at.iteration, at.tensor, seed))
                .write(folder.path());
            (folder, run)
        })
        .unzip();
    let found = of(&runs, LayersOptions::default());
    let p = |of: fn(&LayerSum) -> f64| found.layers.iter().map(of).collect();
    assert!(p_of_uniform(p(|layer| layer.significance.unwrap().p_t)) > 0.01);
    assert!(p_of_uniform(p(|layer| layer.significance.unwrap().p_sign_flip)) > 0.01);
    // Holm's promise: in 99 of 100 such experiments nothing is below 0.01.
    let least = p(|layer| layer.significance.unwrap().p_t_corrected);
    assert!(least.into_iter().all(|p: f64| p > 0.01));
}

#[test]
fn a_step_that_is_not_finite_is_left_out_as_a_whole() {
    let (_folder, run) = run(10, |at| match (at.tensor, at.iteration) {
        ("fc2.weight", 4) => f64::NAN,
        _ => planted(at),
    });
    let found = of(&[run], LayersOptions::default());
    assert_eq!((found.runs[0].steps, found.runs[0].not_finite), (9, 1));
    assert_near(found.layers[0].lca, -0.36);
    assert_eq!(found.layers[0].counts.fraction_of_all(), Some(0.75));
}

#[test]
fn what_cannot_be_compared_or_was_not_recorded_is_refused_by_name() {
    let (_folder, good) = run(3, planted);
    let (_empty_folder, empty) = run(0, planted);
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let wider = Synthetic::new(&[("fc1.weight", 7)], 3).write(folders[0].path());
    let smaller = Synthetic::new(&TENSORS[..1], 3).write(folders[1].path());
    let refused = |runs: &[&Run], class, probe: &str, word: &str| {
        let options = LayersOptions::default()
            .class(class)
            .probe(Some(probe.into()));
        let runs: Vec<Run> = runs.iter().map(|run| (*run).clone()).collect();
        let error = layers(&runs, &options).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
        error
    };
    refused(&[&good, &wider], None, "training", "fc1.weight");
    refused(&[&good, &smaller], None, "training", "fc1.bias");
    refused(&[&good], Some(2), "training", "class 2");
    refused(&[&good, &good], None, "training", "given twice");
    refused(&[], None, "training", "no run");
    for (run, class, probe, word) in [
        (&good, None, "test", "training, validation"),
        (&wider, Some(0), "training", "no classes"),
        (&empty, None, "training", "tensors"),
    ] {
        let error = refused(&[run], class, probe, word);
        assert!(matches!(error, LcaError::NotRecorded { .. }), "{error:?}");
    }
}

/// The halves of fc1.weight differ by ±0.03 and those of fc1.bias by ∓0.02: together by 0.01. Over
/// four steps the squares add up: √(4 · 0.01²) = 0.02, and for the weight alone 0.06.
#[test]
fn the_error_of_a_layer_is_that_of_its_tensors_together() {
    let sampled = || {
        let folder = tempfile::tempdir().unwrap();
        let run = Synthetic::new(&TENSORS, 4).lca(planted).halves(|at| {
            let sign = if at.iteration % 2 == 0 { 1.0 } else { -1.0 };
            match at.tensor {
                "fc1.weight" => sign * 0.03,
                "fc1.bias" => sign * -0.02,
                _ => 0.0,
            }
        });
        let run = run.write(folder.path());
        (folder, run)
    };
    let (_folders, runs): (Vec<TempDir>, Vec<Run>) = [sampled(), sampled()].into_iter().unzip();
    let error =
        |runs: &[Run], by| of(runs, LayersOptions::default().by(by)).layers[0].standard_error;
    assert_near(error(&runs[..1], Grouping::Layer).unwrap(), 0.02);
    assert_near(error(&runs[..1], Grouping::Tensor).unwrap(), 0.06);
    let layers = of(&runs[..1], LayersOptions::default()).layers;
    assert_near(layers[0].margin.unwrap(), 0.02 * 1.959_963_984_540_054);
    assert_near(
        layers[0].per_parameter().margin.unwrap(),
        0.02 * 1.959_963_984_540_054 / 8.0,
    );
    // The mean of two: √(2 · 0.02²)/2.
    assert_near(error(&runs, Grouping::Layer).unwrap(), 0.02 / 2_f64.sqrt());
    let (_folder, whole) = run(4, planted);
    assert_eq!(error(&[whole], Grouping::Layer), None);
}

/// fc1: 10 · (0.003 − 0.001) over either run, fc2 −0.04.
#[test]
fn the_share_of_weight_decay_adds_up_by_layer() {
    let run = |decayed: bool| {
        let folder = tempfile::tempdir().unwrap();
        let mut run = Synthetic::new(&TENSORS, 10).lca(planted);
        if decayed {
            run = run.decay(|at| match at.tensor {
                "fc1.weight" => 0.003,
                "fc1.bias" => -0.001,
                "fc2.weight" => -0.004,
                _ => 0.0,
            });
        }
        let run = run.write(folder.path());
        (folder, run)
    };
    let (_folders, mut runs): (Vec<_>, Vec<_>) = [true, true, false].map(run).into_iter().unzip();
    let mixed = of(&runs, LayersOptions::default());
    assert!(mixed.layers.iter().all(|layer| layer.lca_decay.is_none()));
    runs.pop();
    let found = of(&runs, LayersOptions::default());
    for (layer, expected) in found.layers.iter().zip([0.02, -0.04, 0.0]) {
        assert_near(layer.lca_decay.unwrap(), expected);
    }
    assert_near(found.layers[0].per_parameter().lca_decay.unwrap(), 0.0025);
}
