//! Houses and their prices: two linear layers, items that a mapper makes, the mean squared error.

use std::sync::Arc;

use burn::data::dataloader::DataLoaderBuilder;
use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::InMemDataset;
use burn::data::dataset::transform::{Mapper, MapperDataset, PartialDataset};
use burn::module::Module;
use burn::nn::loss::{MseLoss, Reduction};
use burn::nn::{Linear, LinearConfig, Relu};
use burn::optim::AdamConfig;
use burn::tensor::{Device, Tensor};
use burn::train::{InferenceStep, Learner, RegressionOutput, TrainOutput, TrainStep};

use super::{assert_learned, train};
use crate::setup::{SEED, device, random_numbers};

const FEATURES: usize = 3;
const HOUSES: usize = 300;

/// What is known of a house as it is stored.
#[derive(Clone, Debug)]
struct House {
    rooms: f32,
    age: f32,
    income: f32,
}

#[derive(Clone, Debug)]
struct Item {
    features: [f32; FEATURES],
    price: f32,
}

struct Normalized;

impl Mapper<House, Item> for Normalized {
    fn map(&self, house: &House) -> Item {
        Item {
            features: [house.rooms / 8.0, house.age / 50.0, house.income / 10.0],
            price: house.income / 5.0 + house.rooms / 16.0 - house.age / 100.0,
        }
    }
}

#[derive(Clone, Debug)]
struct Batch {
    features: Tensor<2>,
    prices: Tensor<1>,
}

#[derive(Clone, Debug)]
struct HouseBatcher;

impl Batcher<Item, Batch> for HouseBatcher {
    fn batch(&self, items: Vec<Item>, device: &Device) -> Batch {
        let rows = items.iter();
        let rows = rows.map(|item| Tensor::<1>::from_floats(item.features, device).unsqueeze());
        let prices: Vec<f32> = items.iter().map(|item| item.price).collect();
        Batch {
            features: Tensor::cat(rows.collect(), 0),
            prices: Tensor::from_floats(prices.as_slice(), device),
        }
    }
}

#[derive(Module, Debug)]
struct Model {
    input_layer: Linear,
    output_layer: Linear,
    activation: Relu,
}

impl Model {
    fn forward_step(&self, batch: Batch) -> RegressionOutput {
        let targets = batch.prices.unsqueeze_dim(1);
        let hidden = self
            .activation
            .forward(self.input_layer.forward(batch.features));
        let output = self.output_layer.forward(hidden);
        let loss = MseLoss::new().forward(output.clone(), targets.clone(), Reduction::Mean);
        RegressionOutput {
            loss,
            output,
            targets,
        }
    }
}

impl TrainStep for Model {
    type Input = Batch;
    type Output = RegressionOutput;

    fn step(&self, batch: Batch) -> TrainOutput<RegressionOutput> {
        let item = self.forward_step(batch);
        TrainOutput::new(self, item.loss.backward(), item)
    }
}

impl InferenceStep for Model {
    type Input = Batch;
    type Output = RegressionOutput;

    fn step(&self, batch: Batch) -> RegressionOutput {
        self.forward_step(batch)
    }
}

#[test]
fn a_regression_on_mapped_items_adds_up() {
    let houses = (0..HOUSES).map(|k| House {
        rooms: (k % 8) as f32,
        age: (k * 7 % 50) as f32,
        income: (k * 3 % 11) as f32,
    });
    let houses = Arc::new(InMemDataset::new(houses.collect()));
    let part = |range: std::ops::Range<usize>| {
        let part = PartialDataset::new(houses.clone(), range.start, range.end);
        DataLoaderBuilder::new(HouseBatcher)
            .batch_size(32)
            .shuffle(1)
            .build(MapperDataset::new(part, Normalized))
    };
    let (_random, device) = (random_numbers(), device());
    device.seed(SEED);
    let model = Model {
        input_layer: LinearConfig::new(FEATURES, 16).init(&device),
        output_layer: LinearConfig::new(16, 1).init(&device),
        activation: Relu::new(),
    };
    let learner = Learner::new(model, AdamConfig::new().init(), 1e-2);
    let steps = train(learner, [part(0..200), part(200..HOUSES)], 3, 1);
    assert_learned(&steps, 3 * 7);
}
