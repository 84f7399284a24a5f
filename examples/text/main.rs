//! Trains a small transformer to tell the next character of a play, and shows where it learns.
//!
//! `cargo run --release --example text`

#[path = "../shared/exit.rs"]
mod exit;
mod model;
#[path = "../shared/options.rs"]
mod options;
#[path = "../shared/pictures.rs"]
mod pictures;
mod play;
#[path = "../shared/summary.rs"]
mod summary;

use std::error::Error;
use std::fs;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::Path;
use std::process::ExitCode;

use burn::data::dataloader::DataLoaderBuilder;
use burn::data::dataset::Dataset;
use burn::lr_scheduler::LrSchedulerConfig;
use burn::lr_scheduler::cosine::CosineAnnealingLrSchedulerConfig;
use burn::lr_scheduler::linear::LinearLrSchedulerConfig;
use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::lr_scheduler::sequential::SequentialLrSchedulerConfig;
use burn::module::{Lora, Module, ParamGroup};
use burn::optim::AdamWConfig;
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn::train::renderer::CliMetricsRenderer;
use burn::train::{Learner, SupervisedTraining};
use burn_lca::prelude::*;
use clap::{Parser, ValueEnum};

use model::CharTransformer;
use options::Options;
use play::{ACTS, SPEAKERS, TextBatcher, Window, Windows};

const BATCH_SIZE: usize = 32;
const LEARNING_RATE: f64 = 0.004;
const WEIGHT_DECAY: f64 = 0.1;
const WARM_UP: usize = 20;
/// Windows that a step is measured on, unless it is told otherwise.
const SAMPLE: usize = 64;

/// Trains a small transformer (two blocks, AdamW with warm-up) on the first three acts of *As You
/// Like It*, to tell the next character, and measures where it learns, by act or by speaker; acts IV
/// and V validate.
#[derive(Parser, Debug)]
#[command(
    after_help = "Examples:\n  cargo run --release --example text -- --group speaker\n  \
                        cargo run --release --example text -- --probe 128 --lora 4"
)]
struct Arguments {
    /// What groups of windows the loss is split by
    #[arg(long, value_enum, default_value_t = Group::Act)]
    group: Group,

    /// Measure every step on the same N windows of each probe, of every group its share, instead of
    /// on a fresh sample
    #[arg(long, value_name = "N", conflicts_with = "sample")]
    probe: Option<NonZeroUsize>,

    /// Measure every step on all windows; slow on a CPU
    #[arg(long, conflicts_with_all = ["sample", "probe"])]
    whole: bool,

    /// Stop after N optimizer steps
    #[arg(long, value_name = "N", conflicts_with = "no_lca")]
    steps: Option<NonZeroU64>,

    /// Afterwards freeze the network, and adapt it to acts IV and V by adapters of this rank; the LCA
    /// run is in the sub-folder `lora/lca`
    #[arg(long, value_name = "RANK", conflicts_with = "resume")]
    lora: Option<NonZeroUsize>,

    #[command(flatten)]
    options: Options,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Group {
    /// The acts of the play
    Act,
    /// Who speaks most of the window
    Speaker,
}

fn main() -> ExitCode {
    exit::exit(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let options = &arguments.options;
    options.check("text")?;
    let output = options.output("text");
    let play = play::read();
    let device = options.device.device().autodiff();
    device.seed(options.seed);
    let model = CharTransformer::new(play.alphabet, &device);
    let (first, last) = (play.first_acts, play.last_acts);
    let model = learn(arguments, model, [first.clone(), last.clone()], &output)?;
    let Some(rank) = arguments.lora else {
        return Ok(());
    };
    // Only the matrices of attention and MLPs, not the embeddings, which are matrices too.
    let rank = rank.get();
    let adapted = ParamGroup::from_predicate("transformer");
    let lora = Lora::new(rank, 2.0 * rank as f64).set_param_group(adapted);
    let model = model.train().apply_lora(lora);
    println!("\nAdapting to acts IV and V");
    learn(arguments, model, [last, first], &output.join("lora"))?;
    Ok(())
}

/// Trains on one part of the play and validates on the other; returns the model for inference.
fn learn(
    arguments: &Arguments,
    model: CharTransformer,
    [training, validation]: [Windows; 2],
    output: &Path,
) -> Result<CharTransformer, Box<dyn Error>> {
    let options = &arguments.options;
    // Burn panics where it can't write there.
    fs::create_dir_all(output).map_err(|error| format!("{}: {error}", output.display()))?;
    let resume_after = options.resume_after(output)?;
    let loader = DataLoaderBuilder::new(TextBatcher)
        .batch_size(BATCH_SIZE)
        .shuffle(options.seed)
        .build(training.clone());
    let validation_loader = DataLoaderBuilder::new(TextBatcher)
        .batch_size(BATCH_SIZE)
        .build(validation.clone());
    let steps = options.epochs * Dataset::<Window>::len(&*training).div_ceil(BATCH_SIZE);

    let mut learning = SupervisedTraining::new(output, loader, validation_loader)
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
        let mut metric = LcaMetric::new()
            .probe(arguments.probe(training))
            .validation(arguments.probe(validation))
            .record(options.recorder(output));
        if options.every.is_none() {
            // What decayed is known of single steps only.
            metric = metric.weight_decay(WEIGHT_DECAY);
        }
        if let Some(steps) = arguments.steps {
            let interrupter = learning.interrupter();
            metric = metric.on_step(move |step| {
                if step.iteration() + 1 >= steps.get() {
                    interrupter.stop(Some("all steps of --steps are taken"));
                }
            });
        }
        learning = learning.metric(options.observing(metric));
    }

    let optimizer = AdamWConfig::new().with_weight_decay(WEIGHT_DECAY as f32);
    let result = learning.launch(Learner::new(model, optimizer.init(), schedule(steps)?));
    // The dashboard leaves the terminal when it is dropped.
    drop(result.renderer);
    if let Some(error) = result.error {
        return Err(error.into());
    }
    if !options.no_lca {
        summary::print(&output.join("lca"))?;
    }
    if options.report {
        pictures::write(output)?;
    }
    Ok(result.model)
}

/// A linear warm-up, and then down along a cosine.
fn schedule(steps: usize) -> Result<ModuleLrScheduler, String> {
    let (rate, warm_up) = (LEARNING_RATE, WARM_UP.min(steps));
    let up = LinearLrSchedulerConfig::new(rate / warm_up as f64, rate, warm_up);
    let down = CosineAnnealingLrSchedulerConfig::new(rate, (steps - warm_up).max(1));
    let both = vec![
        LrSchedulerConfig::Linear(up),
        LrSchedulerConfig::Cosine(down),
    ];
    SequentialLrSchedulerConfig::new(both, vec![warm_up]).init()
}

impl Arguments {
    /// The windows to measure on.
    fn probe(&self, windows: Windows) -> Probe<Window, play::TextBatch> {
        let probe = Probe::new(windows, TextBatcher);
        let probe = match self.group {
            Group::Act => probe
                .classes(ACTS.len(), |window: &Window| window.act)
                .class_names(ACTS),
            Group::Speaker => probe
                .classes(SPEAKERS.len(), |window: &Window| window.speaker)
                .class_names(SPEAKERS),
        };
        match self.probe {
            Some(windows) => probe.subset(windows.get(), self.options.seed),
            None if self.whole || self.options.sample.is_some() => self.options.sampled(probe),
            None => probe.sampled(SAMPLE, self.options.seed),
        }
    }
}
