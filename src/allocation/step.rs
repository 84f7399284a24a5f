//! The allocation of a whole step, by probe.

use std::ops::Range;

use burn::tensor::Tensor;

use super::class::ClassAllocation;
use super::tally::Tally;
use super::tensor::TensorAllocation;
use crate::error::LcaError;

/// One optimizer step's loss change, or that of several in a row, split over the parameters.
///
/// Losses and LCA are in units of the loss. Negative LCA helped, positive LCA hurt, zero did
/// neither. Made by [`LcaObserver::observe`](crate::LcaObserver::observe), and on a learner handed
/// to [`LcaMetric::on_step`](crate::LcaMetric::on_step).
///
/// ```
#[doc = include_str!("../doc_setup.md")]
/// use burn_lca::prelude::*;
///
/// # let mut lca = Lca::new(Probe::new(dataset(), MyBatcher)).start(&model)?;
/// # model = trained(model);
/// let step: StepAllocation = lca.observe(&model)?;
/// println!("loss {:.4} -> {:.4}", step.loss_before(), step.loss_after());
/// for tensor in step.tensors() {
///     println!(
///         "{:20} LCA {:+.2e}, {} helped, {} hurt",
///         tensor.path(),
///         tensor.lca(),
///         tensor.helping(),
///         tensor.hurting()
///     );
/// }
/// // What the tensors explain of the loss change, and what the quadrature missed.
/// let lca: f64 = step.tensors().iter().map(|tensor| tensor.lca()).sum();
/// assert!((lca + step.residual() - step.loss_change()).abs() < 1e-9);
/// # Ok::<(), LcaError>(())
/// ```
#[derive(Debug, Clone)]
pub struct StepAllocation {
    pub(crate) iteration: u64,
    pub(crate) span: u64,
    pub(crate) epoch: u32,
    pub(crate) learning_rate: Option<f64>,
    pub(crate) probe: ProbeAllocation,
    pub(crate) validation: Option<ProbeAllocation>,
}

impl StepAllocation {
    /// Returns the 0-based index of the optimizer step over the whole run: step t moves the
    /// parameters from θ_t to θ_{t+1}. Of a segment of several steps it is the first.
    #[must_use]
    pub fn iteration(&self) -> u64 {
        self.iteration
    }

    /// Returns how many optimizer steps are measured as one: 1, unless they are measured in segments
    /// ([`Lca::every`](crate::Lca::every)). The parameters are moved from θ_t to θ_{t+span}.
    #[must_use]
    pub fn span(&self) -> u64 {
        self.span
    }

    /// The optimizer steps that are measured.
    pub(crate) fn iterations(&self) -> Range<u64> {
        self.iteration..self.iteration + self.span
    }

    /// Returns the epoch that the step belongs to (the last of several), from 1; 0 in a loop of one's own that has not
    /// called [`set_epoch`](crate::LcaObserver::set_epoch).
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Returns the learning rate of the step (the last of several); `None` in a loop of one's own that has not called
    /// [`set_learning_rate`](crate::LcaObserver::set_learning_rate).
    #[must_use]
    pub fn learning_rate(&self) -> Option<f64> {
        self.learning_rate
    }

    /// Returns the allocation of the main probe's loss, which the methods below read from.
    #[must_use]
    pub fn probe(&self) -> &ProbeAllocation {
        &self.probe
    }

    /// Returns the allocation of the validation probe's loss along the same step; `None` without a
    /// validation probe.
    #[must_use]
    pub fn validation(&self) -> Option<&ProbeAllocation> {
        self.validation.as_ref()
    }

    /// Returns the probe's mean loss before the step.
    #[must_use]
    pub fn loss_before(&self) -> f64 {
        self.probe.loss_before
    }

    /// Returns the probe's mean loss after the step.
    #[must_use]
    pub fn loss_after(&self) -> f64 {
        self.probe.loss_after
    }

    /// Returns the measured loss change, L(θ_{t+1}) − L(θ_t).
    #[must_use]
    pub fn loss_change(&self) -> f64 {
        self.probe.loss_change()
    }

    /// Returns the sum of LCA over all parameters: the loss change that they explain.
    #[must_use]
    pub fn lca(&self) -> f64 {
        self.probe.lca
    }

    /// Returns the standard error of [`lca`](Self::lca) as an estimate of that of all examples;
    /// `None` unless the probe is sampled ([`Probe::sampled`](crate::Probe::sampled)).
    ///
    /// Steps are sampled independently: over several of them the squares add up. The two halves
    /// of one sample say little about one step; those of many steps say much about their sum.
    #[must_use]
    pub fn standard_error(&self) -> Option<f64> {
        self.probe.standard_error()
    }

    /// Returns what the quadrature missed: the loss change minus the sum of LCA, and minus the
    /// share of moving buffers.
    #[must_use]
    pub fn residual(&self) -> f64 {
        self.probe.residual
    }

    /// Returns the number of splits of the step that the gradient was integrated with; see
    /// [`Integrator`](crate::Integrator).
    #[must_use]
    pub fn splits(&self) -> u16 {
        self.probe.splits
    }

    /// Returns the model's parameters, tensor by tensor, in the order of the model.
    #[must_use]
    pub fn tensors(&self) -> &[TensorAllocation] {
        &self.probe.tensors
    }

    /// Returns the ground-truth classes, class 0 first; empty where the probe has none.
    #[must_use]
    pub fn classes(&self) -> &[ClassAllocation] {
        &self.probe.classes
    }

    /// Returns one tensor's LCA by parameter, in units of the loss, row-major like the tensor,
    /// read back from the device; zeros where the tensor is frozen.
    ///
    /// ```
    #[doc = include_str!("../doc_setup.md")]
    /// use burn_lca::prelude::*;
    ///
    /// # let mut lca = Lca::new(Probe::new(dataset(), MyBatcher)).start(&model)?;
    /// # model = trained(model);
    /// let step = lca.observe(&model)?;
    /// let lca: Vec<f32> = step.parameter("linear.weight")?;
    /// assert_eq!(lca.len(), 1);
    ///
    /// let error = step.parameter("linear.weigth").unwrap_err();
    /// assert!(error.to_string().ends_with("use one of linear.weight, linear.bias"));
    /// # Ok::<(), LcaError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`LcaError::UnknownParameter`] where the model has no parameter at that path (buffers such
    /// as running statistics are none), [`LcaError::Device`] where the device can't return it.
    pub fn parameter(&self, path: &str) -> Result<Vec<f32>, LcaError> {
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
    pub(crate) standard_error: Option<f64>,
    pub(crate) decay: Option<f64>,
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
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the probe's mean loss before the step.
    #[must_use]
    pub fn loss_before(&self) -> f64 {
        self.loss_before
    }

    /// Returns the probe's mean loss after the step.
    #[must_use]
    pub fn loss_after(&self) -> f64 {
        self.loss_after
    }

    /// Returns the measured loss change, L(θ_{t+1}) − L(θ_t).
    #[must_use]
    pub fn loss_change(&self) -> f64 {
        self.loss_after - self.loss_before
    }

    /// Returns the sum of LCA over all parameters.
    #[must_use]
    pub fn lca(&self) -> f64 {
        self.lca
    }

    /// Returns the standard error of [`lca`](Self::lca) as an estimate of that of all examples;
    /// `None` unless the probe is sampled.
    #[must_use]
    pub fn standard_error(&self) -> Option<f64> {
        self.standard_error
    }

    /// Returns the part of [`lca`](Self::lca) that is due to weight decay, over all parameters:
    /// negative where shrinking the weights helped. `None` unless
    /// [`LcaMetric::weight_decay`](crate::LcaMetric::weight_decay) is set.
    #[must_use]
    pub fn lca_decay(&self) -> Option<f64> {
        self.decay
    }

    /// Returns what the quadrature missed: the loss change minus the sum of LCA, and minus the
    /// share of moving [`buffers`](Self::buffers).
    #[must_use]
    pub fn residual(&self) -> f64 {
        self.residual
    }

    /// Returns the part of the loss change that is due to moving buffers, not to parameters: the
    /// running statistics of batch normalization. `None` where the loss does not depend on them.
    #[must_use]
    pub fn buffers(&self) -> Option<f64> {
        self.buffers
    }

    /// Returns the number of splits that the gradient was integrated with.
    #[must_use]
    pub fn splits(&self) -> u16 {
        self.splits
    }

    /// Returns how many times the probe was swept for this step: one forward and backward pass
    /// over all of its examples each.
    #[must_use]
    pub fn sweeps(&self) -> u16 {
        self.sweeps
    }

    /// Returns whether refinement ended with the residual above the tolerance: the budget of sweeps
    /// was spent, the precision of the losses was reached, or something other than the parameters
    /// moved the loss.
    #[must_use]
    pub fn is_capped(&self) -> bool {
        self.capped
    }

    /// Returns whether losses and LCA are all finite.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        self.loss_before.is_finite() && self.loss_after.is_finite() && self.lca.is_finite()
    }

    /// Returns the seconds that measuring the step took.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Returns the model's parameters, tensor by tensor, in the order of the model.
    #[must_use]
    pub fn tensors(&self) -> &[TensorAllocation] {
        &self.tensors
    }

    /// Returns the ground-truth classes, class 0 first; empty where the probe has none.
    #[must_use]
    pub fn classes(&self) -> &[ClassAllocation] {
        &self.classes
    }

    /// Returns how many of the parameters that are not frozen helped, hurt and did neither, and
    /// their sums of LCA.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tensors
            .iter()
            .filter(|tensor| !tensor.is_frozen())
            .map(|tensor| tensor.tally)
            .sum()
    }

    /// Returns one tensor's LCA by parameter, as [`StepAllocation::parameter`] does for the main
    /// probe.
    ///
    /// # Errors
    ///
    /// [`LcaError::UnknownParameter`] where the model has no parameter at that path,
    /// [`LcaError::Device`] where the device can't return it.
    pub fn parameter(&self, path: &str) -> Result<Vec<f32>, LcaError> {
        let index = self.tensors.iter().position(|tensor| tensor.path == path);
        let Some(index) = index else {
            return Err(LcaError::UnknownParameter {
                path: path.to_owned(),
                known: self.tensors.iter().map(|t| t.path.clone()).collect(),
            });
        };
        if let Some(first) = self.tensors[index].tied_to() {
            return self.parameter(first);
        }
        match &self.parameters[index] {
            None => Ok(vec![0.0; self.tensors[index].parameters]),
            Some(lca) => {
                let data = lca.clone().try_into_data().map_err(LcaError::device)?;
                Ok(data.iter().collect())
            }
        }
    }
}
