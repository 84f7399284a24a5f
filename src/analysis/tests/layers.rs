//! Layers with planted help and harm, over one run and over several.

use std::path::Path;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::synthetic::Synthetic;
use crate::analysis::{Grouping, LayersOptions, compare, layers};
use crate::{LcaError, Run};

const TENSORS: [(&str, usize); 3] = [("fc1.weight", 6), ("fc1.bias", 2), ("fc2.weight", 4)];

/// A run in which fc1.weight helps by 0.01 a parameter, its bias hurts by 0.01, and fc2 hurts
/// by 0.001; class 1 is the other way round, half as much.
fn planted(folder: &Path, steps: u64) -> Run {
    Synthetic::new(&TENSORS, steps)
        .classes(2)
        .validation()
        .without_parameters()
        .lca(|at| {
            let lca = match at.tensor {
                "fc1.weight" => -0.02,
                "fc1.bias" => 0.02,
                _ => 0.002,
            };
            let class = if at.class == Some(1) { -0.5 } else { 1.0 };
            lca * class * if at.validation { 2.0 } else { 1.0 }
        })
        .write(folder)
}

#[test]
fn a_hurting_layer_is_marked_and_sums_are_those_planted() {
    let folder = tempfile::tempdir().unwrap();
    let run = planted(folder.path(), 10);
    let layers = layers(&[run], &LayersOptions::default()).unwrap();
    let [fc1, fc2] = &layers.layers[..] else {
        panic!("{layers:?}");
    };
    // All classes together: a quarter of class 0's.
    assert_eq!((&*fc1.name, fc1.parameters, fc1.hurts), ("fc1", 8, false));
    assert!((fc1.lca - 10.0 * 4.0 * -0.005).abs() < 1e-9);
    assert!((fc1.lca_per_parameter - fc1.lca / 8.0).abs() < 1e-12);
    assert_eq!((&*fc2.name, fc2.hurts), ("fc2", true));
    assert!((fc2.lca - 10.0 * 4.0 * 0.0005).abs() < 1e-9);
    assert!((fc1.percent_of_total + fc2.percent_of_total - 100.0).abs() < 1e-9);
    assert_eq!((fc1.percent_of_all, fc1.percent_hurting_steps), (75.0, 0.0));
    assert_eq!(
        (fc2.percent_of_nonzero, fc2.percent_hurting_steps),
        (0.0, 100.0)
    );
    assert!(fc1.over_runs.is_none());
}

#[test]
fn tensors_classes_and_probes_are_looked_at_alone() {
    let folder = tempfile::tempdir().unwrap();
    let run = [planted(folder.path(), 10)];
    let options = LayersOptions {
        by: Grouping::Tensor,
        probe: "validation".into(),
        class: Some(1),
    };
    let result = layers(&run, &options).unwrap();
    let lca: Vec<f64> = result.layers.iter().map(|layer| layer.lca).collect();
    for (lca, planted) in
        lca.iter()
            .zip([10.0 * 6.0 * 0.02, 10.0 * 2.0 * -0.02, 10.0 * 4.0 * -0.002])
    {
        assert!((lca - planted).abs() < 1e-9, "{lca} {planted}");
    }
    let wrong = [
        LayersOptions {
            class: Some(2),
            ..LayersOptions::default()
        },
        LayersOptions {
            probe: "test".into(),
            ..LayersOptions::default()
        },
    ];
    for options in wrong {
        let error = layers(&run, &options).unwrap_err();
        assert!(matches!(error, LcaError::Setting { .. }), "{error}");
    }
}

/// Runs with one step and 200 tensors, whose LCA is even noise around a mean, the same for all.
fn seeds(folder: &Path, runs: u64, mean: f64) -> Vec<Run> {
    let names: Vec<String> = (0..200).map(|tensor| format!("l{tensor}.weight")).collect();
    let tensors: Vec<(&str, usize)> = names.iter().map(|name| (name.as_str(), 1)).collect();
    let run = |seed: u64| {
        let mut rng = StdRng::seed_from_u64(seed);
        // The sum of 12 even draws is normal, near enough.
        let mut draw = || mean + (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
        let planted: Vec<f64> = (0..200).map(|_| draw()).collect();
        Synthetic::new(&tensors, 1)
            .without_parameters()
            .lca(move |at| {
                let layer = at
                    .tensor
                    .trim_start_matches('l')
                    .trim_end_matches(".weight");
                planted[layer.parse::<usize>().unwrap()]
            })
            .write(&folder.join(seed.to_string()))
    };
    (0..runs).map(run).collect()
}

#[test]
fn p_values_of_layers_that_do_nothing_are_uniform() {
    let folder = tempfile::tempdir().unwrap();
    let runs = seeds(folder.path(), 10, 0.0);
    let layers = layers(&runs, &LayersOptions::default()).unwrap();
    let tests = layers.layers.iter().map(|layer| layer.over_runs.unwrap());
    let (t, flip): (Vec<f64>, Vec<f64>) = tests
        .map(|test| (test.t_test.unwrap(), test.sign_flip.unwrap().p))
        .unzip();
    for mut p in [t, flip] {
        p.sort_by(f64::total_cmp);
        // Kolmogorov-Smirnov: 1.63/√n is the critical distance at 1 %.
        let distance = p.iter().enumerate().map(|(rank, p)| {
            let (below, at) = (rank as f64 / 200.0, (rank + 1) as f64 / 200.0);
            (p - below).abs().max((at - p).abs())
        });
        let distance = distance.fold(0.0, f64::max);
        assert!(distance < 1.63 / 200f64.sqrt(), "{distance}");
    }
    // None of 200 is significant after the correction: false with a probability of 5 %.
    let corrected = layers.layers.iter().map(|layer| layer.over_runs.unwrap());
    assert!(
        corrected
            .map(|test| test.t_test_corrected.unwrap())
            .all(|p| p > 0.05)
    );
}

#[test]
fn layers_that_do_something_are_significant_after_the_correction() {
    let folder = tempfile::tempdir().unwrap();
    let runs = seeds(folder.path(), 8, -10.0);
    let layers = layers(&runs, &LayersOptions::default()).unwrap();
    for layer in &layers.layers {
        let test = layer.over_runs.unwrap();
        assert!(test.t_test_corrected.unwrap() < 0.01, "{layer:?}");
        // The least that 8 runs can give.
        assert_eq!(test.sign_flip.unwrap().p, 2.0 / 256.0);
    }
}

#[test]
fn the_same_run_twice_and_other_models_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = planted(&folder.path().join("a"), 3);
    let other = Synthetic::new(&TENSORS[..2], 3).write(&folder.path().join("b"));
    for runs in [[run.clone(), run.clone()], [run, other]] {
        let error = layers(&runs, &LayersOptions::default()).unwrap_err();
        assert!(matches!(error, LcaError::Setting { .. }), "{error}");
    }
    let error = layers(&[], &LayersOptions::default()).unwrap_err();
    assert!(matches!(error, LcaError::Setting { .. }), "{error}");
}

#[test]
fn two_runs_are_compared_in_what_both_have_and_what_only_one_has() {
    let folder = tempfile::tempdir().unwrap();
    let first = planted(&folder.path().join("a"), 10);
    let second = Synthetic::new(&[("fc1.weight", 6), ("head.weight", 3)], 20)
        .write(&folder.path().join("b"));
    let comparison = compare(&first, &second).unwrap();
    assert_eq!(comparison.steps.difference(), Some(10.0));
    let probes: Vec<&str> = comparison
        .probes
        .iter()
        .map(|probe| &*probe.probe)
        .collect();
    assert_eq!(probes, ["training", "validation"]);
    let training = &comparison.probes[0];
    let sums = (training.lca.first.unwrap(), training.lca.second.unwrap());
    assert!(
        (sums.0 + 0.18).abs() < 1e-9 && (sums.1 + 0.18).abs() < 1e-9,
        "{sums:?}"
    );
    assert!(comparison.probes[1].loss_change.first.is_some());
    assert_eq!(comparison.probes[1].loss_change.second, None);
    let layers: Vec<&str> = comparison
        .layers
        .iter()
        .map(|layer| &*layer.layer)
        .collect();
    assert_eq!(layers, ["fc1", "fc2", "head"]);
    assert!((comparison.layers[0].lca.difference().unwrap() - (-0.12 + 0.2)).abs() < 1e-9);
    assert_eq!(comparison.layers[1].lca.second, None);
    assert_eq!(comparison.layers[2].lca.first, None);
    assert_eq!(comparison.classes.len(), 2);
    // Class 0: 10 steps of 6·−0.02 + 2·0.02 + 4·0.002.
    let class = &comparison.classes[0];
    assert!((class.lca.first.unwrap() + 0.72).abs() < 1e-9);
    assert!((class.loss_after.first.unwrap() - (2.5 - 0.72)).abs() < 1e-9);
    assert_eq!(class.lca.second, None);
}
