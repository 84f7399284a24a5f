//! Series of the analyses as columns, thinned where they would be too long for a page.

use serde::Serialize;

use crate::analysis::curves::{ClassSteps, LossCurve, LossPoint, Trajectories, class_steps};
use crate::analysis::noise::{Helping, HelpingStep};
use crate::analysis::series::finite_sum;
use crate::analysis::stats::{
    COLOR_PERCENTILE, color_range, smoothed, smoothing_window, steps_per_window,
};
use crate::analysis::trace::{TraceStep, Trajectory};
use crate::analysis::{ClassName, HelpingCounts, layer_of};
use crate::{LcaError, Run};

use super::columns::{Doubles, RunningSums};

/// Returns windows of `every` rows, each with its last row.
fn windows<T>(rows: &[T], every: usize) -> impl Iterator<Item = (&[T], &T)> {
    let windows = rows.chunks(every);
    windows.filter_map(|window| Some((window, window.last()?)))
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
    pub(super) fn of(curve: LossCurve, most: usize) -> Self {
        let every = steps_per_window(curve.points.len(), most);
        let points = || windows(&curve.points, every);
        let residual = |window: &[LossPoint]| finite_sum(window.iter().map(|at| at.residual));
        Self {
            start: curve.start,
            every,
            iterations: Doubles::counts(points().map(|(_, point)| point.iteration)),
            loss: Doubles::of(points().map(|(_, point)| point.loss)),
            explained: Doubles::of(points().map(|(_, point)| point.explained)),
            residual: Doubles::of(points().map(|(window, _)| residual(window))),
            probe: curve.probe,
        }
    }
}

/// How many parameters help at each step.
#[derive(Serialize)]
pub(super) struct HelpingPart {
    /// Counts are sums over so many steps.
    every: usize,
    /// Steps of the running mean.
    window: usize,
    /// The last step of each sum.
    iterations: Doubles,
    helping: Doubles,
    hurting: Doubles,
    zero: Doubles,
    /// Helping of those not zero, in percent.
    percent: Doubles,
    /// The running mean of each step's percentage.
    smoothed: Doubles,
}

impl HelpingPart {
    /// Keeps at most so many counts of each kind.
    pub(super) fn of(helping: &Helping, most: usize) -> Self {
        let every = steps_per_window(helping.steps.len(), most);
        let steps = || windows(&helping.steps, every);
        let count = |kind: fn(&HelpingCounts) -> u64| {
            let sum = move |window: &[HelpingStep]| window.iter().map(|at| kind(&at.counts)).sum();
            Doubles::counts(steps().map(|(window, _)| sum(window)))
        };
        let percent = |counts: &HelpingCounts| {
            let fraction = counts.fraction_of_nonzero();
            fraction.map_or(f64::NAN, |fraction| 100.0 * fraction)
        };
        let sum = |window: &[HelpingStep]| window.iter().map(|step| step.counts).sum();
        let all: Vec<f64> = helping
            .steps
            .iter()
            .map(|step| percent(&step.counts))
            .collect();
        let window = smoothing_window(all.len());
        let smoothed = smoothed(&all, window);
        Self {
            every,
            window,
            iterations: Doubles::counts(steps().map(|(_, step)| step.iteration)),
            helping: count(|counts| counts.helping),
            hurting: count(|counts| counts.hurting),
            zero: count(|counts| counts.zero),
            percent: Doubles::of(steps().map(|(steps, _)| percent(&sum(steps)))),
            smoothed: Doubles::of(windows(&smoothed, every).map(|(_, last)| *last)),
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
    sums: Doubles,
}

impl TrajectoryPart {
    /// Keeps at most so many values of all probes and layers, if there are not more of these.
    pub(super) fn all(run: &Run, probes: Vec<Trajectories>, values: usize) -> Vec<Self> {
        let curves: usize = probes.iter().map(|probe| probe.layers.len()).sum();
        let points = (values / curves.max(1)).max(2);
        let part = |probe: Trajectories| {
            let every = steps_per_window(probe.iterations.len(), points);
            let layers = probe.layers.into_iter().map(|curve| LayerPart {
                parameters: parameters(run, &curve.layer),
                sums: Doubles::of(windows(&curve.sum, every).map(|(_, sum)| *sum)),
                layer: curve.layer,
            });
            Self {
                layers: layers.collect(),
                probe: probe.probe,
                left_out: probe.left_out,
                every,
                iterations: Doubles::counts(
                    windows(&probe.iterations, every).map(|(_, last)| *last),
                ),
            }
        };
        probes.into_iter().map(part).collect()
    }
}

fn parameters(run: &Run, layer: &str) -> u64 {
    let tensors = run.info().tensors.iter();
    let of_layer = tensors.filter(|tensor| layer_of(&tensor.path) == layer);
    of_layer.map(|tensor| tensor.parameters).sum()
}

/// LCA by class and layer over time, on one probe.
#[derive(Serialize)]
pub(super) struct ClassPart {
    probe: String,
    layers: Vec<String>,
    classes: Vec<ClassName>,
    left_out: usize,
    /// How many steps a window has; the last one may have fewer.
    every: usize,
    steps: u64,
    /// The first iteration.
    start: u64,
    /// The last iteration of each window.
    iterations: Doubles,
    /// LCA up to and with each window, by layer, class and window.
    sums: RunningSums,
    levels: Vec<Level>,
}

/// Colours of LCA over time, where several windows make a column.
#[derive(Serialize)]
struct Level {
    /// Windows of a column.
    windows: usize,
    /// The mean LCA of a step with full colour, for each layer and for all together.
    ranges: Vec<Option<f64>>,
}

impl ClassPart {
    /// Returns one part a probe that is split by class, of at most so many values over all probes
    /// if there are not more layers and classes.
    pub(super) fn all(
        run: &Run,
        values: usize,
        last: u64,
        steps: u64,
    ) -> Result<Vec<Self>, LcaError> {
        let part = |probe: ClassSteps| {
            let mut sums = probe.lca;
            let windows = probe.starts.len().max(1);
            for row in sums.chunks_mut(windows) {
                row.iter_mut().fold(0.0, |sum, lca| {
                    *lca += sum;
                    *lca
                });
            }
            let ends = probe
                .starts
                .iter()
                .skip(1)
                .map(|start| start - 1)
                .chain([last]);
            Self {
                every: probe.steps_per_window,
                start: probe.starts.first().copied().unwrap_or(0),
                iterations: Doubles::counts(ends),
                levels: levels(&sums, windows, probe.classes.len(), probe.steps_per_window),
                sums: RunningSums { sums, row: windows },
                left_out: 0,
                steps,
                probe: probe.probe,
                layers: probe.layers,
                classes: probe.classes,
            }
        };
        Ok(class_steps(run, values)?.into_iter().map(part).collect())
    }

    pub(super) fn classes(&self) -> usize {
        self.classes.len()
    }

    /// Returns what rows of classes are called.
    pub(super) fn rows(&self) -> impl Iterator<Item = String> {
        let classes = self.classes.iter();
        classes.map(|class| format!("class {}", class.name))
    }
}

/// Returns the levels from one window a column on, until a handful of columns is left.
fn levels(sums: &[f64], windows: usize, classes: usize, every: usize) -> Vec<Level> {
    let level = |width: usize| {
        let means = |layer: &[f64]| -> Vec<f64> {
            let rows = layer.chunks(windows);
            rows.flat_map(|row| {
                (0..row.len().div_ceil(width)).map(move |column| {
                    let end = ((column + 1) * width).min(row.len());
                    let before = if column > 0 {
                        row[column * width - 1]
                    } else {
                        0.0
                    };
                    (row[end - 1] - before) / ((end - column * width) * every) as f64
                })
            })
            .collect()
        };
        let by_layer: Vec<Vec<f64>> = sums.chunks(windows * classes).map(means).collect();
        let cells = by_layer.first().map_or(0, Vec::len);
        let all = (0..cells).map(|cell| by_layer.iter().map(|layer| layer[cell]).sum());
        let range = |values: &[f64]| color_range(values.iter().copied(), COLOR_PERCENTILE);
        let ranges = by_layer.iter().map(|layer| range(layer));
        Level {
            windows: width,
            ranges: ranges.chain([range(&all.collect::<Vec<f64>>())]).collect(),
        }
    };
    let widths = std::iter::successors(Some(1), |width| Some(width * 2));
    let few = |width: &usize| *width == 1 || windows / width >= FEWEST_COLUMNS;
    widths.take_while(few).map(level).collect()
}

/// Columns over time that a narrow screen has room for.
const FEWEST_COLUMNS: usize = 40;

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
        let every = steps_per_window(parameter.steps.len(), most);
        let steps = || windows(&parameter.steps, every);
        let sum = |window: &[TraceStep], value: fn(&TraceStep) -> f32| {
            finite_sum(window.iter().map(|step| f64::from(value(step))))
        };
        Self {
            every,
            iterations: Doubles::counts(steps().map(|(_, step)| step.iteration)),
            lca: Doubles::of(steps().map(|(window, _)| sum(window, |step| step.lca))),
            step: Doubles::of(steps().map(|(window, _)| sum(window, |step| step.step))),
            gradient: Doubles::of(
                steps().map(|(window, _)| sum(window, |step| step.gradient) / window.len() as f64),
            ),
            tensor: parameter.tensor,
            index: parameter.index,
            lca_sum: parameter.lca,
        }
    }
}
