//! The model to measure on: a copy that shares nothing with the one that trains, with its
//! stochastic layers off.

use std::fmt::Display;

use burn::module::{Flag, Module, ModuleMapper, Param};
use burn::tensor::Device;

use crate::error::LcaError;
use crate::parameters::{BATCH_NORM, Layout, Motion, TensorKind, Tracking, Values};

/// Which statistics batch normalization uses while the loss is measured.
///
/// It makes no difference to models without batch normalization.
///
/// ```
#[doc = include_str!("../doc_setup.md")]
/// use burn_lca::prelude::*;
///
/// let probe = Probe::new(dataset(), MyBatcher);
/// let mut lca = Lca::new(probe).batch_norm(BatchNormMode::Running).start(&model)?;
/// # model = trained(model);
/// let step = lca.observe(&model)?;
/// // This model has no batch normalization whose running statistics could move.
/// assert_eq!(step.probe().buffers(), None);
/// # Ok::<(), LcaError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BatchNormMode {
    /// Those of the chunk, as in training and in the original experiments. The loss then depends
    /// on the chunk size, which is recorded. Not possible with classes, since a chunk of one
    /// class has the statistics of that class. The default without classes.
    Chunk,
    /// The running statistics. They move between steps too, so they are interpolated along with
    /// the parameters, and their share of the loss change is reported apart, as
    /// [`ProbeAllocation::buffers`](crate::ProbeAllocation::buffers). The default with classes.
    Running,
}

impl Display for BatchNormMode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Chunk => "chunk",
            Self::Running => "running",
        })
    }
}

/// A copy of the training model to measure on.
pub(crate) struct EvalModel<M> {
    pub layout: Layout,
    pub mode: BatchNormMode,
    /// Moving statistics whose share of the loss change follows from the gradients.
    pub statistics: Vec<RunningStatistics>,
    model: M,
    track: Tracking,
}

/// The tensors of one batch normalization, as indices of the layout.
#[derive(Debug, Clone)]
pub(crate) struct RunningStatistics {
    pub gamma: usize,
    pub beta: usize,
    pub mean: usize,
    pub variance: usize,
    pub epsilon: f64,
}

impl<M: Module + Display> EvalModel<M> {
    /// Makes the copy of a training model.
    ///
    /// `valid` also lets a batch normalization fold its last batch into the running statistics,
    /// which Burn would otherwise do at the next forward pass, to the same values.
    pub fn of(live: &M, requested: Option<BatchNormMode>, classes: bool) -> Result<Self, LcaError> {
        let mode = match (requested, classes) {
            (Some(BatchNormMode::Chunk), true) => {
                return Err(LcaError::setting(
                    "batch_norm(BatchNormMode::Chunk)",
                    "chunks of one class have the statistics of that class, not of training",
                    "use BatchNormMode::Running, or measure without classes",
                ));
            }
            (Some(mode), _) => mode,
            (None, true) => BatchNormMode::Running,
            (None, false) => BatchNormMode::Chunk,
        };

        let isolated = || live.valid().train();
        let layout = Layout::of(isolated());
        if layout.trainable() == 0 {
            return Err(LcaError::NothingToMeasure {
                problem: "the model has no parameter that requires gradients".to_owned(),
                remedy: "unfreeze what is to be trained before the training is set up",
            });
        }
        let statistics = match mode {
            BatchNormMode::Chunk => Vec::new(),
            BatchNormMode::Running => running_statistics(&layout, &live.to_string()),
        };

        let mut leaves: Vec<bool> = layout
            .tensors
            .iter()
            .map(|tensor| match tensor.kind {
                TensorKind::Tied(first) => layout.tensors[first].kind == TensorKind::Trainable,
                kind => kind == TensorKind::Trainable,
            })
            .collect();
        for statistic in &statistics {
            // The gradients of scale and shift give those of the statistics, even where frozen.
            leaves[statistic.gamma] = true;
            leaves[statistic.beta] = true;
        }
        let device = device_of(live);
        let model = isolated().map(&mut MeasuringFlags {
            containers: Vec::new(),
            keep_batch_norm: mode == BatchNormMode::Chunk,
        });
        Ok(Self {
            layout,
            mode,
            statistics,
            model,
            track: Tracking { leaves, device },
        })
    }

    /// The autodiff device to put batches on.
    pub fn device(&self) -> &Device {
        &self.track.device
    }

    /// Reads where the training model is.
    pub fn read(&self, live: &M) -> Result<Values, LcaError> {
        // A step that several devices optimize leaves the parameters scattered over them.
        let values = self.layout.read(&live.valid())?;
        Ok(values.to_device(&self.device().clone().without_autodiff()))
    }

    /// Takes gradients with respect to whatever a step moved, or that is trained by now, from here
    /// on. Returns whether there is a tensor among them that none were taken with respect to.
    pub fn follow(&mut self, motion: &[Motion]) -> bool {
        let mut new = false;
        for (index, motion) in motion.iter().enumerate() {
            let kind = &mut self.layout.tensors[index].kind;
            *kind = match (*kind, motion) {
                (TensorKind::Frozen, Motion::Free | Motion::ByHand) => TensorKind::Trainable,
                (TensorKind::Tied(_), Motion::Free | Motion::ByHand) => TensorKind::Trainable,
                (TensorKind::Tied(_), Motion::Frozen) => TensorKind::Frozen,
                (kind, _) => kind,
            };
            let follows = match *kind {
                TensorKind::Trainable => true,
                TensorKind::Tied(first) => self.track.leaves[first],
                TensorKind::Frozen | TensorKind::Buffer => false,
            };
            new |= follows && !std::mem::replace(&mut self.track.leaves[index], follows);
        }
        new
    }

    /// The copy at some point of parameter space, on a device.
    pub fn on(&self, device: &Device, values: &Values) -> M {
        self.write(device, values, &self.track)
    }

    /// The same without gradients, for forward passes alone: a graph that no backward pass consumes
    /// stays around, and every later one searches it.
    pub fn without_gradients(&self, device: &Device, values: &Values) -> M {
        let track = Tracking {
            leaves: vec![false; self.track.leaves.len()],
            device: self.track.device.clone(),
        };
        self.write(device, values, &track)
    }

    fn write(&self, device: &Device, values: &Values, track: &Tracking) -> M {
        let model = self.model.clone();
        if device == self.device() {
            self.layout.write(model, values, track)
        } else {
            let values = values.to_device(&device.clone().without_autodiff());
            self.layout.write(model.to_device(device), &values, track)
        }
    }

    /// Whether gradients are taken with respect to a tensor of the layout.
    pub fn is_leaf(&self, tensor: usize) -> bool {
        self.track.leaves[tensor]
    }

    /// Whether the loss depends on how the probe is cut.
    pub fn depends_on_chunks(&self) -> bool {
        self.mode == BatchNormMode::Chunk
            && self
                .layout
                .of_kind(TensorKind::Buffer)
                .any(|(_, tensor)| tensor.in_batch_norm)
    }
}

/// The model's device, with the gradient checkpointing strategy of its parameters.
fn device_of<M: Module>(live: &M) -> Device {
    use burn::module::ModuleVisitor;
    use burn::tensor::Tensor;

    struct First(Option<Device>);
    impl ModuleVisitor for First {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.0.is_none() {
                self.0 = Some(param.base().device());
            }
        }
    }
    let mut first = First(None);
    live.visit(&mut first);
    let device = first.0.unwrap_or_default();
    if device.is_autodiff() {
        device
    } else {
        device.autodiff()
    }
}

/// Turns training behavior off, except where batch normalization uses the statistics of the chunk.
struct MeasuringFlags {
    containers: Vec<String>,
    keep_batch_norm: bool,
}

impl ModuleMapper for MeasuringFlags {
    fn enter_module(&mut self, _name: &str, container_type: &str) {
        self.containers.push(container_type.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.containers.pop();
    }

    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        let in_batch_norm = self.containers.iter().any(|name| name == BATCH_NORM);
        if self.keep_batch_norm && in_batch_norm {
            flag
        } else {
            flag.with_value(false)
        }
    }
}

/// Finds the batch normalizations of a model. A visitor doesn't report their epsilon; the
/// model's display does, in the same order.
fn running_statistics(layout: &Layout, display: &str) -> Vec<RunningStatistics> {
    let index = |path: String| layout.tensors.iter().position(|t| t.path == path);
    let mut found: Vec<_> = layout
        .tensors
        .iter()
        .filter(|tensor| tensor.in_batch_norm)
        .filter_map(|tensor| {
            let module = tensor.path.strip_suffix("gamma")?;
            Some(RunningStatistics {
                gamma: index(format!("{module}gamma"))?,
                beta: index(format!("{module}beta"))?,
                mean: index(format!("{module}running_mean"))?,
                variance: index(format!("{module}running_var"))?,
                epsilon: DEFAULT_EPSILON,
            })
        })
        .collect();
    let displayed = displayed_epsilons(display);
    if displayed.len() == found.len() {
        for (statistic, epsilon) in found.iter_mut().zip(displayed) {
            statistic.epsilon = epsilon;
        }
    } else {
        log::warn!(
            "LCA: the model's display doesn't show the epsilon of its {} batch normalizations; \
             the share of their running statistics is computed with Burn's default of \
             {DEFAULT_EPSILON:e}",
            found.len()
        );
    }
    found
}

/// The default of Burn's `BatchNormConfig`.
const DEFAULT_EPSILON: f64 = 1e-5;

fn displayed_epsilons(display: &str) -> Vec<f64> {
    display
        .split("BatchNorm {")
        .skip(1)
        .filter_map(|rest| {
            let rest = rest.split('}').next()?;
            let value = rest.split("epsilon: ").nth(1)?;
            value.split([',', '\n', ' ']).next()?.parse().ok()
        })
        .collect()
}
