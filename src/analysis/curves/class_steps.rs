//! The LCA of every layer and class over time.

use serde::Serialize;

use crate::analysis::names::ClassName;
use crate::analysis::series::{Grouping, Quantity, Request, series};
use crate::analysis::stats::steps_per_window;
use crate::{LcaError, Run, Table};

/// The LCA of every layer in every class's own loss, in windows of steps, on one probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassSteps {
    /// The probe.
    pub probe: String,
    /// The layers, in the model's order.
    pub layers: Vec<String>,
    /// The classes, by number.
    pub classes: Vec<ClassName>,
    /// How many observed steps a window has; the last one may have fewer.
    pub steps_per_window: usize,
    /// The first iteration of each window.
    pub starts: Vec<u64>,
    /// The sums over each window's finite values: layer by layer, class by class.
    pub lca: Vec<f64>,
}

/// Returns the LCA of every layer and class over time, for every probe that is split by class,
/// of at most so many values in all where one window leaves that few.
///
/// Fails if a table can't be read.
pub fn class_steps(run: &Run, most_values: usize) -> Result<Vec<ClassSteps>, LcaError> {
    let mut all = Vec::new();
    if !run.tables()?.contains(&Table::Classes) {
        return Ok(all);
    }
    let probes = run
        .info()
        .probes
        .iter()
        .filter(|probe| !probe.classes.is_empty());
    let share = most_values / probes.clone().count().max(1);
    for probe in probes {
        let mut table = series(
            run,
            Request {
                quantity: Quantity::Lca,
                probe: &probe.name,
                grouping: Grouping::Layer,
                by_class: true,
            },
        )?;
        table.series.retain(|series| series.class.is_some());
        let mut layers: Vec<String> = table.series.iter().map(|row| row.name.clone()).collect();
        layers.dedup();
        let mut numbers: Vec<i32> = table.series.iter().filter_map(|row| row.class).collect();
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.is_empty() {
            continue;
        }
        let rows = layers.len() * numbers.len();
        let steps = steps_per_window(table.iterations.len(), share / rows);
        let starts: Vec<u64> = table.iterations.iter().step_by(steps).copied().collect();
        let mut lca = vec![0.0; rows * starts.len()];
        for row in &table.series {
            let layer = layers.iter().position(|layer| *layer == row.name);
            let class = row
                .class
                .and_then(|class| numbers.binary_search(&class).ok());
            let (Some(layer), Some(class)) = (layer, class) else {
                continue;
            };
            let first = (layer * numbers.len() + class) * starts.len();
            for (window, values) in row.values.chunks(steps).enumerate() {
                let finite = values.iter().filter(|value| value.is_finite());
                lca[first + window] = finite.sum();
            }
        }
        all.push(ClassSteps {
            probe: probe.name.clone(),
            layers,
            classes: numbers
                .iter()
                .map(|number| ClassName::of(run, *number))
                .collect(),
            steps_per_window: steps,
            starts,
            lca,
        });
    }
    Ok(all)
}
