//! The same curve of several runs, with mean and deviation over those of a set.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::error::LcaError;
use crate::record::Run;

use super::alike::require_different;
use super::helping::{HelpingOptions, helping};
use super::layers::trajectories;
use super::lengths::of_different_lengths;
use super::loss::loss_curves;
use super::names::main_probe;
use super::sets::RunSet;
use super::significance::{mean, spread};
use super::stats::{last_of_windows, steps_per_window};

/// Which curves are laid over each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OverlayOf {
    /// The measured loss: a panel for each probe.
    Loss,
    /// The smoothed fraction of the parameters that help at a step, exact zeros left out, on the
    /// training probe.
    Helping {
        /// How many steps are averaged over, as [`HelpingOptions::smooth`] has it.
        smooth: Option<usize>,
    },
    /// Cumulative LCA on the training probe: a panel for each layer.
    Cumulative,
}

/// Curves of several sets of runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Overlay {
    /// Which they are.
    pub of: OverlayOf,
    /// The probe that all panels are about; `None` where each has its own.
    pub probe: Option<String>,
    /// The panels, in the first run's order.
    pub panels: Vec<OverlayPanel>,
    /// What makes the runs hard to compare, in words.
    pub cautions: Vec<String>,
}

/// The curves of one probe or layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct OverlayPanel {
    /// The probe or layer.
    pub name: String,
    /// The curves of each set that has it, in the order given.
    pub sets: Vec<SetCurve>,
}

/// The curves of the runs of one set.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SetCurve {
    /// The set.
    pub set: String,
    /// Where it stands among all sets.
    pub number: usize,
    /// Every run.
    pub runs: Vec<RunCurve>,
    /// Their mean; `None` of one run.
    pub mean: Option<MeanCurve>,
}

/// The curve of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RunCurve {
    /// Its folder.
    pub folder: String,
    /// Where its values are. A loss or a sum is before the iteration that it stands at, a fraction is
    /// of the iteration.
    pub iterations: Vec<u64>,
    /// The values.
    pub values: Vec<f64>,
}

/// Mean and deviation over runs, where all of them have a value.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MeanCurve {
    /// Where all runs have a value; of windows, the last such place in each.
    pub iterations: Vec<u64>,
    /// How many of these places a value is the last of.
    pub steps_per_window: usize,
    /// Their mean.
    pub mean: Vec<f64>,
    /// One standard deviation below it.
    pub low: Vec<f64>,
    /// One standard deviation above it.
    pub high: Vec<f64>,
}

/// Returns the same curves of several sets of runs, to be laid over each other.
///
/// Mean and deviation of a set are over the iterations that all of its runs have: of runs of
/// different lengths they end with the shortest one, and a caution says so.
///
/// # Errors
///
/// [`LcaError::Setting`] without a run or if one is given twice, and the errors of
/// [`loss_curves`](super::loss_curves()), [`helping`](super::helping()) and
/// [`trajectories`](super::trajectories()).
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let (a, b) = (example::recorded_run(), example::recorded_run());
/// use burn_lca::Run;
/// use burn_lca::analysis::{overlay, overlay::OverlayOf, sets::RunSet};
///
/// let seeds = RunSet::new("seeds", vec![Run::open(a.path())?, Run::open(b.path())?]);
/// let losses = overlay(&[seeds], OverlayOf::Loss)?;
/// let training = losses.panels[0].sets[0].mean.as_ref().unwrap();
/// assert_eq!(training.iterations.last(), Some(&30));
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn overlay(sets: &[RunSet], of: OverlayOf) -> Result<Overlay, LcaError> {
    let runs = sets.iter().flat_map(|set| set.runs.iter().cloned());
    require_different("overlay", &runs.collect::<Vec<Run>>())?;
    let mut panels: Vec<OverlayPanel> = Vec::new();
    for (number, set) in sets.iter().enumerate() {
        for run in &set.runs {
            for (name, curve) in curves(run, &of)? {
                let place = panels.iter().position(|panel| panel.name == name);
                let place = place.unwrap_or_else(|| {
                    let sets = Vec::new();
                    panels.push(OverlayPanel { name, sets });
                    panels.len() - 1
                });
                let curves = &mut panels[place].sets;
                match curves.iter_mut().find(|known| known.number == number) {
                    Some(known) => known.runs.push(curve),
                    None => curves.push(SetCurve {
                        set: set.name.clone(),
                        number,
                        runs: vec![curve],
                        mean: None,
                    }),
                }
            }
        }
    }
    for set in panels.iter_mut().flat_map(|panel| &mut panel.sets) {
        set.mean = (set.runs.len() > 1).then(|| MeanCurve::of(&set.runs));
    }
    let follows = "mean and band are over the iterations that all have";
    let mut cautions = Vec::new();
    for set in sets {
        cautions.extend(of_different_lengths(&set.name, &set.runs, follows)?);
    }
    let runs = sets.iter().flat_map(|set| &set.runs);
    let probe = match of {
        OverlayOf::Loss => None,
        _ => runs.map(main_probe).next().map(str::to_owned),
    };
    Ok(Overlay {
        of,
        probe,
        cautions,
        panels,
    })
}

/// Returns the curves of a run, each with the name of its panel.
fn curves(run: &Run, of: &OverlayOf) -> Result<Vec<(String, RunCurve)>, LcaError> {
    let curve = |points: Vec<(u64, f64)>| {
        let (iterations, values) = points.into_iter().unzip();
        RunCurve {
            folder: run.folder().display().to_string(),
            iterations,
            values,
        }
    };
    Ok(match of {
        OverlayOf::Loss => {
            let of_probe = |probe: super::loss::LossCurve| {
                let first = probe.points.first();
                let first = first.map(|point| (point.first_iteration, probe.start));
                let rest = probe.points.iter();
                let rest = rest.map(|point| (point.iteration.saturating_add(1), point.loss));
                let points = first.into_iter().chain(rest).collect();
                (probe.probe.clone(), curve(points))
            };
            loss_curves(run)?.into_iter().map(of_probe).collect()
        }
        OverlayOf::Helping { smooth } => {
            let found = helping(run, &HelpingOptions::default().smooth(*smooth))?;
            let fraction = |step: &super::helping::HelpingStep| {
                let fraction = step.smoothed_of_nonzero.unwrap_or(f64::NAN);
                (step.iteration, fraction)
            };
            let points = found.steps.iter().map(fraction).collect();
            vec![(main_probe(run).to_owned(), curve(points))]
        }
        OverlayOf::Cumulative => {
            let probes = trajectories(run)?.into_iter();
            let main = probes.filter(|probe| probe.probe == main_probe(run));
            main.flat_map(|probe| {
                let first = probe.first_iteration.map(|first| (first, 0.0));
                let ends = probe.iterations.iter();
                let ends: Vec<u64> = ends.map(|last| last.saturating_add(1)).collect();
                let of_layer = |layer: super::layers::LayerCurve| {
                    let sums = ends.iter().copied().zip(layer.cumulative);
                    (layer.layer, curve(first.into_iter().chain(sums).collect()))
                };
                probe.layers.into_iter().map(of_layer).collect::<Vec<_>>()
            })
            .collect()
        }
    })
}

impl MeanCurve {
    /// Returns the curve in windows of steps, at most `most` of them: the values at the end of each.
    #[must_use]
    pub fn in_windows(self, most: usize) -> Self {
        let steps = steps_per_window(self.iterations.len(), most);
        Self {
            iterations: last_of_windows(&self.iterations, steps),
            steps_per_window: self.steps_per_window * steps,
            mean: last_of_windows(&self.mean, steps),
            low: last_of_windows(&self.low, steps),
            high: last_of_windows(&self.high, steps),
        }
    }

    fn of(runs: &[RunCurve]) -> Self {
        let mut by_iteration: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for run in runs {
            for (iteration, value) in run.iterations.iter().zip(&run.values) {
                by_iteration.entry(*iteration).or_default().push(*value);
            }
        }
        by_iteration.retain(|_, values| values.len() == runs.len());
        let mut curve = Self {
            iterations: by_iteration.keys().copied().collect(),
            steps_per_window: 1,
            mean: Vec::new(),
            low: Vec::new(),
            high: Vec::new(),
        };
        for values in by_iteration.values() {
            let mean = mean(values);
            let [low, high] = spread(values).unwrap_or([mean; 2]);
            curve.mean.push(mean);
            curve.low.push(low);
            curve.high.push(high);
        }
        curve
    }
}
