//! Steps of a learner that are not measured each for itself.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use burn::train::checkpoint::KeepLastNCheckpoints;
use burn::train::{Interrupter, SupervisedTraining};
use burn_lca::prelude::*;
use burn_lca::{RunStatus, Table};
use rstest::rstest;
use tempfile::TempDir;

use crate::data::{BATCH, BATCHES, Breaking, EXAMPLES, by_class, training};
use crate::digits::DigitBatch;
use crate::net::{Net, NetConfig};
use crate::screen::Screen;
use crate::setup::{Outcome, Setup, Steps, column, sums};

const EPOCHS: usize = 3;

fn setup(folder: Option<Rc<TempDir>>) -> Setup {
    let new = Setup::default();
    Setup {
        // What can be resumed bit for bit: no random numbers, no random order.
        net: NetConfig {
            norm: true,
            ..NetConfig::default()
        },
        shuffle: false,
        epochs: EPOCHS,
        folder: folder.unwrap_or(new.folder.clone()),
        ..new
    }
}

/// Everything that measuring could perturb.
fn fragile() -> Setup {
    Setup {
        net: NetConfig::FRAGILE,
        ..Setup::default()
    }
}

fn metric(single: bool) -> LcaMetric<DigitBatch> {
    if single {
        LcaMetric::new().one_in(4)
    } else {
        LcaMetric::new().every(3)
    }
}

fn spans(steps: &[StepAllocation]) -> Vec<(u64, u64)> {
    let steps = steps.iter();
    steps.map(|step| (step.iteration(), step.span())).collect()
}

/// Of 7 batches, segments of 3 steps leave one; with gradients of 2 batches there are 4 steps, with
/// those of 3 there are 3.
#[rstest]
fn segments_end_with_the_epoch_and_perturb_nothing(#[values(1, 2, 3)] accumulation: usize) {
    let plain = fragile().train(|training| training.grads_accumulation(accumulation));
    let steps = Steps::default();
    let screen = Screen::slow();
    let observed = Setup {
        screen,
        ..fragile()
    }
    .train(|training| {
        let metric = metric(false).on_step(steps.collect());
        training.grads_accumulation(accumulation).metric(metric)
    });
    observed.assert_fine();
    observed.assert_same_training(&plain);
    let steps = steps.take();
    let by_epoch = BATCHES.div_ceil(accumulation) as u64;
    let epochs = Setup::default().epochs as u64;
    let expected: Vec<_> = (0..epochs)
        .flat_map(|epoch| (0..by_epoch).step_by(3).map(move |first| (epoch, first)))
        .map(|(epoch, first)| (epoch * by_epoch + first, 3.min(by_epoch - first)))
        .collect();
    assert_eq!(spans(&steps), expected);
    // All are shown, those at the end of an epoch with its last batch.
    let lca: Vec<f64> = steps.iter().map(StepAllocation::lca).collect();
    assert_eq!(observed.logged("LCA"), lca);
    let last = observed
        .screen
        .values("LCA")
        .chunks(BATCHES)
        .map(|epoch| epoch[BATCHES - 1])
        .collect::<Vec<_>>();
    assert!(last.iter().all(Option::is_some));
}

#[test]
fn one_step_in_several_perturbs_nothing() {
    let plain = fragile().train_plainly();
    let steps = Steps::default();
    let metric = LcaMetric::new()
        .probe(by_class())
        .one_in(4)
        .on_step(steps.collect());
    let observed = fragile().train(|training| training.metric(metric));
    observed.assert_fine();
    observed.assert_same_training(&plain);
    let all = (Setup::default().epochs * BATCHES) as u64;
    let expected: Vec<_> = (0..all)
        .step_by(4)
        .map(|iteration| (iteration, 1))
        .collect();
    assert_eq!(spans(&steps.take()), expected);
}

fn checkpoints(training: SupervisedTraining<Net>) -> SupervisedTraining<Net> {
    training
        .with_default_checkpointers()
        .with_checkpointing_strategy(KeepLastNCheckpoints::new(EPOCHS))
}

/// The checkpoint after the first of three epochs of 7 steps is where segments of 3 have one that
/// is cut short, and between two of the single steps 0, 4, 8, … that are measured.
#[rstest]
fn a_run_that_is_resumed_between_two_rows_is_as_if_it_never_was(
    #[values(false, true)] single: bool,
) {
    let record = |setup: Setup, add: fn(SupervisedTraining<Net>) -> SupervisedTraining<Net>| {
        let steps = Steps::default();
        let metric = metric(single)
            .record(Recorder::new(setup.run_folder()).resume())
            .on_step(steps.collect());
        let outcome = setup.train(|training| add(checkpoints(training)).metric(metric));
        outcome.assert_fine();
        (outcome, steps.take())
    };
    let (whole, whole_steps) = record(setup(None), |training| training);

    let first = setup(None);
    let interrupter = Interrupter::new();
    let stop = interrupter.clone();
    let seen = Steps::default();
    let mut collect = seen.collect();
    let metric = metric(single)
        .record(Recorder::new(first.run_folder()))
        .on_step(move |step| {
            collect(step);
            if step.iteration() == 8 || step.iteration() == 7 {
                stop.stop(None);
            }
        });
    let first: Outcome = first.train(|training| {
        checkpoints(training)
            .with_interrupter(interrupter)
            .metric(metric)
    });
    assert_eq!(first.run().status(), &RunStatus::Interrupted);
    let seen = spans(&seen.take());
    assert_eq!(seen.last(), Some(&if single { (8, 1) } else { (7, 3) }));

    let (resumed, resumed_steps) = record(setup(Some(first.folder.clone())), |training| {
        training.checkpoint(1)
    });
    assert_eq!(resumed.weights, whole.weights);
    let later = whole_steps.iter().filter(|step| step.iteration() >= 7);
    let later: Vec<_> = later.map(sums).collect();
    assert_eq!(resumed_steps.iter().map(sums).collect::<Vec<_>>(), later);

    let (run, whole) = (resumed.run(), whole.run());
    for name in [
        "iteration",
        "span",
        "epoch",
        "loss_before",
        "loss_after",
        "lca",
    ] {
        let of = |run| column(run, Table::Steps, name);
        assert_eq!(of(&run), of(&whole), "{name}");
    }
    for name in ["lca", "helping", "zero", "gradient_sign_changes", "final"] {
        let of = |run| column(run, Table::ParameterTotals, name);
        assert_eq!(of(&run), of(&whole), "{name}");
    }
}

/// The disk breaks after the first step of the second epoch: it is a segment of its own, so that the
/// sum is of all that was trained.
#[test]
fn a_segment_that_a_failure_cuts_short_is_measured() {
    let steps = Steps::default();
    let setup = Setup {
        digits: Arc::new(Breaking {
            digits: training(),
            reads_left: AtomicUsize::new(EXAMPLES + BATCH),
        }),
        ..setup(None)
    };
    let metric = LcaMetric::new()
        .probe(by_class())
        .every(4)
        .record(Recorder::new(setup.run_folder()))
        .on_step(steps.collect());
    let outcome = setup.train(|training| training.metric(metric));
    assert!(matches!(outcome.run().status(), RunStatus::Failed(_)));
    assert_eq!(spans(&steps.take()), [(0, 4), (4, 3), (7, 1)]);
    assert_eq!(
        column(&outcome.run(), Table::Steps, "span"),
        [4.0, 3.0, 1.0]
    );
}
