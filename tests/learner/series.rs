//! What the dashboard and Burn's metric log files show.

use burn::train::metric::NumericEntry;
use burn_lca::prelude::*;

use crate::data::{BATCHES, by_class, probe, validation};
use crate::screen::Screen;
use crate::setup::{Setup, Steps};

const EPOCHS: usize = 2;

/// The values of a series by step.
fn values(steps: &[StepAllocation], read: impl Fn(&StepAllocation) -> f64) -> Vec<f64> {
    steps.iter().map(read).collect()
}

fn percent_helping(step: &StepAllocation) -> f64 {
    let count = |count: fn(&burn_lca::TensorAllocation) -> u64| -> u64 {
        step.tensors().iter().map(count).sum()
    };
    let helping = count(|tensor| tensor.helping());
    100.0 * helping as f64 / (helping + count(|tensor| tensor.hurting())) as f64
}

#[test]
fn three_series_show_one_value_for_every_step() {
    let steps = Steps::default();
    let setup = Setup {
        screen: Screen::slow(),
        ..Setup::default()
    };
    let outcome = setup.train(|t| t.metric(LcaMetric::new().on_step(steps.collect())));
    let steps = steps.take();
    assert_eq!(steps.len(), EPOCHS * BATCHES);
    for (name, file, expected) in [
        ("LCA", "LCA", values(&steps, StepAllocation::lca)),
        (
            "LCA Helping",
            "LCA_Helping",
            values(&steps, percent_helping),
        ),
        (
            "LCA Residual",
            "LCA_Residual",
            values(&steps, StepAllocation::residual),
        ),
    ] {
        assert_eq!(outcome.logged(file), expected, "{name}");
        let shown: Vec<f64> = outcome.screen.values(name).into_iter().flatten().collect();
        assert_eq!(shown, expected, "{name}");
    }
    for unasked in ["LCA Validation", "LCA hidden", "LCA Class 3"] {
        assert!(outcome.screen.of(unasked).is_empty());
    }
    // Nothing of it belongs to validation.
    assert!(outcome.log("valid", 1, "LCA").is_empty());
}

#[test]
fn layers_classes_and_validation_are_shown_on_request() {
    let steps = Steps::default();
    let metric = LcaMetric::new()
        .probe(by_class())
        .validation(probe(validation()))
        .layer("hidden")
        .layer("output.bias")
        .class(3)
        .on_step(steps.collect());
    let outcome = Setup::default().train(|training| training.metric(metric));
    outcome.assert_fine();
    let steps = steps.take();
    assert_eq!(steps.len(), EPOCHS * BATCHES);
    let of = |step: &StepAllocation, path| {
        let mut tensors = step.tensors().iter();
        tensors.find(|tensor| tensor.path() == path).unwrap().lca()
    };
    let hidden = |step: &StepAllocation| {
        // In the model's order: sums of floats depend on it.
        let tensors = step.tensors().iter();
        let hidden = tensors.filter(|tensor| tensor.path().starts_with("hidden."));
        hidden
            .map(|tensor| tensor.lca())
            .reduce(|sum, lca| sum + lca)
            .unwrap()
    };
    for (name, expected) in [
        ("LCA hidden", values(&steps, hidden)),
        (
            "LCA output.bias",
            values(&steps, |step| of(step, "output.bias")),
        ),
        (
            "LCA Class 3",
            values(&steps, |step| step.classes()[3].measured().unwrap().lca),
        ),
        (
            "LCA Validation",
            values(&steps, |step| step.validation().unwrap().lca()),
        ),
    ] {
        assert_eq!(outcome.logged(&name.replace(' ', "_")), expected, "{name}");
        let shown: Vec<f64> = outcome.screen.values(name).into_iter().flatten().collect();
        assert_eq!(shown, expected, "{name}");
    }
}

#[test]
fn the_value_of_an_epoch_is_the_mean_of_its_steps() {
    let steps = Steps::default();
    let outcome = Setup::default().train(|t| t.metric(LcaMetric::new().on_step(steps.collect())));
    let steps = steps.take();
    assert_eq!(steps.len(), EPOCHS * BATCHES);
    for (epoch, steps) in steps.chunks(BATCHES).enumerate() {
        let lines = outcome.log("train", epoch + 1, "LCA");
        let last = NumericEntry::deserialize(lines.last().unwrap()).unwrap();
        assert!(matches!(last, NumericEntry::Final(_)), "{last:?}");
        let mean = values(steps, StepAllocation::lca).iter().sum::<f64>() / BATCHES as f64;
        assert!((last.current() - mean).abs() < 1e-12);
    }
}
