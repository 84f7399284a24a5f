//! A learner whose loss is a mean over weights.

use burn::data::dataloader::batcher::Batcher;
use burn::module::Module;
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn::train::{
    ClassificationOutput, InferenceStep, Learner, SupervisedTraining, TrainOutput, TrainStep,
};
use burn_lca::prelude::*;

use crate::data::{BATCHES, EXAMPLES, loader, training, validation};
use crate::digits::{DigitBatch, DigitBatcher};
use crate::net::{Loss, Net, NetConfig};
use crate::setup::{Setup, Steps};

/// The network whose inference says what its class-weighted mean is a mean over.
#[derive(Module, Debug)]
struct Weighing {
    net: Net,
}

impl TrainStep for Weighing {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> TrainOutput<ClassificationOutput> {
        let output = InferenceStep::step(&self.net, batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for Weighing {
    type Input = DigitBatch;
    type Output = Weighted<ClassificationOutput>;

    fn step(&self, batch: DigitBatch) -> Weighted<ClassificationOutput> {
        let weight = (batch.labels.clone() + 1).float().sum();
        Weighted::new(InferenceStep::step(&self.net, batch), weight)
    }
}

/// Batches of 32 and one of 8, whose weights differ more than their sizes. The metrics of Burn see
/// the output inside.
#[test]
fn the_learners_own_batches_count_with_their_weights() {
    let setup = Setup {
        net: NetConfig {
            loss: Loss::Weighted,
            ..NetConfig::default()
        },
        ..Setup::default()
    };
    let (net, _random) = setup.start();
    let steps = Steps::default();
    let metric = LcaMetric::new().on_step(steps.collect());
    let result = SupervisedTraining::new(
        setup.folder.path(),
        loader(training(), 0, Some(1)),
        loader(validation(), 0, None),
    )
    .metrics((AccuracyMetric::new(), LossMetric::new()))
    .metric(metric)
    .num_epochs(1)
    .renderer(Box::new(setup.screen.clone()))
    .with_application_logger(None)
    .launch(Learner::new(
        Weighing { net },
        setup.optimizer,
        setup.schedule,
    ));
    assert!(result.error.is_none(), "{:?}", result.error);

    let steps = steps.take();
    assert_eq!(steps.len(), BATCHES);
    let digits = training();
    let digits = (0..EXAMPLES).map(|k| digits.get(k).unwrap()).collect();
    let device = result.model.devices().swap_remove(0);
    let whole = InferenceStep::step(&result.model.valid(), DigitBatcher.batch(digits, &device));
    let whole = f64::from(whole.output.loss.into_scalar::<f32>());
    let last = steps.last().unwrap();
    assert!(
        (last.loss_after() - whole).abs() < 4e-6,
        "{} {whole}",
        last.loss_after()
    );
    for step in &steps {
        let change = step.loss_change().abs();
        assert!(step.residual().abs() <= 1e-4 + 0.01 * change);
    }
    assert!(last.loss_after() < steps[0].loss_before() - 0.05);
}
