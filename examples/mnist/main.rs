//! Trains one of two networks on MNIST and shows where it learns.
//!
//! `cargo run --release --example mnist -- --data DIR`

mod data;
#[path = "../shared/exit.rs"]
mod exit;
mod models;
#[path = "../shared/options.rs"]
mod options;
#[path = "../shared/pictures.rs"]
mod pictures;
#[path = "../shared/summary.rs"]
mod summary;

use std::error::Error;
use std::fs;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use burn::data::dataloader::DataLoaderBuilder;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, ModuleOptimizer, RmsPropConfig, SgdConfig};
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn::train::renderer::CliMetricsRenderer;
use burn::train::{
    ClassificationOutput, InferenceStep, Learner, LearnerModel, MetricRegistration,
    SupervisedTraining, TrainStep,
};
use burn_lca::prelude::*;
use clap::{Parser, ValueEnum};

use data::{CLASSES, Image, ImageBatch, ImageBatcher, Mnist};
use models::{Fc, LeNet};
use options::Options;

/// Trains a network on MNIST and measures where it learns: the loss over the 55,000 training
/// images, split over every parameter, layer and class, and over 5,000 validation images beside
/// it.
#[derive(Parser, Debug)]
#[command(
    after_help = "Example: cargo run --release --example mnist -- --data mnist --model lenet \
                  --probe 2000"
)]
struct Arguments {
    /// Network to train
    #[arg(long, value_enum, default_value_t = Model::Fc)]
    model: Model,

    /// Optimizer to train with
    #[arg(long, value_enum, default_value_t = Optimizer::Sgd)]
    optimizer: Optimizer,

    /// Learning rate [default: 0.05 for sgd, 0.001 for the others]
    #[arg(long)]
    lr: Option<f64>,

    /// Images per optimizer step
    #[arg(long, value_name = "N", default_value = "250")]
    batch_size: NonZeroUsize,

    /// Stop after N optimizer steps, or with the first one after them that is measured
    #[arg(long, value_name = "N", conflicts_with = "no_lca")]
    steps: Option<NonZeroU64>,

    /// Folder with the IDX files of MNIST, plain or gzipped; only those of the training images are
    /// read [default: where burn-dataset keeps them]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// Train on the first N of the 55,000 training images only
    #[arg(long, value_name = "N")]
    train: Option<NonZeroUsize>,

    /// Measure on N training images, of every class its share, instead of on all
    #[arg(long, value_name = "N")]
    probe: Option<NonZeroUsize>,

    /// Leave the validation images out of the measurement
    #[arg(long)]
    no_validation: bool,

    /// Leave the choice of what to measure on to burn-lca, as `LcaMetric::new()` does: without
    /// classes and validation, and of many images on a fresh sample at every step
    #[arg(long, conflicts_with_all = ["probe", "sample", "no_lca"])]
    defaults: bool,

    #[command(flatten)]
    options: Options,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Model {
    /// 784-100-50-10
    Fc,
    /// Two convolutions, two linear layers, dropout; slow on a CPU without `--probe`
    Lenet,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Optimizer {
    /// With momentum 0.9
    Sgd,
    Adam,
    Rmsprop,
}

impl Optimizer {
    fn build(self) -> (ModuleOptimizer, f64) {
        match self {
            Self::Sgd => {
                let momentum = MomentumConfig::new().with_momentum(0.9);
                (SgdConfig::new().with_momentum(Some(momentum)).init(), 0.05)
            }
            Self::Adam => (AdamConfig::new().init(), 0.001),
            Self::Rmsprop => (RmsPropConfig::new().with_momentum(0.0).init(), 0.001),
        }
    }
}

fn main() -> ExitCode {
    exit::exit(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    arguments.options.check("mnist")?;
    let mnist = data::load(arguments.data.as_deref(), arguments.train)?;
    let device = arguments.options.device.device().autodiff();
    device.seed(arguments.options.seed);
    match arguments.model {
        Model::Fc => train(arguments, Fc::new(&device), mnist),
        Model::Lenet => train(arguments, LeNet::new(&device), mnist),
    }
}

fn train<M>(arguments: &Arguments, model: M, mnist: Mnist) -> Result<(), Box<dyn Error>>
where
    M: LearnerModel
        + TrainStep<Input = ImageBatch, Output = ClassificationOutput>
        + InferenceStep<Input = ImageBatch, Output = ClassificationOutput>,
{
    let options = &arguments.options;
    let output = options.output("mnist");
    // Burn panics where it can't write there.
    fs::create_dir_all(&output).map_err(|error| format!("{}: {error}", output.display()))?;
    let resume_after = options.resume_after(&output)?;
    let loader = DataLoaderBuilder::new(ImageBatcher)
        .batch_size(arguments.batch_size.get())
        .shuffle(options.seed)
        .build(mnist.training.clone());
    let validation_loader = DataLoaderBuilder::new(ImageBatcher)
        .batch_size(arguments.batch_size.get())
        .build(mnist.validation.clone());

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
    if arguments.defaults {
        learning = attach(arguments, &output, learning, LcaMetric::new());
    } else if !options.no_lca {
        let class_of = |image: &Image| usize::from(image.label);
        let mut probe = Probe::new(mnist.training, ImageBatcher).classes(CLASSES, class_of);
        if let Some(images) = arguments.probe {
            probe = probe.subset(images.get(), options.seed);
        }
        let mut metric = LcaMetric::new().probe(options.sampled(probe));
        if !arguments.no_validation {
            let probe = Probe::new(mnist.validation, ImageBatcher).classes(CLASSES, class_of);
            metric = metric.validation(options.sampled(probe));
        }
        learning = attach(arguments, &output, learning, metric);
    }

    let (optimizer, default_rate) = arguments.optimizer.build();
    let rate = arguments.lr.unwrap_or(default_rate);
    let result = learning.launch(Learner::new(model, optimizer, rate));
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

/// Adds the metric to a training, with a record.
fn attach<M, S>(
    arguments: &Arguments,
    output: &Path,
    training: SupervisedTraining<M>,
    metric: LcaMetric<ImageBatch, S>,
) -> SupervisedTraining<M>
where
    M: LearnerModel + InferenceStep<Input = ImageBatch>,
    LcaMetric<ImageBatch, S>: MetricRegistration<M>,
{
    let mut metric = metric.record(arguments.options.recorder(output));
    if let Some(steps) = arguments.steps {
        let interrupter = training.interrupter();
        metric = metric.on_step(move |step| {
            if step.iteration() + step.span() >= steps.get() {
                interrupter.stop(Some("all steps of --steps are taken"));
            }
        });
    }
    training.metric(arguments.options.observing(metric))
}
