//! A run of a small network that learns to read digits, recorded as a user would.

use std::path::Path;

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::Dataset;
use burn::optim::SgdConfig;
use burn::optim::momentum::MomentumConfig;
use burn::tensor::Device;
use burn::train::TrainStep;
use burn_lca::{Lca, Probe, Recorder};

use crate::digits::{Digit, DigitBatcher, DigitNet, load};

/// Enough for lines to be smoothed, and to be no multiple of any window.
pub const STEPS: usize = 131;
const MINIBATCH: usize = 48;
const LEARNING_RATE: f64 = 0.05;
pub const NAMES: [&str; 10] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
];

/// Trains, and records everything into a folder.
pub fn record(folder: &Path) {
    let device = Device::flex().autodiff();
    device.seed(7);
    let (training, validation) = load();
    let digits: Vec<Digit> = training.iter().map(Result::unwrap).collect();
    let probe = |digits| {
        let class = |digit: &Digit| usize::from(digit.label);
        let probe = Probe::new(digits, DigitBatcher).classes(NAMES.len(), class);
        probe.class_names(NAMES)
    };
    let mut model = DigitNet::new(&device);
    let momentum = MomentumConfig::new();
    let mut optimizer = SgdConfig::new().with_momentum(Some(momentum)).init();
    let mut lca = Lca::new(probe(training))
        .validation(probe(validation))
        .record(Recorder::new(folder).full())
        .start(&model)
        .unwrap();
    for minibatch in digits.chunks_exact(MINIBATCH).cycle().take(STEPS) {
        let batch = DigitBatcher.batch(minibatch.to_vec(), &device);
        let gradients = TrainStep::step(&model, batch).grads;
        model = optimizer.step(LEARNING_RATE, model, gradients);
        lca.observe(&model).unwrap();
    }
    lca.finish().unwrap();
}
