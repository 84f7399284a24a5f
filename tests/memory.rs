//! What a probe takes of memory. In a process of its own, since the peak is that of the process.
#![cfg(target_os = "linux")]

use std::fmt::Debug;
use std::fs;

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::{Dataset, DatasetError};
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor};
use burn::train::{ClassificationOutput, InferenceStep};
use burn_lca::{Integrator, Lca, Probe};

const FEATURES: usize = 128;
const CLASSES: usize = 4;

/// So many examples that are made when they are asked for.
struct Made(usize);

impl Dataset<usize> for Made {
    fn get(&self, index: usize) -> Result<usize, DatasetError> {
        Ok(index)
    }

    fn len(&self) -> usize {
        self.0
    }
}

#[derive(Clone, Debug)]
struct Batch {
    features: Tensor<2>,
    labels: Tensor<1, Int>,
}

struct Features;

impl Batcher<usize, Batch> for Features {
    fn batch(&self, items: Vec<usize>, device: &Device) -> Batch {
        let mut features = Vec::with_capacity(items.len() * FEATURES);
        for item in &items {
            features.resize(features.len() + FEATURES, (item % 100) as f32 / 100.0);
        }
        let labels: Vec<i32> = items.iter().map(|item| label(item) as i32).collect();
        Batch {
            features: Tensor::<1>::from_floats(features.as_slice(), device)
                .reshape([items.len(), FEATURES]),
            labels: Tensor::from_ints(labels.as_slice(), device),
        }
    }
}

fn label(item: &usize) -> usize {
    item % CLASSES
}

#[derive(Module, Debug)]
struct Net {
    linear: Linear,
}

impl InferenceStep for Net {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> ClassificationOutput {
        let logits = self.linear.forward(batch.features);
        let loss = CrossEntropyLossConfig::new()
            .init(&logits.device())
            .forward(logits.clone(), batch.labels.clone());
        ClassificationOutput::new(loss, logits, batch.labels)
    }
}

/// The most memory that this process has taken so far, in MB.
fn peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number
        .and_then(|kb| kb.parse::<f64>().ok())
        .expect("a number")
        / 1000.0
}

fn observe(examples: usize) {
    let device = Device::flex().autodiff();
    device.seed(1);
    let net = || Net {
        linear: LinearConfig::new(FEATURES, CLASSES).init(&device),
    };
    let model = net();
    drop(model.clone().into_record());
    let probe = Probe::new(Made(examples), Features)
        .chunk_size(2048)
        .classes(CLASSES, label);
    let mut lca = Lca::new(probe)
        .integrator(Integrator::fixed(1))
        .start(&model)
        .unwrap();
    let other = net();
    let step = lca
        .observe(&other.load_record(net().into_record()))
        .unwrap();
    assert!(
        step.loss_change() != 0.0 && step.residual().abs() < 0.1,
        "{step:?}"
    );
}

/// Cached, the features alone of a million examples would take 512 MB.
#[test]
fn a_probe_of_a_million_examples_takes_little_more_memory_than_one_of_ten_thousand() {
    observe(10_000);
    let small = peak();
    observe(1_000_000);
    let large = peak();
    println!("{small} MB with 10,000 examples, {large} MB with 1,000,000");
    assert!(large - small < 200.0, "{small} MB, then {large} MB");
}
