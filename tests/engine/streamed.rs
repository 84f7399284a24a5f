//! Probes that are not kept on the device.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::data::dataset::{Dataset, DatasetError, InMemDataset};
use burn_lca::{Integrator, Lca, LcaError, Probe};
use rstest::rstest;

use crate::digits::{Digit, DigitBatch, DigitBatcher};
use crate::scaffold::{
    CLASSES, by_class, label, moved, net, numbers, probe, start, steps, training, validation,
};

/// With nine to ten chunks of each class, of the whole and of a sample; the rule bisects, so it
/// sweeps a step in pieces.
#[rstest]
fn a_streamed_probe_has_the_numbers_of_a_cached_one_to_the_bit(#[values(true, false)] whole: bool) {
    let allocate = |cached: usize| -> Vec<Vec<u64>> {
        let sized = |probe: Probe<Digit, DigitBatch>| {
            let probe = if whole { probe } else { probe.sampled(120, 1) };
            probe.chunk_size(if whole { 16 } else { 3 }).cache(cached)
        };
        let lca = Lca::new(sized(by_class(training())))
            .validation(sized(probe(validation())))
            .integrator(Integrator::adaptive().tolerance(1e-7, 1e-7).budget(6));
        let mut model = net();
        let mut lca = start(lca, &model);
        let step = |seed| {
            model = moved(&model, seed as u64, 0.05);
            numbers(&lca.observe(&model).unwrap())
        };
        (0..steps(4, 1)).map(step).collect()
    };
    assert_eq!(allocate(0), allocate(usize::MAX));
}

/// Fails once its examples have been read so many times.
struct Failing {
    digits: InMemDataset<Digit>,
    left: AtomicUsize,
}

impl Dataset<Digit> for Failing {
    fn get(&self, index: usize) -> Result<Digit, DatasetError> {
        let count_down = |left: usize| left.checked_sub(1);
        let order = Ordering::Relaxed;
        match self.left.fetch_update(order, order, count_down) {
            Ok(_) => self.digits.get(index),
            Err(_) => Err(DatasetError::new(std::io::Error::other("the disk is gone"))),
        }
    }

    fn len(&self) -> usize {
        Dataset::<Digit>::len(&self.digits)
    }
}

/// What failed is no part of what the next step is the change from: once the disk is back, the
/// change over both steps is allocated.
#[test]
fn a_dataset_that_fails_midway_is_an_error_and_the_next_step_is_measured_from_the_same_point() {
    let digits = &training()[..300];
    let dataset = Arc::new(Failing {
        digits: InMemDataset::new(digits.to_vec()),
        left: AtomicUsize::new(usize::MAX),
    });
    let probe = Probe::new(Arc::clone(&dataset), DigitBatcher).chunk_size(16);
    let model = net();
    let (first, second) = (moved(&model, 1, 0.05), moved(&model, 2, 0.05));
    let mut lca = start(Lca::new(probe.classes(CLASSES, label).cache(0)), &model);

    dataset.left.store(150, Ordering::Relaxed);
    match lca.observe(&first) {
        Err(LcaError::Examples { probe, problem, .. }) => {
            assert_eq!(probe, "training");
            assert!(problem.contains("the disk is gone"), "{problem}");
        }
        other => panic!("{other:?}"),
    }
    dataset.left.store(usize::MAX, Ordering::Relaxed);
    let both = lca.observe(&second).unwrap();
    drop(lca);
    assert_eq!(Arc::strong_count(&dataset), 1, "a thread is left");

    let mut direct = start(Lca::new(by_class(digits).chunk_size(16)), &model);
    assert_eq!(numbers(&both), numbers(&direct.observe(&second).unwrap()));
}
