//! What is odd but no error: the user is told, and training goes on.

use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::train::{ExecutionStrategy, TrainingStrategy};
use burn_lca::prelude::*;
use burn_lca::{RunStatus, Table};

use crate::data::{BATCHES, CLASSES, class_of, probe, training};
use crate::net::NetConfig;
use crate::setup::{Setup, Steps, column};

const NOT_MEASURED: &str = "LCA is not measured";

#[test]
fn a_strategy_that_is_set_after_the_metric_trains_and_the_user_is_told() {
    let setup = || Setup {
        net: NetConfig::FRAGILE,
        ..Setup::default()
    };
    let steps = Steps::default();
    let plain = setup().train_plainly();
    let setup = setup();
    let strategy = TrainingStrategy::Default(ExecutionStrategy::single(setup.device.clone()));
    let run_folder = setup.run_folder();
    let metric = LcaMetric::new()
        .record(Recorder::new(&run_folder))
        .on_step(steps.collect());
    let replaced = setup.train(|training| training.metric(metric).with_training_strategy(strategy));
    replaced.assert_fine();
    replaced.assert_same_training(&plain);
    assert!(steps.take().is_empty() && !run_folder.exists());
    for name in ["LCA", "LCA Helping", "LCA Residual"] {
        let shown = replaced.screen.of(name);
        assert!(!shown.is_empty());
        for shown in shown
            .iter()
            .filter(|shown| !shown.text.contains(NOT_MEASURED))
        {
            // Only the summary of an epoch without values.
            assert!(shown.text.contains("N/A"), "{}", shown.text);
        }
        assert!(shown[0].text.contains(NOT_MEASURED), "{}", shown[0].text);
        assert!(replaced.logged(&name.replace(' ', "_")).is_empty());
    }
}

#[test]
fn a_strategy_that_is_set_before_the_metric_gives_way_without_a_word() {
    let setup = Setup::default();
    let strategy = TrainingStrategy::Default(ExecutionStrategy::single(setup.device.clone()));
    let outcome = setup.train(|training| {
        training
            .with_training_strategy(strategy)
            .metric(LcaMetric::new())
    });
    outcome.assert_fine();
    let shown = outcome.screen.of("LCA");
    assert!(shown.iter().all(|shown| !shown.text.contains(NOT_MEASURED)));
    assert_eq!(outcome.logged("LCA").len(), 2 * BATCHES);
}

/// No image is of the classes 10 and 11.
#[test]
fn a_class_without_examples_is_reported_as_such_and_not_as_nan() {
    let steps = Steps::default();
    let setup = Setup::default();
    let metric = LcaMetric::new()
        .probe(probe(training()).classes(CLASSES + 2, class_of))
        .class(CLASSES)
        .record(Recorder::new(setup.run_folder()))
        .on_step(steps.collect());
    let outcome = setup.train(|training| training.metric(metric));
    outcome.assert_fine();
    let steps = steps.take();
    assert_eq!(steps.len(), 2 * BATCHES);
    for step in steps {
        let (full, empty) = step.classes().split_at(CLASSES);
        assert_eq!(empty.len(), 2);
        for class in empty {
            assert_eq!(class.examples(), 0);
            assert!(class.measured().is_none());
        }
        for class in full {
            assert!(class.examples() > 0 && class.measured().unwrap().lca.is_finite());
        }
        assert!(step.lca().is_finite());
    }
    let run = outcome.run();
    let classes = &run.info().probes[0].classes;
    let examples: Vec<u64> = classes.iter().map(|class| class.examples).collect();
    assert_eq!(examples.len(), CLASSES + 2);
    assert_eq!(examples[CLASSES..], [0, 0]);
    for (table, names) in [
        (
            Table::Steps,
            &["loss_before", "loss_after", "lca", "residual"][..],
        ),
        (Table::Tensors, &["lca", "step_norm", "gradient_norm"]),
        (
            Table::Classes,
            &["loss_before", "loss_after", "lca", "residual"],
        ),
    ] {
        for name in names {
            let values = column(&run, table, name);
            assert!(!values.is_empty());
            assert!(
                values.iter().all(|value| value.is_finite()),
                "{table}.{name}"
            );
        }
    }
    let name = format!("LCA Class {CLASSES}");
    assert_eq!(outcome.screen.values(&name), [None; 2 * BATCHES]);
    let shown = outcome.screen.of(&name);
    assert!(shown.iter().all(|shown| shown.text.contains("N/A")));
}

/// The rate grows beyond all bounds within the first epoch.
#[test]
fn a_loss_that_becomes_nan_is_recorded_and_shown_and_training_goes_its_own_way() {
    let setup = || Setup {
        schedule: ModuleLrScheduler::new(1e30),
        ..Setup::default()
    };
    let steps = Steps::default();
    let plain = setup().train_plainly();
    let setup = setup();
    let metric = LcaMetric::new()
        .probe(crate::data::by_class())
        .record(Recorder::new(setup.run_folder()))
        .on_step(steps.collect());
    let observed = setup.train(|training| training.metric(metric));
    observed.assert_fine();
    observed.assert_same_training(&plain);

    let steps = steps.take();
    assert_eq!(steps.len(), 2 * BATCHES);
    assert!(steps[0].loss_before().is_finite());
    let last = steps.last().unwrap();
    assert!(last.loss_after().is_nan() && last.lca().is_nan());
    assert!(!last.probe().is_finite() && !last.probe().is_capped());

    let run = observed.run();
    assert_eq!(run.status(), &RunStatus::Finished);
    let losses = column(&run, Table::Steps, "loss_after");
    assert_eq!(losses.len(), 2 * BATCHES);
    assert!(losses.last().unwrap().is_nan());
    let logged = observed.logged("LCA");
    assert_eq!(logged.len(), 2 * BATCHES);
    assert!(logged.last().unwrap().is_nan());
    let shown = observed.screen.of("LCA");
    assert!(shown.last().unwrap().text.contains("NaN"), "{shown:?}");
}
