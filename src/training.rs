//! Burn's single-device training loop, observed at every optimizer step.

use std::cell::RefCell;
use std::sync::Arc;

use burn::data::dataloader::Progress;
use burn::data::dataset::DatasetError;
use burn::module::Module;
use burn::optim::GradientsAccumulator;
use burn::tensor::Device;
use burn::train::{
    EventProcessorTraining, InferenceStep, Interrupter, Interruption, Learner, LearnerEvent,
    LearnerModel, LearningResult, SupervisedLearningStrategy, SupervisedTrainingEventProcessor,
    TrainLoader, TrainStep, TrainingComponents, TrainingError, TrainingItem, TrainingStrategy,
    ValidLoader,
};

use crate::metric::{Board, Given, LcaMetric, OnStep, TrainingData};
use crate::observer::{MainProbe, Observer, Resume};
use crate::probe::{Chunks, MeanLoss};
use crate::record::RunState;
use crate::{LcaError, StepAllocation};

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

/// Where the main probe of a learner comes from.
pub trait ProbeOrigin<M: LearnerModel> {
    /// Makes the probe. `loader` is a fork of the learner's own, which the loop doesn't read.
    fn into_probe(
        self,
        loader: &TrainLoader<M>,
    ) -> Result<MainProbe<<M as InferenceStep>::Input>, LcaError>;
}

impl<M: LearnerModel> ProbeOrigin<M> for Given<<M as InferenceStep>::Input> {
    fn into_probe(
        self,
        _loader: &TrainLoader<M>,
    ) -> Result<MainProbe<<M as InferenceStep>::Input>, LcaError> {
        Ok(MainProbe::given(self.0))
    }
}

impl<M> ProbeOrigin<M> for TrainingData
where
    M: LearnerModel + TrainStep<Input = <M as InferenceStep>::Input>,
{
    fn into_probe(
        self,
        loader: &TrainLoader<M>,
    ) -> Result<MainProbe<<M as InferenceStep>::Input>, LcaError> {
        let mut batches = Vec::new();
        let mut iterator = loader.iter();
        let mut seen = 0;
        while let Some(batch) = iterator.next() {
            let batch = batch.map_err(unreadable)?;
            // The loader counts items, over all of its workers.
            let Progress {
                items_processed, ..
            } = iterator.progress();
            batches.push((batch, items_processed - seen));
            seen = items_processed;
        }
        Chunks::from_batches("train", batches).map(MainProbe::batches)
    }
}

fn unreadable(error: DatasetError) -> LcaError {
    LcaError::Examples {
        probe: "train".to_owned(),
        problem: error.to_string(),
    }
}

/// Burn's single-device loop with an observer in it.
pub(crate) struct LcaStrategy<M: LearnerModel, S> {
    /// Taken when the training is launched.
    metric: RefCell<Option<LcaMetric<<M as InferenceStep>::Input, S>>>,
    board: Board,
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
    M: LearnerModel,
    S: ProbeOrigin<M> + 'static,
    <M as InferenceStep>::Input: Clone,
    <M as InferenceStep>::Output: MeanLoss,
{
    pub fn install(
        metric: LcaMetric<<M as InferenceStep>::Input, S>,
        board: Board,
    ) -> TrainingStrategy<M> {
        #[expect(
            clippy::arc_with_non_send_sync,
            reason = "the type is Burn's; the strategy stays on the training thread"
        )]
        TrainingStrategy::Custom(Arc::new(Self {
            metric: RefCell::new(Some(metric)),
            board,
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
            self.board.notify(notice.to_owned());
            eprintln!("{notice}");
        }
    }
}

impl<M, S> SupervisedLearningStrategy<M> for LcaStrategy<M, S>
where
    M: LearnerModel,
    S: ProbeOrigin<M> + 'static,
    <M as InferenceStep>::Input: Clone,
    <M as InferenceStep>::Output: MeanLoss,
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
    M: LearnerModel,
    S: ProbeOrigin<M> + 'static,
    <M as InferenceStep>::Input: Clone,
    <M as InferenceStep>::Output: MeanLoss,
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
    M: LearnerModel,
    S: ProbeOrigin<M> + 'static,
    <M as InferenceStep>::Input: Clone,
    <M as InferenceStep>::Output: MeanLoss,
{
    /// The order of calls on loaders, learner and event processor is that of Burn's own
    /// single-device strategy: it decides the order of the data and what an interruption cuts.
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

        let device = training_device(&learner.model(), &metric);
        let train = dataloader_train.to_device(&device);
        let train_items = train.num_items();
        let valid = dataloader_valid.to_device(&device.clone().inner());
        let valid_items = valid.num_items();
        learner.fork(&device);

        // All that Burn takes from loaders and random numbers before its loop is taken; a fork
        // of the user's loader is now free.
        let spare = dataloader_train.to_device(&device);
        let mut observed = match Observed::start(
            metric,
            &self.board,
            &learner.model(),
            &spare,
            starting_epoch,
            components.grad_accumulation.unwrap_or(1),
        ) {
            Ok(observed) => observed,
            Err(error) => {
                self.board.notify(format!("LCA: {error}"));
                fail(&interrupter, error);
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
                &train,
                &mut learner,
                epoch,
                components.grad_accumulation,
                &mut event_processor,
                &interrupter,
                &mut observed,
            );
            interrupter.fail_on_error(event_processor.process_train(LearnerEvent::EndSplit(epoch)));
            if interrupter.should_stop() {
                if let Some(interruption) = interrupter.interruption() {
                    let reason = interruption.reason.as_deref().unwrap_or("reason unknown");
                    log::info!("Training interrupted: {reason}");
                }
                break;
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
            observed.end_epoch(epoch);
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

        observed.finish(&interrupter);
        (learner.model(), event_processor)
    }
}

/// The device that Burn would train on: the model's, with autodiff.
fn training_device<M: Module, B, S>(model: &M, metric: &LcaMetric<B, S>) -> Device {
    let device = match &metric.device {
        Some(device) => device.clone(),
        None => model.devices().swap_remove(0),
    };
    let device = match device.is_autodiff() {
        true => device,
        false => device.autodiff(),
    };
    match metric.gradient_checkpointing {
        true => device.gradient_checkpointing(),
        false => device,
    }
}

fn train_epoch<M>(
    loader: &TrainLoader<M>,
    learner: &mut Learner<M>,
    epoch: usize,
    accumulation: Option<usize>,
    event_processor: &mut SupervisedTrainingEventProcessor<M>,
    interrupter: &Interrupter,
    observed: &mut Observed<M>,
) where
    M: LearnerModel,
    <M as InferenceStep>::Input: Clone,
    <M as InferenceStep>::Output: MeanLoss,
{
    log::info!("Executing training step for epoch {epoch}");
    let mut iterator = loader.iter();
    let mut accumulator = GradientsAccumulator::new();
    let mut accumulated = 0;
    for iteration in 1.. {
        let item = match iterator.next() {
            None => break,
            Some(Ok(item)) => item,
            Some(Err(error)) => {
                interrupter.fail(error);
                break;
            }
        };
        log::info!("Iteration {iteration}");
        let progress = iterator.progress();
        let output = learner.train_step(item);

        let grads = match accumulation {
            None => Some(output.grads),
            Some(accumulation) => {
                accumulator.accumulate(&learner.model(), output.grads);
                accumulated += 1;
                (accumulated >= accumulation || progress.is_completed()).then(|| {
                    accumulated = 0;
                    accumulator.grads()
                })
            }
        };
        match grads {
            Some(grads) => {
                learner.lr_step();
                learner.optimizer_step(grads);
                observed.step(learner, epoch);
            }
            None => observed.no_step(),
        }

        let item = TrainingItem::new(
            output.item,
            progress,
            Some(iteration),
            Some(learner.lr_current()),
        );
        interrupter.fail_on_error(event_processor.process_train(LearnerEvent::ProcessedItem(item)));
        if interrupter.should_stop() {
            break;
        }
    }
}

fn validate_epoch<M: LearnerModel>(
    loader: &ValidLoader<M>,
    learner: &Learner<M>,
    event_processor: &mut SupervisedTrainingEventProcessor<M>,
    interrupter: &Interrupter,
) {
    let model = learner.model().valid();
    let mut iterator = loader.iter();
    for iteration in 1.. {
        let item = match iterator.next() {
            None => break,
            Some(Ok(item)) => item,
            Some(Err(error)) => {
                interrupter.fail(error);
                break;
            }
        };
        let progress = iterator.progress();
        let item = InferenceStep::step(&model, item);
        let item = TrainingItem::new(item, progress, Some(iteration), None);
        interrupter.fail_on_error(event_processor.process_valid(LearnerEvent::ProcessedItem(item)));
        if interrupter.should_stop() {
            break;
        }
    }
}

/// The observer of a learner, and what becomes of it when it fails.
struct Observed<M: LearnerModel> {
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
    fn start<S: ProbeOrigin<M>>(
        metric: LcaMetric<<M as InferenceStep>::Input, S>,
        board: &Board,
        model: &M,
        loader: &TrainLoader<M>,
        starting_epoch: usize,
        accumulation: usize,
    ) -> Result<Self, LcaError> {
        let probe = metric.origin.into_probe(loader)?;
        let resume = match starting_epoch {
            0 | 1 => Resume::No,
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

    fn step(&mut self, learner: &Learner<M>, epoch: usize) {
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
            Err(error) => self.stop(error),
        }
    }

    /// An item whose gradients are accumulated.
    fn no_step(&mut self) {
        self.board.push(None::<&StepAllocation>);
    }

    /// Ends the measuring; training goes on without it.
    fn stop(&mut self, error: LcaError) {
        log::error!("LCA is no longer measured: {error}");
        self.board
            .notify(format!("LCA is no longer measured: {error}"));
        self.no_step();
        if let Some(observer) = self.observer.take()
            && let Err(error) = observer.finish(RunState::Failed(error.to_string()))
        {
            log::error!("LCA: {error}");
        }
        self.failure = Some(error);
    }

    fn end_epoch(&self, epoch: usize) {
        if let Some(observer) = &self.observer {
            observer.end_epoch(epoch as u32);
        }
    }

    fn finish(mut self, interrupter: &Interrupter) {
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
fn fail(interrupter: &Interrupter, error: LcaError) {
    interrupter.fail(TrainingError::Dataset(DatasetError::new(error)));
}
