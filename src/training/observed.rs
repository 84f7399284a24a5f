//! The observer of a learner, and what becomes of it when it fails.

use burn::data::dataset::DatasetError;
use burn::train::{InferenceStep, Interrupter, Learner, LearnerModel, TrainLoader, TrainingError};

use super::origin::{ProbeOrigin, unreadable};
use crate::metric::{Board, LcaMetric, OnStep};
use crate::observer::{Observer, Resume};
use crate::probe::MeanLoss;
use crate::record::RunState;
use crate::{LcaError, StepAllocation};

/// The observer of a learner, and what becomes of it when it fails.
pub(super) struct Observed<M: LearnerModel> {
    observer: Option<Observer<M>>,
    board: Board,
    on_step: Option<OnStep>,
    failure: Option<LcaError>,
}

impl<M> Observed<M>
where
    M: LearnerModel,
    <M as InferenceStep>::Input: Clone,
    <M as InferenceStep>::Output: MeanLoss,
{
    pub fn start<S: ProbeOrigin<M>>(
        metric: LcaMetric<<M as InferenceStep>::Input, S>,
        board: &Board,
        model: &M,
        loader: &TrainLoader<M>,
        starting_epoch: usize,
        accumulation: usize,
    ) -> Result<Self, LcaError> {
        let probe = metric.origin.into_probe(loader)?;
        let resume = match starting_epoch {
            0 | 1 => Resume::AfterEpoch {
                epoch: 0,
                iteration: 0,
            },
            _ => {
                let batches = match probe.count_batches() {
                    Some(batches) => batches,
                    None => count_batches::<M>(loader)?,
                };
                let epochs = starting_epoch - 1;
                Resume::AfterEpoch {
                    epoch: epochs as u32,
                    iteration: (epochs * batches.div_ceil(accumulation)) as u64,
                }
            }
        };
        let observer = Observer::start(model, probe, metric.settings, resume)?;
        board.check(&observer.paths(), observer.classes())?;
        Ok(Self {
            observer: Some(observer),
            board: board.clone(),
            on_step: metric.on_step,
            failure: None,
        })
    }

    pub fn step(&mut self, learner: &Learner<M>, epoch: usize) {
        let Some(observer) = &mut self.observer else {
            return self.no_step();
        };
        let learning_rate = learner.lr_current().base();
        match observer.observe(&learner.model(), epoch as u32, Some(learning_rate)) {
            Ok(step) => {
                if let Some(failure) = observer.recording_failure() {
                    self.board
                        .notify(format!("the recording stopped: {failure}"));
                }
                self.board.push(Some(&step));
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

    /// An item whose gradients are accumulated.
    pub fn no_step(&mut self) {
        self.board.push(None::<&StepAllocation>);
    }

    /// Ends the measuring; training goes on without it.
    fn stop(&mut self, error: LcaError) {
        log::error!("LCA is no longer measured: {error}");
        self.board
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

fn count_batches<M: LearnerModel>(loader: &TrainLoader<M>) -> Result<usize, LcaError> {
    loader.iter().try_fold(0, |count, batch| {
        batch.map_err(unreadable).map(|_| count + 1)
    })
}

/// Makes an error of this crate the training's. Of Burn's kinds of error, the one of the data
/// is the one that carries another.
pub(super) fn fail(interrupter: &Interrupter, error: LcaError) {
    interrupter.fail(TrainingError::Dataset(DatasetError::new(error)));
}

impl LcaError {
    /// Returns the error of this crate that a training ended with, if it was one.
    ///
    /// Burn has no kind of error for a metric's, so it travels as one of the data.
    pub fn of(error: &TrainingError) -> Option<&Self> {
        let TrainingError::Dataset(error) = error else {
            return None;
        };
        std::error::Error::source(error)?.downcast_ref()
    }
}
