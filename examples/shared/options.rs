//! What all examples can be told on the command line.

#[path = "device.rs"]
mod device;

use std::path::{Path, PathBuf};

use burn_lca::{LcaMetric, Probe, Recorder, Run};
use clap::{Args, ValueEnum};
use device::DeviceName;

#[derive(Args, Debug)]
pub struct Options {
    /// Passes over the training data
    #[arg(long, default_value_t = 3)]
    pub epochs: usize,

    /// Seed of initial weights and data order
    #[arg(long, default_value_t = 42)]
    pub seed: u64,

    /// Folder for what the training leaves; the LCA run is in its sub-folder `lca`, and replaces
    /// the one of an earlier training
    #[arg(long, value_name = "DIR")]
    pub output: Option<PathBuf>,

    /// Go on after the last epoch of the training in the output folder, with its checkpoint
    #[arg(long)]
    pub resume: bool,

    /// No dashboard: plain lines, for pipes and logs
    #[arg(long)]
    pub plain: bool,

    /// Measure every step on N fresh examples of each probe, instead of on all
    #[arg(long, value_name = "N")]
    pub sample: Option<usize>,

    /// Measure K optimizer steps in a row as one
    #[arg(long, value_name = "K")]
    pub every: Option<usize>,

    /// Measure one optimizer step in K
    #[arg(long, value_name = "K", conflicts_with = "every")]
    pub one_in: Option<usize>,

    /// Train without measuring, for comparison
    #[arg(long)]
    pub no_lca: bool,

    /// What to record [default: standard, or full with --report]
    #[arg(long, value_enum)]
    pub record: Option<Preset>,

    /// At the end, write a page to explore (report.html) and a film of every parameter (film.gif);
    /// build with `--features report`
    #[arg(long, conflicts_with = "no_lca")]
    pub report: bool,

    /// Device to train and measure on
    #[arg(long, value_enum, default_value_t = DeviceName::Flex)]
    pub device: DeviceName,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Preset {
    /// Steps, tensors and classes
    Economy,
    /// Also units at every tenth step, histograms, and totals of every parameter
    Standard,
    /// Also every unit and every parameter of every step
    Full,
}

impl Options {
    /// Fails before training if what is wanted at its end can't be had.
    pub fn check(&self, example: &str) -> Result<(), String> {
        if self.report && !cfg!(feature = "report") {
            return Err(format!(
                "--report draws, which this build can't: run it as `cargo run --release --features \
                 report --example {example} -- --report`"
            ));
        }
        Ok(())
    }

    /// The folder for artifacts: the one given, or one named for the example.
    pub fn output(&self, example: &str) -> PathBuf {
        match &self.output {
            Some(folder) => folder.clone(),
            None => PathBuf::from("artifacts").join(example),
        }
    }

    /// Returns the epoch to resume after, if that is wanted: the last one of which Burn has saved a
    /// checkpoint and the record knows the end.
    pub fn resume_after(&self, output: &Path) -> Result<Option<usize>, String> {
        if !self.resume {
            return Ok(None);
        }
        let checkpoints = output.join("checkpoint");
        let is_there = |epoch: &usize| {
            let part = |part| checkpoints.join(format!("{part}-{epoch}.bpk"));
            ["model", "optim", "scheduler"]
                .map(part)
                .iter()
                .all(|file| file.is_file())
        };
        let ended: Vec<usize> = if self.no_lca {
            (1..=self.epochs).collect()
        } else {
            let run = Run::open(output.join("lca")).map_err(|error| error.to_string())?;
            let epochs = run.info().epochs.iter();
            epochs.map(|ended| ended.epoch as usize).collect()
        };
        match ended.into_iter().rev().find(is_there) {
            Some(epoch) if epoch < self.epochs => Ok(Some(epoch)),
            Some(epoch) => Err(format!(
                "epoch {epoch} has ended already; give more with --epochs"
            )),
            None => Err(format!(
                "{} has no checkpoint of a recorded epoch; train without --resume",
                checkpoints.display()
            )),
        }
    }

    /// The probe, sampled if that is wanted.
    pub fn sampled<I, B>(&self, probe: Probe<I, B>) -> Probe<I, B> {
        match self.sample {
            Some(examples) => probe.sampled(examples, self.seed),
            None => probe,
        }
    }

    /// The metric, at the steps that are wanted.
    pub fn observing<B: 'static, S>(&self, metric: LcaMetric<B, S>) -> LcaMetric<B, S> {
        match (self.every, self.one_in) {
            (Some(steps), _) => metric.every(steps),
            (None, Some(steps)) => metric.one_in(steps),
            (None, None) => metric,
        }
    }

    /// Records into the sub-folder `lca` of the artifacts' folder: goes on with the run that is
    /// resumed, or replaces an earlier one.
    pub fn recorder(&self, output: &Path) -> Recorder {
        let recorder = Recorder::new(output.join("lca"));
        let recorder = if self.resume {
            recorder.resume()
        } else {
            recorder.overwrite()
        };
        let preset = match self.record {
            Some(preset) => preset,
            None if self.report => Preset::Full,
            None => Preset::Standard,
        };
        match preset {
            Preset::Economy => recorder.economy(),
            Preset::Standard => recorder.standard(),
            Preset::Full => recorder.full(),
        }
    }
}
