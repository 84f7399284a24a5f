//! Repeats the experiments of "LCA: Loss Change Allocation for Neural Network Training" (Lan, Liu,
//! Zhou, Yosinski, 2019), and puts what comes out beside what the article says.
//!
//! `cargo run --release --features analysis --example paper -- --data DIR helping`

#[path = "../mnist/data.rs"]
mod data;
#[path = "../shared/device.rs"]
mod device;
#[path = "../shared/digits.rs"]
#[expect(dead_code, reason = "only the images are used, not the network")]
mod digits;
#[path = "../shared/exit.rs"]
mod exit;
mod experiments;
mod findings;
#[path = "../mnist/models.rs"]
mod models;
#[path = "../shared/resnet.rs"]
mod network;
mod networks;
mod photos;
mod progress;
mod runs;
mod setting;
mod source;
mod training;

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, ValueEnum};

use device::DeviceName;
use experiments::{Experiment, Plan};
use runs::Runs;
use setting::{Measured, Network, Optimizer, Setting, Size};
use source::Source;

/// Repeats an experiment of the article on loss change allocation: trains the networks that it
/// takes, records them, and prints what they show beside what the article says.
///
/// By default everything is smaller than there, so that a CPU gets through: fewer images and steps,
/// a narrower ResNet on smaller images. Runs that are there already are not made again: an experiment
/// that was cut off goes on where it was, and experiments share runs.
#[derive(Parser, Debug)]
#[command(
    after_help = "Examples:\n  cargo run --release --features analysis --example paper -- \
                  --data DIR helping --network fc\n  \
                  cargo run --release --features analysis,cuda --example paper -- --data DIR \
                  --device cuda --full all"
)]
struct Arguments {
    #[command(subcommand)]
    experiment: Experiment,

    #[command(flatten)]
    options: Options,
}

#[derive(Args, Debug)]
struct Options {
    /// Folder with the IDX files of MNIST and the binary files of CIFAR-10, plain or gzipped, or with
    /// sub-folders `mnist` and `cifar10` of these [default for MNIST: where burn-dataset keeps it]
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,

    /// Folder for the runs and what was found
    #[arg(
        long,
        value_name = "DIR",
        default_value = "artifacts/paper",
        global = true
    )]
    output: PathBuf,

    /// The original sizes; for a GPU
    #[arg(long, global = true)]
    full: bool,

    /// Only see that it runs: a few steps on embedded digits, which mean nothing
    #[arg(long, conflicts_with = "full", global = true)]
    smoke: bool,

    /// Runs of each setting, with the seeds 1 to N
    #[arg(long, value_name = "N", global = true)]
    seeds: Option<u64>,

    /// Images to train on, instead of what an experiment takes
    #[arg(long, value_name = "N", global = true)]
    images: Option<usize>,

    /// Optimizer steps, instead of what an experiment takes
    #[arg(long, value_name = "N", global = true)]
    steps: Option<usize>,

    /// Measure on so many images, drawn anew for every step, what is measured on all of them
    /// otherwise: layers and the loss keep their sums, within their errors, but counts of
    /// parameters do not
    #[arg(long, value_name = "N", global = true)]
    sample: Option<usize>,

    /// Networks of the experiments that compare several
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "fc,lenet,resnet",
        global = true
    )]
    network: Vec<NetworkName>,

    /// Optimizers of `helping`; the others take SGD
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "sgd,rmsprop,adam",
        global = true
    )]
    optimizer: Vec<Optimizer>,

    /// By how many steps gradients act late in the last layer (delay); 9 is what the other layers
    /// have [default: 0 to 9]
    #[arg(long, value_name = "STEPS", value_delimiter = ',', global = true)]
    delays: Option<Vec<u32>>,

    /// Raise the learning rate of the last layer where its momentum is lower (delay), so that the
    /// layer goes as far as with the usual one
    #[arg(long, global = true)]
    raise_rate: bool,

    /// Device to train and measure on
    #[arg(long, value_enum, default_value_t = DeviceName::Flex, global = true)]
    device: DeviceName,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum NetworkName {
    /// 784-100-50-10, on MNIST
    Fc,
    /// Two convolutions and two linear layers, on MNIST
    Lenet,
    /// ResNet-20, on CIFAR-10
    Resnet,
    /// Convolutions alone, on CIFAR-10
    AllCnn,
    /// VGG-16 with at most half its channels, on CIFAR-10
    Vgg,
}

fn main() -> ExitCode {
    exit::exit(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let options = &arguments.options;
    let size = options.size();
    let runs = Runs {
        folder: options.output.join("runs"),
        source: if options.smoke {
            Source::Digits
        } else {
            Source::Files(options.data.clone())
        },
        device: options.device.device(),
        chunk: if options.full { 2_500 } else { 250 },
    };
    let plan = Plan {
        size,
        seeds: options.seeds,
        networks: options.networks(),
        optimizers: options.optimizer.clone(),
        delays: options.delays.clone(),
        raise_rate: options.raise_rate,
    };
    fs::create_dir_all(&runs.folder)
        .map_err(|error| format!("{}: {error}", runs.folder.display()))?;
    for experiment in arguments.experiment.each() {
        let (name, claim) = experiment.described();
        println!("\n{name}: {claim}\n");
        let settings = experiment.settings(&plan).into_iter();
        let settings: Vec<_> = settings.map(|setting| options.resized(setting)).collect();
        let trained = runs.of(&settings)?;
        let found = experiment.findings(&trained)?;
        findings::print(&found);
        let file = options.output.join(format!("{name}.csv"));
        findings::write(&found, &file)?;
        println!("\nTable    {}", file.display());
        if let Some(figure) = experiment.figure(&trained) {
            println!("Figure   burn-lca plot {figure} -o {name}.svg");
        }
    }
    Ok(())
}

impl Options {
    fn size(&self) -> Size {
        if self.smoke {
            Size::Smoke
        } else if self.full {
            Size::Full
        } else {
            Size::Small
        }
    }

    /// Returns a setting with what was asked for of its size.
    fn resized(&self, setting: Setting) -> Setting {
        let probe = match (setting.probe, self.sample) {
            (Measured::Whole, Some(images)) => Measured::Sample(images),
            (probe, _) => probe,
        };
        Setting {
            images: self.images.unwrap_or(setting.images),
            steps: self.steps.unwrap_or(setting.steps),
            probe,
            ..setting
        }
    }

    fn networks(&self) -> Vec<Network> {
        let network = |name: &NetworkName| match name {
            NetworkName::Fc => Network::Fc,
            NetworkName::Lenet => Network::LeNet,
            NetworkName::Resnet => Network::resnet(self.size()),
            NetworkName::AllCnn => Network::all_cnn(self.size()),
            NetworkName::Vgg => Network::vgg(self.size()),
        };
        self.network.iter().map(network).collect()
    }
}
