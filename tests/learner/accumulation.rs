//! A step is a step of the optimizer, of however many batches.

use burn_lca::prelude::*;
use rstest::rstest;

use crate::data::{BATCHES, by_class};
use crate::net::NetConfig;
use crate::screen::Screen;
use crate::setup::{Setup, Steps};

const EPOCHS: usize = 2;

fn setup() -> Setup {
    Setup {
        net: NetConfig::FRAGILE,
        epochs: EPOCHS,
        ..Setup::default()
    }
}

/// Of 7 batches, 2 by 2 leave 1 and 3 by 3 leave 1 for the end of the epoch, where Burn takes
/// the step that is left; 8 are never reached.
#[rstest]
fn every_optimizer_step_is_one_step_and_the_leftover_too(
    #[values(1, 2, 3, 7, 8)] accumulation: usize,
) {
    let steps = Steps::default();
    let plain = setup().train(|training| training.grads_accumulation(accumulation));
    let observed = setup().train(|training| {
        training
            .grads_accumulation(accumulation)
            .metric(LcaMetric::new().probe(by_class()).on_step(steps.collect()))
    });
    observed.assert_fine();
    observed.assert_same_training(&plain);

    let steps = steps.take();
    let by_epoch = BATCHES.div_ceil(accumulation);
    let iterations: Vec<u64> = steps.iter().map(StepAllocation::iteration).collect();
    let expected: Vec<u64> = (0..(EPOCHS * by_epoch) as u64).collect();
    assert_eq!(iterations, expected);
    for (index, step) in steps.iter().enumerate() {
        assert_eq!(step.epoch() as usize, 1 + index / by_epoch);
        assert_ne!(step.lca(), 0.0);
    }
}

#[test]
fn the_series_show_nothing_on_batches_without_a_step() {
    let steps = Steps::default();
    let setup = Setup {
        screen: Screen::slow(),
        ..setup()
    };
    let observed = setup.train(|training| {
        training
            .grads_accumulation(3)
            .metric(LcaMetric::new().on_step(steps.collect()))
    });
    let lca: Vec<f64> = steps.take().iter().map(StepAllocation::lca).collect();
    assert_eq!(lca.len(), EPOCHS * 3);
    assert_eq!(observed.logged("LCA"), lca);
    let expected: Vec<Option<f64>> = lca
        .chunks(3)
        .flat_map(|epoch| {
            let [first, second, leftover] = [epoch[0], epoch[1], epoch[2]].map(Some);
            [None, None, first, None, None, second, leftover]
        })
        .collect();
    assert_eq!(observed.screen.values("LCA"), expected);
    assert!(observed.screen.of("LCA")[0].text.contains("N/A"));
    // Burn's own metrics are of every batch.
    assert_eq!(observed.logged("Loss").len(), EPOCHS * BATCHES);
}
