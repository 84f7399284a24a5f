//! Sweeps by several threads, and on several devices.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use burn::module::Module;
use burn::train::{ClassificationOutput, InferenceStep};
use burn_lca::{Integrator, Lca, Probe};
use rstest::rstest;

use crate::digits::{Digit, DigitBatch, DigitNet};
use crate::scaffold::{
    by_class, device, moved, net, numbers, probe, start, steps, training, validation,
};

#[derive(Debug, Clone, Copy)]
enum Swept {
    /// Eleven to twelve chunks of each class.
    ByClass,
    /// 190 chunks, several to a portion.
    Together,
    Sampled,
    Streamed,
}

fn lca(swept: Swept) -> Lca<DigitBatch> {
    let cut = |probe: Probe<Digit, DigitBatch>| match swept {
        Swept::ByClass => probe.chunk_size(13),
        Swept::Together => probe.chunk_size(8),
        Swept::Sampled => probe.chunk_size(3).sampled(120, 1),
        Swept::Streamed => probe.chunk_size(13).cache(0),
    };
    let lca = match swept {
        Swept::Together => Lca::new(cut(probe(training()))),
        _ => Lca::new(cut(by_class(training()))),
    };
    lca.validation(cut(by_class(validation())))
        .integrator(Integrator::adaptive().tolerance(1e-7, 1e-7).budget(4))
}

/// A sum of floats depends on its order; more than one thread ends in any.
#[rstest]
fn the_numbers_do_not_depend_on_who_sweeps(
    #[values(Swept::ByClass, Swept::Together, Swept::Sampled, Swept::Streamed)] swept: Swept,
) {
    let allocate = |[workers, devices]: [usize; 2]| -> Vec<Vec<u64>> {
        let mut lca = lca(swept).workers(workers);
        if devices > 0 {
            lca = lca.devices(vec![device(); devices]);
        }
        let mut model = net();
        let mut lca = start(lca, &model);
        let step = |seed| {
            model = moved(&model, seed as u64, 0.05);
            numbers(&lca.observe(&model).unwrap())
        };
        (0..steps(3, 1)).map(step).collect()
    };
    let alone = allocate([1, 0]);
    for crew in [[2, 0], [3, 0], [8, 0], [1, 2], [1, 3], [1, 8], [2, 3]] {
        assert_eq!(allocate(crew), alone, "{crew:?}");
    }
}

/// Panics over a chunk of threes once it is armed.
#[derive(Module, Debug)]
struct Fragile {
    net: DigitNet,
}

static ARMED: AtomicBool = AtomicBool::new(false);

impl InferenceStep for Fragile {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> ClassificationOutput {
        let threes = batch
            .labels
            .clone()
            .into_data()
            .iter::<i64>()
            .all(|label| label == 3);
        assert!(!threes || !ARMED.load(Ordering::Relaxed), "too many threes");
        InferenceStep::step(&self.net, batch)
    }
}

#[test]
fn a_panic_of_the_model_is_that_of_the_thread_that_trains() {
    let model = Fragile { net: net() };
    let mut lca = start(Lca::new(by_class(training())).workers(4), &model);
    let model = moved(&model, 1, 0.05);
    ARMED.store(true, Ordering::Relaxed);
    let observed = catch_unwind(AssertUnwindSafe(|| lca.observe(&model).map(drop)));
    let panic = observed.expect_err("a model that panics");
    let message = panic.downcast_ref::<&str>();
    assert_eq!(message, Some(&"too many threes"));
}
