//! Synthetic images, and the networks that are measured on them.

use std::sync::Arc;

use burn::data::dataloader::batcher::Batcher;
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor, activation::relu};
use burn::train::{ClassificationOutput, InferenceStep};

pub const CLASSES: usize = 10;
const SIDE: usize = 28;

#[derive(Clone, Debug)]
pub struct Item {
    pixels: Arc<[u8]>,
    pub label: usize,
}

impl Item {
    pub fn new(seed: u32, label: usize) -> Self {
        let pixel = |k: u32| {
            let mixed = (seed ^ k.wrapping_mul(0x9E37_79B9)).wrapping_mul(0x85EB_CA6B);
            (mixed >> 24) as u8
        };
        Self {
            pixels: (0..(SIDE * SIDE) as u32).map(pixel).collect(),
            label,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Batch {
    pub images: Tensor<3>,
    pub labels: Tensor<1, Int>,
}

#[derive(Clone)]
pub struct ItemBatcher;

impl Batcher<Item, Batch> for ItemBatcher {
    fn batch(&self, items: Vec<Item>, device: &Device) -> Batch {
        let mut pixels = Vec::with_capacity(items.len() * SIDE * SIDE);
        for item in &items {
            pixels.extend(item.pixels.iter().map(|&pixel| f32::from(pixel) / 255.0));
        }
        let labels: Vec<i32> = items.iter().map(|item| item.label as i32).collect();
        Batch {
            images: Tensor::<1>::from_floats(pixels.as_slice(), device).reshape([
                items.len(),
                SIDE,
                SIDE,
            ]),
            labels: Tensor::from_ints(labels.as_slice(), device),
        }
    }
}

/// 784-100-50-10.
#[derive(Module, Debug)]
pub struct FullyConnected {
    fc1: Linear,
    fc2: Linear,
    fc3: Linear,
}

/// Convolutions of 20 and 40 channels, 400 hidden units.
#[derive(Module, Debug)]
pub struct LeNet {
    conv1: Conv2d,
    conv2: Conv2d,
    pool: MaxPool2d,
    fc1: Linear,
    fc2: Linear,
}

pub fn classify(logits: Tensor<2>, labels: Tensor<1, Int>) -> ClassificationOutput {
    let loss = CrossEntropyLossConfig::new()
        .init(&logits.device())
        .forward(logits.clone(), labels.clone());
    ClassificationOutput::new(loss, logits, labels)
}

impl InferenceStep for FullyConnected {
    type Input = Batch;
    type Output = ClassificationOutput;
    fn step(&self, batch: Batch) -> ClassificationOutput {
        let hidden = relu(self.fc1.forward(batch.images.flatten::<2>(1, 2)));
        let hidden = relu(self.fc2.forward(hidden));
        classify(self.fc3.forward(hidden), batch.labels)
    }
}

impl InferenceStep for LeNet {
    type Input = Batch;
    type Output = ClassificationOutput;
    fn step(&self, batch: Batch) -> ClassificationOutput {
        let maps = self.conv1.forward(batch.images.unsqueeze_dim::<4>(1));
        let maps = self.pool.forward(relu(maps));
        let maps = self.pool.forward(relu(self.conv2.forward(maps)));
        let hidden = relu(self.fc1.forward(maps.flatten::<2>(1, 3)));
        classify(self.fc2.forward(hidden), batch.labels)
    }
}

impl FullyConnected {
    pub fn new(device: &Device) -> Self {
        Self {
            fc1: LinearConfig::new(SIDE * SIDE, 100).init(device),
            fc2: LinearConfig::new(100, 50).init(device),
            fc3: LinearConfig::new(50, CLASSES).init(device),
        }
    }
}

impl LeNet {
    pub fn new(device: &Device) -> Self {
        Self {
            conv1: Conv2dConfig::new([1, 20], [5, 5]).init(device),
            conv2: Conv2dConfig::new([20, 40], [5, 5]).init(device),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            fc1: LinearConfig::new(640, 400).init(device),
            fc2: LinearConfig::new(400, CLASSES).init(device),
        }
    }
}
