//! The summary of runs whose sums are known.

use super::synthetic::Synthetic;
use crate::analysis::summary;
use crate::error::LcaError;
use crate::record::Run;
use crate::record::RunState;
use crate::record::RunStatus;

const TENSORS: [(&str, usize); 3] = [("fc1.weight", 6), ("fc1.bias", 2), ("fc2.weight", 4)];

#[test]
fn a_grounded_run_reconciles_and_what_is_missing_is_the_residuals() {
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::new(&TENSORS, 30)
        .validation()
        .lca(|at| if at.validation { -0.0005 } else { -0.001 })
        .residual(|iteration| if iteration == 7 { -0.02 } else { 0.001 })
        .adjust(|step| step.capped = step.iteration == 7)
        .write(folder.path());
    let summary = summary(&run).unwrap();
    assert_eq!((summary.steps, summary.parameters), (30, 12));
    let [training, validation] = &summary.reconciliation[..] else {
        panic!("{summary:?}");
    };
    for (probe, lca) in [(training, -0.36), (validation, -0.18)] {
        assert!((probe.lca - lca).abs() < 1e-9, "{probe:?}");
        assert!(
            (probe.loss_change - (lca + 0.009)).abs() < 1e-9,
            "{probe:?}"
        );
        assert!((probe.difference - 0.009).abs() < 1e-9, "{probe:?}");
        let relative = 0.009 / (lca + 0.009).abs();
        assert!((probe.relative_difference.unwrap() - relative).abs() < 1e-6);
        let worst = probe.worst_residual.unwrap();
        assert_eq!((worst.iteration, worst.residual), (7, -0.02));
        assert_eq!((probe.capped, probe.not_finite), (1, 0));
    }
    assert!((summary.cost.probe_seconds - 7.5).abs() < 1e-9);
    assert_eq!(summary.cost.sweeps, 60);
}

#[test]
fn zeros_are_counted_apart_and_a_hurting_layer_is_named() {
    let folder = tempfile::tempdir().unwrap();
    // Of fc1.weight 2 of 6 help, 1 hurts, 3 are zero; fc2 hurts at two steps of three.
    let run = Synthetic::new(&TENSORS, 30)
        .lca(|at| match (at.tensor, at.index) {
            ("fc1.weight", 0 | 1) => -0.5,
            ("fc1.weight", 2) => 0.25,
            ("fc2.weight", _) if at.iteration % 3 == 0 => -0.01,
            ("fc2.weight", _) => 0.02,
            _ => 0.0,
        })
        .write(folder.path());
    let summary = summary(&run).unwrap();
    let helping = &summary.helping[0];
    assert_eq!(
        (
            helping.counts.helping,
            helping.counts.hurting,
            helping.counts.zero
        ),
        (60 + 40, 30 + 80, 150)
    );
    let sum = -0.75 * 30.0 + 4.0 * (-0.1 + 0.4);
    assert!((helping.mean.unwrap() - sum / 360.0).abs() < 1e-9);
    let [layer] = &summary.hurting_layers[..] else {
        panic!("{:?}", summary.hurting_layers);
    };
    assert_eq!(layer.layer, "fc2");
    assert!((layer.lca - 1.2).abs() < 1e-9);
    assert!((layer.fraction_hurting_steps - 2.0 / 3.0).abs() < 1e-9);
}

#[test]
fn quantiles_are_within_their_bins_of_the_planted_ones() {
    let folder = tempfile::tempdir().unwrap();
    // 1000 values, evenly from −0.4995 to 0.4995: the quantile of p is p − 0.5.
    let run = Synthetic::new(&[("fc1.weight", 1000)], 12)
        .without_parameters()
        .lca(|at| (at.index as f64 - 499.5) / 1000.0)
        .write(folder.path());
    let distribution = summary(&run).unwrap().quantiles.unwrap();
    assert_eq!((distribution.values, distribution.not_finite), (12_000, 0));
    assert_eq!(distribution.quantiles.len(), 7);
    for quantile in distribution.quantiles {
        let planted = quantile.probability - 0.5;
        assert!(
            quantile.lower - 1e-3 <= planted && planted <= quantile.upper + 1e-3,
            "{quantile:?}"
        );
        assert!(
            quantile.lower <= quantile.value && quantile.value <= quantile.upper,
            "{quantile:?}"
        );
        // Away from the end, where a bin is filled in part only; values are evenly spread within
        // a bin, which geometric interpolation misses a little.
        if (0.1..0.4).contains(&planted.abs()) {
            assert!(
                (quantile.value / planted - 1.0).abs() < 0.07,
                "{quantile:?}"
            );
        }
    }
}

#[test]
fn steps_that_are_not_finite_are_counted_and_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::new(&TENSORS, 20)
        .lca(|at| if at.iteration == 10 { f64::NAN } else { -0.001 })
        .write(folder.path());
    let summary = summary(&run).unwrap();
    let training = &summary.reconciliation[0];
    // The loss is NaN from the tenth step on.
    assert_eq!((training.steps, training.not_finite), (20, 10));
    assert!((training.lca + 0.12).abs() < 1e-9);
    assert!(training.loss_change.is_nan() && training.relative_difference.is_none());
    assert_eq!(summary.quantiles.unwrap().not_finite, 12);
}

#[test]
fn a_killed_run_is_read_as_far_as_it_reaches_and_has_no_share_of_time() {
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::new(&TENSORS, 5)
        .state(RunState::Running)
        .write(folder.path());
    assert_eq!(*run.status(), RunStatus::Killed);
    let summary = summary(&run).unwrap();
    assert_eq!((summary.steps, summary.cost.fraction_of_time), (5, None));
}

#[test]
fn a_run_without_steps_is_an_error_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::new(&TENSORS, 0).write(folder.path());
    let error = summary(&run).unwrap_err();
    assert!(matches!(error, LcaError::NotRecorded { .. }), "{error}");
}

/// Every sample has a loss of its own, here by 0.1 more from step to step; LCA still adds up to
/// what each step changed on its own. Errors: √(16 · 0.005²) = 0.02.
#[test]
fn a_sampled_run_adds_up_step_by_step_and_says_what_its_numbers_are() {
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::new(&TENSORS, 16)
        .halves(|at| {
            if at.tensor == "fc2.weight" {
                0.005
            } else {
                0.0
            }
        })
        .residual(|_| 0.001)
        .adjust(|step| {
            let drift = 0.1 * step.iteration as f64;
            step.loss_before += drift;
            step.loss_after += drift;
        })
        .write(folder.path());
    let summary = summary(&run).unwrap();
    let training = &summary.reconciliation[0];
    assert!((training.standard_error.unwrap() - 0.02).abs() < 1e-12);
    assert!((training.lca + 16.0 * 0.012).abs() < 1e-12);
    assert!((training.difference - 0.016).abs() < 1e-12, "{training:?}");
    assert!(summary.helping[0].of_estimates);
    let [note] = &run.notes()[..] else {
        panic!("{:?}", run.notes());
    };
    assert!(note.contains("10 of 100 training examples"), "{note}");
    assert!(note.contains("noisy estimates"), "{note}");

    let folder = tempfile::tempdir().unwrap();
    let whole = Synthetic::new(&TENSORS, 16).write(folder.path());
    assert!(whole.notes().is_empty());

    // What holds for both is said once, what holds for one of it alone.
    let runs = [whole, run.clone().between(..=7), run];
    let notes = Run::notes_of(&runs);
    let sampled = notes.iter().filter(|note| note.contains("noisy estimates"));
    let sampled: Vec<&String> = sampled.collect();
    assert_eq!((notes.len(), sampled.len()), (2, 1), "{notes:?}");
    assert!(sampled[0].contains(" and one other run: measured on samples"));
}

/// Of decay: 20 · (0.002 − 0.0005) = 0.03.
#[test]
fn the_share_of_weight_decay_is_told_where_it_is_known_of_all_steps() {
    let decay = |tensor: &str| {
        if tensor == "fc1.weight" {
            0.002
        } else {
            -0.00025
        }
    };
    let of = |run: &Synthetic| {
        let folder = tempfile::tempdir().unwrap();
        summary(&run.write(folder.path())).unwrap().reconciliation[0].lca_decay
    };
    let run = || Synthetic::new(&TENSORS, 20);
    let whole = of(&run().decay(move |at| decay(at.tensor)));
    assert!((whole.unwrap() - 0.03).abs() < 1e-12, "{whole:?}");
    assert_eq!(of(&run()), None);
    let forget = |step: &mut crate::record::StepRow| {
        step.lca_decay = step.lca_decay.filter(|_| step.iteration != 3);
    };
    assert_eq!(
        of(&run().decay(move |at| decay(at.tensor)).adjust(forget)),
        None
    );
}
