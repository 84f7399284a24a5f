//! The observer of a learner's steps, and what becomes of it when it fails.

use burn::train::{InferenceStep, Interrupter, Learner, LearnerModel, TrainLoader};

use super::dashboard::DashboardState;
use super::failure::fail;
use super::metric::{LcaMetric, OnStep};
use super::origin::{ProbeOrigin, count_batches};
use crate::LcaError;
use crate::observer::{Observer, Resume};
use crate::probe::MeanLoss;
use crate::record::RunState;

/// Measures a learner's steps, shows them, and stands aside when measuring fails: training goes
/// on.
pub(super) struct LearnerObserver<M: LearnerModel> {
    observer: Option<Observer<M>>,
    dashboard: DashboardState,
    on_step: Option<OnStep>,
    failure: Option<LcaError>,
}

impl<M> LearnerObserver<M>
where
    M: LearnerModel,
    <M as InferenceStep>::Input: Clone,
    <M as InferenceStep>::Output: MeanLoss,
{
    pub fn start<S: ProbeOrigin<M>>(
        metric: LcaMetric<<M as InferenceStep>::Input, S>,
        dashboard: &DashboardState,
        model: &M,
        loader: &TrainLoader<M>,
        starting_epoch: usize,
        accumulation: usize,
    ) -> Result<Self, LcaError> {
        let probe = metric.origin.into_probe(loader)?;
        let epochs = starting_epoch.saturating_sub(1);
        let steps = if epochs == 0 {
            0
        } else {
            let batches = match probe.count_batches() {
                Some(batches) => batches,
                None => count_batches::<M>(loader)?,
            };
            epochs * batches.div_ceil(accumulation)
        };
        let resume = Resume::AfterEpoch {
            epoch: epochs as u32,
            iteration: steps as u64,
        };
        let observer = Observer::start(model, probe, metric.settings, resume)?;
        dashboard.check(&observer.paths(), observer.classes())?;
        Ok(Self {
            observer: Some(observer),
            dashboard: dashboard.clone(),
            on_step: metric.on_step,
            failure: None,
        })
    }

    /// Measures the step that the learner has just taken.
    pub fn step(&mut self, learner: &Learner<M>, epoch: usize) {
        let Some(observer) = &mut self.observer else {
            return self.no_step();
        };
        let learning_rate = learner.lr_current().base();
        match observer.observe(&learner.model(), epoch as u32, Some(learning_rate)) {
            Ok(step) => {
                if let Some(failure) = observer.recording_failure() {
                    self.dashboard
                        .notify(format!("the recording stopped: {failure}"));
                }
                self.dashboard.push(Some(&step));
                if let Some(on_step) = &mut self.on_step {
                    on_step(&step);
                }
            }
            Err(error) => {
                self.stop(error);
                self.no_step();
            }
        }
    }

    /// Notes a training item without a step, as its gradients are only accumulated.
    pub fn no_step(&mut self) {
        self.dashboard.push(None);
    }

    /// Ends the measuring; training goes on without it.
    fn stop(&mut self, error: LcaError) {
        log::error!("LCA is no longer measured: {error}");
        self.dashboard
            .notify(format!("LCA is no longer measured: {error}"));
        if let Some(observer) = self.observer.take()
            && let Err(error) = observer.finish(RunState::Failed(error.to_string()))
        {
            log::error!("LCA: {error}");
        }
        self.failure = Some(error);
    }

    pub fn end_epoch(&mut self, epoch: usize) {
        if let Some(observer) = &mut self.observer
            && let Err(error) = observer.end_epoch(epoch as u32)
        {
            self.stop(error);
        }
    }

    pub fn finish(mut self, interrupter: &Interrupter) {
        let state = match (interrupter.error(), interrupter.interruption()) {
            (Some(error), _) => RunState::Failed(error.to_string()),
            (None, Some(_)) => RunState::Interrupted,
            (None, None) => RunState::Finished,
        };
        if let Some(observer) = self.observer.take()
            && let Err(error) = observer.finish(state)
        {
            self.failure = Some(error);
        }
        if let Some(failure) = self.failure {
            fail(interrupter, failure);
        }
    }
}
