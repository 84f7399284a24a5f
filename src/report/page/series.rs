//! Series of the analyses as columns, thinned where they would be too long for a page.

use serde::Serialize;

use crate::analysis::curves::{ClassName, LossCurve, Trajectories, class_steps};
use crate::analysis::layer_of;
use crate::analysis::noise::Helping;
use crate::analysis::trace::Trajectory;
use crate::{LcaError, Run};

use super::columns::{Doubles, Floats};

/// The loss of a probe.
#[derive(Serialize)]
pub(super) struct LossPart {
    probe: String,
    start: f64,
    iterations: Doubles,
    loss: Doubles,
    explained: Doubles,
    residual: Doubles,
}

impl LossPart {
    pub(super) fn of(curve: LossCurve) -> Self {
        let points = || curve.points.iter();
        Self {
            start: curve.start,
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
    iterations: Doubles,
    helping: Doubles,
    hurting: Doubles,
    zero: Doubles,
}

impl HelpingPart {
    pub(super) fn of(helping: &Helping) -> Self {
        let steps = || helping.steps.iter();
        Self {
            iterations: Doubles::counts(steps().map(|step| step.iteration)),
            helping: Doubles::counts(steps().map(|step| step.counts.helping)),
            hurting: Doubles::counts(steps().map(|step| step.counts.hurting)),
            zero: Doubles::counts(steps().map(|step| step.counts.zero)),
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
            let steps = probe.iterations.len();
            let every = steps.div_ceil(points).max(1);
            let kept = || (0..steps).filter(|step| (steps - 1 - step).is_multiple_of(every));
            let layers = probe.layers.into_iter().map(|curve| LayerPart {
                parameters: parameters(run, &curve.layer),
                sum: Doubles::of(kept().map(|step| curve.sum[step])),
                layer: curve.layer,
            });
            Self {
                layers: layers.collect(),
                probe: probe.probe,
                left_out: probe.left_out,
                every,
                iterations: Doubles::counts(kept().map(|step| probe.iterations[step])),
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
    iterations: Doubles,
    lca: Doubles,
    step: Doubles,
    gradient: Doubles,
}

impl TracePart {
    pub(super) fn of(parameter: Trajectory) -> Self {
        let steps = || parameter.steps.iter();
        Self {
            iterations: Doubles::counts(steps().map(|step| step.iteration)),
            lca: Doubles::of(steps().map(|step| f64::from(step.lca))),
            step: Doubles::of(steps().map(|step| f64::from(step.step))),
            gradient: Doubles::of(steps().map(|step| f64::from(step.gradient))),
            tensor: parameter.tensor,
            index: parameter.index,
            lca_sum: parameter.lca,
        }
    }
}
