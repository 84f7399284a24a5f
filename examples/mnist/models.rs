//! The two networks for MNIST.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor, activation::relu};
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};

use crate::data::{CLASSES, ImageBatch, SIDE};

/// Three linear layers: 784 → 100 → 50 → 10.
#[derive(Module, Debug)]
pub struct Fc {
    fc1: Linear,
    fc2: Linear,
    fc3: Linear,
}

impl Fc {
    pub fn new(device: &Device) -> Self {
        Self {
            fc1: LinearConfig::new(SIDE * SIDE, 100).init(device),
            fc2: LinearConfig::new(100, 50).init(device),
            fc3: LinearConfig::new(50, CLASSES).init(device),
        }
    }

    fn forward(&self, images: Tensor<3>) -> Tensor<2> {
        let hidden = relu(self.fc1.forward(images.flatten(1, 2)));
        let hidden = relu(self.fc2.forward(hidden));
        self.fc3.forward(hidden)
    }
}

/// Two convolutions of 5×5, each with pooling, that leave 40 maps of 4×4; then 400 → 10, with
/// dropout before the last layer.
#[derive(Module, Debug)]
pub struct LeNet {
    conv1: Conv2d,
    conv2: Conv2d,
    pool: MaxPool2d,
    fc1: Linear,
    dropout: Dropout,
    fc2: Linear,
}

impl LeNet {
    pub fn new(device: &Device) -> Self {
        Self {
            conv1: Conv2dConfig::new([1, 20], [5, 5]).init(device),
            conv2: Conv2dConfig::new([20, 40], [5, 5]).init(device),
            pool: MaxPool2dConfig::new([2, 2]).init(),
            fc1: LinearConfig::new(40 * 4 * 4, 400).init(device),
            dropout: DropoutConfig::new(0.5).init(),
            fc2: LinearConfig::new(400, CLASSES).init(device),
        }
    }

    fn forward(&self, images: Tensor<3>) -> Tensor<2> {
        let hidden = self.conv1.forward(images.unsqueeze_dim(1));
        let hidden = self.pool.forward(relu(hidden));
        let hidden = self.conv2.forward(hidden);
        let hidden = self.pool.forward(relu(hidden));
        let hidden = relu(self.fc1.forward(hidden.flatten(1, 3)));
        self.fc2.forward(self.dropout.forward(hidden))
    }
}

pub fn output(logits: Tensor<2>, labels: Tensor<1, Int>) -> ClassificationOutput {
    let loss = CrossEntropyLossConfig::new()
        .init(&logits.device())
        .forward(logits.clone(), labels.clone());
    ClassificationOutput::new(loss, logits, labels)
}

impl TrainStep for Fc {
    type Input = ImageBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: ImageBatch) -> TrainOutput<ClassificationOutput> {
        let output = InferenceStep::step(self, batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for Fc {
    type Input = ImageBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: ImageBatch) -> ClassificationOutput {
        output(self.forward(batch.images), batch.labels)
    }
}

impl TrainStep for LeNet {
    type Input = ImageBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: ImageBatch) -> TrainOutput<ClassificationOutput> {
        let output = InferenceStep::step(self, batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for LeNet {
    type Input = ImageBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: ImageBatch) -> ClassificationOutput {
        output(self.forward(batch.images), batch.labels)
    }
}
