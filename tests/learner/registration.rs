//! The two ways to attach the metric: Burn's `.metrics(..)`, and `.metric(..)`.

use burn::train::SupervisedTraining;
use burn_lca::prelude::*;
use burn_lca::{Table, TrainingData, UserProbe};

use crate::data::{BATCHES, by_class};
use crate::digits::DigitBatch;
use crate::net::{Net, NetConfig};
use crate::setup::{Outcome, Setup, Steps, column, sums};

type Training = SupervisedTraining<Net>;

/// What a training was seen to do, with what is attached given the recorder and the steps.
fn train(attach: impl FnOnce(Training, Recorder, &Steps) -> Training) -> (Outcome, Steps) {
    let setup = Setup {
        net: NetConfig::FRAGILE,
        ..Setup::default()
    };
    let steps = Steps::default();
    let recorder = Recorder::new(setup.run_folder());
    let outcome = setup.train(|training| attach(training, recorder, &steps));
    outcome.assert_fine();
    (outcome, steps)
}

fn assert_same(a: (Outcome, Steps), b: (Outcome, Steps), series: &[&str]) {
    let [steps, others] = [&a.1, &b.1].map(|steps| -> Vec<_> {
        let steps = steps.take();
        steps.iter().map(sums).collect()
    });
    assert_eq!(steps.len(), 2 * BATCHES);
    assert_eq!(steps, others);
    let (a, b) = (a.0, b.0);
    a.assert_same_training(&b);
    for name in series {
        let shown = a.logged(name);
        assert_eq!(shown.len(), 2 * BATCHES, "{name}");
        assert_eq!(shown, b.logged(name), "{name}");
    }
    for (table, names) in [
        (
            Table::Steps,
            &["iteration", "epoch", "lca", "residual", "learning_rate"][..],
        ),
        (
            Table::Tensors,
            &["iteration", "lca", "helping", "step_norm"],
        ),
        (
            Table::ParameterTotals,
            &["index", "lca", "helping", "final"],
        ),
    ] {
        for name in names {
            let recorded = column(&a.run(), table, name);
            assert!(!recorded.is_empty());
            assert_eq!(recorded, column(&b.run(), table, name), "{table}.{name}");
        }
    }
}

#[test]
fn both_ways_to_attach_the_metric_show_and_record_the_same() {
    let metric = |recorder, steps: &Steps| -> LcaMetric<DigitBatch, TrainingData> {
        LcaMetric::new().record(recorder).on_step(steps.collect())
    };
    assert_same(
        train(|training, recorder, steps| training.metrics(metric(recorder, steps))),
        train(|training, recorder, steps| training.metric(metric(recorder, steps))),
        &["LCA", "LCA_Helping", "LCA_Residual"],
    );
}

#[test]
fn both_ways_to_attach_the_metric_measure_on_a_probe_of_the_users() {
    let metric = |recorder, steps: &Steps| -> LcaMetric<DigitBatch, UserProbe<DigitBatch>> {
        LcaMetric::new()
            .probe(by_class())
            .layer("hidden")
            .class(3)
            .record(recorder)
            .on_step(steps.collect())
    };
    assert_same(
        train(|training, recorder, steps| training.metrics(metric(recorder, steps))),
        train(|training, recorder, steps| training.metric(metric(recorder, steps))),
        &["LCA", "LCA_hidden", "LCA_Class_3"],
    );
}

/// Nothing but the training says what the model takes.
#[test]
fn burns_metrics_takes_the_metric_without_settings() {
    let outcome = Setup::default().train(|training| training.metrics(LcaMetric::new()));
    outcome.assert_fine();
    assert_eq!(outcome.logged("LCA").len(), 2 * BATCHES);
}
