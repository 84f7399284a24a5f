//! What a step did: the loss change of a probe, split over tensors, parameters and classes.

mod tally;

use burn::tensor::Tensor;

use crate::LcaError;

pub use tally::Tally;
pub(crate) use tally::{Tallies, TensorTally};

/// One optimizer step's loss change, split over the parameters.
///
/// Losses and LCA are in units of the loss. Negative LCA helped, positive LCA hurt, zero did
/// neither.
#[derive(Debug, Clone)]
pub struct StepAllocation {
    pub(crate) iteration: u64,
    pub(crate) epoch: u32,
    pub(crate) learning_rate: Option<f64>,
    pub(crate) probe: ProbeAllocation,
    pub(crate) validation: Option<ProbeAllocation>,
}

impl StepAllocation {
    /// Returns the 0-based index of the optimizer step over the whole run: step t moves the
    /// parameters from θ_t to θ_{t+1}.
    pub fn iteration(&self) -> u64 {
        self.iteration
    }

    /// Returns the epoch that the step belongs to, from 1; 0 in a loop that has not said.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Returns the learning rate of the step, where it is known.
    pub fn learning_rate(&self) -> Option<f64> {
        self.learning_rate
    }

    /// Returns the allocation of the main probe's loss, which the other methods read from.
    pub fn probe(&self) -> &ProbeAllocation {
        &self.probe
    }

    /// Returns the allocation of the validation probe's loss, along the same step.
    pub fn validation(&self) -> Option<&ProbeAllocation> {
        self.validation.as_ref()
    }

    /// Returns the probe's mean loss before the step.
    pub fn loss_before(&self) -> f64 {
        self.probe.loss_before
    }

    /// Returns the probe's mean loss after the step.
    pub fn loss_after(&self) -> f64 {
        self.probe.loss_after
    }

    /// Returns the measured loss change, L(θ_{t+1}) − L(θ_t).
    pub fn loss_change(&self) -> f64 {
        self.probe.loss_change()
    }

    /// Returns the sum of LCA over all parameters.
    pub fn lca(&self) -> f64 {
        self.probe.lca
    }

    /// Returns what the quadrature missed: the loss change, less the sum of LCA and the share of
    /// moving buffers.
    pub fn residual(&self) -> f64 {
        self.probe.residual
    }

    /// Returns the number of splits of the step that the gradient was integrated with.
    pub fn splits(&self) -> u16 {
        self.probe.splits
    }

    /// Returns the model's parameters, tensor by tensor, in the order of the model.
    pub fn tensors(&self) -> &[TensorAllocation] {
        &self.probe.tensors
    }

    /// Returns the ground-truth classes; empty where the probe has none.
    pub fn classes(&self) -> &[ClassAllocation] {
        &self.probe.classes
    }

    /// Returns one tensor's LCA by parameter, row-major, read back from the device; `None` where
    /// the model has no parameter of that path.
    pub fn parameter(&self, path: &str) -> Option<Vec<f32>> {
        self.probe.parameter(path)
    }

    pub(crate) fn probes(&self) -> impl Iterator<Item = &ProbeAllocation> {
        std::iter::once(&self.probe).chain(&self.validation)
    }
}

/// The loss change of one probe along one step, split over the parameters.
#[derive(Debug, Clone)]
pub struct ProbeAllocation {
    pub(crate) name: String,
    pub(crate) loss_before: f64,
    pub(crate) loss_after: f64,
    pub(crate) lca: f64,
    pub(crate) residual: f64,
    pub(crate) buffers: Option<f64>,
    pub(crate) splits: u16,
    pub(crate) sweeps: u16,
    pub(crate) capped: bool,
    pub(crate) seconds: f64,
    pub(crate) tensors: Vec<TensorAllocation>,
    pub(crate) classes: Vec<ClassAllocation>,
    /// LCA by parameter, on the device, in the order of `tensors`; `None` where frozen.
    pub(crate) parameters: Vec<Option<Tensor<1>>>,
    /// The probe's gradient at the start of the step, likewise.
    pub(crate) gradients: Vec<Option<Tensor<1>>>,
}

impl ProbeAllocation {
    /// Returns the probe's name: `training` for the main one, `validation` for the other.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the probe's mean loss before the step.
    pub fn loss_before(&self) -> f64 {
        self.loss_before
    }

    /// Returns the probe's mean loss after the step.
    pub fn loss_after(&self) -> f64 {
        self.loss_after
    }

    /// Returns the measured loss change.
    pub fn loss_change(&self) -> f64 {
        self.loss_after - self.loss_before
    }

    /// Returns the sum of LCA over all parameters.
    pub fn lca(&self) -> f64 {
        self.lca
    }

    /// Returns what the quadrature missed of the loss change.
    pub fn residual(&self) -> f64 {
        self.residual
    }

    /// Returns the part of the loss change that moving buffers explain and no parameter does;
    /// `None` where the loss is measured without them.
    pub fn buffers(&self) -> Option<f64> {
        self.buffers
    }

    /// Returns the number of splits that the gradient was integrated with.
    pub fn splits(&self) -> u16 {
        self.splits
    }

    /// Returns how many times the probe was swept for this step.
    pub fn sweeps(&self) -> u16 {
        self.sweeps
    }

    /// Returns whether the finest rule allowed still missed the tolerance.
    pub fn is_capped(&self) -> bool {
        self.capped
    }

    /// Returns whether losses and LCA are all finite.
    pub fn is_finite(&self) -> bool {
        self.loss_before.is_finite() && self.loss_after.is_finite() && self.lca.is_finite()
    }

    /// Returns the seconds that measuring took.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Returns the model's parameters, tensor by tensor, in the order of the model.
    pub fn tensors(&self) -> &[TensorAllocation] {
        &self.tensors
    }

    /// Returns the ground-truth classes; empty where the probe has none.
    pub fn classes(&self) -> &[ClassAllocation] {
        &self.classes
    }

    /// Returns how many trainable parameters helped, hurt and did neither, and their sums.
    pub fn tally(&self) -> Tally {
        self.tensors
            .iter()
            .filter(|tensor| !tensor.frozen)
            .map(|tensor| tensor.tally)
            .sum()
    }

    /// Returns one tensor's LCA by parameter, row-major, read back from the device; `None` where
    /// the model has no parameter of that path, or the device can't return it.
    pub fn parameter(&self, path: &str) -> Option<Vec<f32>> {
        let index = self.tensors.iter().position(|tensor| tensor.path == path)?;
        match &self.parameters[index] {
            None => Some(vec![0.0; self.tensors[index].parameters]),
            Some(lca) => lca
                .clone()
                .try_into_data()
                .ok()
                .map(|data| data.iter().collect()),
        }
    }
}

/// One tensor's share of a step.
#[derive(Debug, Clone)]
pub struct TensorAllocation {
    pub(crate) path: String,
    pub(crate) parameters: usize,
    pub(crate) frozen: bool,
    pub(crate) tally: Tally,
    pub(crate) step_norm: f64,
    pub(crate) gradient_norm: f64,
    pub(crate) classes: Vec<TensorClassAllocation>,
}

impl TensorAllocation {
    /// Returns the path of the tensor, such as `fc1.weight`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the number of parameters.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// Returns whether gradients are turned off for the tensor, so that its LCA is zero.
    pub fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// Returns the sum of LCA over the tensor.
    pub fn lca(&self) -> f64 {
        self.tally.lca()
    }

    /// Returns the number of parameters with negative LCA.
    pub fn helping(&self) -> u64 {
        self.tally.helping
    }

    /// Returns the number of parameters with positive LCA.
    pub fn hurting(&self) -> u64 {
        self.tally.hurting
    }

    /// Returns the number of parameters whose LCA is exactly zero.
    pub fn zero(&self) -> u64 {
        self.tally.zero
    }

    /// Returns the Euclidean norm of the step, ‖Δθ‖.
    pub fn step_norm(&self) -> f64 {
        self.step_norm
    }

    /// Returns the Euclidean norm of the probe's gradient at the start of the step.
    pub fn gradient_norm(&self) -> f64 {
        self.gradient_norm
    }

    /// Returns the tensor's share by class, for the classes that have examples.
    pub fn by_class(&self) -> &[TensorClassAllocation] {
        &self.classes
    }
}

/// One tensor's share in the loss change of one class.
#[derive(Debug, Clone)]
pub struct TensorClassAllocation {
    pub(crate) class: usize,
    pub(crate) tally: Tally,
    pub(crate) gradient_norm: f64,
}

impl TensorClassAllocation {
    /// Returns the index of the class.
    pub fn class(&self) -> usize {
        self.class
    }

    /// Returns the sum over the tensor of the LCA of the class's mean loss.
    pub fn lca(&self) -> f64 {
        self.tally.lca()
    }

    /// Returns the number of parameters that helped this class.
    pub fn helping(&self) -> u64 {
        self.tally.helping
    }

    /// Returns the number of parameters that hurt this class.
    pub fn hurting(&self) -> u64 {
        self.tally.hurting
    }

    /// Returns the number of parameters that did neither to this class.
    pub fn zero(&self) -> u64 {
        self.tally.zero
    }
}

/// The loss change of one ground-truth class.
///
/// It is grounded on the class's own mean loss: Σ_i LCA_{c,i} = L_c(θ_{t+1}) − L_c(θ_t), up to
/// the residual. Weighted with N_c/N, the classes sum to the whole probe.
#[derive(Debug, Clone)]
pub struct ClassAllocation {
    pub(crate) class: usize,
    pub(crate) name: String,
    pub(crate) examples: usize,
    pub(crate) measured: Option<ClassLoss>,
}

/// What was measured of a class that has examples.
#[derive(Debug, Clone, Copy)]
pub struct ClassLoss {
    /// The class's mean loss before the step.
    pub loss_before: f64,
    /// The class's mean loss after the step.
    pub loss_after: f64,
    /// The sum of LCA of the class's mean loss over all parameters.
    pub lca: f64,
    /// What the quadrature missed of the class's loss change.
    pub residual: f64,
}

impl ClassAllocation {
    /// Returns the index of the class.
    pub fn class(&self) -> usize {
        self.class
    }

    /// Returns the name of the class.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the number of examples of the class in the probe.
    pub fn examples(&self) -> usize {
        self.examples
    }

    /// Returns losses, LCA and residual; `None` where the class has no examples.
    pub fn measured(&self) -> Option<ClassLoss> {
        self.measured
    }
}

/// Turns what a device says into the crate's error.
pub(crate) fn device_error(error: impl std::fmt::Display) -> LcaError {
    LcaError::Device(error.to_string())
}
