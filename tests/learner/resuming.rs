//! Iterations go on where a checkpoint was taken.

use std::rc::Rc;

use burn::train::checkpoint::KeepLastNCheckpoints;
use burn::train::{Interrupter, SupervisedTraining};
use burn_lca::prelude::*;
use burn_lca::{RunStatus, Table};
use rstest::rstest;
use tempfile::TempDir;

use crate::data::{BATCHES, by_class};
use crate::digits::{Digit, DigitBatch};
use crate::net::{Net, NetConfig};
use crate::setup::{Outcome, Setup, Steps, column, sums};

const EPOCHS: usize = 4;
const CHECKPOINT: usize = 2;

/// A loader that shuffles would begin its orders anew when training is resumed, and so would
/// dropout its random numbers.
fn setup(epochs: usize, folder: Option<Rc<TempDir>>) -> Setup {
    let new = Setup::default();
    Setup {
        net: NetConfig {
            norm: true,
            ..NetConfig::default()
        },
        shuffle: false,
        epochs,
        folder: folder.unwrap_or(new.folder.clone()),
        ..new
    }
}

fn checkpoints(training: SupervisedTraining<Net>) -> SupervisedTraining<Net> {
    training
        .with_default_checkpointers()
        .with_checkpointing_strategy(KeepLastNCheckpoints::new(EPOCHS))
}

fn the_probe(sampled: bool) -> Probe<Digit, DigitBatch> {
    if sampled {
        by_class().sampled(40, 1)
    } else {
        by_class()
    }
}

/// Trains into the third epoch, in whose midst it is interrupted.
fn interrupted(sampled: bool) -> Outcome {
    let setup = setup(EPOCHS, None);
    let interrupter = Interrupter::new();
    let stop = interrupter.clone();
    let metric = LcaMetric::new()
        .probe(the_probe(sampled))
        .record(Recorder::new(setup.run_folder()))
        .on_step(move |step| {
            if step.iteration() as usize == CHECKPOINT * BATCHES + 3 {
                stop.stop(None);
            }
        });
    setup.train(|training| {
        checkpoints(training)
            .with_interrupter(interrupter)
            .metric(metric)
    })
}

#[rstest]
fn a_resumed_run_is_the_same_as_one_that_was_never_interrupted(
    #[values(false, true)] sampled: bool,
) {
    let record = |setup: Setup, add: fn(SupervisedTraining<Net>) -> SupervisedTraining<Net>| {
        let steps = Steps::default();
        let metric = LcaMetric::new()
            .probe(the_probe(sampled))
            .record(Recorder::new(setup.run_folder()).resume())
            .on_step(steps.collect());
        let outcome = setup.train(|training| add(checkpoints(training)).metric(metric));
        outcome.assert_fine();
        (outcome, steps.take())
    };
    let (whole, whole_steps) = record(setup(EPOCHS, None), |training| training);
    let first = interrupted(sampled);
    assert_eq!(first.run().status(), &RunStatus::Interrupted);
    assert_eq!(
        column(&first.run(), Table::Steps, "iteration").len(),
        CHECKPOINT * BATCHES + 4
    );
    let (resumed, resumed_steps) = record(setup(EPOCHS, Some(first.folder.clone())), |training| {
        training.checkpoint(CHECKPOINT)
    });

    assert_eq!(resumed.weights, whole.weights);
    let expected: Vec<_> = whole_steps[CHECKPOINT * BATCHES..]
        .iter()
        .map(sums)
        .collect();
    let steps: Vec<_> = resumed_steps.iter().map(sums).collect();
    assert_eq!(steps, expected);

    let (run, whole) = (resumed.run(), whole.run());
    assert_eq!(run.status(), &RunStatus::Finished);
    // Burn begins the log of the unfinished epoch anew, as the record does, and keeps those before.
    assert_eq!(resumed.logged("LCA"), column(&run, Table::Steps, "lca"));
    let iterations: Vec<f64> = (0..EPOCHS * BATCHES).map(|index| index as f64).collect();
    assert_eq!(column(&run, Table::Steps, "iteration"), iterations);
    for (table, columns) in [
        (
            Table::Steps,
            ["iteration", "epoch", "loss_after", "lca", "residual"],
        ),
        (
            Table::Tensors,
            ["iteration", "class", "lca", "helping", "step_norm"],
        ),
        (
            Table::Classes,
            ["iteration", "class", "examples", "loss_before", "lca"],
        ),
    ] {
        for name in columns {
            assert_eq!(
                column(&run, table, name),
                column(&whole, table, name),
                "{table}.{name}"
            );
        }
    }
    let ends = |run: &burn_lca::Run| -> Vec<(u32, u64)> {
        let epochs = run.info().epochs.iter();
        epochs.map(|end| (end.epoch, end.next_iteration)).collect()
    };
    assert_eq!(ends(&run), ends(&whole));
    assert_eq!(run.info().first_iteration as usize, CHECKPOINT * BATCHES);
}

#[rstest]
fn without_a_record_the_iterations_go_on_too(
    #[values(1, 3)] accumulation: usize,
    #[values(false, true)] own_data: bool,
) {
    let first = setup(CHECKPOINT, None)
        .train(|training| checkpoints(training).grads_accumulation(accumulation));
    let steps = Steps::default();
    let resumed = setup(EPOCHS, Some(first.folder.clone())).train(|training| {
        let training = checkpoints(training)
            .grads_accumulation(accumulation)
            .checkpoint(CHECKPOINT);
        let metric = LcaMetric::new().on_step(steps.collect());
        if own_data {
            training.metric(metric)
        } else {
            training.metric(metric.probe(by_class()))
        }
    });
    resumed.assert_fine();
    let by_epoch = BATCHES.div_ceil(accumulation);
    let iterations: Vec<usize> = steps
        .take()
        .iter()
        .map(|step| step.iteration() as usize)
        .collect();
    let expected: Vec<usize> = (CHECKPOINT * by_epoch..EPOCHS * by_epoch).collect();
    assert_eq!(iterations, expected);
}

#[test]
fn a_resumed_training_goes_bit_for_bit_as_without_lca() {
    let first = interrupted(false);
    let resume = |training: SupervisedTraining<Net>| checkpoints(training).checkpoint(CHECKPOINT);
    let fragile = || Setup {
        net: NetConfig::FRAGILE,
        shuffle: true,
        ..setup(EPOCHS, Some(first.folder.clone()))
    };
    let plain = fragile().train(resume);
    // The next training in the folder writes its own.
    let metrics = plain.metrics();
    let observed = fragile().train(|training| resume(training).metric(LcaMetric::new()));
    observed.assert_fine();
    assert_eq!(observed.weights, plain.weights);
    assert!(observed.used.batches == plain.used.batches);
    assert_eq!(observed.metrics(), metrics);
    assert!(metrics.contains_key(&format!("train/{EPOCHS}/Loss")));
}
