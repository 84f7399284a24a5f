//! A network with two batch normalizations of different rank and epsilon, whose order in the
//! model is not that of the alphabet.

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::tensor::Tensor;
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};

use crate::digits::DigitBatch;
use crate::scaffold::{CLASSES, device, filled};

pub const PIXELS: usize = 64;
pub const CHANNELS: usize = 4;
/// Values per channel, all normalized together.
pub const WIDTH: usize = 3;
pub const HIDDEN: usize = CHANNELS * WIDTH;

/// 64 → 12, normalized as 4 channels of 3 → 12, normalized one by one → 10. Smooth throughout,
/// so that differences are a second method for derivatives.
#[derive(Module, Debug)]
pub struct NormNet {
    fc1: Linear,
    z_norm: BatchNorm,
    fc2: Linear,
    a_norm: BatchNorm,
    fc3: Linear,
}

impl NormNet {
    /// Takes the epsilon of each normalization.
    pub fn new(epsilons: [f64; 2]) -> Self {
        let device = &device();
        let norm = |features, epsilon| {
            BatchNormConfig::new(features)
                .with_epsilon(epsilon)
                .with_momentum(0.5)
                .init(device)
        };
        filled(Self {
            fc1: LinearConfig::new(PIXELS, HIDDEN).init(device),
            z_norm: norm(CHANNELS, epsilons[0]),
            fc2: LinearConfig::new(HIDDEN, HIDDEN).init(device),
            a_norm: norm(HIDDEN, epsilons[1]),
            fc3: LinearConfig::new(HIDDEN, CLASSES).init(device),
        })
    }

    fn classify(&self, batch: DigitBatch) -> ClassificationOutput {
        let hidden = self.fc1.forward(batch.images);
        let [count, _] = hidden.dims();
        let hidden: Tensor<3> = self
            .z_norm
            .forward(hidden.reshape([count, CHANNELS, WIDTH]));
        let hidden = self.fc2.forward(hidden.tanh().reshape([count, HIDDEN]));
        let hidden = self.a_norm.forward(hidden).tanh();
        let logits = self.fc3.forward(hidden);
        let loss = CrossEntropyLossConfig::new()
            .init(&logits.device())
            .forward(logits.clone(), batch.labels.clone());
        ClassificationOutput::new(loss, logits, batch.labels)
    }
}

impl TrainStep for NormNet {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> TrainOutput<ClassificationOutput> {
        let output = self.classify(batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for NormNet {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> ClassificationOutput {
        self.classify(batch)
    }
}
