//! Series of the analyses as columns, in windows of steps where they would be too long for a page.

use serde::Serialize;

use crate::analysis::classes::{ClassLevel, ClassMap, ClassMapOptions};
use crate::analysis::helping::{Helping, HelpingStep};
use crate::analysis::layers::Trajectories;
use crate::analysis::loss::LossCurve;
use crate::analysis::trace::Trajectory;
use crate::analysis::{ClassName, class_maps};
use crate::error::LcaError;
use crate::record::Run;

use super::columns::{Doubles, RunningSums};
use super::missing::known;

/// The iterations that are shown, from the first to the last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub(super) first: u64,
    pub(super) last: u64,
}

impl Shown {
    pub(super) const ALL: Self = Self {
        first: 0,
        last: u64::MAX,
    };

    fn has(self, iteration: u64) -> bool {
        (self.first..=self.last).contains(&iteration)
    }
}

/// The loss of a probe.
#[derive(Serialize)]
pub(super) struct LossPart {
    probe: String,
    start: f64,
    /// One point in so many steps is kept, the last among them.
    every: usize,
    iterations: Doubles,
    loss: Doubles,
    explained: Doubles,
    /// The sum since the point before.
    residual: Doubles,
}

impl LossPart {
    /// Keeps at most so many points.
    pub(super) fn of(mut curve: LossCurve, shown: Shown, most: usize) -> Self {
        curve.points.retain(|point| shown.has(point.iteration));
        let curve = curve.in_windows(most);
        let points = || curve.points.iter();
        Self {
            start: curve.start,
            every: curve.steps_per_window,
            iterations: Doubles::counts(points().map(|point| point.iteration)),
            loss: Doubles::of(points().map(|point| point.loss)),
            explained: Doubles::of(points().map(|point| point.explained)),
            residual: Doubles::of(points().map(|point| point.residual)),
            probe: curve.probe,
        }
    }
}

/// How many parameters help at each step.
#[derive(Serialize)]
pub(super) struct HelpingPart {
    /// Counts are sums over so many steps.
    every: usize,
    /// How many steps the smoothed fraction averages over.
    smoothing_window: usize,
    /// The last step of each sum.
    iterations: Doubles,
    helping: Doubles,
    hurting: Doubles,
    zero: Doubles,
    /// Of those that are not zero, the fraction that helps; NaN where all are zero.
    fraction: Doubles,
    /// The same, smoothed.
    smoothed: Doubles,
}

impl HelpingPart {
    /// Keeps at most so many counts of each kind.
    pub(super) fn of(mut helping: Helping, shown: Shown, most: usize) -> Self {
        helping.steps.retain(|step| shown.has(step.iteration));
        let helping = helping.in_windows(most);
        let count = |kind: fn(&HelpingStep) -> u64| Doubles::counts(helping.steps.iter().map(kind));
        let fraction = |kind: fn(&HelpingStep) -> Option<f64>| {
            let steps = helping.steps.iter();
            Doubles::of(steps.map(|step| kind(step).unwrap_or(f64::NAN)))
        };
        Self {
            every: helping.steps_per_window,
            smoothing_window: helping.smoothing_window,
            iterations: count(|step| step.iteration),
            helping: count(|step| step.counts.helping),
            hurting: count(|step| step.counts.hurting),
            zero: count(|step| step.counts.zero),
            fraction: fraction(|step| step.counts.fraction_of_nonzero()),
            smoothed: fraction(|step| step.smoothed_of_nonzero),
        }
    }
}

/// The LCA of layers up to and with each step.
#[derive(Serialize)]
pub(super) struct TrajectoryPart {
    probe: String,
    left_out: usize,
    /// One point in so many steps is kept, the last among them.
    every: usize,
    iterations: Doubles,
    layers: Vec<LayerPart>,
}

#[derive(Serialize)]
struct LayerPart {
    layer: String,
    parameters: u64,
    /// By how much it moved the loss.
    reach: f64,
    /// The sum up to the first of these points; 0 unless they are a part of the run's.
    before: f64,
    sums: Doubles,
    /// Half the widths of the 95 % confidence intervals of the sums, of a sampled probe.
    margins: Option<Doubles>,
}

impl TrajectoryPart {
    /// Keeps at most so many values of all probes and layers, if there are not more of these.
    pub(super) fn all(probes: Vec<Trajectories>, shown: Shown, values: usize) -> Vec<Self> {
        let curves: usize = probes.iter().map(|probe| probe.layers.len()).sum();
        let points = (values / curves.max(1)).max(2);
        let part = |mut probe: Trajectories| {
            let iterations = &probe.iterations;
            let start = iterations.partition_point(|at| *at < shown.first);
            let end = iterations.partition_point(|at| *at <= shown.last);
            let rest = start..end.max(start);
            let before = |sums: &Vec<f64>| start.checked_sub(1).map_or(0.0, |last| sums[last]);
            let befores: Vec<f64> = probe
                .layers
                .iter()
                .map(|curve| before(&curve.cumulative))
                .collect();
            probe.iterations = probe.iterations[rest.clone()].to_vec();
            for curve in &mut probe.layers {
                curve.lca = curve.lca[rest.clone()].to_vec();
                curve.cumulative = curve.cumulative[rest.clone()].to_vec();
                if let Some(margin) = &mut curve.margin {
                    *margin = margin[rest.clone()].to_vec();
                }
            }
            let probe = probe.in_windows(points);
            let layers = probe.layers.into_iter().zip(befores);
            let layers = layers.map(|(curve, before)| LayerPart {
                layer: curve.layer,
                parameters: curve.parameters,
                reach: curve.reach,
                before,
                sums: Doubles(curve.cumulative),
                margins: curve.margin.map(Doubles),
            });
            Self {
                layers: layers.collect(),
                probe: probe.probe,
                left_out: probe.left_out,
                every: probe.steps_per_window,
                iterations: Doubles::counts(probe.iterations),
            }
        };
        probes.into_iter().map(part).collect()
    }
}

/// LCA by class and layer over time, on one probe.
#[derive(Serialize)]
pub(super) struct ClassPart {
    probe: String,
    layers: Vec<String>,
    classes: Vec<ClassName>,
    /// Steps that are left out for some class.
    left_out: usize,
    /// How many steps a window has; the last one may have fewer.
    every: usize,
    steps: usize,
    /// The first iteration.
    start: u64,
    /// The last iteration of each window.
    iterations: Doubles,
    /// Optimizer steps that are observed up to and with each window.
    optimizer_steps: Doubles,
    /// LCA up to and with each window, by layer and for all together, class and window.
    sums: RunningSums,
    /// LCA up to the first window, of the same rows.
    before: Doubles,
    levels: Vec<ClassLevel>,
}

impl ClassPart {
    /// Returns one part a probe that is split by class, of at most so many values over all probes
    /// if there are not more layers and classes.
    pub(super) fn all(run: &Run, shown: Shown, values: usize) -> Result<Vec<Self>, LcaError> {
        let options = ClassMapOptions::default()
            .window_sums(values)
            .iterations(Some((shown.first, shown.last)));
        let maps = known(class_maps(run, &options))?.0.unwrap_or_default();
        let part = |map: ClassMap| {
            let windows = map.windows;
            Self {
                every: windows.steps_per_window,
                steps: windows.steps,
                start: windows.starts.first().copied().unwrap_or(0),
                sums: RunningSums {
                    row: windows.ends.len(),
                    before: windows.before.clone(),
                    sums: windows.cumulative,
                },
                before: Doubles(windows.before),
                iterations: Doubles::counts(windows.ends),
                optimizer_steps: Doubles::counts(windows.optimizer_steps.iter().scan(
                    0,
                    |sum, steps| {
                        *sum += steps;
                        Some(*sum)
                    },
                )),
                levels: windows.levels,
                left_out: map.left_out,
                probe: map.probe,
                layers: map.layers,
                classes: map.classes.into_iter().map(|class| class.class).collect(),
            }
        };
        Ok(maps.into_iter().map(part).collect())
    }
}

/// A parameter over time.
#[derive(Serialize)]
pub(super) struct TracePart {
    tensor: String,
    index: u32,
    lca_sum: f64,
    /// LCA and changes are sums over so many recorded steps, the gradient is their mean.
    every: usize,
    /// The last step of each.
    iterations: Doubles,
    lca: Doubles,
    step: Doubles,
    gradient: Doubles,
}

impl TracePart {
    /// Keeps at most so many points.
    pub(super) fn of(parameter: Trajectory, most: usize) -> Self {
        let (every, windows) = parameter.in_windows(most);
        Self {
            every,
            iterations: Doubles::counts(windows.iter().map(|window| window.iteration)),
            lca: Doubles::of(windows.iter().map(|window| window.lca)),
            step: Doubles::of(windows.iter().map(|window| window.step)),
            gradient: Doubles::of(windows.iter().map(|window| window.gradient)),
            tensor: parameter.tensor,
            index: parameter.index,
            lca_sum: parameter.lca,
        }
    }
}
