//! The share of one tensor.

use super::sampling::SamplingError;
use super::tally::Tally;
use crate::parameters::Motion;

/// One tensor's share of a step.
#[derive(Debug, Clone)]
pub struct TensorAllocation {
    pub(crate) path: String,
    pub(crate) parameters: usize,
    pub(crate) motion: Motion,
    pub(crate) tied_to: Option<String>,
    pub(crate) tally: Tally,
    pub(crate) error: Option<SamplingError>,
    pub(crate) decay: Option<f64>,
    pub(crate) step_norm: f64,
    pub(crate) gradient_norm: f64,
    pub(crate) classes: Vec<TensorClassAllocation>,
}

impl TensorAllocation {
    /// Returns the path of the tensor, such as `fc1.weight`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the number of parameters.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// Returns whether the tensor is frozen: its gradients are turned off at this step, nothing
    /// moved it, and its LCA is zero.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.motion == Motion::Frozen
    }

    /// Returns whether something moved the tensor though its gradients are turned off, so no
    /// optimizer did: values that were set, averaged or clamped by hand, or another optimizer's
    /// step.
    #[must_use]
    pub fn moved_while_frozen(&self) -> bool {
        self.motion == Motion::ByHand
    }

    /// Returns the path of the parameter that this is another place of: one `Param` in two modules,
    /// with the same values at both. Everything is counted there, once, and nothing here.
    #[must_use]
    pub fn tied_to(&self) -> Option<&str> {
        self.tied_to.as_deref()
    }

    /// Returns the sum of LCA over the tensor, in units of the loss.
    #[must_use]
    pub fn lca(&self) -> f64 {
        self.tally.lca()
    }

    /// Returns the standard error of [`lca`](Self::lca), in units of the loss; `None` unless the
    /// probe is sampled.
    #[must_use]
    pub fn standard_error(&self) -> Option<f64> {
        self.error.map(|error| error.standard_error)
    }

    /// Returns the part of [`lca`](Self::lca) that is due to weight decay, in units of the loss:
    /// negative where shrinking the weights helped. What is left is due to the rest of the
    /// optimizer's step. `None` unless [`LcaMetric::weight_decay`](crate::LcaMetric::weight_decay)
    /// is set.
    #[must_use]
    pub fn lca_decay(&self) -> Option<f64> {
        self.decay
    }

    /// Returns the number of parameters with negative LCA.
    #[must_use]
    pub fn helping(&self) -> u64 {
        self.tally.helping
    }

    /// Returns the number of parameters with positive LCA.
    #[must_use]
    pub fn hurting(&self) -> u64 {
        self.tally.hurting
    }

    /// Returns the number of parameters whose LCA is exactly zero.
    #[must_use]
    pub fn zero(&self) -> u64 {
        self.tally.zero
    }

    /// Returns the Euclidean norm of the step, ‖Δθ‖.
    #[must_use]
    pub fn step_norm(&self) -> f64 {
        self.step_norm
    }

    /// Returns the Euclidean norm of the probe's gradient at the start of the step, ‖∂L/∂θ‖.
    #[must_use]
    pub fn gradient_norm(&self) -> f64 {
        self.gradient_norm
    }

    /// Returns the tensor's share by class, for the classes that have examples; empty where the
    /// probe has no classes or the tensor is frozen.
    #[must_use]
    pub fn by_class(&self) -> &[TensorClassAllocation] {
        &self.classes
    }
}

/// One tensor's share in the loss change of one class.
#[derive(Debug, Clone)]
pub struct TensorClassAllocation {
    pub(crate) class: usize,
    pub(crate) tally: Tally,
    pub(crate) error: Option<SamplingError>,
    pub(crate) decay: Option<f64>,
    pub(crate) gradient_norm: f64,
}

impl TensorClassAllocation {
    /// Returns the index of the class.
    #[must_use]
    pub fn class(&self) -> usize {
        self.class
    }

    /// Returns the sum over the tensor of the LCA of the class's mean loss, in units of that loss.
    #[must_use]
    pub fn lca(&self) -> f64 {
        self.tally.lca()
    }

    /// Returns the standard error of [`lca`](Self::lca), in units of the class's mean loss; `None`
    /// unless the probe is sampled.
    #[must_use]
    pub fn standard_error(&self) -> Option<f64> {
        self.error.map(|error| error.standard_error)
    }

    /// Returns the part of [`lca`](Self::lca) that is due to weight decay, as
    /// [`TensorAllocation::lca_decay`] does for all classes together.
    #[must_use]
    pub fn lca_decay(&self) -> Option<f64> {
        self.decay
    }

    /// Returns the number of parameters that helped this class.
    #[must_use]
    pub fn helping(&self) -> u64 {
        self.tally.helping
    }

    /// Returns the number of parameters that hurt this class.
    #[must_use]
    pub fn hurting(&self) -> u64 {
        self.tally.hurting
    }

    /// Returns the number of parameters that did neither to this class.
    #[must_use]
    pub fn zero(&self) -> u64 {
        self.tally.zero
    }
}
