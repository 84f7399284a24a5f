//! The LCA of layers over time.

use std::collections::HashMap;

use serde::Serialize;

use crate::error::LcaError;
use crate::record::{Run, Table};

use super::super::grouping::Grouping;
use super::super::names::layer_of;
use super::super::read::{NO_STEPS, require};
use super::super::sampling::{margin, variance};
use super::super::series::{Quantity, Request, Series, SeriesTable, halves, series};
use super::super::stats::{last_of_windows, steps_per_window};

/// The LCA of every layer over time, on one probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Trajectories {
    /// The probe.
    pub probe: String,
    /// The observed steps at which every layer's LCA is finite, ascending; of windows, and of several
    /// that were measured as one, the last ones.
    pub iterations: Vec<u64>,
    /// Where the first of them begins; `None` if there is none.
    pub first_iteration: Option<u64>,
    /// How many of these steps a value of a curve is of; the last one's may be fewer.
    pub steps_per_window: usize,
    /// Observed steps that are left out, since a value is missing or not finite.
    pub left_out: usize,
    /// The layers, in the model's order.
    pub layers: Vec<LayerCurve>,
}

/// The LCA of a layer over time, in units of the loss.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LayerCurve {
    /// The layer.
    pub layer: String,
    /// How many parameters it has.
    pub parameters: u64,
    /// Its LCA at each step.
    pub lca: Vec<f64>,
    /// Its LCA up to and with each step.
    pub cumulative: Vec<f64>,
    /// Half the width of the 95 % confidence interval of `cumulative` at each step, from sampling the
    /// probe's examples; `None` unless it is sampled.
    pub margin: Option<Vec<f64>>,
    /// The greatest magnitude of `cumulative` over all steps: by how much it moved the loss.
    pub reach: f64,
}

impl Trajectories {
    /// Returns the curves in windows of steps, at most `most` of them: the LCA of each, and that
    /// up to and with its last step.
    #[must_use]
    pub fn in_windows(self, most: usize) -> Self {
        let steps = steps_per_window(self.iterations.len(), most);
        let layers = self.layers.into_iter().map(|curve| LayerCurve {
            lca: curve
                .lca
                .chunks(steps)
                .map(|lca| lca.iter().sum())
                .collect(),
            cumulative: last_of_windows(&curve.cumulative, steps),
            margin: curve.margin.map(|margin| last_of_windows(&margin, steps)),
            ..curve
        });
        Self {
            layers: layers.collect(),
            iterations: last_of_windows(&self.iterations, steps),
            steps_per_window: self.steps_per_window * steps,
            ..self
        }
    }
}

/// Returns the LCA of every layer over time, for every probe that has some.
///
/// # Errors
///
/// [`LcaError::NotRecorded`] if no step was observed, and the errors of [`Scan`](crate::Scan) if
/// the table `tensors` can't be read.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::{Run, analysis::trajectories};
///
/// let run = Run::open(folder.path())?;
/// let training = &trajectories(&run)?[0];
/// for curve in &training.layers {
///     println!("{}: {:+.3}", curve.layer, curve.cumulative.last().unwrap());
/// }
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn trajectories(run: &Run) -> Result<Vec<Trajectories>, LcaError> {
    require(run, Table::Tensors, NO_STEPS)?;
    let mut parameters: HashMap<&str, u64> = HashMap::new();
    for tensor in &run.info().tensors {
        let of_layer = parameters.entry(layer_of(&tensor.path)).or_default();
        *of_layer = of_layer.saturating_add(tensor.parameters);
    }
    let mut all = Vec::new();
    for probe in &run.info().probes {
        let request = Request {
            quantity: Quantity::Lca,
            probe: &probe.name,
            grouping: &Grouping::Layer,
            by_class: false,
        };
        let mut table = series(run, request)?;
        if table.series.is_empty() {
            continue;
        }
        let left_out = table.keep_finite();
        let mut errors = halves(run, request)?;
        if let Some(errors) = &mut errors {
            errors.keep_steps_of(&table);
        }
        let halves = errors.as_ref().map(SeriesTable::by_name);
        let curves = table.series.into_iter().map(|series| {
            let halves = halves.as_ref().and_then(|halves| halves.get(&*series.name));
            let margin = halves.map(|halves| margins(halves));
            let parameters = parameters.get(&*series.name).copied();
            curve(parameters.unwrap_or(0), series, margin)
        });
        all.push(Trajectories {
            probe: probe.name.clone(),
            first_iteration: table.firsts.first().copied(),
            iterations: table.iterations,
            steps_per_window: 1,
            left_out,
            layers: curves.collect(),
        });
    }
    Ok(all)
}

/// Returns the margins of the sums up to and with each step.
fn margins(halves: &[f64]) -> Vec<f64> {
    let sums = halves.iter().scan(0.0, |sum, half| {
        *sum += variance([*half]);
        Some(*sum)
    });
    sums.map(|sum| margin(f64::sqrt(sum))).collect()
}

fn curve(parameters: u64, series: Series, margin: Option<Vec<f64>>) -> LayerCurve {
    let mut sum = 0.0;
    let cumulative = series.values.iter().map(|lca| {
        sum += lca;
        sum
    });
    let cumulative: Vec<f64> = cumulative.collect();
    LayerCurve {
        parameters,
        reach: cumulative.iter().fold(0.0, |most, sum| sum.abs().max(most)),
        cumulative,
        margin,
        layer: series.name,
        lca: series.values,
    }
}
