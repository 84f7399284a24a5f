//! Which part of a step is weight decay.

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::ParamGroup;
use burn::tensor::Tensor;

use crate::error::LcaError;
use crate::parameters::{Layout, Motion, Values};

/// How strongly an optimizer decays weights: the factor λ of its configuration, or one by parameter
/// group.
///
/// *Decoupled* decay moves a parameter by −lr·λ·θ beside what the gradient does. LCA is linear in the
/// step, so the share of this part is one product of two vectors more, and no sweep:
///
/// ```text
/// LCA of the decay = −lr·λ·θ_t · ∫₀¹ ∂L/∂θ (θ_t + αΔ) dα
/// ```
///
/// Summed over parameters it is negative where shrinking the weights lowered the loss, and positive
/// where it cost some. That is exact for Burn's `AdamW` (without `cautious_weight_decay`), `Lion`,
/// `Muon`, `Adafactor` and `Adan` with `no_prox`, and for `Sgd` with weight decay but without
/// momentum. Elsewhere Burn adds λ·θ to the gradient before momentum or normalization (`Sgd` with
/// momentum, `Adam`, `RmsProp`, `AdaGrad`, `Lamb`): what the decay did is then not known from the
/// step, and numbers made with a λ of these would mean nothing.
///
/// The factor is that of every parameter which the optimizer moves, biases and norms included, as in
/// Burn. Where groups of parameters have optimizers of their own
/// (`ModuleOptimizer::with_group`), give the same groups here:
///
/// ```
#[doc = include_str!("../doc_setup.md")]
/// use burn::module::ParamGroup;
/// use burn::optim::AdamWConfig;
/// use burn_lca::WeightDecay;
/// use burn_lca::prelude::*;
///
/// let mut optimizer = AdamWConfig::new().with_weight_decay(0.1).init().with_group(
///     ParamGroup::from_path("linear.bias"),
///     AdamWConfig::new().with_weight_decay(0.0).build(),
///     None,
/// );
/// let decay = WeightDecay::new(0.1).with_group(ParamGroup::from_path("linear.bias"), 0.0);
///
/// let probe = Probe::new(dataset(), MyBatcher);
/// let mut lca = Lca::new(probe).weight_decay(decay).start(&model)?;
/// lca.set_learning_rate(lr);
/// let grads = TrainStep::step(&model, batches[0].clone()).grads;
/// model = optimizer.step(lr, model, grads);
/// let step = lca.observe(&model)?;
/// for tensor in step.tensors() {
///     let decay = tensor.lca_decay().unwrap_or(f64::NAN);
///     println!("{}: {decay:+.1e} of {:+.1e}", tensor.path(), tensor.lca());
/// }
/// assert_eq!(step.tensors()[1].lca_decay(), Some(0.0));
/// # Ok::<(), LcaError>(())
/// ```
#[derive(Debug, Clone)]
pub struct WeightDecay {
    /// The last that a parameter belongs to counts, as in Burn.
    groups: Vec<(ParamGroup, f64)>,
}

impl WeightDecay {
    /// Returns decay by the same factor for all parameters.
    #[must_use]
    pub fn new(factor: f64) -> Self {
        Self {
            groups: vec![(ParamGroup::all(), factor)],
        }
    }

    /// Returns `self` with another factor for a group of parameters; of several groups that a
    /// parameter belongs to, the last one counts.
    #[must_use]
    pub fn with_group(mut self, group: ParamGroup, factor: f64) -> Self {
        self.groups.push((group, factor));
        self
    }

    pub(super) fn validate(&self) -> Result<(), LcaError> {
        let mut factors = self.groups.iter().map(|(_, factor)| *factor);
        match factors.find(|factor| !factor.is_finite() || *factor < 0.0) {
            None => Ok(()),
            Some(factor) => Err(LcaError::setting(
                "weight_decay",
                format!("{factor} is no factor that weights are decayed by"),
                "give the optimizer's, a finite number of at least 0",
            )),
        }
    }

    /// The part of an optimizer's step from `before` that is decay.
    ///
    /// A tensor that stayed where it was had no gradient, and so no decay either; one that was moved
    /// by hand was not moved by the optimizer.
    pub(super) fn part_of(
        &self,
        step: &Values,
        before: &Values,
        motion: &[Motion],
        layout: &Layout,
        rates: Option<&ModuleLearningRate>,
    ) -> Result<Values, LcaError> {
        let Some(rates) = rates else {
            return Err(LcaError::setting(
                "Lca::weight_decay",
                "the learning rate of the step is not known, which decay is in proportion to",
                "call `LcaObserver::set_learning_rate` before `observe`",
            ));
        };
        let part = |(index, before): (usize, &Tensor<1>)| {
            if motion[index] != Motion::Free {
                return before.zeros_like();
            }
            let tensor = &layout.tensors[index];
            let path = Some(tensor.path.as_str());
            let mut groups = self.groups.iter().rev();
            let group = groups.find(|(group, _)| group.matches(&tensor.id, path));
            let factor = group.map_or(0.0, |(_, factor)| *factor);
            let rate = rates.lr_from_param(tensor.id, path);
            let moved = step.0[index].clone().abs().max().sign();
            before.clone() * moved.mul_scalar(-rate * factor)
        };
        Ok(Values(before.0.iter().enumerate().map(part).collect()))
    }
}

impl From<f64> for WeightDecay {
    fn from(factor: f64) -> Self {
        Self::new(factor)
    }
}
