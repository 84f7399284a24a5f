//! How sure numbers are that come from samples.

use crate::analysis::candidates::CandidatesOptions;
use crate::analysis::layers::LayersOptions;
use crate::analysis::{candidates, compare, layers, trajectories};
use crate::record::Run;

use super::synthetic::{At, Synthetic};

/// Standard errors to either side that leave 5 % of a normal distribution out.
const SIDES: f64 = 1.959_963_984_540_054;

fn sign(at: &At) -> f64 {
    if at.iteration.is_multiple_of(2) {
        1.0
    } else {
        -1.0
    }
}

/// Of `fc.weight` and `fc.bias` the halves differ by ±3 and ±1 hundredths, of `out.weight` by ±`out`.
fn run(folder: &std::path::Path, out: f64, seed: Option<u64>) -> Run {
    let synthetic = Synthetic::new(&[("fc.weight", 2), ("fc.bias", 1), ("out.weight", 1)], 4)
        .lca(|_| -0.01)
        .halves(move |at| {
            sign(&at)
                * match at.tensor {
                    "fc.weight" => 0.03,
                    "fc.bias" => 0.01,
                    _ => out,
                }
        });
    match seed {
        Some(seed) => synthetic.sample_seed(seed).write(folder),
        None => synthetic.write(folder),
    }
}

#[track_caller]
fn assert_near(actual: Option<f64>, expected: f64) {
    let actual = actual.expect("a margin");
    assert!(
        (actual - expected).abs() < 1e-12,
        "{actual} is not {expected}"
    );
}

/// Over t steps the squares of 0.04 add up: 1.96 · 0.04 √t.
#[test]
fn the_band_around_a_trajectory_widens_with_the_root_of_its_steps() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), 0.0, None);
    let found = trajectories(&run).unwrap().remove(0);
    let margin = found.layers[0].margin.clone().unwrap();
    for (step, margin) in margin.iter().enumerate() {
        assert_near(Some(*margin), SIDES * 0.04 * (step as f64 + 1.0).sqrt());
    }
    let last = layers(&[run], &LayersOptions::default()).unwrap().layers[0].margin;
    assert_near(last, margin[3]);
    let windows = found.in_windows(2);
    assert_eq!(windows.layers[0].margin, Some(vec![margin[1], margin[3]]));
}

/// The first layer's error is 0.08 and its LCA −0.12: z = 1.5, so p = 2 Φ(−1.5) = 0.133614. The
/// second's is 0.02 and −0.04: z = 2, so p = 0.045500, and after Holm twice that.
#[test]
fn a_layer_is_told_from_zero_by_the_samples_of_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), 0.01, None);
    let found = layers(&[run], &LayersOptions::default()).unwrap().layers;
    for (layer, p, corrected) in [(0, 0.133_614, 0.133_614), (1, 0.045_500, 0.091_000)] {
        let layer = &found[layer];
        assert!((layer.p_sampled.unwrap() - p).abs() < 1e-6);
        assert!((layer.p_sampled_corrected.unwrap() - corrected).abs() < 2e-6);
    }
}

/// Of other samples the variances add up; on the same ones it is the steps' differences that vary: of
/// `fc` by nothing, of `out` by 0.05 − 0.02 at each of 4 steps.
#[test]
fn two_runs_on_the_same_samples_differ_by_what_differs_on_these() {
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let first = run(folders[0].path(), 0.02, Some(7));
    let same = run(folders[1].path(), 0.05, Some(7));
    let other = run(folders[2].path(), 0.05, Some(8));
    let margins = |second: &Run| {
        let found = compare(&first, second).unwrap();
        let layers: Vec<_> = found.layers.iter().map(|layer| layer.lca_margins).collect();
        (found.probes[0].lca_margins, layers)
    };
    let (all, layers) = margins(&other);
    assert_near(all.first, SIDES * 2.0 * 0.06);
    assert_near(all.second, SIDES * 2.0 * 0.09);
    assert_near(all.difference, SIDES * 2.0 * f64::hypot(0.06, 0.09));
    assert_near(layers[1].difference, SIDES * 2.0 * f64::hypot(0.02, 0.05));
    let (all, layers) = margins(&same);
    assert_near(all.difference, SIDES * 2.0 * 0.03);
    assert_near(layers[0].difference, 0.0);
    assert_near(layers[1].difference, SIDES * 2.0 * 0.03);

    // Against a run on all examples the error is that of the one.
    let folder = tempfile::tempdir().unwrap();
    let whole = Synthetic::new(&[("fc.weight", 2), ("fc.bias", 1), ("out.weight", 1)], 4);
    let found = compare(&first, &whole.write(folder.path())).unwrap();
    let margins = found.layers[1].lca_margins;
    assert_eq!(margins.second, None);
    assert_near(margins.difference, SIDES * 2.0 * 0.02);
    assert_eq!(found.probes[0].of_estimates, [true, false]);
}

#[test]
fn candidates_of_samples_have_their_errors_and_no_lags() {
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::new(&[("a.weight", 1), ("b.weight", 1)], 600)
        .lca(|at| if at.tensor == "a.weight" { 0.01 } else { -0.02 })
        .halves(|at| sign(&at) * if at.tensor == "a.weight" { 0.001 } else { 0.0 })
        .write(folder.path());
    let found = candidates(&[run], &CandidatesOptions::default()).unwrap();
    assert!(found.of_estimates);
    let margin = found.freeze.tensors[0].training.margin;
    assert_near(margin, SIDES * 0.001 * 600_f64.sqrt());
    assert!(found.lags.layers.is_empty());
    assert!(found.lags.unknown.unwrap().contains("share the noise"));

    let folder = tempfile::tempdir().unwrap();
    let whole = Synthetic::new(&[("a.weight", 1), ("b.weight", 1)], 600).write(folder.path());
    let found = candidates(&[whole], &CandidatesOptions::default()).unwrap();
    assert!(!found.of_estimates);
    assert_eq!(found.freeze.tensors[0].training.margin, None);
    assert_eq!(found.lags.layers.len(), 2);
}
