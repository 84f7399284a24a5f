//! What the page has of one run, in pieces.

use std::slice::from_ref;

use serde::Serialize;

use crate::analysis;
use crate::analysis::distribution::Distribution;
use crate::analysis::helping::HelpingOptions;
use crate::analysis::layers::{Layers, LayersOptions};
use crate::analysis::noise::{Concentration, Heroes, TensorOscillation, noise};
use crate::analysis::peaks::{Alignment, Peaks, PeaksOptions};
use crate::analysis::summary::{self, Summary};
use crate::analysis::trace::TraceOptions;
use crate::analysis::{layer_of, loss_curves, trace, trajectories};
use crate::error::LcaError;
use crate::record::Run;

use super::budget::Budget;
use super::missing::known;
use super::names;
use super::pictures::{Pictures, pictures};
use super::series::{ClassPart, HelpingPart, LossPart, Shown, TracePart, TrajectoryPart};

/// What can be said at once. Where there is nothing in a piece, `…_missing` says why.
#[derive(Serialize)]
pub(super) struct BasePart {
    name: String,
    /// Another one if the folder holds another run.
    id: String,
    folder: String,
    state: &'static str,
    /// What it did, in a line.
    verdict: String,
    /// The paths of the model's tensors.
    tensors: Vec<String>,
    /// The probes' names, the training probe first.
    probes: Vec<String>,
    /// The last iteration of each epoch that has ended.
    epochs: Vec<EpochPart>,
    summary: Summary,
    #[serde(flatten)]
    steps: StepsPart,
}

/// An epoch that has ended.
#[derive(Serialize)]
struct EpochPart {
    epoch: u32,
    last_iteration: u64,
}

/// What is read of the table `steps`.
#[derive(Serialize)]
pub(super) struct StepsPart {
    loss: Vec<LossPart>,
    helping: HelpingPart,
}

/// Layers over time.
#[derive(Serialize)]
pub(super) struct TrajectoriesPart {
    trajectories: Vec<TrajectoryPart>,
}

/// Layers.
#[derive(Serialize)]
pub(super) struct LayersPart {
    /// Sums over the run, by probe.
    layers: Vec<Layers>,
    #[serde(flatten)]
    over_time: TrajectoriesPart,
}

/// Classes over time.
#[derive(Serialize)]
pub(super) struct ClassesPart {
    class_series: Vec<ClassPart>,
}

/// Single parameters, and their values.
#[derive(Serialize)]
pub(super) struct ValuesPart {
    pub(super) distribution: Option<Distribution>,
    pub(super) heroes: Option<Heroes>,
    oscillation: Option<Vec<TensorOscillation>>,
    concentration: Option<Concentration>,
}

/// Peaks of layers.
#[derive(Serialize)]
pub(super) struct PeaksPart {
    peaks: Option<Peaks>,
    peaks_top: usize,
    /// How many rows of how peaks line up are not in `peaks`.
    alignment_left_out: usize,
    peaks_missing: Option<String>,
}

/// The parameters that did most, over time.
#[derive(Serialize)]
pub(super) struct TracesPart {
    trace: Option<Vec<TracePart>>,
}

/// Every parameter as a pixel.
#[derive(Serialize)]
pub(super) struct MicroscopePart {
    microscope: Option<Pictures>,
    microscope_missing: Option<String>,
}

impl BasePart {
    pub(super) fn of(run: &Run, name: String, budget: Budget) -> Result<Self, LcaError> {
        let summary = summary::sums(run)?;
        let epochs = run.info().epochs.iter();
        let epochs = epochs.filter_map(|ended| {
            Some(EpochPart {
                epoch: ended.epoch,
                last_iteration: ended.next_iteration.checked_sub(1)?,
            })
        });
        Ok(Self {
            name,
            id: run.info().run_id.clone(),
            folder: run.folder().display().to_string(),
            state: names::state(run),
            verdict: analysis::verdict(&summary),
            tensors: run
                .info()
                .tensors
                .iter()
                .map(|tensor| tensor.path.clone())
                .collect(),
            probes: summary
                .reconciliation
                .iter()
                .map(|probe| probe.probe.clone())
                .collect(),
            epochs: epochs.collect(),
            summary,
            steps: StepsPart::of(run, Shown::ALL, budget)?,
        })
    }
}

impl StepsPart {
    pub(super) fn of(run: &Run, shown: Shown, budget: Budget) -> Result<Self, LcaError> {
        let helping = analysis::helping(run, &HelpingOptions::default())?;
        Ok(Self {
            loss: loss_curves(run)?
                .into_iter()
                .map(|curve| LossPart::of(curve, shown, budget.points))
                .collect(),
            helping: HelpingPart::of(helping, shown, budget.points),
        })
    }
}

impl TrajectoriesPart {
    pub(super) fn of(run: &Run, shown: Shown, budget: Budget) -> Result<Self, LcaError> {
        let found = known(trajectories(run))?.0.unwrap_or_default();
        Ok(Self {
            trajectories: TrajectoryPart::all(found, shown, budget.curve_values),
        })
    }
}

impl LayersPart {
    pub(super) fn of(run: &Run, budget: Budget) -> Result<Self, LcaError> {
        let of_probe = |probe: &String| {
            let options = LayersOptions::default().probe(Some(probe.clone()));
            known(analysis::layers(from_ref(run), &options))
        };
        let probes = run.info().probes.iter().map(|probe| &probe.name);
        let found: Vec<_> = probes.map(of_probe).collect::<Result<_, _>>()?;
        Ok(Self {
            layers: found.into_iter().filter_map(|(layers, _)| layers).collect(),
            over_time: TrajectoriesPart::of(run, Shown::ALL, budget)?,
        })
    }
}

impl ClassesPart {
    pub(super) fn of(run: &Run, shown: Shown, budget: Budget) -> Result<Self, LcaError> {
        Ok(Self {
            class_series: ClassPart::all(run, shown, budget.class_values)?,
        })
    }
}

impl ValuesPart {
    pub(super) fn of(run: &Run) -> Result<Self, LcaError> {
        let noise = noise(run)?;
        Ok(Self {
            distribution: noise.distribution,
            heroes: noise.heroes,
            oscillation: noise.oscillation,
            concentration: noise.concentration,
        })
    }
}

impl PeaksPart {
    pub(super) fn of(run: &Run, budget: Budget) -> Result<Self, LcaError> {
        let tensors = run.info().tensors.iter();
        let mut layers: Vec<&str> = tensors.map(|tensor| layer_of(&tensor.path)).collect();
        layers.sort_unstable();
        layers.dedup();
        let probe = run.info().probes.first();
        let classes = probe.map_or(0, |probe| probe.classes.len()).max(1);
        let options = PeaksOptions::default();
        let top = budget.peaks / (layers.len() * classes).max(1);
        let top = top.clamp(1, options.top);
        let options = options.top(top);
        let (mut peaks, peaks_missing) = known(analysis::peaks(run, &options))?;
        let mut alignment_left_out = 0;
        if let Some(peaks) = &mut peaks {
            let telling = Alignment::telling(&peaks.alignment, peaks.min_layers);
            let telling: Vec<Alignment> = telling.into_iter().cloned().collect();
            alignment_left_out = peaks.alignment.len() - telling.len();
            peaks.alignment = telling;
        }
        Ok(Self {
            peaks,
            alignment_left_out,
            peaks_top: options.top,
            peaks_missing,
        })
    }
}

impl TracesPart {
    pub(super) fn of(run: &Run, options: &TraceOptions, budget: Budget) -> Result<Self, LcaError> {
        let (found, _) = known(trace(run, options))?;
        let part = |parameter| TracePart::of(parameter, budget.points / 2);
        Ok(Self {
            trace: found.map(|trace| trace.parameters.into_iter().map(part).collect()),
        })
    }
}

impl MicroscopePart {
    pub(super) fn of(run: &Run, shown: Shown, budget: Budget) -> Result<Self, LcaError> {
        let (microscope, microscope_missing) = known(pictures(run, shown, budget.pictures))?;
        Ok(Self {
            microscope,
            microscope_missing,
        })
    }
}
