//! The two ways to attach the metric to a training: Burn's `.metrics(..)`, and `.metric(..)`.

use burn::train::{InferenceStep, LearnerModel, MetricRegistration, SupervisedTraining, TrainStep};

use super::dashboard::DashboardState;
use super::metric::LcaMetric;
use super::origin::{ProbeOrigin, TrainingData, UserProbe};
use super::strategy::LcaStrategy;
use crate::probe::{MeanLoss, Measurable};

mod sealed {
    /// Keeps the trait open for more methods: nobody else implements it.
    pub trait Sealed {}
}

impl<M: LearnerModel> sealed::Sealed for SupervisedTraining<M> {}

/// Adds [`metric`](Self::metric) to Burn's `SupervisedTraining`.
pub trait LcaTrainingExt<M: LearnerModel>: Sized + sealed::Sealed {
    /// Returns the training with loss change allocation attached.
    ///
    /// **Training runs on the device of the model, whatever strategy was set before**; for another
    /// device or several, give [`LcaMetric::strategy`] what Burn's `with_training_strategy` would be
    /// given.
    ///
    /// It registers the series to show, and trains with a strategy that runs Burn's loop and
    /// observes every optimizer step. That strategy replaces one that was set before, which can't be
    /// seen from here; one that is set afterwards replaces it, and the series then say that LCA is
    /// not measured.
    ///
    /// Burn's own `.metrics(LcaMetric::new())` does the same. The metric can't be part of a tuple
    /// with others, because Burn takes each part of a tuple for a metric that reads the model's
    /// output: call `.metrics` twice, once with the tuple and once with the `LcaMetric`.
    ///
    /// Gradient checkpointing is a property of the model: a model that was made on
    /// `device.autodiff().gradient_checkpointing()` is trained and measured with it, any other
    /// without. Burn does not tell a strategy about `SupervisedTraining::gradient_checkpointing`.
    ///
    /// # Errors
    ///
    /// If the model can't be measured, the training stops before its first step. What goes wrong
    /// later stops the measuring or the recording, but not the training. Either way the error is
    /// in the `LearningResult`, where [`LcaError::of`](crate::LcaError::of) finds it.
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
    M: LearnerModel + InferenceStep<Input: Clone, Output: MeanLoss>,
    M: TrainStep<Input = <M as InferenceStep>::Input>,
{
    fn register(self, training: SupervisedTraining<M>) -> SupervisedTraining<M> {
        attach(self, training)
    }
}

/// Measures on the user's probe.
impl<M> MetricRegistration<M>
    for LcaMetric<<M as InferenceStep>::Input, UserProbe<<M as InferenceStep>::Input>>
where
    M: LearnerModel + InferenceStep<Input: Clone, Output: MeanLoss>,
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
    M: LearnerModel + Measurable,
    S: ProbeOrigin<M>,
{
    let dashboard = DashboardState::new(std::mem::take(&mut metric.series));
    dashboard
        .metrics()
        .into_iter()
        .fold(training, SupervisedTraining::metric_train_numeric)
        .metric_train(dashboard.text())
        .with_training_strategy(LcaStrategy::install(metric, dashboard))
}
