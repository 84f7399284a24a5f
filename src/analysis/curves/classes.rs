//! Which layer learned which class, and when.

use serde::Serialize;

use crate::analysis::names::{ClassName, main_probe};
use crate::analysis::read::{each, require};
use crate::analysis::series::{Grouping, Quantity, Request, finite_sum, series};
use crate::{LcaError, Run, Table};

use super::raster::{Filling, Raster};

/// LCA by class: over the run by layer, and over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassMap {
    /// The probe.
    pub probe: String,
    /// The layers, in the model's order.
    pub layers: Vec<String>,
    /// The classes, by number.
    pub classes: Vec<ClassCurve>,
    /// The mean LCA of a step, over all parameters: one row per class, in the order above.
    pub over_time: Raster,
    /// Values of a layer and class at a step that are not finite, which are left out of the sums.
    pub not_finite: usize,
}

/// What each layer did for a class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassCurve {
    /// The class.
    pub class: ClassName,
    /// LCA of each layer in the class's own loss, summed over the run's finite steps; NaN without
    /// such.
    pub lca: Vec<f64>,
}

/// Returns LCA by class, layer and time on the training probe; time is in at most `columns` bins.
///
/// Fails if the run is not split by class, or a file can't be read.
pub fn class_map(run: &Run, columns: usize) -> Result<ClassMap, LcaError> {
    let remedy = "record with `Probe::classes`";
    require(run, Table::Classes, remedy)?;
    let probe = main_probe(run);
    let request = Request {
        quantity: Quantity::Lca,
        probe,
        grouping: Grouping::Layer,
        by_class: true,
    };
    let table = series(run, request)?;
    let mut layers: Vec<String> = Vec::new();
    let mut numbers: Vec<i32> = Vec::new();
    for series in &table.series {
        if !layers.contains(&series.name) {
            layers.push(series.name.clone());
        }
        numbers.extend(series.class);
    }
    numbers.sort_unstable();
    numbers.dedup();
    let mut not_finite = 0;
    let mut lca = vec![vec![0.0; layers.len()]; numbers.len()];
    for series in &table.series {
        let layer = layers.iter().position(|layer| *layer == series.name);
        let class = series
            .class
            .and_then(|class| numbers.binary_search(&class).ok());
        if let (Some(layer), Some(class)) = (layer, class) {
            lca[class][layer] = finite_sum(series.values.iter().copied());
            let odd = series.values.iter().filter(|value| !value.is_finite());
            not_finite += odd.count();
        }
    }
    let mut filling = Filling::new(&table.iterations, numbers.len(), columns, numbers.len());
    let names = ["iteration", "probe", "class", "lca"];
    each(run, Table::Classes, &names, |columns| {
        let (iteration, lca) = (columns.u64("iteration")?, columns.f64("lca")?);
        let (probes, classes) = (columns.text("probe")?, columns.i32_or_null("class")?);
        for row in 0..columns.rows() {
            let place = numbers.binary_search(&classes.value(row));
            if let (true, Ok(place)) = (probes.value(row) == probe, place) {
                filling.add(iteration[row], place, lca[row]);
            }
        }
        Ok(())
    })?;
    let over_time = filling.finish();
    let classes = numbers.iter().zip(lca).map(|(number, lca)| ClassCurve {
        class: ClassName::of(run, *number),
        lca,
    });
    Ok(ClassMap {
        probe: probe.to_owned(),
        classes: classes.collect(),
        layers,
        over_time,
        not_finite,
    })
}
