//! Measures a training that is over, from the checkpoints that it saved.
//!
//! `cargo run --release --example replay`

#[path = "shared/digits.rs"]
mod digits;
#[path = "shared/exit.rs"]
mod exit;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

use burn::data::dataloader::DataLoaderBuilder;
use burn::data::dataset::Dataset;
use burn::module::Module;
use burn::optim::SgdConfig;
use burn::optim::momentum::MomentumConfig;
use burn::tensor::Device;
use burn::train::checkpoint::KeepLastNCheckpoints;
use burn::train::metric::LossMetric;
use burn::train::renderer::CliMetricsRenderer;
use burn::train::{Learner, SupervisedTraining};
use burn_lca::prelude::*;
use clap::Parser;

use digits::{Digit, DigitBatch, DigitBatcher, DigitNet};

const BATCH_SIZE: usize = 32;
const LEARNING_RATE: f64 = 0.05;

/// Trains a small network on the UCI 8×8 digits, saves its weights after every epoch and measures
/// every step. Then measures the same training again from the saved weights alone, one segment an
/// epoch, and compares.
#[derive(Parser, Debug)]
#[command(after_help = "Example: cargo run --release --example replay -- --epochs 10 --plain")]
struct Arguments {
    /// Passes over the training data
    #[arg(long, default_value_t = 5)]
    epochs: usize,
    /// Seed of initial weights and data order
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Folder for what the training leaves; the records of LCA are in its sub-folders `live` and
    /// `replayed`, and replace earlier ones
    #[arg(long, value_name = "DIR", default_value = "artifacts/replay")]
    output: PathBuf,
    /// No dashboard: plain lines, for pipes and logs
    #[arg(long)]
    plain: bool,
}

fn main() -> ExitCode {
    exit::exit(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let output = &arguments.output;
    // Burn panics where it can't write there.
    fs::create_dir_all(output).map_err(|error| format!("{}: {error}", output.display()))?;
    let live = train(&arguments)?;

    let (training, _) = digits::load();
    let steps_per_epoch = training.len().div_ceil(BATCH_SIZE) as u64;
    let mut checkpoints = vec![Checkpoint::new(start(output), 0)];
    let of_epochs = Checkpoint::of_learner(output.join("checkpoint"), steps_per_epoch)?;
    // A longer training may have been here before.
    checkpoints.extend(of_epochs.into_iter().take(arguments.epochs));
    let mut replayed = Sums::default();
    println!("\nsegment    loss                LCA         residual  sweeps");
    Lca::new(probe())
        .record(Recorder::new(output.join("replayed")).overwrite())
        .replay(
            DigitNet::new(&Device::flex().autodiff()),
            checkpoints,
            |step| {
                println!(
                    "{:4}..{:<4} {:.4} -> {:.4}  {:+.6}  {:+.1e}  {:4}",
                    step.iteration(),
                    step.iteration() + step.span(),
                    step.loss_before(),
                    step.loss_after(),
                    step.lca(),
                    step.residual(),
                    step.probe().sweeps()
                );
                replayed.add(step);
            },
        )?;
    compare(&live, &replayed);
    println!("\nRecorded in {}", output.display());
    Ok(())
}

/// Where the weights at the start of the training are saved.
fn start(output: &Path) -> PathBuf {
    output.join("start.bpk")
}

fn probe() -> Probe<Digit, DigitBatch> {
    let (training, _) = digits::load();
    Probe::new(training, DigitBatcher).classes(10, |digit: &Digit| digit.label.into())
}

/// Trains with a checkpoint of every epoch, and measures every step on the way.
fn train(arguments: &Arguments) -> Result<Sums, Box<dyn Error>> {
    let output = &arguments.output;
    let device = Device::flex().autodiff();
    device.seed(arguments.seed);
    let model = DigitNet::new(&device);
    model.clone().save_file(start(output))?;

    let (training, validation) = digits::load();
    let loader = |digits| {
        let loader = DataLoaderBuilder::new(DigitBatcher).batch_size(BATCH_SIZE);
        loader.shuffle(arguments.seed).build(digits)
    };
    let sums = Rc::new(RefCell::new(Sums::default()));
    let on_step = Rc::clone(&sums);
    let mut learning = SupervisedTraining::new(output, loader(training), loader(validation))
        .metrics((LossMetric::new(),))
        .metric(
            LcaMetric::new()
                .probe(probe())
                .record(Recorder::new(output.join("live")).overwrite())
                .on_step(move |step| on_step.borrow_mut().add(step)),
        )
        .num_epochs(arguments.epochs)
        .with_default_checkpointers()
        .with_checkpointing_strategy(KeepLastNCheckpoints::new(arguments.epochs));
    if arguments.plain {
        learning = learning.renderer(Box::new(CliMetricsRenderer::new()));
    }
    let optimizer = SgdConfig::new()
        .with_momentum(Some(MomentumConfig::new()))
        .init();
    let result = learning.launch(Learner::new(model, optimizer, LEARNING_RATE));
    // The dashboard leaves the terminal when it is dropped.
    drop(result.renderer);
    match result.error {
        Some(error) => Err(error.into()),
        None => Ok(sums.take()),
    }
}

/// Sums over the steps of a training.
#[derive(Default)]
struct Sums {
    loss_change: f64,
    lca: BTreeMap<String, f64>,
    sweeps: u64,
}

impl Sums {
    fn add(&mut self, step: &StepAllocation) {
        self.loss_change += step.loss_change();
        self.sweeps += u64::from(step.probe().sweeps());
        for tensor in step.tensors() {
            *self.lca.entry(tensor.path().to_owned()).or_default() += tensor.lca();
        }
    }
}

fn compare(live: &Sums, replayed: &Sums) {
    println!("\n{:<14}{:>12}{:>12}", "LCA", "every step", "replayed");
    for (path, lca) in &live.lca {
        let again = replayed.lca.get(path).copied().unwrap_or_default();
        println!("{path:<14}{lca:>+12.6}{again:>+12.6}");
    }
    let (a, b) = (live.loss_change, replayed.loss_change);
    println!("{:<14}{a:>+12.6}{b:>+12.6}", "loss change");
    println!("{:<14}{:>12}{:>12}", "sweeps", live.sweeps, replayed.sweeps);
}
