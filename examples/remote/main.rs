//! Trains on this machine and measures on the devices of another one.
//!
//! ```text
//! cargo run --release --features remote --example remote -- serve
//! cargo run --release --features remote --example remote -- train --host ws://127.0.0.1:3000
//! ```

#[path = "../shared/digits.rs"]
mod digits;
#[path = "../shared/exit.rs"]
mod exit;
#[path = "../shared/summary.rs"]
mod summary;

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use burn::data::dataloader::DataLoaderBuilder;
use burn::optim::SgdConfig;
use burn::optim::momentum::MomentumConfig;
use burn::remote::RemoteHost;
use burn::server::{RemoteServer, WebSocketTransport};
use burn::tensor::Device;
use burn::train::metric::LossMetric;
use burn::train::renderer::CliMetricsRenderer;
use burn::train::{Learner, SupervisedTraining};
use burn_lca::prelude::*;
use clap::{Args, Parser, Subcommand};

use digits::{Digit, DigitBatcher, DigitNet};

const BATCH_SIZE: usize = 32;
const LEARNING_RATE: f64 = 0.05;
const SEED: u64 = 42;

/// Trains the network of the example `digits` on this machine, and sweeps its training set on devices
/// that a process on another machine serves. The numbers are those of measuring here.
#[derive(Parser, Debug)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Serve devices until Ctrl+C
    Serve {
        /// Port to listen on
        #[arg(long, default_value_t = 3000)]
        port: u16,
        /// How many devices: all are this machine's CPU
        #[arg(long, default_value_t = 2)]
        devices: usize,
    },
    /// Train here
    Train(Training),
}

#[derive(Args, Debug)]
struct Training {
    /// Address of a server whose devices are to measure, such as ws://127.0.0.1:3000; without it,
    /// this machine measures
    #[arg(long)]
    host: Option<String>,
    /// Passes over the training data
    #[arg(long, default_value_t = 1)]
    epochs: usize,
    /// Folder for what the training leaves; the LCA run is in its sub-folder `lca`
    #[arg(long, value_name = "DIR", default_value = "artifacts/remote")]
    output: PathBuf,
}

fn main() -> ExitCode {
    exit::exit(match Arguments::parse().command {
        Command::Serve { port, devices } => serve(port, devices),
        Command::Train(training) => train(&training),
    })
}

fn serve(port: u16, devices: usize) -> Result<(), Box<dyn Error>> {
    println!("Serving {devices} devices at port {port}");
    let server = RemoteServer::new(vec![Device::flex(); devices]);
    Ok(server.serve(WebSocketTransport::new(port))?)
}

fn train(options: &Training) -> Result<(), Box<dyn Error>> {
    let output = &options.output;
    fs::create_dir_all(output).map_err(|error| format!("{}: {error}", output.display()))?;
    let device = Device::flex().autodiff();
    device.seed(SEED);

    let (training, validation) = digits::load();
    let loader = |digits| {
        DataLoaderBuilder::new(DigitBatcher)
            .batch_size(BATCH_SIZE)
            .build(digits)
    };
    let probe = Probe::new(training.clone(), DigitBatcher)
        .chunk_size(72)
        .classes(10, |digit: &Digit| usize::from(digit.label));
    let mut metric = LcaMetric::new()
        .probe(probe)
        .record(Recorder::new(output.join("lca")).overwrite());
    if let Some(host) = &options.host {
        let devices = RemoteHost::websocket(host).devices()?;
        metric = metric.devices(devices.into_vec());
    }
    let learning = SupervisedTraining::new(output, loader(training), loader(validation))
        .metrics((LossMetric::new(),))
        .renderer(Box::new(CliMetricsRenderer::new()))
        .num_epochs(options.epochs)
        .metric(metric);
    let optimizer = SgdConfig::new()
        .with_momentum(Some(MomentumConfig::new()))
        .init();
    let result = learning.launch(Learner::new(
        DigitNet::new(&device),
        optimizer,
        LEARNING_RATE,
    ));
    drop(result.renderer);
    summary::print(&output.join("lca"))?;
    match result.error {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}
