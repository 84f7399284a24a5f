//! What the page has of one run.

use std::slice::from_ref;

use serde::Serialize;

use crate::analysis;
use crate::analysis::distribution::Distribution;
use crate::analysis::layers::{Layers, LayersOptions};
use crate::analysis::noise::{Concentration, Heroes, TensorOscillation, noise};
use crate::analysis::peaks::{Peaks, PeaksOptions};
use crate::analysis::summary::Summary;
use crate::analysis::trace::TraceOptions;
use crate::analysis::{loss_curves, trace, trajectories};
use crate::error::LcaError;
use crate::record::Run;

use super::budget::Budget;
use super::missing::known;
use super::names;
use super::pictures::{Pictures, pictures};
use super::series::{ClassPart, HelpingPart, LossPart, TracePart, TrajectoryPart};

/// A run's part of the data. Where there is nothing, `…_missing` says why.
#[derive(Serialize)]
pub(super) struct RunPart {
    name: String,
    state: &'static str,
    /// What it did, in a line.
    verdict: String,
    tensors: usize,
    /// The probes' names, the training probe first.
    probes: Vec<String>,
    summary: Summary,
    loss: Vec<LossPart>,
    helping: HelpingPart,
    /// Sums over the run, by probe.
    layers: Vec<Layers>,
    trajectories: Vec<TrajectoryPart>,
    class_series: Vec<ClassPart>,
    distribution: Option<Distribution>,
    heroes: Option<Heroes>,
    oscillation: Option<Vec<TensorOscillation>>,
    concentration: Option<Concentration>,
    peaks: Option<Peaks>,
    peaks_top: usize,
    peaks_missing: Option<String>,
    trace: Option<Vec<TracePart>>,
    microscope: Option<Pictures>,
    microscope_missing: Option<String>,
}

impl RunPart {
    pub(super) fn of(run: &Run, name: String, budget: Budget) -> Result<Self, LcaError> {
        let summary = analysis::summary(run)?;
        let noise = noise(run)?;
        let trajectories = known(trajectories(run))?.0.unwrap_or_default();
        let curves = trajectories.first().map_or(0, |probe| probe.layers.len());
        let class_series = ClassPart::all(run, budget.class_values)?;
        let classes = class_series.first().map_or(1, ClassPart::classes);
        let options = PeaksOptions::default();
        let top = budget.peaks / (curves * classes).max(1);
        let top = top.clamp(1, options.top);
        let options = options.top(top);
        let (peaks, peaks_missing) = known(analysis::peaks(run, &options))?;
        let (trace, _) = known(trace(run, &TraceOptions::default()))?;
        let (microscope, microscope_missing) = known(pictures(run, budget.pictures))?;
        let probes = summary.reconciliation.iter();
        let probes: Vec<String> = probes.map(|probe| probe.probe.clone()).collect();
        Ok(Self {
            name,
            state: names::state(run),
            verdict: analysis::verdict(&summary),
            tensors: run.info().tensors.len(),
            layers: layers(run, &probes)?,
            probes,
            summary,
            loss: loss_curves(run)?
                .into_iter()
                .map(|curve| LossPart::of(curve, budget.points))
                .collect(),
            helping: HelpingPart::of(noise.helping, budget.points),
            trajectories: TrajectoryPart::all(trajectories, budget.curve_values),
            class_series,
            distribution: noise.distribution,
            heroes: noise.heroes,
            oscillation: noise.oscillation,
            concentration: noise.concentration,
            peaks,
            peaks_top: options.top,
            peaks_missing,
            trace: trace.map(|trace| {
                let parameters = trace.parameters.into_iter();
                let part = |parameter| TracePart::of(parameter, budget.points / 2);
                parameters.map(part).collect()
            }),
            microscope,
            microscope_missing,
        })
    }

    /// Returns what rows of classes are called.
    pub(super) fn class_rows(&self) -> Vec<String> {
        let probes = self.class_series.iter();
        probes.flat_map(ClassPart::rows).collect()
    }
}

fn layers(run: &Run, probes: &[String]) -> Result<Vec<Layers>, LcaError> {
    let of_probe = |probe: &String| {
        let options = LayersOptions::default().probe(Some(probe.clone()));
        known(analysis::layers(from_ref(run), &options))
    };
    let found: Vec<_> = probes.iter().map(of_probe).collect::<Result<_, _>>()?;
    Ok(found.into_iter().filter_map(|(layers, _)| layers).collect())
}
