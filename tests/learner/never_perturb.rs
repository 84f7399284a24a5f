//! With LCA, training goes bit for bit as without: weights, running statistics, dropout's random
//! numbers, order of the data, metric values.

use burn::tensor::{Distribution, Tensor};
use burn_lca::prelude::*;
use rstest::rstest;

use crate::data::{BATCHES, by_class, probe, validation};
use crate::net::NetConfig;
use crate::setup::{Setup, Steps};

const EPOCHS: usize = 3;

fn setup(workers: usize) -> Setup {
    Setup {
        net: NetConfig::FRAGILE,
        workers,
        epochs: EPOCHS,
        ..Setup::default()
    }
}

#[rstest]
fn measuring_on_the_learners_own_data_perturbs_nothing(#[values(0, 1, 3)] workers: usize) {
    let steps = Steps::default();
    let plain = setup(workers).train_plainly();
    let observed =
        setup(workers).train(|training| training.metric(LcaMetric::new().on_step(steps.collect())));
    observed.assert_fine();
    observed.assert_same_training(&plain);
    assert_eq!(steps.take().len(), EPOCHS * BATCHES);
}

#[rstest]
fn measuring_classes_and_validation_and_recording_perturb_nothing(
    #[values(0, 1, 3)] workers: usize,
) {
    let plain = setup(workers).train_plainly();
    let setup = setup(workers);
    let metric = LcaMetric::new()
        .probe(by_class())
        .validation(probe(validation()))
        .integrator(Integrator::paper())
        .record(Recorder::new(setup.run_folder()).full());
    let observed = setup.train(|training| training.metric(metric));
    observed.assert_fine();
    observed.assert_same_training(&plain);
    let steps = observed.run().info().totals.as_ref().unwrap().steps;
    assert_eq!(steps, (EPOCHS * BATCHES) as u64);
}

/// Chunk sizes are timed and the settings of batch normalization are not the defaults.
#[test]
fn measuring_with_timed_chunks_and_the_statistics_of_chunks_perturbs_nothing() {
    let probe = || Probe::new(crate::data::training(), crate::digits::DigitBatcher);
    let plain = setup(0).train_plainly();
    for mode in [BatchNormMode::Chunk, BatchNormMode::Running] {
        let metric = LcaMetric::new().probe(probe()).batch_norm(mode);
        let observed = setup(0).train(|training| training.metric(metric));
        observed.assert_fine();
        observed.assert_same_training(&plain);
    }
}

#[rstest]
fn measuring_on_samples_perturbs_nothing(#[values(0, 3)] workers: usize) {
    let plain = setup(workers).train_plainly();
    let steps = Steps::default();
    let metric = LcaMetric::new()
        .probe(by_class().sampled(40, 1))
        .validation(probe(validation()).sampled(16, 1))
        .on_step(steps.collect());
    let observed = setup(workers).train(|training| training.metric(metric));
    observed.assert_fine();
    observed.assert_same_training(&plain);
    for step in steps.take() {
        let probes = [step.probe(), step.validation().unwrap()];
        assert!(
            probes
                .iter()
                .all(|probe| probe.standard_error() > Some(0.0))
        );
    }
}

#[test]
fn the_comparison_notices_one_random_number() {
    let plain = setup(0).train_plainly();
    let setup = setup(0);
    let device = setup.device.clone();
    let metric = LcaMetric::new().on_step(move |_| {
        drop(Tensor::<1>::random([1], Distribution::Default, &device));
    });
    let perturbed = setup.train(|training| training.metric(metric));
    assert_ne!(perturbed.weights, plain.weights);
    assert_ne!(perturbed.metrics(), plain.metrics());
}
