//! Pictures as they are and shifted, resampled: convolutions with batch normalization and dropout.

use burn::data::dataloader::DataLoaderBuilder;
use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::Dataset;
use burn::data::dataset::transform::{
    ComposedDataset, Mapper, MapperDataset, SamplerDataset, SamplerDatasetOptions,
};
use burn::lr_scheduler::composed::ComposedLrSchedulerConfig;
use burn::lr_scheduler::cosine::CosineAnnealingLrSchedulerConfig;
use burn::lr_scheduler::linear::LinearLrSchedulerConfig;
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::optim::AdamWConfig;
use burn::tensor::activation::gelu;
use burn::tensor::{Device, Tensor};
use burn::train::{
    ClassificationOutput, InferenceStep, Learner, SupervisedTraining, TrainOutput, TrainStep,
};
use burn_lca::prelude::*;

use super::{assert_learned, train};
use crate::data::{self, CLASSES, Digits, Loader};
use crate::digits::{Digit, DigitBatch, DigitBatcher};
use crate::screen::Screen;
use crate::setup::{SEED, device, random_numbers};

const SIDE: usize = 8;
const DRAWN: usize = 160;
const EPOCHS: usize = 2;

/// Moves a picture by a column to either side, or not at all.
#[derive(Clone, Copy)]
struct Shift(isize);

impl Mapper<Digit, Digit> for Shift {
    fn map(&self, digit: &Digit) -> Digit {
        let shifted = |pixel: usize| {
            let column = (pixel % SIDE).checked_add_signed(self.0);
            let column = column.filter(|column| *column < SIDE);
            column.map_or(0.0, |column| digit.pixels[pixel / SIDE * SIDE + column])
        };
        Digit {
            pixels: std::array::from_fn(shifted),
            ..digit.clone()
        }
    }
}

/// Reads what it is asked for, on behalf of a sampler that wants to own a dataset.
struct Shared(Digits);

impl Dataset<Digit> for Shared {
    fn get(&self, index: usize) -> Result<Digit, burn::data::dataset::DatasetError> {
        self.0.get(index)
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

/// All pictures in three places, of which an epoch draws some.
fn resampled() -> Loader {
    let places = [0, -1, 1].map(|by| MapperDataset::new(Shared(data::training()), Shift(by)));
    let all = ComposedDataset::new(places.into());
    let options = SamplerDatasetOptions::default()
        .without_replacement()
        .with_fixed_size(DRAWN)
        .with_seed(SEED);
    DataLoaderBuilder::new(DigitBatcher)
        .batch_size(data::BATCH)
        .shuffle(SEED)
        .build(SamplerDataset::new(all, options))
}

#[derive(Module, Debug)]
struct ConvNet {
    conv: Conv2d,
    norm: BatchNorm,
    dropout: Dropout,
    output: Linear,
}

impl ConvNet {
    fn new(device: &Device) -> Self {
        Self {
            conv: Conv2dConfig::new([1, 4], [3, 3]).init(device),
            norm: BatchNormConfig::new(4).init(device),
            dropout: DropoutConfig::new(0.25).init(),
            output: LinearConfig::new(4 * 6 * 6, CLASSES).init(device),
        }
    }

    fn forward_classification(&self, batch: DigitBatch) -> ClassificationOutput {
        let images = batch.images.reshape([-1, 1, SIDE as i32, SIDE as i32]);
        let hidden = gelu(self.norm.forward(self.conv.forward(images)));
        let hidden: Tensor<2> = self.dropout.forward(hidden).flatten(1, 3);
        let output = self.output.forward(hidden);
        let loss = CrossEntropyLossConfig::new()
            .init(&output.device())
            .forward(output.clone(), batch.labels.clone());
        ClassificationOutput {
            loss,
            output,
            targets: batch.labels,
        }
    }
}

impl TrainStep for ConvNet {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> TrainOutput<ClassificationOutput> {
        let item = self.forward_classification(batch);
        TrainOutput::new(self, item.loss.backward(), item)
    }
}

impl InferenceStep for ConvNet {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> ClassificationOutput {
        self.forward_classification(batch)
    }
}

/// A warm-up times an annealing, and an optimizer that decays weights where that is no setback.
fn learner() -> Learner<ConvNet> {
    let device = device();
    device.seed(SEED);
    let schedule = ComposedLrSchedulerConfig::new()
        .cosine(CosineAnnealingLrSchedulerConfig::new(1.0, 10))
        .linear(LinearLrSchedulerConfig::new(1e-3, 1e-2, 3));
    let optimizer = AdamWConfig::new()
        .with_cautious_weight_decay(true)
        .with_weight_decay(5e-5);
    let schedule = schedule.init().unwrap();
    Learner::new(ConvNet::new(&device), optimizer.init(), schedule)
}

#[test]
fn augmented_and_resampled_pictures_are_measured_as_they_were_drawn_once() {
    let _random = random_numbers();
    let loaders = [resampled(), data::loader(data::validation(), 0, None)];
    let steps = train(learner(), loaders, EPOCHS, 1);
    assert_learned(&steps, EPOCHS * DRAWN.div_ceil(data::BATCH));
}

/// The dataset draws from numbers of its own, so that reading it for the probe would change what
/// training draws.
#[test]
fn a_probe_of_the_plain_pictures_leaves_the_drawing_to_training() {
    let _random = random_numbers();
    let weights = |lca: bool| {
        let folder = tempfile::tempdir().unwrap();
        let validation = data::loader(data::validation(), 0, None);
        let mut training = SupervisedTraining::new(folder.path(), resampled(), validation)
            .num_epochs(EPOCHS)
            .renderer(Box::new(Screen::default()))
            .with_application_logger(None);
        if lca {
            training = training.metric(LcaMetric::new().probe(data::by_class()));
        }
        let result = training.launch(learner());
        assert!(result.error.is_none());
        let weights = result.model.output.weight.val().into_data();
        weights.iter::<f32>().map(f32::to_bits).collect::<Vec<_>>()
    };
    assert_eq!(weights(true), weights(false));
}

/// A probe is read more than once: each time a sampler would give others.
#[test]
fn a_probe_of_examples_that_differ_at_each_reading_is_refused() {
    let options = SamplerDatasetOptions::default().with_seed(SEED);
    let probe = Probe::new(
        SamplerDataset::new(Shared(data::training()), options),
        DigitBatcher,
    );
    let device = device();
    let (_random, model) = (random_numbers(), ConvNet::new(&device));
    // Parameters are drawn at their first use.
    let batch = DigitBatcher.batch(vec![data::training().get(0).unwrap()], &device);
    drop(InferenceStep::step(&model, batch));
    let error = Lca::new(probe).start(&model).expect_err("a refusal");
    let error = error.to_string();
    assert!(error.contains("others when they are read again"), "{error}");
}
