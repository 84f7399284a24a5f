//! Trainings that end before their last epoch.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use burn::train::metric::LossMetric;
use burn::train::metric::store::{Aggregate, Direction, Split};
use burn::train::{
    Interrupter, Interruption, MetricEarlyStoppingStrategy, StoppingCondition, TrainingError,
};
use burn_lca::prelude::*;
use burn_lca::{RunStatus, Table};

use crate::data::{BATCH, BATCHES, BROKEN, Breaking, EXAMPLES, by_class, training};
use crate::net::NetConfig;
use crate::screen::Screen;
use crate::setup::{Setup, Steps, column};

fn setup() -> Setup {
    Setup {
        net: NetConfig::FRAGILE,
        epochs: 5,
        ..Setup::default()
    }
}

/// The validation loss falls, and a strategy that wants it high sees no improvement: the second
/// epoch is the last.
#[test]
fn early_stopping_ends_training_and_the_record_is_complete() {
    let stop = || {
        MetricEarlyStoppingStrategy::new(
            &LossMetric::new(),
            Aggregate::Mean,
            Direction::Highest,
            Split::Valid,
            StoppingCondition::NoImprovementSince { n_epochs: 1 },
        )
    };
    let plain = setup().train(|training| training.early_stopping(stop()));
    let setup = setup();
    let metric = LcaMetric::new()
        .probe(by_class())
        .record(Recorder::new(setup.run_folder()));
    let observed = setup.train(|training| training.early_stopping(stop()).metric(metric));
    observed.assert_fine();
    observed.assert_same_training(&plain);
    let run = observed.run();
    assert_eq!(run.status(), &RunStatus::Finished);
    assert_eq!(column(&run, Table::Steps, "iteration").len(), 2 * BATCHES);
}

#[test]
fn an_interruption_ends_training_after_the_step_and_the_run_says_so() {
    const LAST: u64 = BATCHES as u64 + 2;
    let steps = Steps::default();
    let setup = setup();
    let interrupter = Interrupter::new();
    let stop = interrupter.clone();
    let mut collect = steps.collect();
    let metric = LcaMetric::new()
        .probe(by_class())
        .record(Recorder::new(setup.run_folder()))
        .on_step(move |step| {
            collect(step);
            if step.iteration() == LAST {
                stop.stop(Some("enough"));
            }
        });
    let outcome = setup.train(|training| training.with_interrupter(interrupter).metric(metric));
    assert!(outcome.error.is_none());
    let reason = Some("enough".to_owned());
    assert_eq!(outcome.interrupted, Some(Interruption { reason }));
    assert_eq!(steps.take().last().unwrap().iteration(), LAST);
    let run = outcome.run();
    assert_eq!(run.status(), &RunStatus::Interrupted);
    let recorded: Vec<f64> = (0..=LAST).map(|iteration| iteration as f64).collect();
    assert_eq!(column(&run, Table::Steps, "iteration"), recorded);
    // The step's batch has been shown, and no other after it.
    assert_eq!(outcome.logged("Loss").len() as u64, LAST + 1);
    assert_eq!(outcome.logged("LCA").len() as u64, LAST + 1);
}

/// The loader's data breaks in the second batch of the second epoch; the probe has its own.
#[test]
fn an_error_of_the_loader_is_burns_and_the_steps_before_it_stay() {
    let breaking = || Breaking {
        digits: training(),
        reads_left: AtomicUsize::new(EXAMPLES + BATCH + 5),
    };
    let setup = |folder_of: Setup| Setup {
        digits: Arc::new(breaking()),
        ..folder_of
    };
    let plain = setup(self::setup()).train_plainly();
    let setup = setup(self::setup());
    let metric = LcaMetric::new()
        .probe(by_class())
        .record(Recorder::new(setup.run_folder()));
    let observed = setup.train(|training| training.metric(metric));

    let error = observed.error.as_ref().expect("an error");
    assert!(matches!(**error, TrainingError::Dataset(_)), "{error}");
    assert!(LcaError::of(error).is_none());
    let message = error.to_string();
    assert_eq!(message, plain.error.as_ref().unwrap().to_string());
    assert!(message.contains(BROKEN), "{message}");
    assert_eq!(observed.interrupted, None);
    observed.assert_same_training(&plain);

    let run = observed.run();
    match run.status() {
        RunStatus::Failed(reason) => assert!(reason.contains(BROKEN), "{reason}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(column(&run, Table::Steps, "lca").len(), BATCHES + 1);
}

#[test]
fn learners_data_that_breaks_while_the_probe_is_read_stops_before_the_first_step() {
    let setup = Setup {
        digits: Arc::new(Breaking {
            digits: training(),
            reads_left: AtomicUsize::new(BATCH + 5),
        }),
        ..setup()
    };
    let outcome = setup.train(|training| training.metric(LcaMetric::new()));
    assert!(matches!(outcome.lca_error(), LcaError::Examples { .. }));
    let message = outcome.lca_error().to_string();
    assert!(message.contains(BROKEN), "{message}");
    assert!(outcome.used.batches.is_empty());
}

#[test]
fn how_training_ended_survives_a_dashboard_that_resets_the_interrupter() {
    let resetting = |interrupter: &Interrupter| Setup {
        screen: Screen::resetting(interrupter.clone()),
        ..setup()
    };
    let interrupter = Interrupter::new();
    let stop = interrupter.clone();
    let interrupted = resetting(&interrupter).train(|training| {
        training
            .with_interrupter(interrupter)
            .metric(LcaMetric::new().on_step(move |_| stop.stop(Some("enough"))))
    });
    assert!(interrupted.error.is_none());
    let reason = Some("enough".to_owned());
    assert_eq!(interrupted.interrupted, Some(Interruption { reason }));

    let interrupter = Interrupter::new();
    let failed = resetting(&interrupter).train(|training| {
        training
            .with_interrupter(interrupter)
            .metric(LcaMetric::new().class(0))
    });
    assert!(matches!(failed.lca_error(), LcaError::Setting { .. }));
    assert_eq!(failed.interrupted, None);
}
