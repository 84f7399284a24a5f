//! How the metric gets into a training: Burn's `.metrics(..)`, and `.metric(..)` beside it.

use burn::train::{InferenceStep, LearnerModel, MetricRegistration, SupervisedTraining, TrainStep};

use super::dashboard::DashboardState;
use super::metric::LcaMetric;
use super::origin::{ProbeOrigin, TrainingData, UserProbe};
use super::strategy::LcaStrategy;
use crate::probe::MeanLoss;

/// Adds [`metric`](Self::metric) to Burn's `SupervisedTraining`.
pub trait LcaTrainingExt<M: LearnerModel>: Sized {
    /// Returns the training with loss change allocation attached.
    ///
    /// It registers the series to show, and trains with a strategy that runs Burn's single-device
    /// loop and observes every optimizer step. That strategy replaces one that was set before; one
    /// that is set afterwards replaces it, and the series then say that LCA is not measured.
    ///
    /// Burn's own `.metrics(LcaMetric::new())` does the same. A tuple with other metrics is not
    /// possible, since Burn hands those to the loop one by one and LCA needs the loop itself: call
    /// `.metrics` twice, once with the tuple and once with the `LcaMetric`.
    ///
    /// Gradient checkpointing is a property of the model: a model that was made on
    /// `device.autodiff().gradient_checkpointing()` is trained and measured with it, any other
    /// without. Burn does not tell a strategy about `SupervisedTraining::gradient_checkpointing`.
    ///
    /// # Errors
    ///
    /// What can't be measured stops the training before its first step; what goes wrong later
    /// stops the measuring or the recording, not the training. Either way it is the
    /// `LearningResult`'s error, from which [`LcaError::of`](crate::LcaError::of) reads it.
    #[must_use]
    fn metric<S>(self, metric: LcaMetric<<M as InferenceStep>::Input, S>) -> Self
    where
        LcaMetric<<M as InferenceStep>::Input, S>: MetricRegistration<M>;
}

impl<M: LearnerModel> LcaTrainingExt<M> for SupervisedTraining<M> {
    fn metric<S>(self, metric: LcaMetric<<M as InferenceStep>::Input, S>) -> Self
    where
        LcaMetric<<M as InferenceStep>::Input, S>: MetricRegistration<M>,
    {
        self.metrics(metric)
    }
}

/// Measures on the learner's own training data, which must be of the type that is validated.
impl<M> MetricRegistration<M> for LcaMetric<<M as InferenceStep>::Input, TrainingData>
where
    M: LearnerModel + TrainStep<Input = <M as InferenceStep>::Input>,
    <M as InferenceStep>::Input: Clone,
    <M as InferenceStep>::Output: MeanLoss,
{
    fn register(self, training: SupervisedTraining<M>) -> SupervisedTraining<M> {
        attach(self, training)
    }
}

/// Measures on the user's probe.
impl<M> MetricRegistration<M>
    for LcaMetric<<M as InferenceStep>::Input, UserProbe<<M as InferenceStep>::Input>>
where
    M: LearnerModel,
    <M as InferenceStep>::Input: Clone,
    <M as InferenceStep>::Output: MeanLoss,
{
    fn register(self, training: SupervisedTraining<M>) -> SupervisedTraining<M> {
        attach(self, training)
    }
}

fn attach<M, S>(
    mut metric: LcaMetric<<M as InferenceStep>::Input, S>,
    training: SupervisedTraining<M>,
) -> SupervisedTraining<M>
where
    M: LearnerModel,
    S: ProbeOrigin<M> + 'static,
    <M as InferenceStep>::Input: Clone,
    <M as InferenceStep>::Output: MeanLoss,
{
    let dashboard = DashboardState::new(std::mem::take(&mut metric.series));
    dashboard
        .metrics()
        .into_iter()
        .fold(training, SupervisedTraining::metric_train_numeric)
        .with_training_strategy(LcaStrategy::install(metric, dashboard))
}
