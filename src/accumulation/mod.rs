//! What is recorded of single units and parameters: gathered on the device over many steps, read
//! back when rows are due.

mod histograms;
mod parameters;
mod totals;
mod units;

use std::sync::Arc;

use burn::tensor::{Tensor, TensorData, Transaction};

use crate::LcaError;
use crate::allocation::{ProbeAllocation, StepAllocation, device_error};
use crate::parameters::{Layout, TensorKind, Values};
use crate::record::{ParameterTotalRows, Recorder, Rows};

use histograms::Histograms;
use parameters::Parameters;
use totals::Totals;
use units::Units;

/// A trainable tensor of the model.
struct Tracked {
    /// Its index in the layout.
    tensor: usize,
    /// Its index among the tensors of an allocation, which has no buffers.
    allocated: usize,
    path: Arc<str>,
    shape: Vec<usize>,
    unit_axis: usize,
    len: usize,
}

/// One step as the accumulators see it.
pub(crate) struct ObservedStep<'a> {
    pub allocation: &'a StepAllocation,
    /// Δθ.
    pub step: &'a Values,
    /// θ_{t+1}.
    pub after: &'a Values,
}

/// All that is gathered beside the tables that every step writes.
pub(crate) struct Accumulators {
    tracked: Vec<Tracked>,
    units: Option<Units>,
    histograms: Option<Histograms>,
    totals: Option<Totals>,
    parameters: Option<Parameters>,
}

impl Accumulators {
    /// Starts gathering what the recorder asks for; `before` are the totals of a run that is
    /// resumed.
    pub fn new(
        recorder: &Recorder,
        layout: &Layout,
        start: &Values,
        before: Option<Vec<ParameterTotalRows>>,
    ) -> Self {
        let tracked: Vec<Tracked> = layout
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
            .collect();
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
        }
    }

    /// Takes a step in; returns the rows that are due.
    pub fn add(&mut self, step: &ObservedStep) -> Result<Vec<Rows>, LcaError> {
        let mut rows = Vec::new();
        if let Some(totals) = &mut self.totals {
            totals.add(&self.tracked, step);
        }
        if let Some(histograms) = &mut self.histograms {
            rows.extend(histograms.add(&self.tracked, step)?);
        }
        if let Some(units) = &mut self.units {
            rows.extend(units.add(&self.tracked, step)?);
        }
        if let Some(parameters) = &self.parameters {
            rows.extend(parameters.rows(&self.tracked, step)?);
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

impl Tracked {
    fn lca(&self, probe: &ProbeAllocation) -> Option<Tensor<1>> {
        probe.parameters[self.allocated].clone()
    }

    fn gradient(&self, probe: &ProbeAllocation) -> Option<Tensor<1>> {
        probe.gradients[self.allocated].clone()
    }
}

/// Reads tensors back together.
fn read(tensors: Vec<Tensor<1>>) -> Result<Vec<TensorData>, LcaError> {
    tensors
        .into_iter()
        .fold(Transaction::default(), Transaction::register)
        .try_execute()
        .map_err(device_error)
}

/// One tensor's values, of whatever type the device computes in.
fn floats(data: TensorData) -> Vec<f32> {
    data.iter::<f32>().collect()
}
