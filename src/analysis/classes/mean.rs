//! LCA by class and layer of several runs: mean and deviation.

use serde::Serialize;

use crate::analysis::alike::require_alike;
use crate::analysis::names::ClassName;
use crate::analysis::raster::Raster;
use crate::analysis::significance::{deviation, mean};
use crate::analysis::stats::{COLOR_PERCENTILE, color_range};
use crate::error::LcaError;
use crate::record::Run;

use super::{ClassMap, ClassMapOptions, class_maps};

/// LCA by class of several runs of one model, on the training probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MeanClassMap {
    /// The probe.
    pub probe: String,
    /// How many runs there are.
    pub runs: usize,
    /// The layers, in the model's order.
    pub layers: Vec<String>,
    /// The classes, by number.
    pub classes: Vec<MeanClass>,
    /// The magnitude of the means that gets full colour, as [`ClassMap::color_range`] has it.
    pub color_range: Option<f64>,
    /// The mean over the runs of [`ClassMap::over_time`]; `None` of runs whose columns are not of the
    /// same steps.
    pub over_time: Option<Raster>,
    /// What makes the runs hard to compare, in words.
    pub cautions: Vec<String>,
}

/// What each layer did for a class.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MeanClass {
    /// The class.
    pub class: ClassName,
    /// LCA of each layer in the class's own loss, summed over a run: the mean over the runs.
    pub lca: Vec<f64>,
    /// The standard deviation over the runs.
    pub deviation: Vec<f64>,
}

/// Returns LCA by class and layer of several runs.
///
/// # Errors
///
/// [`LcaError::Setting`] if there are fewer than two runs, if one is given twice, or if they have
/// different tensors or classes; and the errors of [`class_maps`].
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let (a, b) = (example::recorded_run(), example::recorded_run());
/// use burn_lca::Run;
/// use burn_lca::analysis::{classes::ClassMapOptions, mean_class_map};
///
/// let runs = [Run::open(a.path())?, Run::open(b.path())?];
/// let found = mean_class_map(&runs, &ClassMapOptions::default())?;
/// // Two copies of a run do not deviate from each other.
/// assert_eq!(found.classes[0].deviation[0], 0.0);
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn mean_class_map(runs: &[Run], options: &ClassMapOptions) -> Result<MeanClassMap, LcaError> {
    require_alike("classes", runs)?;
    let mut maps: Vec<ClassMap> = Vec::new();
    for run in runs {
        maps.push(class_maps(run, options)?.swap_remove(0));
    }
    let [first, rest @ ..] = &maps[..] else {
        return Err(LcaError::setting(
            "classes",
            "there is no run",
            "give several",
        ));
    };
    for (other, run) in rest.iter().zip(&runs[1..]) {
        let names = |map: &ClassMap| -> Vec<ClassName> {
            map.classes
                .iter()
                .map(|class| class.class.clone())
                .collect()
        };
        if (&first.probe, &first.layers, names(first))
            != (&other.probe, &other.layers, names(other))
        {
            let (one, other) = (runs[0].folder().display(), run.folder().display());
            return Err(LcaError::setting(
                "classes",
                format!("{other} has other classes, layers or another probe than {one}"),
                "give runs whose loss is split by the same classes",
            ));
        }
    }
    let class = |(row, of_class): (usize, &super::ClassLayers)| {
        let values = |layer: usize| -> Vec<f64> {
            maps.iter().map(|map| map.classes[row].lca[layer]).collect()
        };
        let layers = 0..first.layers.len();
        MeanClass {
            class: of_class.class.clone(),
            lca: layers.clone().map(|layer| mean(&values(layer))).collect(),
            deviation: layers
                .map(|layer| deviation(&values(layer)).unwrap_or(0.0))
                .collect(),
        }
    };
    let classes: Vec<MeanClass> = first.classes.iter().enumerate().map(class).collect();
    let over_time = over_time(&maps);
    let cautions = over_time.is_none().then(|| {
        "The runs have different steps: what they did over time is not drawn together, and sums over \
         them are not quite the same thing."
            .to_owned()
    });
    Ok(MeanClassMap {
        probe: first.probe.clone(),
        runs: runs.len(),
        layers: first.layers.clone(),
        color_range: color_range(
            classes.iter().flat_map(|class| class.lca.iter().copied()),
            100.0,
        ),
        classes,
        over_time,
        cautions: cautions.into_iter().collect(),
    })
}

/// Returns the means of cells; `None` if their columns are not of the same steps.
fn over_time(maps: &[ClassMap]) -> Option<Raster> {
    let first = &maps.first()?.over_time;
    let is_alike = |other: &Raster| {
        (&other.starts, other.last, other.unrecorded)
            == (&first.starts, first.last, first.unrecorded)
    };
    if !maps.iter().all(|map| is_alike(&map.over_time)) {
        return None;
    }
    let cell = |cell: usize| {
        let values = maps.iter().map(|map| map.over_time.values[cell]);
        mean(&values.collect::<Vec<f64>>())
    };
    let values: Vec<f64> = (0..first.values.len()).map(cell).collect();
    Some(Raster {
        color_range: color_range(values.iter().copied(), COLOR_PERCENTILE),
        values,
        not_finite: maps.iter().map(|map| map.over_time.not_finite).sum(),
        ..first.clone()
    })
}
