//! The 1,797 handwritten digits of 8×8 pixels of the UCI repository, embedded.

use std::io::Read;
use std::sync::Arc;

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::InMemDataset;
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor, activation::relu};
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};

const CSV: &[u8] = include_bytes!("../data/digits.csv.gz");

/// Side length of an image.
const SIDE: usize = 8;
/// Every fifth image validates.
const VALIDATION_EVERY: usize = 5;

#[derive(Clone, Debug)]
pub struct Digit {
    pub pixels: [f32; SIDE * SIDE],
    pub label: u8,
}

/// Returns the digits to train on and those to validate with.
pub fn load() -> (Arc<InMemDataset<Digit>>, Arc<InMemDataset<Digit>>) {
    let mut csv = String::new();
    flate2::read::GzDecoder::new(CSV)
        .read_to_string(&mut csv)
        .expect("the embedded digits are whole");
    let digits = csv.lines().map(|line| {
        let mut values = line
            .split(',')
            .map(|value| value.parse::<u8>().expect("a number"));
        let mut next = || values.next().expect("64 pixels and a label");
        Digit {
            pixels: std::array::from_fn(|_| f32::from(next()) / 16.0),
            label: next(),
        }
    });
    let (validation, training): (Vec<_>, Vec<_>) = digits
        .enumerate()
        .partition(|(index, _)| index % VALIDATION_EVERY == 0);
    let dataset = |digits: Vec<(usize, Digit)>| {
        Arc::new(InMemDataset::new(
            digits.into_iter().map(|(_, digit)| digit).collect(),
        ))
    };
    (dataset(training), dataset(validation))
}

#[derive(Clone, Debug)]
pub struct DigitBatch {
    pub images: Tensor<2>,
    pub labels: Tensor<1, Int>,
}

#[derive(Clone, Debug)]
pub struct DigitBatcher;

impl Batcher<Digit, DigitBatch> for DigitBatcher {
    fn batch(&self, digits: Vec<Digit>, device: &Device) -> DigitBatch {
        let pixels: Vec<f32> = digits.iter().flat_map(|digit| digit.pixels).collect();
        let labels: Vec<i32> = digits.iter().map(|digit| digit.label.into()).collect();
        DigitBatch {
            images: Tensor::<1>::from_floats(pixels.as_slice(), device)
                .reshape([digits.len(), SIDE * SIDE]),
            labels: Tensor::from_ints(labels.as_slice(), device),
        }
    }
}

/// A network of three layers: 64 → 64 → 32 → 10.
#[derive(Module, Debug)]
pub struct DigitNet {
    fc1: Linear,
    fc2: Linear,
    fc3: Linear,
}

impl DigitNet {
    pub fn new(device: &Device) -> Self {
        Self {
            fc1: LinearConfig::new(SIDE * SIDE, 64).init(device),
            fc2: LinearConfig::new(64, 32).init(device),
            fc3: LinearConfig::new(32, 10).init(device),
        }
    }

    fn classify(&self, batch: DigitBatch) -> ClassificationOutput {
        let hidden = relu(self.fc1.forward(batch.images));
        let hidden = relu(self.fc2.forward(hidden));
        let logits = self.fc3.forward(hidden);
        let loss = CrossEntropyLossConfig::new()
            .init(&logits.device())
            .forward(logits.clone(), batch.labels.clone());
        ClassificationOutput::new(loss, logits, batch.labels)
    }
}

impl TrainStep for DigitNet {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> TrainOutput<ClassificationOutput> {
        let output = self.classify(batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for DigitNet {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> ClassificationOutput {
        self.classify(batch)
    }
}
