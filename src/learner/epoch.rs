//! The epochs of Burn's single-device loop.

use burn::optim::GradientsAccumulator;
use burn::train::{
    EventProcessorTraining, InferenceStep, Interrupter, Learner, LearnerEvent, LearnerModel,
    SupervisedTrainingEventProcessor, TrainLoader, TrainingItem, ValidLoader,
};

use super::observer::LearnerObserver;
use crate::probe::Measurable;

pub(super) fn train_epoch<M: LearnerModel + Measurable>(
    loader: &TrainLoader<M>,
    learner: &mut Learner<M>,
    epoch: usize,
    accumulation: Option<usize>,
    event_processor: &mut SupervisedTrainingEventProcessor<M>,
    interrupter: &Interrupter,
    observer: &mut LearnerObserver<M>,
) {
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
                observer.step(learner, epoch, progress.is_completed());
            }
            None => observer.no_step(),
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
