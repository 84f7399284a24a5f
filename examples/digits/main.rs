//! Trains a small network on 8×8 digits and shows where it learns.
//!
//! `cargo run --release --example digits`

#[path = "../shared/digits.rs"]
mod digits;
#[path = "../shared/exit.rs"]
mod exit;
#[path = "../shared/options.rs"]
mod options;
#[path = "../shared/pictures.rs"]
mod pictures;
#[path = "../shared/summary.rs"]
mod summary;

use std::error::Error;
use std::fs;
use std::process::ExitCode;

use burn::data::dataloader::DataLoaderBuilder;
use burn::optim::SgdConfig;
use burn::optim::momentum::MomentumConfig;
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn::train::renderer::CliMetricsRenderer;
use burn::train::{Learner, SupervisedTraining};
use burn_lca::prelude::*;
use clap::Parser;

use digits::{Digit, DigitBatcher, DigitNet};
use options::Options;

const BATCH_SIZE: usize = 32;
const LEARNING_RATE: f64 = 0.05;

/// Trains a small network on the UCI 8×8 digits (64-64-32-10, SGD with momentum) and measures
/// where it learns: the loss over the whole training set, split over every parameter, layer and
/// class, and over a validation set beside it.
#[derive(Parser, Debug)]
#[command(after_help = "Example: cargo run --release --example digits -- --epochs 5 --plain")]
struct Arguments {
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    exit::exit(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let Arguments { options } = Arguments::parse();
    options.check("digits")?;
    let output = options.output("digits");
    let device = options.device.device().autodiff();
    device.seed(options.seed);
    // Burn panics where it can't write there.
    fs::create_dir_all(&output).map_err(|error| format!("{}: {error}", output.display()))?;
    let resume_after = options.resume_after(&output)?;

    let (training, validation) = digits::load();
    let class_of = |digit: &Digit| usize::from(digit.label);
    let loader = DataLoaderBuilder::new(DigitBatcher)
        .batch_size(BATCH_SIZE)
        .shuffle(options.seed)
        .build(training.clone());
    let validation_loader = DataLoaderBuilder::new(DigitBatcher)
        .batch_size(BATCH_SIZE)
        .build(validation.clone());

    let mut learning = SupervisedTraining::new(&output, loader, validation_loader)
        .metrics((AccuracyMetric::new(), LossMetric::new()))
        .num_epochs(options.epochs)
        .with_default_checkpointers()
        .summary();
    if let Some(epoch) = resume_after {
        learning = learning.checkpoint(epoch);
    }
    if options.plain {
        learning = learning.renderer(Box::new(CliMetricsRenderer::new()));
    }
    if !options.no_lca {
        let probe =
            |digits| options.sampled(Probe::new(digits, DigitBatcher).classes(10, class_of));
        let metric = LcaMetric::new()
            .probe(probe(training))
            .validation(probe(validation))
            .record(options.recorder(&output));
        learning = learning.metric(options.observing(metric));
    }

    let optimizer = SgdConfig::new()
        .with_momentum(Some(MomentumConfig::new()))
        .init();
    let result = learning.launch(Learner::new(
        DigitNet::new(&device),
        optimizer,
        LEARNING_RATE,
    ));
    // The dashboard leaves the terminal when it is dropped.
    drop(result.renderer);
    if let Some(error) = result.error {
        return Err(error.into());
    }
    if !options.no_lca {
        summary::print(&output.join("lca"))?;
    }
    if options.report {
        pictures::write(&output)?;
    }
    Ok(())
}
