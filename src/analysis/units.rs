//! Neurons and channels over time.

use std::collections::HashMap;

use serde::Serialize;

use crate::error::LcaError;
use crate::record::{Run, Table};

use super::names::layer_of;
use super::options::options;
use super::raster::{Filling, Raster};
use super::read::{check_filled, each, require, stretches};

options! {
    /// Settings of [`unit_maps`].
    pub struct UnitMapOptions {
        /// The most columns of steps.
        pub columns: usize = 480,
        /// The most rows of units.
        pub rows: usize = 200,
    }
}

/// The LCA of a layer's units over time, weights and biases together.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LayerUnitMap {
    /// The layer.
    pub layer: String,
    /// LCA of a unit at an optimizer step, on average over the steps and units of a cell.
    pub raster: Raster,
}

/// Returns the units over time of every layer that has rows of them, in the model's order.
///
/// # Errors
///
/// [`LcaError::NotRecorded`] if the run has no table `units`, and the errors of
/// [`Scan`](crate::Scan) if it can't be read.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::Run;
/// use burn_lca::analysis::{unit_maps, units::UnitMapOptions};
///
/// let run = Run::open(folder.path())?;
/// for map in unit_maps(&run, &UnitMapOptions::default())? {
///     println!("{}: {} units", map.layer, map.raster.rows);
/// }
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn unit_maps(run: &Run, options: &UnitMapOptions) -> Result<Vec<LayerUnitMap>, LcaError> {
    let remedy = "record with `Recorder::standard()`, or choose steps with \
                  `Recorder::units_every`";
    require(run, Table::Units, remedy)?;
    let mut steps: Vec<(u64, u64)> = Vec::new();
    let mut rows = 0;
    each(run, Table::Units, &["iteration", "span"], |columns| {
        let step = columns.steps()?;
        for step in (0..columns.rows()).map(step) {
            if steps.last() != Some(&step) {
                steps.push(step);
            }
        }
        rows += columns.rows();
        Ok(())
    })?;
    steps.sort_unstable();
    steps.dedup_by_key(|(first, _)| *first);

    let mut layers: Vec<Layer> = Vec::new();
    let mut indices: HashMap<&str, usize> = HashMap::new();
    let mut tensors: HashMap<&str, (usize, bool)> = HashMap::new();
    for tensor in &run.info().tensors {
        let name = layer_of(&tensor.path);
        let first = !indices.contains_key(name);
        let index = *indices.entry(name).or_insert_with(|| {
            layers.push(Layer {
                name,
                units: tensor.units.max(1),
                filling: None,
            });
            layers.len() - 1
        });
        tensors.insert(&tensor.path, (index, first));
    }
    let mut cells: usize = 0;
    let names = ["iteration", "tensor", "unit", "lca"];
    each(run, Table::Units, &names, |columns| {
        let (iteration, unit) = (columns.u64("iteration")?, columns.u32("unit")?);
        let lca = columns.f32("lca")?;
        for (tensor, range) in stretches(columns.text("tensor")?) {
            let Some((index, first)) = tensors.get(tensor) else {
                continue;
            };
            let layer = &mut layers[*index];
            let filling = match &mut layer.filling {
                Some(filling) => filling,
                None => {
                    let most = [options.columns, options.rows];
                    cells = cells.saturating_add(Filling::cells(&steps, layer.units, most));
                    check_filled(run, Table::Units, cells, rows)?;
                    layer
                        .filling
                        .insert(Filling::new(&steps, layer.units, most))
                }
            };
            for row in range {
                let (unit, lca) = (unit[row] as usize, f64::from(lca[row]));
                if *first {
                    filling.add(iteration[row], unit, lca);
                } else {
                    filling.add_part(iteration[row], unit, lca);
                }
            }
        }
        Ok(())
    })?;
    let maps = layers.into_iter().filter_map(|layer| {
        Some(LayerUnitMap {
            layer: layer.name.to_owned(),
            raster: layer.filling?.finish(),
        })
    });
    Ok(maps.collect())
}

/// A layer, and its map once there is a row of it.
struct Layer<'a> {
    name: &'a str,
    units: usize,
    filling: Option<Filling<'a>>,
}
