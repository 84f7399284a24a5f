//! The epochs of Burn's loops, on one device and on several.

use burn::data::dataloader::Progress;
use burn::train::{
    EventProcessorTraining, InferenceStep, Interrupter, Learner, LearnerEvent, LearnerModel,
    SupervisedTrainingEventProcessor, TrainLoader, TrainingItem, ValidLoader,
};

use super::execution::{Accumulation, TrainingDevices};
use super::observer::LearnerObserver;
use crate::probe::Measurable;

#[expect(clippy::too_many_arguments, reason = "what Burn's loop has at hand")]
pub(super) fn train_epoch<M: LearnerModel + Measurable>(
    devices: &TrainingDevices,
    loaders: &[TrainLoader<M>],
    learner: &mut Learner<M>,
    epoch: usize,
    accumulation: Option<usize>,
    event_processor: &mut SupervisedTrainingEventProcessor<M>,
    interrupter: &Interrupter,
    observer: &mut LearnerObserver<M>,
) {
    log::info!("Executing training step for epoch {epoch}");
    let mut iterators: Vec<_> = loaders.iter().map(|loader| loader.iter()).collect();
    let mut accumulation = Accumulation::new(devices, accumulation);
    let mut iteration = 0;
    loop {
        let (mut items, mut progress) = (Vec::new(), None);
        for (device, iterator) in iterators.iter_mut().enumerate() {
            match iterator.next() {
                None => {}
                Some(Ok(item)) => {
                    items.push((device, item));
                    progress = Some(sum(progress, iterator.progress()));
                }
                Some(Err(error)) => return interrupter.fail(error),
            }
        }
        let Some(progress) = progress else {
            return;
        };
        log::info!("Iteration {}", iteration + 1);
        let outputs = match devices.train_step(learner, items) {
            Ok(outputs) => outputs,
            Err(error) => return interrupter.fail(error),
        };
        let (gradients, items): (Vec<_>, Vec<_>) = outputs
            .into_iter()
            .map(|(device, output)| ((device, output.grads), output.item))
            .unzip();

        let due = accumulation.add(&learner.model(), gradients, progress.is_completed());
        let is_due = due.is_some();
        if let Some(due) = due {
            due.step(learner);
            observer.step(learner, epoch, progress.is_completed());
        }
        // The dashboard has one reading for each item.
        for _ in usize::from(is_due)..items.len() {
            observer.no_step();
        }

        for item in items {
            iteration += 1;
            let rate = learner.lr_current();
            let item = TrainingItem::new(item, progress.clone(), Some(iteration), Some(rate));
            let event = LearnerEvent::ProcessedItem(item);
            interrupter.fail_on_error(event_processor.process_train(event));
        }
        if interrupter.should_stop() {
            return;
        }
    }
}

/// How far the loaders of several devices are together.
fn sum(all: Option<Progress>, one: Progress) -> Progress {
    match all {
        None => one,
        Some(all) => Progress::new(
            all.items_processed + one.items_processed,
            all.items_total + one.items_total,
            one.unit,
        ),
    }
}

pub(super) fn validate_epoch<M: LearnerModel>(
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
