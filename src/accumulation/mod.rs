//! What is recorded of single units and parameters: gathered on the device over many steps, read
//! back when rows are due.

mod histograms;
mod parameters;
mod totals;
mod tracked;
mod units;

use crate::allocation::StepAllocation;
use crate::error::LcaError;
use crate::parameters::{Layout, Segment, TensorKind, Values};
use crate::record::{ObservedInfo, ParameterTotalRows, Recorder, Rows};

use histograms::Histograms;
use parameters::Parameters;
use totals::Totals;
use tracked::Tracked;
use units::Units;

/// All that is gathered beside the tables that every step writes.
pub(crate) struct Accumulators {
    tracked: Vec<Tracked>,
    units: Option<Units>,
    histograms: Option<Histograms>,
    totals: Option<Totals>,
    parameters: Option<Parameters>,
    observed: ObservedInfo,
}

impl Accumulators {
    /// Starts gathering what the recorder asks for of the steps that are observed; `before` are the
    /// totals of a run that is resumed.
    pub fn new(
        recorder: &Recorder,
        observed: ObservedInfo,
        layout: &Layout,
        start: &Values,
        before: Option<Vec<ParameterTotalRows>>,
    ) -> Self {
        let tracked: Vec<Tracked> = trainable(layout).collect();
        Self {
            units: recorder.units_every.map(|_| Units::new(recorder.clone())),
            histograms: recorder.histogram_window.map(Histograms::new),
            totals: recorder
                .totals
                .then(|| Totals::new(&tracked, start, before)),
            parameters: recorder
                .parameters
                .clone()
                .map(|selection| Parameters::new(&tracked, selection, start)),
            tracked,
            observed,
        }
    }

    /// About how many bytes are held of what a recorder asks for.
    pub fn bytes(recorder: &Recorder, layout: &Layout) -> u64 {
        let tensor = |tensor: Tracked| {
            let mut bytes = 0;
            if recorder.totals {
                bytes += tensor.len * totals::BYTES;
            }
            if recorder.histogram_window.is_some() {
                bytes += histograms::bytes(tensor.len);
            }
            if let Some(selection) = &recorder.parameters
                && selection.wants_tensor(&tensor.path)
            {
                let indices = selection.indices(&tensor.path, tensor.len);
                bytes += indices.map_or(tensor.len, |indices| indices.len()) * parameters::BYTES;
            }
            bytes as u64
        };
        trainable(layout).map(tensor).sum()
    }

    /// The trainable tensors of a layout that nothing is gathered of yet.
    pub fn untracked(&self, layout: &Layout) -> Vec<Tracked> {
        // Asked at every step: what is trainable stays so, and as many are the same.
        if layout.of_kind(TensorKind::Trainable).count() == self.tracked.len() {
            return Vec::new();
        }
        let tracked = |tensor: &Tracked| self.tracked.iter().any(|t| t.tensor == tensor.tensor);
        trainable(layout).filter(|new| !tracked(new)).collect()
    }

    /// Begins to gather of some more tensors, whose values so far are `before`; returns the rows of
    /// what was gathered without them.
    pub fn track(&mut self, new: &[Tracked], before: &Values) -> Result<Vec<Rows>, LcaError> {
        let mut rows = Vec::new();
        if let Some(histograms) = &mut self.histograms {
            rows.extend(histograms.close(&self.tracked)?);
        }
        if let Some(units) = &mut self.units {
            rows.extend(units.flush(&self.tracked)?);
        }
        if let Some(totals) = &mut self.totals {
            totals.track(new, before);
        }
        if let Some(parameters) = &mut self.parameters {
            parameters.track(new, before);
        }
        self.tracked.extend_from_slice(new);
        Ok(rows)
    }

    /// Takes a step in; returns the rows that are due.
    pub fn add(&mut self, step: &StepAllocation, segment: &Segment) -> Result<Vec<Rows>, LcaError> {
        let mut rows = Vec::new();
        let next = self.observed.next(step.iteration(), step.span());
        if let Some(totals) = &mut self.totals {
            totals.add(&self.tracked, step, segment);
        }
        if let Some(histograms) = &mut self.histograms {
            rows.extend(histograms.add(&self.tracked, step)?);
        }
        if let Some(units) = &mut self.units {
            rows.extend(units.add(&self.tracked, step, next)?);
        }
        if let Some(parameters) = &self.parameters {
            rows.extend(parameters.rows(&self.tracked, step, segment, next)?);
        }
        Ok(rows)
    }

    /// Returns all that was gathered and is not written yet, and the totals so far: at the end
    /// of an epoch and of the run.
    pub fn flush(&mut self) -> Result<Vec<Rows>, LcaError> {
        let mut rows = Vec::new();
        if let Some(histograms) = &mut self.histograms {
            rows.extend(histograms.close(&self.tracked)?);
        }
        if let Some(units) = &mut self.units {
            rows.extend(units.flush(&self.tracked)?);
        }
        if let Some(totals) = &self.totals {
            rows.extend(totals.rows(&self.tracked)?);
        }
        Ok(rows)
    }
}

/// The tensors of a layout that an allocation splits the loss over.
fn trainable(layout: &Layout) -> impl Iterator<Item = Tracked> {
    layout
        .tensors
        .iter()
        .enumerate()
        .filter(|(_, info)| info.kind != TensorKind::Buffer)
        .enumerate()
        .filter(|(_, (_, info))| info.kind == TensorKind::Trainable)
        .map(|(allocated, (tensor, info))| Tracked {
            tensor,
            allocated,
            path: info.path.as_str().into(),
            shape: info.shape.clone(),
            unit_axis: info.unit_axis,
            len: info.len,
        })
}
