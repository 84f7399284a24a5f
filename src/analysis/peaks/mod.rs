//! Moments of learning: steps at which layers help far more than right before and after, and
//! whether they are the same steps in all layers.
//!
//! After "LCA: Loss Change Allocation for Neural Network Training" (Lan, Liu, Zhou, Yosinski,
//! 2019), which finds peaks of different layers at the very same iterations. Whether that is more
//! than chance is tested here against a null model.

mod alignment;
mod coincidence;
mod detect;
mod options;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use crate::error::LcaError;
use crate::record::Run;

use super::grouping::Grouping;
use super::names::{class_name, main_probe};
use super::read::{NO_STEPS, not_recorded};
use super::sampling::is_sampled;
use super::series::{Quantity, Request, SeriesTable, series};

pub use alignment::Alignment;
use alignment::{NullModel, Trains};
pub use coincidence::{Coincidence, coincidences};
pub use options::PeaksOptions;

/// Peaks of every layer and class, and how they line up.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Peaks {
    /// What has peaks.
    pub quantity: Quantity,
    /// Steps that were looked at. Neighbours are consecutive ones of these, whatever lies between.
    pub steps: usize,
    /// The first of them; `None` without any.
    pub first_iteration: Option<u64>,
    /// The last of them.
    pub last_iteration: Option<u64>,
    /// Steps that were not, since a value was missing or not finite.
    pub left_out: usize,
    /// Observed steps that have a gap of unobserved or left-out iterations before them that is
    /// longer than the usual one.
    pub gaps: usize,
    /// The layers that have peaks, in the model's order.
    pub layers: Vec<String>,
    /// The layers that have none, such as frozen ones. They don't count as layers below.
    pub layers_without: Vec<String>,
    /// The peaks of each layer and class.
    pub series: Vec<PeakSeries>,
    /// How the peaks of each class line up.
    pub classes: Vec<ClassAlignment>,
    /// How they line up summed over classes; for two layers or more up to all layers.
    pub alignment: Vec<Alignment>,
    /// The fewest layers of a moment below.
    pub min_layers: usize,
    /// Steps that line up, in order of iteration.
    pub moments: Vec<Moment>,
    /// How many random shifts are behind each p-value.
    pub permutations: usize,
    /// The seed of the shifts.
    pub seed: u64,
}

/// The highest peaks of a layer, for one class or all together.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PeakSeries {
    /// The layer.
    pub layer: String,
    /// The class; `None` is all together.
    pub class: Option<i32>,
    /// How many strict local extremes there are.
    pub extremes: usize,
    /// The highest ones, the highest first.
    pub peaks: Vec<Peak>,
}

/// A peak of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Peak {
    /// The step, the last one of several that were measured as one.
    pub iteration: u64,
    /// The layer's LCA or norm there, not smoothed.
    pub value: f64,
    /// How far it is from the running median (below it for LCA), in the unit of `value`.
    pub height: f64,
}

/// How the peaks of the layers line up, for one class or all together.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ClassAlignment {
    /// The class; `None` is all together.
    pub class: Option<i32>,
    /// What the class is called: its name if the run has recorded one, otherwise its number.
    pub name: Option<String>,
    /// For two layers or more up to all layers; nothing with one layer.
    pub alignment: Vec<Alignment>,
}

/// A step at which layers peak together.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Moment {
    /// The step, the last one of several that were measured as one.
    pub iteration: u64,
    /// `value` of the class with the greatest `height`.
    pub value: f64,
    /// The greatest `height` of the classes.
    pub height: f64,
    /// The classes for which they do.
    pub classes: Vec<ClassMoment>,
}

/// A class for which layers peak together at a step.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ClassMoment {
    /// The class; `None` is all together.
    pub class: Option<i32>,
    /// What the class is called: its name if the run has recorded one, otherwise its number.
    pub name: Option<String>,
    /// How many layers have one of their highest peaks there.
    pub layers: usize,
    /// LCA of these layers summed, or the norm over all of them, at this step.
    pub value: f64,
    /// Their heights summed: how far LCA is below the running medians.
    pub height: f64,
}

/// Layers up to this number are asked for all of them together.
const FEW_LAYERS: usize = 12;

/// Returns of how many layers a moment is, unless that is asked for: of many, never all have one of
/// their highest peaks at once.
fn enough(layers: usize) -> usize {
    if layers <= FEW_LAYERS {
        layers
    } else {
        layers.div_ceil(2)
    }
}

/// Returns the peaks of every layer and class, and how many line up at the very same iteration.
///
/// A layer is its tensors together: their LCA is summed, their norms are joined as the root of
/// the sum of squares. A peak of LCA is a strict local minimum, lca\[t\] < lca\[t−1\] and
/// lca\[t\] < lca\[t+1\]; of a norm, a strict local maximum; neighbours are consecutive observed
/// steps. The peaks that count are the `top` that are furthest from the running median of their
/// series, so that a steep start does not take them all. A step lines up in k layers if k layers
/// have such a peak there. With classes each class is looked at on its own, except for the step's
/// norm, which no class has of its own.
///
/// The p-values are those of [`Alignment`]: one-sided, by random shifts within windows of time
/// (8 steps at the start, then a quarter of the steps so far, up to `window`), in which a layer
/// keeps the number of its peaks. So neither the steep start nor a slow drift counts as lining
/// up; assumed is that within a window a layer's peaks may come at any time. The windows, and the
/// median's width, are in observed steps. The p-value for all layers is the test; those for fewer
/// layers describe, and are not corrected for their number.
///
/// # Errors
///
/// [`LcaError::Setting`] if an option can't work or fewer layers than `min_layers` have peaks,
/// [`LcaError::NotRecorded`] if no step was observed or the probe is sampled (but for the step's
/// norm, which no sample is behind), and the errors of [`Scan`](crate::Scan) if the table `tensors`
/// can't be read.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::Run;
/// use burn_lca::analysis::{peaks, peaks::PeaksOptions};
///
/// let run = Run::open(folder.path())?;
/// let found = peaks(&run, &PeaksOptions::default().top(3).detrend(9).window(8))?;
/// for moment in &found.moments {
///     println!("all layers peak at iteration {}", moment.iteration);
/// }
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn peaks(run: &Run, options: &PeaksOptions) -> Result<Peaks, LcaError> {
    options.check()?;
    refuse_sampled(run, options.quantity)?;
    let (table, left_out) = finite_series(run, options.quantity)?;
    let found = PeakSet::new(&table, options);
    let min_layers = options.min_layers.unwrap_or(enough(found.layers.len()));
    if min_layers > found.layers.len() {
        return Err(LcaError::setting(
            "PeaksOptions::min_layers",
            format!(
                "{min_layers} layers, but only {} have peaks",
                found.layers.len()
            ),
            "ask for fewer layers",
        ));
    }
    let model = NullModel {
        window: options.window,
        permutations: options.permutations,
        seed: options.seed,
    };
    let steps = table.iterations.len();
    let mut alignments = alignment::alignments(&found.trains(), found.layers.len(), steps, model);
    let alignment = alignments.pop().unwrap_or_default();
    let classes = found.classes.iter().zip(alignments);
    Ok(Peaks {
        quantity: options.quantity,
        steps,
        first_iteration: table.iterations.first().copied(),
        last_iteration: table.iterations.last().copied(),
        left_out,
        gaps: gaps(&table),
        classes: classes
            .map(|(class, alignment)| ClassAlignment {
                class: *class,
                name: named(run, *class),
                alignment,
            })
            .collect(),
        alignment,
        min_layers,
        moments: found.moments(run, options.quantity, min_layers),
        layers_without: found.layers_without,
        layers: found.layers,
        series: found.series.into_iter().map(|found| found.peaks).collect(),
        permutations: options.permutations,
        seed: options.seed,
    })
}

/// Fails if a quantity has peaks of its own that line up.
fn refuse_sampled(run: &Run, quantity: Quantity) -> Result<(), LcaError> {
    if !is_sampled(run, main_probe(run)) || quantity == Quantity::Step {
        return Ok(());
    }
    Err(LcaError::NotRecorded {
        path: run.folder().to_owned(),
        problem: format!(
            "probe {} is sampled: the layers share the noise of a step's sample, which makes peaks of \
             its own that line up",
            main_probe(run)
        ),
        remedy: "ask for peaks of the step's norm, or record a run on the whole probe".into(),
    })
}

/// Returns a quantity of every layer, by class where there are classes, at the steps at which all are
/// finite, and how many were not.
fn finite_series(run: &Run, quantity: Quantity) -> Result<(SeriesTable, usize), LcaError> {
    let mut table = series(
        run,
        Request {
            quantity,
            probe: main_probe(run),
            grouping: &Grouping::Layer,
            by_class: quantity != Quantity::Step,
        },
    )?;
    if table.series.iter().any(|series| series.class.is_some()) {
        table.series.retain(|series| series.class.is_some());
    }
    if table.iterations.is_empty() {
        let problem = format!("has no steps of probe {} in table tensors", main_probe(run));
        return Err(not_recorded(run, problem, NO_STEPS));
    }
    let left_out = table.keep_finite();
    Ok((table, left_out))
}

/// The peaks of all series.
struct PeakSet {
    layers: Vec<String>,
    layers_without: Vec<String>,
    classes: Vec<Option<i32>>,
    series: Vec<PositionedPeaks>,
}

struct PositionedPeaks {
    /// Positions of the peaks in the series, in the order of `peaks.peaks`.
    positions: Vec<usize>,
    peaks: PeakSeries,
}

impl PeakSet {
    fn new(table: &SeriesTable, options: &PeaksOptions) -> Self {
        // Minima of LCA are maxima of what it helps.
        let sign = if options.quantity == Quantity::Lca {
            -1.0
        } else {
            1.0
        };
        let found = table.series.iter().map(|series| {
            let signal: Vec<f64> = series.values.iter().map(|value| sign * value).collect();
            let mut peaks = detect::peaks(&signal, options.smooth, options.detrend);
            let extremes = peaks.len();
            peaks.truncate(options.top);
            PositionedPeaks {
                positions: peaks.iter().map(|peak| peak.position).collect(),
                peaks: PeakSeries {
                    layer: series.name.clone(),
                    class: series.class,
                    extremes,
                    peaks: peaks
                        .into_iter()
                        .map(|peak| Peak {
                            iteration: table.iterations[peak.position],
                            value: series.values[peak.position],
                            height: peak.height,
                        })
                        .collect(),
                },
            }
        });
        let series: Vec<PositionedPeaks> = found.collect();
        let mut layers: Vec<String> = Vec::new();
        for found in &series {
            if layers.last() != Some(&found.peaks.layer) {
                layers.push(found.peaks.layer.clone());
            }
        }
        let peaking = series.iter().filter(|found| !found.positions.is_empty());
        let peaking: HashSet<&str> = peaking.map(|found| &*found.peaks.layer).collect();
        let has_peaks = |layer: &String| peaking.contains(&**layer);
        let (layers, layers_without) = layers.into_iter().partition(has_peaks);
        let mut classes: Vec<Option<i32>> = series.iter().map(|found| found.peaks.class).collect();
        classes.sort_unstable();
        classes.dedup();
        Self {
            layers,
            layers_without,
            classes,
            series,
        }
    }

    fn trains(&self) -> Vec<Trains> {
        let by_name = self.series.iter();
        let by_name: HashMap<(Option<i32>, &str), &Vec<usize>> = by_name
            .map(|found| ((found.peaks.class, &*found.peaks.layer), &found.positions))
            .collect();
        let train = |class: Option<i32>, layer: &String| {
            let positions = by_name.get(&(class, layer.as_str()));
            positions.map_or(Vec::new(), |positions| (*positions).clone())
        };
        let trains = |class: &Option<i32>| {
            self.layers
                .iter()
                .map(|layer| train(*class, layer))
                .collect()
        };
        self.classes.iter().map(trains).collect()
    }

    fn moments(&self, run: &Run, quantity: Quantity, min_layers: usize) -> Vec<Moment> {
        let mut moments: BTreeMap<u64, BTreeMap<Option<i32>, ClassMoment>> = BTreeMap::new();
        for PeakSeries { class, peaks, .. } in self.series.iter().map(|found| &found.peaks) {
            for peak in peaks {
                let classes = moments.entry(peak.iteration).or_default();
                let moment = classes.entry(*class).or_insert_with(|| ClassMoment {
                    class: *class,
                    name: named(run, *class),
                    layers: 0,
                    value: 0.0,
                    height: 0.0,
                });
                moment.layers += 1;
                moment.value = quantity.join(moment.value, peak.value);
                moment.height += peak.height;
            }
        }
        let listed = moments.into_iter().filter_map(|(iteration, classes)| {
            let classes: Vec<ClassMoment> = classes
                .into_values()
                .filter(|class| class.layers >= min_layers)
                .collect();
            let highest = classes
                .iter()
                .max_by(|a, b| a.height.total_cmp(&b.height))?;
            Some(Moment {
                iteration,
                value: highest.value,
                height: highest.height,
                classes,
            })
        });
        listed.collect()
    }
}

fn named(run: &Run, class: Option<i32>) -> Option<String> {
    class.map(|class| class_name(run, class))
}

/// Counts the distances from the end of a step to the start of the next that are longer than the
/// usual, shortest one.
fn gaps(table: &SeriesTable) -> usize {
    let pairs = || table.iterations.iter().zip(table.firsts.iter().skip(1));
    let distances = || pairs().map(|(end, start)| start.saturating_sub(*end));
    let usual = distances().min();
    distances()
        .filter(|distance| Some(*distance) != usual)
        .count()
}
