//! Neurons and channels over time.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::names::layer_of;
use crate::analysis::read::{each, require, stretches};
use crate::{LcaError, Run, Table};

use super::raster::{Filling, Raster};

/// The LCA of a layer's units over time, weights and biases together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerUnitMap {
    /// The layer.
    pub layer: String,
    /// LCA of a unit at a step, on average over the steps and units of a cell.
    pub raster: Raster,
}

/// Returns the units of every layer that has some, in the model's order, in at most so many
/// columns of steps and rows of units.
///
/// Fails if `units` is not recorded, or a file can't be read.
pub fn unit_maps(run: &Run, columns: usize, rows: usize) -> Result<Vec<LayerUnitMap>, LcaError> {
    let remedy = "record with `Recorder::standard()`, or choose steps with \
                  `Recorder::units_every`";
    require(run, Table::Units, remedy)?;
    let mut iterations: Vec<u64> = Vec::new();
    each(run, Table::Units, &["iteration"], |columns| {
        for iteration in columns.u64("iteration")? {
            if iterations.last() != Some(iteration) {
                iterations.push(*iteration);
            }
        }
        Ok(())
    })?;
    iterations.sort_unstable();
    iterations.dedup();

    let mut maps: Vec<(&str, Filling)> = Vec::new();
    let mut tensors: BTreeMap<&str, (usize, bool)> = BTreeMap::new();
    for tensor in &run.info().tensors {
        let layer = layer_of(&tensor.path);
        let place = maps.iter().position(|(known, _)| *known == layer);
        let first = place.is_none();
        let place = place.unwrap_or_else(|| {
            let filling = Filling::new(&iterations, tensor.units.max(1), columns, rows);
            maps.push((layer, filling));
            maps.len() - 1
        });
        tensors.insert(&tensor.path, (place, first));
    }
    let names = ["iteration", "tensor", "unit", "lca"];
    each(run, Table::Units, &names, |columns| {
        let (iteration, unit) = (columns.u64("iteration")?, columns.u32("unit")?);
        let lca = columns.f32("lca")?;
        for (tensor, range) in stretches(columns.text("tensor")?) {
            let Some((place, first)) = tensors.get(tensor) else {
                continue;
            };
            let filling = &mut maps[*place].1;
            for row in range {
                let (unit, lca) = (unit[row] as usize, f64::from(lca[row]));
                match first {
                    true => filling.add(iteration[row], unit, lca),
                    false => filling.add_part(iteration[row], unit, lca),
                }
            }
        }
        Ok(())
    })?;
    let maps = maps.into_iter().map(|(layer, filling)| LayerUnitMap {
        layer: layer.to_owned(),
        raster: filling.finish(),
    });
    Ok(maps.collect())
}
