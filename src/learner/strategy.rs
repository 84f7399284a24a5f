//! Burn's training loop on one device or several, observed at every optimizer step.

use std::cell::RefCell;
use std::sync::Arc;

use burn::train::{
    EventProcessorTraining, InferenceStep, Interrupter, Interruption, Learner, LearnerEvent,
    LearnerModel, LearningResult, SupervisedLearningStrategy, SupervisedTrainingEventProcessor,
    TrainLoader, TrainingComponents, TrainingError, TrainingStrategy, ValidLoader,
};

use super::dashboard::DashboardState;
use super::epoch::{train_epoch, validate_epoch};
use super::failure::fail;
use super::metric::LcaMetric;
use super::observer::LearnerObserver;
use super::origin::ProbeOrigin;
use crate::error::LcaError;
use crate::probe::Measurable;

/// Burn's loop with an observer in it.
pub(super) struct LcaStrategy<M: LearnerModel, S> {
    /// Taken when the training is launched.
    metric: RefCell<Option<LcaMetric<<M as InferenceStep>::Input, S>>>,
    dashboard: DashboardState,
    ending: RefCell<Ending>,
}

/// How the loop ended.
#[derive(Default)]
struct Ending {
    error: Option<Arc<TrainingError>>,
    interruption: Option<Interruption>,
}

impl<M, S> LcaStrategy<M, S>
where
    M: LearnerModel + Measurable,
    S: ProbeOrigin<M>,
{
    pub fn install(
        metric: LcaMetric<<M as InferenceStep>::Input, S>,
        dashboard: DashboardState,
    ) -> TrainingStrategy<M> {
        TrainingStrategy::Custom(Arc::new(Self {
            metric: RefCell::new(Some(metric)),
            dashboard,
            ending: RefCell::default(),
        }))
    }
}

impl<M: LearnerModel, S> Drop for LcaStrategy<M, S> {
    /// A strategy that is dropped with its settings has not been launched: another one took its
    /// place, and would leave empty charts without a word.
    fn drop(&mut self) {
        if self.metric.get_mut().is_some() {
            let notice = "LCA is not measured: another training strategy was set after \
                          `.metric(LcaMetric)`; set it before, or leave it out";
            self.dashboard.notify(notice.to_owned());
            eprintln!("{notice}");
        }
    }
}

impl<M, S> SupervisedLearningStrategy<M> for LcaStrategy<M, S>
where
    M: LearnerModel + Measurable,
    S: ProbeOrigin<M>,
{
    /// Burn's own `train`, with an ending that survives it: the dashboard resets the interrupter
    /// before Burn reads error and interruption from it.
    fn train(
        &self,
        learner: Learner<M>,
        dataloader_train: TrainLoader<M>,
        dataloader_valid: ValidLoader<M>,
        components: TrainingComponents<M>,
    ) -> LearningResult<M> {
        let mut result = Loop(self).train(learner, dataloader_train, dataloader_valid, components);
        let ending = self.ending.take();
        result.error = result.error.or(ending.error);
        if result.error.is_none() {
            result.interrupted = result.interrupted.or(ending.interruption);
        }
        result
    }

    fn fit(
        &self,
        components: TrainingComponents<M>,
        learner: Learner<M>,
        dataloader_train: TrainLoader<M>,
        dataloader_valid: ValidLoader<M>,
        starting_epoch: usize,
    ) -> (M, SupervisedTrainingEventProcessor<M>) {
        let interrupter = components.interrupter.clone();
        let ended = self.run(
            components,
            learner,
            dataloader_train,
            dataloader_valid,
            starting_epoch,
        );
        self.ending.replace(Ending {
            error: interrupter.error(),
            interruption: interrupter.interruption(),
        });
        ended
    }
}

/// The strategy with the `train` that Burn provides.
struct Loop<'a, M: LearnerModel, S>(&'a LcaStrategy<M, S>);

impl<M, S> SupervisedLearningStrategy<M> for Loop<'_, M, S>
where
    M: LearnerModel + Measurable,
    S: ProbeOrigin<M>,
{
    fn fit(
        &self,
        components: TrainingComponents<M>,
        learner: Learner<M>,
        dataloader_train: TrainLoader<M>,
        dataloader_valid: ValidLoader<M>,
        starting_epoch: usize,
    ) -> (M, SupervisedTrainingEventProcessor<M>) {
        self.0.fit(
            components,
            learner,
            dataloader_train,
            dataloader_valid,
            starting_epoch,
        )
    }
}

impl<M, S> LcaStrategy<M, S>
where
    M: LearnerModel + Measurable,
    S: ProbeOrigin<M>,
{
    /// The order of calls on loaders, learner and event processor is that of Burn's own strategies:
    /// it decides the order of the data and what an interruption cuts.
    fn run(
        &self,
        components: TrainingComponents<M>,
        mut learner: Learner<M>,
        dataloader_train: TrainLoader<M>,
        dataloader_valid: ValidLoader<M>,
        starting_epoch: usize,
    ) -> (M, SupervisedTrainingEventProcessor<M>) {
        let interrupter = components.interrupter.clone();
        let mut event_processor = components.event_processor;
        let mut checkpointer = components.checkpointer;
        let mut early_stopping = components.early_stopping;

        let metric = self.metric.borrow_mut().take();
        let Some(metric) = metric else {
            fail(
                &interrupter,
                LcaError::setting(
                    "LcaTrainingExt::metric",
                    "the strategy has been launched before",
                    "attach a new `LcaMetric` to every training",
                ),
            );
            return (learner.model(), event_processor);
        };

        let (execution, metric) = metric.without_execution();
        let devices = match execution.resolve(&learner.model()) {
            Ok(devices) => devices,
            Err(error) => {
                self.refuse(&interrupter, error);
                return (learner.model(), event_processor);
            }
        };
        let train_items = dataloader_train.num_items();
        let train = devices.split::<M>(dataloader_train.clone());
        let valid = dataloader_valid.to_device(&devices.main().clone().inner());
        let valid_items = valid.num_items();
        learner.fork(devices.main());

        // By now everything has been drawn that Burn draws from loaders and random numbers before
        // its loop; another fork of the user's loader changes nothing.
        let spare = dataloader_train.to_device(devices.main());
        let mut observer = match LearnerObserver::start(
            metric,
            &self.dashboard,
            &learner.model(),
            &spare,
            &devices,
            starting_epoch,
            components.grad_accumulation.unwrap_or(1),
        ) {
            Ok(observer) => observer,
            Err(error) => {
                self.refuse(&interrupter, error);
                return (learner.model(), event_processor);
            }
        };
        drop(spare);

        for epoch in starting_epoch..=components.num_epochs {
            interrupter.fail_on_error(event_processor.process_train(LearnerEvent::StartSplit {
                epoch_number: epoch,
                total_items: train_items,
            }));
            train_epoch(
                &devices,
                &train,
                &mut learner,
                epoch,
                components.grad_accumulation,
                &mut event_processor,
                &interrupter,
                &mut observer,
            );
            interrupter.fail_on_error(event_processor.process_train(LearnerEvent::EndSplit(epoch)));
            if interrupter.should_stop() {
                if let Some(interruption) = interrupter.interruption() {
                    let reason = interruption.reason.as_deref().unwrap_or("reason unknown");
                    log::info!("Training interrupted: {reason}");
                }
                break;
            }
            if devices.scatter() {
                learner.fork(devices.main());
            }

            interrupter.fail_on_error(event_processor.process_valid(LearnerEvent::StartSplit {
                epoch_number: epoch,
                total_items: valid_items,
            }));
            validate_epoch(&valid, &learner, &mut event_processor, &interrupter);
            interrupter.fail_on_error(event_processor.process_valid(LearnerEvent::EndSplit(epoch)));
            interrupter.fail_on_error(event_processor.process_train(LearnerEvent::EndEpoch(epoch)));
            if checkpointer.is_some() || early_stopping.is_some() {
                interrupter.fail_on_error(event_processor.flush());
            }
            // Before the checkpoint: whoever resumes from it finds the rows of its epoch.
            observer.end_epoch(&learner, epoch);
            if interrupter.should_stop() {
                break;
            }

            if let Some(checkpointer) = &mut checkpointer {
                checkpointer.checkpoint(&learner, epoch, &components.event_store);
            }
            if let Some(early_stopping) = &mut early_stopping
                && early_stopping.should_stop(epoch, &components.event_store)
            {
                break;
            }
        }

        observer.finish(&learner, &interrupter);
        (learner.model(), event_processor)
    }
    /// Ends a training before its first step.
    fn refuse(&self, interrupter: &Interrupter, error: LcaError) {
        self.dashboard.notify(format!("LCA: {error}"));
        fail(interrupter, error);
    }
}
