//! Series of the analyses as columns, thinned where they would be too long for a page.

use serde::Serialize;

use crate::analysis::curves::{LossCurve, LossPoint, Trajectories, class_steps};
use crate::analysis::noise::{Helping, HelpingStep};
use crate::analysis::series::finite_sum;
use crate::analysis::stats::steps_per_window;
use crate::analysis::trace::{TraceStep, Trajectory};
use crate::analysis::{ClassName, HelpingCounts, layer_of};
use crate::{LcaError, Run};

use super::columns::{Doubles, Floats};

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
    /// The last step of each sum.
    iterations: Doubles,
    helping: Doubles,
    hurting: Doubles,
    zero: Doubles,
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
        Self {
            every,
            iterations: Doubles::counts(steps().map(|(_, step)| step.iteration)),
            helping: count(|counts| counts.helping),
            hurting: count(|counts| counts.hurting),
            zero: count(|counts| counts.zero),
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
    sum: Doubles,
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
                sum: Doubles::of(windows(&curve.sum, every).map(|(_, sum)| *sum)),
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
    /// A value is the sum over so many steps.
    every: usize,
    /// The first iteration of each value.
    iterations: Doubles,
    /// By layer, class and time.
    lca: Floats,
}

impl ClassPart {
    /// Returns one part a probe that is split by class, of at most so many values over all probes
    /// if there are not more layers and classes.
    pub(super) fn of(run: &Run, values: usize) -> Result<Vec<Self>, LcaError> {
        let probes = class_steps(run, values)?;
        let part = |probe: crate::analysis::curves::ClassSteps| Self {
            every: probe.steps_per_window,
            iterations: Doubles::counts(probe.starts),
            lca: Floats(probe.lca.into_iter().map(|lca| lca as f32).collect()),
            probe: probe.probe,
            layers: probe.layers,
            classes: probe.classes,
        };
        Ok(probes.into_iter().map(part).collect())
    }

    pub(super) fn classes(&self) -> usize {
        self.classes.len()
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
