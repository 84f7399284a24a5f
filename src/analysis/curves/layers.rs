//! The LCA of layers over time.

use serde::Serialize;

use crate::analysis::read::{NO_STEPS, require};
use crate::analysis::series::{Grouping, Quantity, Request, series};
use crate::{LcaError, Run, Table};

/// The LCA of every layer over time, on one probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trajectories {
    /// The probe.
    pub probe: String,
    /// The observed steps at which every layer's LCA is finite, ascending.
    pub iterations: Vec<u64>,
    /// Observed steps that are left out, since a value is missing or not finite.
    pub left_out: usize,
    /// The layers, in the model's order.
    pub layers: Vec<LayerCurve>,
}

/// The LCA of a layer over time, in units of the loss.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerCurve {
    /// The layer.
    pub layer: String,
    /// Its LCA at each step.
    pub lca: Vec<f64>,
    /// Its LCA up to and with each step.
    pub sum: Vec<f64>,
}

/// Returns the LCA of every layer over time, for every probe that has some.
///
/// Fails if the table `tensors` has no rows or can't be read.
pub fn trajectories(run: &Run) -> Result<Vec<Trajectories>, LcaError> {
    require(run, Table::Tensors, NO_STEPS)?;
    let mut all = Vec::new();
    for probe in &run.info().probes {
        let mut table = series(
            run,
            Request {
                quantity: Quantity::Lca,
                probe: &probe.name,
                grouping: Grouping::Layer,
                by_class: false,
            },
        )?;
        if table.series.is_empty() {
            continue;
        }
        let left_out = table.keep_finite();
        let curve = |series: crate::analysis::series::Series| {
            let mut so_far = 0.0;
            let sum = series.values.iter().map(|lca| {
                so_far += lca;
                so_far
            });
            LayerCurve {
                sum: sum.collect(),
                layer: series.name,
                lca: series.values,
            }
        };
        all.push(Trajectories {
            probe: probe.name.clone(),
            iterations: table.iterations,
            left_out,
            layers: table.series.into_iter().map(curve).collect(),
        });
    }
    Ok(all)
}
