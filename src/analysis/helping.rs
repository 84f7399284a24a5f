//! How many parameters help, step by step.

use std::collections::{BTreeMap, HashMap};

use arrow::array::Array;
use serde::Serialize;

use crate::error::LcaError;
use crate::record::{Run, Table};

use super::names::{layer_of, main_probe};
use super::options::options;
use super::read::{NO_STEPS, each, require, stretches};
use super::stats::{HelpingCounts, smoothed, smoothing_window, steps_per_window};

options! {
    /// Settings of [`helping`] and [`helping_by_layer`].
    pub struct HelpingOptions {
        /// How many steps the smoothed fractions average over, an odd number (an even one counts
        /// as the next); `None` is for about a thirtieth of all, 1 for no smoothing.
        pub smooth: Option<usize> = None,
    }
}

/// How many parameters helped, hurt, or did neither, step by step, on the training probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Helping {
    /// Counts over all steps.
    pub all: HelpingCounts,
    /// How many observed steps the smoothed fractions average over; 1 if they are not smoothed.
    pub smoothing_window: usize,
    /// How many observed steps the counts of one entry of `steps` are of; the last entry's may be
    /// fewer.
    pub steps_per_window: usize,
    /// The observed steps, ascending.
    pub steps: Vec<HelpingStep>,
}

/// An observed step, or a window of several.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct HelpingStep {
    /// The step, the last one of several that were measured as one or of a window.
    pub iteration: u64,
    /// The first of these.
    pub first_iteration: u64,
    /// The parameters by the sign of their LCA.
    #[serde(flatten)]
    pub counts: HelpingCounts,
    /// [`HelpingCounts::fraction_of_all`] smoothed over the steps around this one, from 0 to 1;
    /// `None` if no parameter was counted at these.
    pub smoothed_of_all: Option<f64>,
    /// [`HelpingCounts::fraction_of_nonzero`] smoothed over the steps around this one, from 0 to
    /// 1; `None` if all LCA at these is zero.
    pub smoothed_of_nonzero: Option<f64>,
}

/// How many of a layer's parameters helped.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LayerHelping {
    /// The layer.
    pub layer: String,
    /// Its parameters, step by step.
    #[serde(flatten)]
    pub helping: Helping,
}

/// Counts by the first and the last optimizer step that a row is about.
type CountsByStep = BTreeMap<(u64, u64), HelpingCounts>;

impl Helping {
    fn new(steps: CountsByStep, options: &HelpingOptions) -> Self {
        let window = options.smooth.unwrap_or(smoothing_window(steps.len())) / 2 * 2 + 1;
        let smooth = |fraction: fn(&HelpingCounts) -> Option<f64>| {
            let fractions = steps
                .values()
                .map(|counts| fraction(counts).unwrap_or(f64::NAN));
            smoothed(&fractions.collect::<Vec<f64>>(), window)
        };
        let of_all = smooth(HelpingCounts::fraction_of_all);
        let of_nonzero = smooth(HelpingCounts::fraction_of_nonzero);
        // The lines at the ends may reach beyond what a fraction can be.
        let fraction = |value: f64| value.is_finite().then(|| value.clamp(0.0, 1.0));
        let smooth = of_all.into_iter().zip(of_nonzero);
        Self {
            all: steps.values().copied().sum(),
            smoothing_window: window,
            steps_per_window: 1,
            steps: steps
                .into_iter()
                .zip(smooth)
                .map(|((steps, counts), (of_all, of_nonzero))| HelpingStep {
                    iteration: steps.1,
                    first_iteration: steps.0,
                    counts,
                    smoothed_of_all: fraction(of_all),
                    smoothed_of_nonzero: fraction(of_nonzero),
                })
                .collect(),
        }
    }

    /// Returns the counts of windows of steps, at most `most` of them, with the smoothed fractions
    /// at the end of each.
    #[must_use]
    pub fn in_windows(self, most: usize) -> Self {
        let steps = steps_per_window(self.steps.len(), most);
        let windows = self.steps.chunks(steps).filter_map(|window| {
            Some(HelpingStep {
                first_iteration: window.first()?.first_iteration,
                counts: window.iter().map(|step| step.counts).sum(),
                ..*window.last()?
            })
        });
        Self {
            steps: windows.collect(),
            steps_per_window: self.steps_per_window * steps,
            ..self
        }
    }
}

impl HelpingOptions {
    fn check(&self) -> Result<(), LcaError> {
        match self.smooth {
            Some(0) => Err(LcaError::setting(
                "HelpingOptions::smooth",
                "0 steps have no mean",
                "give 1 or more",
            )),
            _ => Ok(()),
        }
    }
}

/// Returns how many parameters helped at each step.
///
/// # Errors
///
/// [`LcaError::NotRecorded`] if no step was observed, [`LcaError::Setting`] if an option can't
/// work, and the errors of [`Scan`](crate::Scan) if the table `steps` can't be read.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::Run;
/// use burn_lca::analysis::{helping, helping::HelpingOptions};
///
/// let run = Run::open(folder.path())?;
/// let found = helping(&run, &HelpingOptions::default())?;
/// assert_eq!(found.steps.len(), 30);
/// // Of the parameters that did anything, more helped than hurt.
/// assert!(found.all.fraction_of_nonzero() > Some(0.5));
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn helping(run: &Run, options: &HelpingOptions) -> Result<Helping, LcaError> {
    options.check()?;
    require(run, Table::Steps, NO_STEPS)?;
    let main = main_probe(run);
    let mut steps = BTreeMap::new();
    let names = ["iteration", "span", "probe", "helping", "hurting", "zero"];
    each(run, Table::Steps, &names, |columns| {
        let steps_of = columns.steps()?;
        let (helping, hurting) = (columns.u64("helping")?, columns.u64("hurting")?);
        let zero = columns.u64("zero")?;
        for (_, rows) in stretches(columns.text("probe")?).filter(|(probe, _)| *probe == main) {
            for row in rows {
                let counts = HelpingCounts {
                    helping: helping[row],
                    hurting: hurting[row],
                    zero: zero[row],
                };
                steps.insert(steps_of(row), counts);
            }
        }
        Ok(())
    })?;
    Ok(Helping::new(steps, options))
}

/// Returns how many parameters of every layer helped at each step, in the model's order.
///
/// # Errors
///
/// [`LcaError::NotRecorded`] if no step was observed, [`LcaError::Setting`] if an option can't
/// work, and the errors of [`Scan`](crate::Scan) if the table `tensors` can't be read.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::Run;
/// use burn_lca::analysis::{helping::HelpingOptions, helping_by_layer};
///
/// let run = Run::open(folder.path())?;
/// for of_layer in helping_by_layer(&run, &HelpingOptions::default())? {
///     println!("{}: {:?}", of_layer.layer, of_layer.helping.all.fraction_of_nonzero());
/// }
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn helping_by_layer(
    run: &Run,
    options: &HelpingOptions,
) -> Result<Vec<LayerHelping>, LcaError> {
    options.check()?;
    require(run, Table::Tensors, NO_STEPS)?;
    let main = main_probe(run);
    let mut layers: Vec<(&str, CountsByStep)> = Vec::new();
    let mut index_of: HashMap<&str, usize> = HashMap::new();
    for tensor in &run.info().tensors {
        let layer = layer_of(&tensor.path);
        index_of.entry(layer).or_insert_with(|| {
            layers.push((layer, CountsByStep::new()));
            layers.len() - 1
        });
    }
    let names = [
        "iteration",
        "span",
        "probe",
        "class",
        "tensor",
        "helping",
        "hurting",
        "zero",
    ];
    each(run, Table::Tensors, &names, |columns| {
        let (steps, classes) = (columns.steps()?, columns.i32_or_null("class")?);
        let (probes, tensors) = (columns.text("probe")?, columns.text("tensor")?);
        let (helping, hurting) = (columns.u64("helping")?, columns.u64("hurting")?);
        let zero = columns.u64("zero")?;
        for row in 0..columns.rows() {
            if classes.is_valid(row) || probes.value(row) != main {
                continue;
            }
            let layer = layer_of(tensors.value(row));
            let Some(index) = index_of.get(layer) else {
                continue;
            };
            *layers[*index].1.entry(steps(row)).or_default() += HelpingCounts {
                helping: helping[row],
                hurting: hurting[row],
                zero: zero[row],
            };
        }
        Ok(())
    })?;
    let layers = layers.into_iter().map(|(layer, steps)| LayerHelping {
        layer: layer.to_owned(),
        helping: Helping::new(steps, options),
    });
    Ok(layers.collect())
}
