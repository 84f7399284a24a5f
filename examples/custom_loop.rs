//! Loss change allocation in a training loop written by hand, without Burn's learner.
//!
//! `cargo run --release --example custom_loop`

#[path = "shared/digits.rs"]
mod digits;
#[path = "shared/exit.rs"]
mod exit;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use burn::data::dataloader::DataLoaderBuilder;
use burn::optim::AdamConfig;
use burn::tensor::Device;
use burn::train::TrainStep;
use burn_lca::prelude::*;
use clap::Parser;

use digits::{Digit, DigitBatcher, DigitNet};

const BATCH_SIZE: usize = 32;
const LEARNING_RATE: f64 = 0.001;

/// Trains a small network on the UCI 8×8 digits with a loop of its own, and measures every step.
#[derive(Parser, Debug)]
#[command(after_help = "Example: cargo run --release --example custom_loop -- --epochs 1")]
struct Arguments {
    /// Passes over the training data
    #[arg(long, default_value_t = 3)]
    epochs: u32,
    /// Seed of initial weights and data order
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Folder for the record of the run; an earlier one in it is replaced
    #[arg(long, value_name = "DIR", default_value = "artifacts/custom_loop")]
    output: PathBuf,
}

fn main() -> ExitCode {
    exit::exit(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let device = Device::flex().autodiff();
    device.seed(arguments.seed);
    let (training, _) = digits::load();
    let loader = DataLoaderBuilder::new(DigitBatcher)
        .batch_size(BATCH_SIZE)
        .shuffle(arguments.seed)
        .set_device(device.clone())
        .build(training.clone());
    let mut model = DigitNet::new(&device);
    let mut optimizer = AdamConfig::new().init();

    let probe = Probe::new(training, DigitBatcher).classes(10, |digit: &Digit| digit.label.into());
    let mut lca = Lca::new(probe)
        .record(Recorder::new(&arguments.output).overwrite())
        .start(&model)?;
    lca.set_learning_rate(LEARNING_RATE);
    for epoch in 1..=arguments.epochs {
        lca.set_epoch(epoch);
        for batch in loader.iter() {
            let output = TrainStep::step(&model, batch?);
            model = optimizer.step(LEARNING_RATE, model, output.grads);

            let step = lca.observe(&model)?;
            if step.iteration() % 10 == 0 {
                println!(
                    "step {:3}  loss {:.4}  LCA {:+.2e}  residual {:+.1e}  helping {:.1} %",
                    step.iteration(),
                    step.loss_after(),
                    step.lca(),
                    step.residual(),
                    step.probe().tally().percent_helping_of_nonzero(),
                );
                if let Some(failure) = lca.recording_failure() {
                    println!("the recording stopped: {failure}");
                }
            }
        }
    }
    lca.finish()?;
    println!("Recorded in {}", arguments.output.display());
    Ok(())
}
