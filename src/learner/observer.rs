//! The observer of a learner's steps, and what becomes of it when it fails.

use burn::train::{InferenceStep, Interrupter, Learner, LearnerModel, TrainLoader};

use super::dashboard::DashboardState;
use super::execution::TrainingDevices;
use super::failure::fail;
use super::metric::{LcaMetric, OnStep};
use super::origin::{ProbeOrigin, count_batches};
use crate::allocation::StepAllocation;
use crate::error::LcaError;
use crate::observer::{Engine, Resume};
use crate::probe::Measurable;
use crate::record::RunState;

/// Measures a learner's steps and shows them. When measuring fails, training goes on without it.
pub(super) struct LearnerObserver<M: LearnerModel> {
    engine: Option<Engine<M>>,
    dashboard: DashboardState,
    on_step: Option<OnStep>,
    failure: Option<LcaError>,
}

impl<M: LearnerModel + Measurable> LearnerObserver<M> {
    pub fn start<S: ProbeOrigin<M>>(
        metric: LcaMetric<<M as InferenceStep>::Input, S>,
        dashboard: &DashboardState,
        model: &M,
        loader: &TrainLoader<M>,
        devices: &TrainingDevices,
        starting_epoch: usize,
        accumulation: usize,
    ) -> Result<Self, LcaError> {
        let origin = metric.origin.into_probe(loader, devices.main())?;
        let epochs = starting_epoch.saturating_sub(1);
        let steps = if epochs == 0 {
            0
        } else {
            let batches = match origin.batches {
                Some(batches) if devices.count() == 1 => batches,
                _ => {
                    let split = devices.split::<M>(loader.clone());
                    let counts = split.iter().map(count_batches::<M>);
                    counts
                        .collect::<Result<Vec<_>, _>>()?
                        .into_iter()
                        .max()
                        .unwrap_or(0)
                }
            };
            epochs * batches.div_ceil(accumulation)
        };
        let resume = Resume::AfterEpoch {
            epoch: epochs as u32,
            iteration: steps as u64,
        };
        let engine = Engine::start(model, origin.probe, metric.settings, resume)?;
        dashboard.check(&engine.paths(), engine.classes())?;
        let of_a_step = origin
            .batch
            .map(|batch| batch * accumulation * devices.count());
        let cost = engine.cost().said(of_a_step);
        let cost = format!("{cost}; trained on {}", devices.said());
        dashboard.announce(match origin.choice {
            Some(choice) => format!("{cost}. {choice}"),
            None => cost,
        });
        Ok(Self {
            engine: Some(engine),
            dashboard: dashboard.clone(),
            on_step: metric.on_step,
            failure: None,
        })
    }

    /// Measures the step that the learner has just taken, if it is one of those that are measured.
    pub fn step(&mut self, learner: &Learner<M>, epoch: usize, ends_epoch: bool) {
        let Some(engine) = &mut self.engine else {
            return self.no_step();
        };
        let learning_rate = learner.lr_current();
        match engine.step(
            &learner.model(),
            epoch as u32,
            Some(learning_rate),
            ends_epoch,
        ) {
            Ok(step) => {
                if let Some(failure) = engine.recording_failure() {
                    self.dashboard
                        .tell(format!("the recording stopped: {failure}"));
                }
                self.dashboard.push(step.as_ref());
                self.hand_over(step.as_ref());
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

    /// Measures what is left of a segment, at an end that nobody saw coming. It is not shown: the
    /// dashboard has one reading per training item.
    fn end_segment(&mut self, learner: &Learner<M>) {
        let Some(engine) = &mut self.engine else {
            return;
        };
        match engine.end_segment(&learner.model()) {
            Ok(step) => self.hand_over(step.as_ref()),
            Err(error) => self.stop(error),
        }
    }

    fn hand_over(&mut self, step: Option<&StepAllocation>) {
        if let (Some(on_step), Some(step)) = (&mut self.on_step, step) {
            on_step(step);
        }
    }

    /// Ends the measuring; training goes on without it.
    fn stop(&mut self, error: LcaError) {
        log::error!("LCA is no longer measured: {error}");
        self.dashboard
            .tell(format!("LCA is no longer measured: {error}"));
        if let Some(engine) = self.engine.take()
            && let Err(error) = engine.finish(RunState::Failed(error.to_string()))
        {
            log::error!("LCA: {error}");
        }
        self.failure = Some(error);
    }

    pub fn end_epoch(&mut self, learner: &Learner<M>, epoch: usize) {
        self.end_segment(learner);
        if let Some(engine) = &mut self.engine
            && let Err(error) = engine.end_epoch(epoch as u32)
        {
            self.stop(error);
        }
    }

    pub fn finish(mut self, learner: &Learner<M>, interrupter: &Interrupter) {
        self.end_segment(learner);
        let state = match (interrupter.error(), interrupter.interruption()) {
            (Some(error), _) => RunState::Failed(error.to_string()),
            (None, Some(_)) => RunState::Interrupted,
            (None, None) => RunState::Finished,
        };
        if let Some(engine) = self.engine.take()
            && let Err(error) = engine.finish(state)
        {
            self.failure = Some(error);
        }
        if let Some(failure) = self.failure {
            fail(interrupter, failure);
        }
    }
}
