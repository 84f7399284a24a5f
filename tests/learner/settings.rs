//! Settings that can't work are errors before the first step.

use std::fs;
use std::sync::Arc;

use burn::data::dataset::InMemDataset;
use burn::train::SupervisedTraining;
use burn_lca::UserProbe;
use burn_lca::prelude::*;

use crate::data::{BATCH, EXAMPLES, by_class, class_of, first, probe, training};
use crate::digits::{Digit, DigitBatch};
use crate::net::{Loss, Net, NetConfig, bits};
use crate::setup::{Outcome, Setup};

type Metric = LcaMetric<DigitBatch, UserProbe<DigitBatch>>;

/// Trains, and fails unless an error with all these words comes before the first step.
fn stopped(
    setup: Setup,
    add: impl FnOnce(SupervisedTraining<Net>) -> SupervisedTraining<Net>,
    words: &[&str],
) -> Outcome {
    let untouched = {
        let (net, _random) = setup.start();
        bits(&net)
    };
    let outcome = setup.train(add);
    let message = outcome.lca_error().to_string();
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
    assert!(outcome.used.batches.is_empty(), "a batch was trained");
    assert!(outcome.logged("Loss").is_empty());
    assert_eq!(outcome.weights, untouched);
    assert_eq!(outcome.interrupted, None);
    outcome
}

fn refused(metric: Metric, words: &[&str]) {
    let outcome = stopped(Setup::default(), |training| training.metric(metric), words);
    let error = outcome.lca_error();
    assert!(matches!(error, LcaError::Setting { .. }), "{error:?}");
}

fn metric() -> Metric {
    LcaMetric::new().probe(by_class())
}

#[test]
fn an_empty_probe_is_refused() {
    let empty = || probe(Arc::new(InMemDataset::<Digit>::new(Vec::new())));
    let words = ["Probe::new", "no examples"];
    refused(LcaMetric::new().probe(empty()), &words);
    refused(metric().validation(empty()), &words);
}

#[test]
fn a_learner_without_training_data_is_refused() {
    let setup = Setup {
        digits: Arc::new(InMemDataset::<Digit>::new(Vec::new())),
        ..Setup::default()
    };
    let words = ["training data loader", "no examples"];
    stopped(setup, |training| training.metric(LcaMetric::new()), &words);
}

#[test]
fn a_chunk_size_of_zero_is_refused() {
    let words = ["Probe::chunk_size", "0 examples"];
    refused(LcaMetric::new().probe(by_class().chunk_size(0)), &words);
    refused(metric().validation(by_class().chunk_size(0)), &words);
}

#[test]
fn a_label_outside_the_classes_is_refused_with_example_and_label() {
    // The first 8 of the digits in the set's order.
    let first = (0..)
        .find(|&index| class_of(&training().get(index).unwrap()) == 8)
        .unwrap();
    let example = format!("example {first} has class 8");
    let probe = || probe(training()).classes(8, class_of);
    refused(
        LcaMetric::new().probe(probe()),
        &["Probe::classes", &example],
    );
    refused(metric().validation(probe()), &["Probe::classes", &example]);
}

#[test]
fn no_classes_and_too_large_a_subset_are_refused() {
    let probe = || probe(training());
    refused(
        LcaMetric::new().probe(probe().classes(0, class_of)),
        &["Probe::classes", "0 classes"],
    );
    refused(
        LcaMetric::new().probe(probe().subset(201, 1)),
        &["Probe::subset", "201", "200"],
    );
}

#[test]
fn the_statistics_of_chunks_are_refused_together_with_classes() {
    let setup = Setup {
        net: NetConfig::FRAGILE,
        ..Setup::default()
    };
    let metric = metric().batch_norm(BatchNormMode::Chunk);
    let words = ["batch_norm", "class"];
    stopped(setup, |training| training.metric(metric), &words);
}

/// Without classes, the two parts that are compared differ enough where the digits are sorted.
#[test]
fn a_loss_that_is_no_mean_is_refused_with_both_numbers() {
    let setup = || Setup {
        net: NetConfig {
            loss: Loss::Weighted,
            ..NetConfig::default()
        },
        ..Setup::default()
    };
    let mut sorted: Vec<Digit> = (0..EXAMPLES).map(|k| training().get(k).unwrap()).collect();
    sorted.sort_by_key(class_of);
    let sorted = probe(Arc::new(InMemDataset::new(sorted)));
    for metric in [metric(), LcaMetric::new().probe(sorted)] {
        let words = ["not a mean over examples"];
        let outcome = stopped(setup(), |training| training.metric(metric), &words);
        let error = outcome.lca_error();
        let LcaError::NotMean { mixed, parts, .. } = error else {
            panic!("{error:?}");
        };
        assert!((mixed - parts).abs() > 1e-3 && mixed.is_finite() && parts.is_finite());
        let message = error.to_string();
        for number in [mixed, parts] {
            assert!(message.contains(&number.to_string()), "{message}");
        }
    }
}

/// With batch normalization a batch is measured by its own statistics.
#[test]
fn a_last_batch_of_one_example_is_refused_where_it_has_statistics() {
    let setup = |norm| Setup {
        net: NetConfig {
            norm,
            ..NetConfig::default()
        },
        digits: first(BATCH + 1),
        ..Setup::default()
    };
    let words = ["one example", "batch size", "BatchNormMode::Running"];
    stopped(
        setup(true),
        |training| training.metric(LcaMetric::new()),
        &words,
    );
    setup(false)
        .train(|training| training.metric(LcaMetric::new()))
        .assert_fine();
}

#[test]
fn a_network_without_trainable_parameters_is_refused() {
    let setup = || Setup {
        frozen: true,
        ..Setup::default()
    };
    let words = ["gradients"];
    let outcome = stopped(setup(), |training| training.metric(metric()), &words);
    let error = outcome.lca_error();
    assert!(
        matches!(error, LcaError::NothingToMeasure { .. }),
        "{error:?}"
    );
    stopped(
        setup(),
        |training| training.metric(LcaMetric::new()),
        &words,
    );
}

#[test]
fn a_folder_that_cant_be_written_is_refused_by_name() {
    let setup = Setup::default();
    let file = setup.folder.path().join("file");
    fs::write(&file, "").unwrap();
    let folder = file.join("lca");
    let metric = metric().record(Recorder::new(&folder));
    let words = [&*file.to_string_lossy()];
    let outcome = stopped(setup, |training| training.metric(metric), &words);
    match outcome.lca_error() {
        LcaError::Disk { path, .. } => assert!(path.starts_with(&file)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_folder_that_holds_a_run_is_refused_with_the_ways_out_and_left_alone() {
    let first = Setup::default();
    let recorder = Recorder::new(first.run_folder());
    let metric_of_first = metric().record(recorder.clone());
    let first = first.train(|training| training.metric(metric_of_first));
    first.assert_fine();
    let run = first.run();
    let steps = |run: &burn_lca::Run| crate::setup::column(run, burn_lca::Table::Steps, "lca");
    let before = steps(&run);
    assert!(!before.is_empty());

    let again = metric().record(recorder.clone());
    let words = [&*run.folder().to_string_lossy(), "overwrite", "resume"];
    let second = stopped(Setup::default(), |training| training.metric(again), &words);
    assert!(matches!(second.lca_error(), LcaError::Setting { .. }));
    let run = first.run();
    assert_eq!((run.info(), steps(&run)), (first.run().info(), before));
    assert_eq!(run.status(), &burn_lca::RunStatus::Finished);

    let over = metric().record(recorder.overwrite());
    Setup::default()
        .train(|training| training.metric(over))
        .assert_fine();
}

#[test]
fn series_of_what_is_not_there_are_refused() {
    let words = ["LcaMetric::layer", "`nope`", "hidden.weight"];
    refused(metric().layer("nope"), &words);
    // Neither a buffer nor half a name is a layer.
    refused(metric().layer("hid"), &["LcaMetric::layer", "`hid`"]);
    refused(metric().class(99), &["LcaMetric::class", "class 99", "10"]);
    refused(
        LcaMetric::new().probe(probe(training())).class(0),
        &["LcaMetric::class", "class 0"],
    );
}
