//! The share of one class.

/// The loss change of one ground-truth class.
///
/// It is grounded on the class's own mean loss: Σ_i LCA_{c,i} = L_c(θ_{t+1}) − L_c(θ_t), up to
/// the residual. Weighted by its share N_c/N of the examples, the classes add up to the whole
/// probe.
#[derive(Debug, Clone)]
pub struct ClassAllocation {
    pub(crate) class: usize,
    pub(crate) name: String,
    pub(crate) examples: usize,
    pub(crate) measured: Option<ClassLoss>,
}

/// What was measured of a class that has examples, in units of the loss.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ClassLoss {
    /// The class's mean loss before the step.
    pub loss_before: f64,
    /// The class's mean loss after the step.
    pub loss_after: f64,
    /// The sum of LCA of the class's mean loss over all parameters.
    pub lca: f64,
    /// The standard error of `lca`; `None` unless the probe is sampled.
    pub standard_error: Option<f64>,
    /// What the quadrature missed of the class's loss change: the change minus the sum of LCA, and
    /// minus the share of moving buffers.
    pub residual: f64,
}

impl ClassAllocation {
    /// Returns the index of the class.
    #[must_use]
    pub fn class(&self) -> usize {
        self.class
    }

    /// Returns the name of the class: its index, unless the probe was given names.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the number of examples of the class in the probe, whether sampled or not.
    #[must_use]
    pub fn examples(&self) -> usize {
        self.examples
    }

    /// Returns losses, LCA and residual of the class; `None` where it has no examples.
    #[must_use]
    pub fn measured(&self) -> Option<ClassLoss> {
        self.measured
    }
}
