//! Gradient checkpointing: activations are computed again in place of being kept.

use burn::tensor::Device;
use burn_lca::UserProbe;
use burn_lca::prelude::*;

use crate::data::by_class;
use crate::digits::DigitBatch;
use crate::setup::{Outcome, Setup, Steps};
use crate::shared;

const RECOMPUTED: &str = "Balanced";

fn metric(steps: &Steps) -> LcaMetric<DigitBatch, UserProbe<DigitBatch>> {
    LcaMetric::new().probe(by_class()).on_step(steps.collect())
}

fn on(device: Device) -> Setup {
    Setup {
        device,
        ..Setup::default()
    }
}

fn assert_recomputed(outcome: &Outcome) {
    outcome.assert_fine();
    let used = &outcome.used;
    for passes in [&used.training, &used.measuring] {
        assert!(!passes.is_empty());
        assert!(passes.iter().all(|kept| kept == RECOMPUTED), "{passes:?}");
    }
}

fn assert_same_steps(steps: &Steps, others: &[StepAllocation]) {
    let steps = steps.take();
    assert!(!steps.is_empty());
    assert_eq!(steps.len(), others.len());
    for (step, other) in steps.iter().zip(others) {
        for (a, b) in step.tensors().iter().zip(other.tensors()) {
            let scale = other.loss_change().abs().max(1e-3);
            assert!((a.lca() - b.lca()).abs() < 1e-4 * scale, "{}", a.path());
        }
    }
}

/// Only a model that was made for it can be trained with it: Burn 0.22.1 panics when its own
/// setting meets another model.
#[test]
fn recomputed_activations_give_the_same_training_and_the_same_lca() {
    let checkpointing = || on(shared::device().autodiff().gradient_checkpointing());
    let kept_steps = Steps::default();
    let kept = on(shared::device().autodiff()).train(|t| t.metric(metric(&kept_steps)));
    let kept_steps = kept_steps.take();
    assert!(kept.used.training.iter().all(|kept| kept != RECOMPUTED));

    let burns = checkpointing().train(|training| training.gradient_checkpointing());
    assert!(burns.used.training.iter().all(|kept| kept == RECOMPUTED));

    let steps = Steps::default();
    let by_device = checkpointing().train(|training| training.metric(metric(&steps)));
    assert_recomputed(&by_device);
    by_device.assert_same_training(&burns);
    assert_same_steps(&steps, &kept_steps);

    let asked =
        checkpointing().train(|training| training.gradient_checkpointing().metric(metric(&steps)));
    assert_recomputed(&asked);
    asked.assert_same_training(&burns);
    assert_same_steps(&steps, &kept_steps);
}
