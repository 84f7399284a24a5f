//! What more threads than one make of a sweep.
//!
//! `cargo bench --bench workers` measures an observed step (trapezoid, so one sweep; nothing
//! recorded) as it is without settings and with one thread, in turn, and prints the ratio of the two
//! and the time of a sweep. Each takes the chunks that are fastest for it. With a name,
//! `cargo bench --bench workers -- LeNet`, only that network is measured.

#[path = "shared/nudge.rs"]
mod nudge;
#[path = "../examples/shared/resnet.rs"]
mod resnet;
mod shared;

use std::fmt::Display;
use std::hint::black_box;
use std::time::Instant;

use burn::data::dataset::InMemDataset;
use burn::module::Module;
use burn::tensor::Device;
use burn::train::{ClassificationOutput, InferenceStep};
use burn_lca::prelude::*;

use nudge::nudged;
use resnet::ResNet;
use shared::{Batch, CLASSES, FullyConnected, Item, ItemBatcher, LeNet, classify};

/// Pairs of times whose ratio is taken.
const PAIRS: usize = 9;

/// Channels of the first third of ResNet-20.
const WIDTH: usize = 16;

#[derive(Module, Debug)]
struct Residual {
    net: ResNet,
}

impl InferenceStep for Residual {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> ClassificationOutput {
        classify(
            self.net.forward(batch.images.unsqueeze_dim(1)),
            batch.labels,
        )
    }
}

fn compare<M>(name: &str, mut model: M, examples: usize)
where
    M: Module + Display + InferenceStep<Input = Batch, Output = ClassificationOutput>,
{
    let items: Vec<Item> = (0..examples)
        .map(|k| Item::new(k as u32, k % CLASSES))
        .collect();
    let lca = || {
        let probe = Probe::new(InMemDataset::new(items.clone()), ItemBatcher);
        Lca::new(probe.classes(CLASSES, |item: &Item| item.label)).integrator(Integrator::fixed(1))
    };
    let start = |lca: Lca<Batch>| lca.start(&model).expect("a run that starts");
    let (mut alone, mut together) = (start(lca().workers(1)), start(lca()));
    let (mut seconds, mut ratios) = (Vec::new(), Vec::new());
    for _ in 0..PAIRS {
        model = nudged(model);
        let [alone, together] = [&mut alone, &mut together].map(|lca| {
            let start = Instant::now();
            black_box(lca.observe(&model).expect("a step"));
            start.elapsed().as_secs_f64()
        });
        seconds.push(together);
        ratios.push(together / alone);
    }
    for values in [&mut seconds, &mut ratios] {
        values.sort_by(f64::total_cmp);
    }
    println!(
        "{name}, {examples} examples: {:.2} of the time of one thread (median of {PAIRS} pairs; \
         {:.2} to {:.2}), {:.3} s",
        ratios[PAIRS / 2],
        ratios[0],
        ratios[PAIRS - 1],
        seconds[PAIRS / 2]
    );
}

fn main() {
    let device = Device::flex().autodiff();
    let name = std::env::args().skip(1).find(|name| !name.starts_with('-'));
    let is_run = |case: &str| name.as_ref().is_none_or(|name| name == case);
    if is_run("MNIST-FC") {
        compare("MNIST-FC", FullyConnected::new(&device), 55_000);
    }
    if is_run("LeNet") {
        compare("LeNet", LeNet::new(&device), 2500);
    }
    if is_run("ResNet-20") {
        let net = ResNet::new([1, CLASSES], WIDTH, &device);
        compare("ResNet-20", Residual { net }, 320);
    }
}
