use super::synthetic::Synthetic;
use crate::analysis::summary;
use crate::record::RunState;

/// Of 30 steps, each changes the loss by the LCA of 12 parameters, −0.001 each, and what is
/// planted as residual.
fn run() -> Synthetic {
    Synthetic::new(&[("fc1.weight", 6), ("fc1.bias", 2), ("fc2.weight", 4)], 30)
}

#[test]
fn a_grounded_run_reconciles() {
    let folder = tempfile::tempdir().unwrap();
    let summary = summary(&run().write(folder.path())).unwrap();
    let training = &summary.reconciliation[0];
    assert!((training.loss_change + 0.001 * 12.0 * 30.0).abs() < 1e-9);
    assert!(training.difference.abs() < 1e-9);
}

#[test]
fn what_the_steps_missed_adds_up_to_the_difference() {
    let folder = tempfile::tempdir().unwrap();
    // 1e-4 at every third step, and −5e-4 at step 7.
    let residual = |iteration: u64| match iteration {
        7 => -5e-4,
        other if other.is_multiple_of(3) => 1e-4,
        _ => 0.0,
    };
    let run = run()
        .residual(residual)
        .adjust(|step| step.capped = step.iteration == 7)
        .write(folder.path());
    let summary = summary(&run).unwrap();
    let training = &summary.reconciliation[0];
    assert!((training.lca + 0.36).abs() < 1e-9);
    assert!((training.difference - (10.0 * 1e-4 - 5e-4)).abs() < 1e-9);
    let worst = training.worst_residual.unwrap();
    assert_eq!((worst.iteration, worst.residual), (7, -5e-4));
    assert_eq!((training.capped, training.not_finite), (1, 0));
}

#[test]
fn steps_that_are_not_finite_are_counted_and_left_out_of_the_sums() {
    let folder = tempfile::tempdir().unwrap();
    let run = run()
        .adjust(|step| {
            if step.iteration == 4 {
                step.lca = f64::NAN;
            }
        })
        .write(folder.path());
    let summary = summary(&run).unwrap();
    let training = &summary.reconciliation[0];
    assert_eq!(training.not_finite, 1);
    assert!((training.lca + 0.001 * 12.0 * 29.0).abs() < 1e-9);
    // The loss of that step is measured all the same.
    assert!((training.difference + 0.012).abs() < 1e-9);
}

#[test]
fn helping_is_counted_with_and_without_zeros() {
    let folder = tempfile::tempdir().unwrap();
    // Of the 12 parameters, fc1.weight's 6 help, fc1.bias' 2 hurt, fc2.weight's 4 are still.
    let run = run()
        .lca(|at| match at.tensor {
            "fc1.weight" => -0.002,
            "fc1.bias" => 0.01,
            _ => 0.0,
        })
        .state(RunState::Running)
        .write(folder.path());
    let summary = summary(&run).unwrap();
    let training = &summary.helping[0];
    assert_eq!(
        (training.helping, training.hurting, training.zero),
        (180, 60, 120)
    );
    assert_eq!(
        (training.percent_of_all, training.percent_of_nonzero),
        (50.0, 75.0)
    );
    // fc1 as a whole: 6 · −0.002 + 2 · 0.01 = 0.008 a step, for 30 steps.
    let [fc1] = &*summary.hurting_layers else {
        panic!("{:?}", summary.hurting_layers)
    };
    assert_eq!((&*fc1.layer, fc1.percent_hurting_steps), ("fc1", 100.0));
    assert!((fc1.lca - 0.24).abs() < 1e-9);
    // A third of the values are zero, half are -0.002, a sixth 0.01.
    let quantiles = &summary.distribution.unwrap().quantiles;
    let at = |probability: f64| {
        let mut all = quantiles.iter();
        all.find(|quantile| quantile.probability == probability)
            .unwrap()
    };
    assert!(at(0.25).from <= -0.002 && -0.002 <= at(0.25).to);
    assert_eq!((at(0.75).from, at(0.75).to), (0.0, 0.0));
    assert!(at(0.95).from <= 0.01 && 0.01 <= at(0.95).to);
    // Its process is gone: how long it would have taken is not known.
    assert_eq!(summary.cost.wall_seconds, None);
    assert_eq!(summary.cost.probe_seconds, 30.0 * 0.125);
}
