//! Programs of the shape of Burn's own examples, which users start from, with one line added.

mod adversarial;
mod generation;
mod pictures;
mod recurrent;
mod regression;
mod sentences;

use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::train::metric::{Adaptor, LossInput, LossMetric};
use burn::train::{InferenceStep, Learner, LearnerModel, SupervisedTraining, TrainStep};
use burn_lca::prelude::*;

use crate::screen::Screen;
use crate::setup::Steps;

/// Trains with the one line, gradients accumulated over so many batches, and returns the steps.
fn train<M, B>(
    learner: Learner<M>,
    loaders: [Arc<dyn DataLoader<B>>; 2],
    epochs: usize,
    accumulation: usize,
) -> Vec<StepAllocation>
where
    B: Clone + Send + 'static,
    M: LearnerModel
        + TrainStep<Input = B, Output: Adaptor<LossInput>>
        + InferenceStep<Input = B, Output: Adaptor<LossInput> + MeanLoss>,
{
    let folder = tempfile::tempdir().unwrap();
    let steps = Steps::default();
    let [training, validation] = loaders;
    let result = SupervisedTraining::<M>::new(folder.path(), training, validation)
        .metrics((LossMetric::new(),))
        .num_epochs(epochs)
        .grads_accumulation(accumulation)
        .renderer(Box::new(Screen::default()))
        .with_application_logger(None)
        .metric(LcaMetric::new().on_step(steps.collect()))
        .launch(learner);
    if let Some(error) = result.error {
        panic!("{error}");
    }
    steps.take()
}

/// Fails unless every step adds up, and the loss fell over all of them.
#[track_caller]
fn assert_learned(steps: &[StepAllocation], count: usize) {
    assert_eq!(steps.len(), count);
    for step in steps {
        let (change, residual) = (step.loss_change(), step.residual());
        assert!(
            residual.abs() <= 1e-4 + 0.01 * change.abs(),
            "step {}: {residual} of {change}",
            step.iteration()
        );
    }
    let lca: f64 = steps.iter().map(StepAllocation::lca).sum();
    let first = steps[0].loss_before();
    assert!(lca < -0.05 * first, "{lca} of {first}");
}
