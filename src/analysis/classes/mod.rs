//! Which layer learned which class, and when.

mod mean;
mod windows;

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use crate::error::LcaError;
use crate::record::{Run, Table};

use super::grouping::Grouping;
use super::names::ClassName;
use super::options::options;
use super::raster::{Filling, Raster};
use super::read::{NO_STEPS, check_filled, each, not_recorded, require};
use super::series::{Quantity, Request, SeriesTable, series};
use super::stats::color_range;

pub use mean::{MeanClass, MeanClassMap, mean_class_map};
pub use windows::{ClassLevel, ClassWindows};

options! {
    /// Settings of [`class_maps`].
    pub struct ClassMapOptions {
        /// The most columns of LCA by class over time.
        pub columns: usize = 480,
        /// The most sums by layer, class and window of steps, over all probes, where one window
        /// leaves that few.
        pub window_sums: usize = 100_000,
        /// The first and the last iteration of the windows; `None` is all of them.
        pub iterations: Option<(u64, u64)> = None,
    }
}

/// LCA by class on one probe: over the run by layer, and over time.
///
/// A step at which the LCA of a class is not finite in every layer is left out of that class's
/// sums.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ClassMap {
    /// The probe.
    pub probe: String,
    /// The layers, in the model's order.
    pub layers: Vec<String>,
    /// The classes, by number.
    pub classes: Vec<ClassLayers>,
    /// The most steps that are left out for a class.
    pub left_out: usize,
    /// The magnitude of `lca` of the classes that gets full colour: the greatest of the finite ones;
    /// `None` if there is none but zeros.
    pub color_range: Option<f64>,
    /// The mean LCA of an optimizer step, over all parameters: one row per class, in the order above.
    pub over_time: Raster,
    /// The LCA of every layer in every class's own loss, in windows of steps.
    pub windows: ClassWindows,
}

/// What each layer did for a class.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ClassLayers {
    /// The class.
    pub class: ClassName,
    /// LCA of each layer in the class's own loss, summed over the run.
    pub lca: Vec<f64>,
    /// Steps that are left out, since a value is missing or not finite.
    pub left_out: usize,
}

const RECORD_CLASSES: &str = "record with `Probe::classes`";

/// Returns LCA by class, layer and time, for every probe that is split by class.
///
/// # Errors
///
/// [`LcaError::NotRecorded`] if no probe is split by class, and the errors of
/// [`Scan`](crate::Scan) if the tables `tensors` and `classes` can't be read.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::Run;
/// use burn_lca::analysis::{class_maps, classes::ClassMapOptions};
///
/// let run = Run::open(folder.path())?;
/// let training = &class_maps(&run, &ClassMapOptions::default())?[0];
/// for of_class in &training.classes {
///     println!("{}: {:?} in layers {:?}", of_class.class.name, of_class.lca, training.layers);
/// }
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn class_maps(run: &Run, options: &ClassMapOptions) -> Result<Vec<ClassMap>, LcaError> {
    require(run, Table::Classes, RECORD_CLASSES)?;
    require(run, Table::Tensors, NO_STEPS)?;
    let probes = run.info().probes.iter();
    let probes: Vec<&str> = probes
        .filter(|probe| !probe.classes.is_empty())
        .map(|probe| probe.name.as_str())
        .collect();
    let window_sums = options.window_sums / probes.len().max(1);
    let mut maps = Vec::new();
    for probe in probes {
        let request = Request {
            quantity: Quantity::Lca,
            probe,
            grouping: &Grouping::Layer,
            by_class: true,
        };
        let sums = Sorted::new(run, series(run, request)?)?;
        if sums.classes.is_empty() {
            continue;
        }
        let classes = sums.by_class(run);
        let lca = classes.iter().flat_map(|class| class.lca.iter().copied());
        maps.push(ClassMap {
            probe: probe.to_owned(),
            color_range: color_range(lca, 100.0),
            left_out: sums.left_out.iter().copied().max().unwrap_or(0),
            classes,
            over_time: over_time(run, probe, &sums, options.columns)?,
            windows: sums.windows(options.iterations, window_sums),
            layers: sums.layers,
        });
    }
    if maps.is_empty() {
        let problem = "has no LCA by class in table tensors".into();
        return Err(not_recorded(run, problem, RECORD_CLASSES));
    }
    Ok(maps)
}

/// The series of one probe by layer and class.
struct Sorted {
    /// The first and the last iteration of each step.
    steps: Vec<(u64, u64)>,
    layers: Vec<String>,
    classes: Vec<i32>,
    /// Layer by layer, class by class, with zeros for what is left out.
    values: Vec<Vec<f64>>,
    /// By class.
    left_out: Vec<usize>,
}

impl Sorted {
    fn new(run: &Run, table: SeriesTable) -> Result<Self, LcaError> {
        let by_class = || {
            let series = table.series.iter();
            series.filter_map(|series| Some((series.class?, series)))
        };
        let mut layers: Vec<String> = by_class().map(|(_, series)| series.name.clone()).collect();
        layers.dedup();
        let classes: BTreeSet<i32> = by_class().map(|(class, _)| class).collect();
        let classes: Vec<i32> = classes.into_iter().collect();
        let steps = table.iterations.len();
        let count = layers.len().saturating_mul(classes.len());
        let [all, read] = [count, by_class().count()].map(|series| series.saturating_mul(steps));
        check_filled(run, Table::Tensors, all, read)?;
        let mut values = vec![vec![f64::NAN; steps]; count];
        let indices = layers.iter().enumerate();
        let index_of: HashMap<&str, usize> =
            indices.map(|(index, layer)| (&**layer, index)).collect();
        for (class, series) in by_class() {
            let layer = index_of.get(&*series.name).copied();
            let class = classes.binary_search(&class).ok();
            if let Some((layer, class)) = layer.zip(class) {
                values[layer * classes.len() + class].clone_from(&series.values);
            }
        }
        let mut left_out = vec![0; classes.len()];
        for (class, left_out) in left_out.iter_mut().enumerate() {
            let mut layers: Vec<&mut Vec<f64>> = values
                .iter_mut()
                .skip(class)
                .step_by(classes.len())
                .collect();
            for step in 0..steps {
                if layers.iter().any(|values| !values[step].is_finite()) {
                    *left_out += 1;
                    layers.iter_mut().for_each(|values| values[step] = 0.0);
                }
            }
        }
        Ok(Self {
            steps: table.firsts.into_iter().zip(table.iterations).collect(),
            layers,
            classes,
            values,
            left_out,
        })
    }

    fn windows(&self, iterations: Option<(u64, u64)>, most_sums: usize) -> ClassWindows {
        let (first, last) = iterations.unwrap_or((0, u64::MAX));
        let start = self.steps.partition_point(|(_, end)| *end < first);
        let end = self.steps.partition_point(|(start, _)| *start <= last);
        ClassWindows::new(
            &self.steps,
            start..end.max(start),
            &self.values,
            self.classes.len(),
            most_sums,
        )
    }

    fn by_class(&self, run: &Run) -> Vec<ClassLayers> {
        let classes = self.classes.iter().zip(&self.left_out).enumerate();
        let of_class = |(index, (class, left_out)): (usize, (&i32, &usize))| {
            let rows = self.values.iter().skip(index).step_by(self.classes.len());
            ClassLayers {
                class: ClassName::of(run, *class),
                lca: rows.map(|values| values.iter().sum()).collect(),
                left_out: *left_out,
            }
        };
        classes.map(of_class).collect()
    }
}

/// Reads the LCA of all parameters by class and step.
fn over_time(run: &Run, probe: &str, sums: &Sorted, columns: usize) -> Result<Raster, LcaError> {
    let classes = &sums.classes;
    let mut filling = Filling::new(&sums.steps, classes.len(), [columns, classes.len()]);
    let names = ["iteration", "probe", "class", "lca"];
    each(run, Table::Classes, &names, |columns| {
        let (iteration, lca) = (columns.u64("iteration")?, columns.f64("lca")?);
        let (probes, numbers) = (columns.text("probe")?, columns.i32_or_null("class")?);
        for row in (0..columns.rows()).filter(|row| probes.value(*row) == probe) {
            if let Ok(index) = classes.binary_search(&numbers.value(row)) {
                filling.add(iteration[row], index, lca[row]);
            }
        }
        Ok(())
    })?;
    Ok(filling.finish())
}
