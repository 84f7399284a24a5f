//! The settings: rule, tolerance and budget.

use crate::error::LcaError;

/// The most equal intervals on offer.
const MAX_SPLITS: u16 = 32;

/// How many equal intervals are tried before the hard ones are bisected. Up to here Simpson's
/// rule is the better one on ordinary steps.
const MAX_EQUAL_SPLITS: u16 = 4;

/// What the budget may be: bisecting ends at intervals of 1/1024.
const MAX_BUDGET: u16 = 1024;

/// A loss change of up to this share of the loss is an ordinary one.
const ORDINARY: f64 = 0.1;

/// How much of the loss that observing began with a larger change counts for at most: a training
/// whose loss shoots up and comes back takes several such steps, and their residuals add up.
const SHARE_OF_FIRST_LOSS: f64 = 0.5;

/// How finely the gradient is integrated along an optimizer step.
///
/// A step is split into intervals. Rules with equal intervals are
///
/// | splits | rule | new sweeps of the probe per step |
/// | --- | --- | --- |
/// | 0 | gradient at the start of the step only (first order) | 1 |
/// | 1 | trapezoid | 1 |
/// | 2 | Simpson | 2 |
/// | 4, 8, 16, 32 | composite Simpson | 4, 8, 16, 32 |
///
/// The residual is what the sum of the allocations misses of the measured loss change ΔL. An
/// adaptive integrator starts with the trapezoid, and doubles the splits up to 4 while the residual
/// is above the tolerance, `absolute + relative · |ΔL|`. Where that is not enough, it bisects the
/// interval with the largest residual of its own, one sweep each time, until the residuals add up
/// to no more than the tolerance or the budget of sweeps is spent. Every gradient that was
/// computed is used again.
///
/// A step that changes the loss by more than a tenth of it counts as changing it by half of the
/// loss that observing began with at most (or by half of the descent since, if that is more): a
/// loss that shoots up comes back, but what was missed on the way stays in the sum over the run.
///
/// ```
#[doc = include_str!("../doc_setup.md")]
/// use burn_lca::prelude::*;
///
/// let tight = Integrator::adaptive().tolerance(1e-5, 0.0).budget(64);
/// let mut lca = Lca::new(Probe::new(dataset(), MyBatcher)).integrator(tight).start(&model)?;
/// # model = trained(model);
/// let step = lca.observe(&model)?;
/// assert!(step.residual().abs() <= 1e-5 && !step.probe().is_capped());
/// # Ok::<(), LcaError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Integrator {
    pub(crate) rule: Rule,
    pub(crate) absolute: f64,
    pub(crate) relative: f64,
    pub(crate) start: u16,
    pub(crate) budget: u16,
}

/// What follows the first estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Nothing.
    Fixed,
    /// A few doublings, then bisections.
    Adaptive,
    /// Doublings, of all probes together.
    Paper,
}

impl Rule {
    pub fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Adaptive => "adaptive",
            Self::Paper => "paper",
        }
    }
}

/// A probe's loss before and after a step, and the one that observing began with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LossChange {
    pub first: f64,
    pub before: f64,
    pub after: f64,
}

impl LossChange {
    pub fn total(&self) -> f64 {
        self.after - self.before
    }

    /// The part of the change that a residual may be a share of.
    fn counted(&self) -> f64 {
        let change = self.total().abs();
        if change <= ORDINARY * self.before.abs().min(self.after.abs()) {
            return change;
        }
        let scale = self.first.abs().max(self.first - self.after);
        change.min(SHARE_OF_FIRST_LOSS * scale)
    }
}

/// What to do after an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Convergence {
    /// The residual is within the tolerance, or the rule is fixed.
    Converged,
    /// All intervals are to be halved.
    Double,
    /// Single intervals are to be bisected.
    Bisect,
    /// The tolerance is missed, and the budget spent or the precision of the losses reached.
    Capped,
    /// The tolerance is missed, and it is not the quadrature that misses it.
    Unexplained,
    /// A loss or a gradient is not a finite number.
    NotFinite,
}

impl Integrator {
    /// Returns the default: from the trapezoid on, with at most 32 sweeps per step, until the
    /// residual is at most 1e-4 (in units of the loss) plus 1 % of the loss change.
    pub fn adaptive() -> Self {
        Self {
            rule: Rule::Adaptive,
            absolute: 1e-4,
            relative: 1e-2,
            start: 1,
            budget: 32,
        }
    }

    /// Returns the default for samples that nobody asked for: what is within a tenth of the loss
    /// change is less than what one sample differs from another.
    pub(crate) fn for_samples() -> Self {
        Self::adaptive().tolerance(1e-4, 0.1)
    }

    /// Returns an integrator that always uses the same number of equal splits: 0, 1, 2, 4, 8, 16
    /// or 32.
    pub fn fixed(splits: u16) -> Self {
        Self {
            rule: Rule::Fixed,
            absolute: 0.0,
            relative: 0.0,
            start: splits,
            budget: splits.max(1),
        }
    }

    /// Returns the rule of the original experiments: Simpson, and as long as the residual of any
    /// probe is above 0.001, twice as many equal splits for all probes together, up to 32 (Lan,
    /// Liu, Zhou and Yosinski 2019).
    pub fn paper() -> Self {
        Self {
            rule: Rule::Paper,
            absolute: 1e-3,
            relative: 0.0,
            start: 2,
            budget: 32,
        }
    }

    /// Returns the integrator with another tolerance: `absolute` in units of the loss,
    /// `relative` as a fraction of the loss change of the step. A fixed number of splits has none.
    pub fn tolerance(self, absolute: f64, relative: f64) -> Self {
        Self {
            absolute,
            relative,
            ..self
        }
    }

    /// Returns the integrator with another number of equal splits to begin with: 1, 2, 4, 8, 16
    /// or 32.
    pub fn start(self, splits: u16) -> Self {
        Self {
            start: splits,
            ..self
        }
    }

    /// Returns the integrator with another number of sweeps that a step may take, of each probe. A
    /// step that still misses the tolerance then is recorded as capped.
    ///
    /// Each sweep of a step that is bisected adds a gradient to the memory: as many numbers as the
    /// model has parameters, times the classes.
    pub fn budget(self, sweeps: u16) -> Self {
        Self {
            budget: sweeps,
            ..self
        }
    }

    pub(crate) fn validate(&self) -> Result<(), LcaError> {
        let fixed = self.rule == Rule::Fixed;
        if !(self.start.is_power_of_two() || fixed && self.start == 0) || self.start > MAX_SPLITS {
            return Err(LcaError::setting(
                "Integrator",
                format!("{} equal splits are not on offer", self.start),
                "use 1, 2, 4, 8, 16 or 32, or the fixed rule with 0",
            ));
        }
        if self.budget < self.start || !(1..=MAX_BUDGET).contains(&self.budget) {
            return Err(LcaError::setting(
                "Integrator::budget",
                format!(
                    "{} sweeps, with {} splits to begin with",
                    self.budget, self.start
                ),
                format!("use at least 1 sweep and one per split, and at most {MAX_BUDGET}"),
            ));
        }
        if fixed && self.budget != self.start.max(1) {
            return Err(LcaError::setting(
                "Integrator::budget",
                format!(
                    "{} sweeps, and a fixed rule that takes {}",
                    self.budget,
                    self.start.max(1)
                ),
                "leave the budget out, or use Integrator::adaptive()",
            ));
        }
        let sound = |value: f64| value.is_finite() && value >= 0.0;
        if !sound(self.absolute) || !sound(self.relative) {
            return Err(LcaError::setting(
                "Integrator::tolerance",
                format!("{} and {}", self.absolute, self.relative),
                "use two finite numbers of at least 0",
            ));
        }
        Ok(())
    }

    /// Whether single intervals may be bisected, which takes the gradients of all nodes.
    pub(crate) fn bisects(&self) -> bool {
        self.rule == Rule::Adaptive
    }

    /// Whether a probe goes on as long as another one has to.
    pub(crate) fn refines_together(&self) -> bool {
        self.rule == Rule::Paper
    }

    /// The residual that is accepted.
    pub(crate) fn allowed(&self, change: LossChange) -> f64 {
        self.absolute + self.relative * change.counted()
    }

    /// What to do after an estimate with equal splits, which took as many sweeps.
    pub(crate) fn judge(&self, splits: u16, change: LossChange, residual: f64) -> Convergence {
        let doubled = splits * 2;
        let limit = match self.rule {
            Rule::Fixed => 0,
            Rule::Adaptive => self.budget.min(MAX_EQUAL_SPLITS),
            Rule::Paper => self.budget,
        };
        // A residual that is not finite though the change is comes from a node in between, which
        // bisection may leave behind.
        let refinable = residual.is_finite() || (self.bisects() && splits > 1);
        if !change.total().is_finite() || !refinable {
            Convergence::NotFinite
        } else if self.rule == Rule::Fixed || residual.abs() <= self.allowed(change) {
            Convergence::Converged
        } else if doubled <= limit && residual.is_finite() {
            Convergence::Double
        } else if self.bisects() {
            Convergence::Bisect
        } else {
            Convergence::Capped
        }
    }
}

impl Default for Integrator {
    fn default() -> Self {
        Self::adaptive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(change: f64) -> LossChange {
        LossChange {
            first: 2.0,
            before: 1.0,
            after: 1.0 + change,
        }
    }

    #[test]
    fn doubling_ends_at_the_tolerance_a_limit_or_a_loss_that_is_not_finite() {
        let adaptive = Integrator::adaptive().tolerance(1e-3, 0.1);
        let judge = |splits, residual| adaptive.judge(splits, step(-0.1), residual);
        assert_eq!(judge(1, 0.010), Convergence::Converged);
        assert_eq!(judge(1, -0.012), Convergence::Double);
        assert_eq!(judge(2, 0.012), Convergence::Double);
        assert_eq!(judge(4, 0.012), Convergence::Bisect);
        let paper = Integrator::paper();
        assert_eq!(paper.judge(16, step(-0.1), 0.0011), Convergence::Double);
        assert_eq!(paper.judge(32, step(-0.1), 0.0011), Convergence::Capped);
        let fixed = Integrator::fixed(1);
        assert_eq!(fixed.judge(1, step(-0.1), 9.0), Convergence::Converged);
        for integrator in [&adaptive, &paper, &fixed] {
            let verdict = integrator.judge(2, step(f64::NAN), f64::NAN);
            assert_eq!(verdict, Convergence::NotFinite);
            let verdict = integrator.judge(1, step(-0.1), f64::NAN);
            assert_eq!(verdict, Convergence::NotFinite);
        }
        // The ends are finite, and a midpoint is not: the intervals without it are still good.
        assert_eq!(judge(2, f64::NAN), Convergence::Bisect);
    }

    #[test]
    fn a_step_may_miss_a_share_of_its_loss_change_but_not_of_a_passing_explosion() {
        let allowed = |first, before, after| {
            let change = LossChange {
                first,
                before,
                after,
            };
            Integrator::adaptive().tolerance(0.0, 0.01).allowed(change)
        };
        assert_eq!(allowed(2.0, 2.0, 1.5), 0.005);
        assert_eq!(allowed(2.0, 2.0, 100.0), 0.01);
        assert_eq!(allowed(2.0, 100.0, 2.0), 0.01);
        // A loss that grows slowly, from nothing to much.
        assert_eq!(allowed(0.0, 50.0, 54.0), 0.04);
        // A log density: what counts is how far the loss has come down.
        assert_eq!(allowed(2.0, -10.0, -16.0), 0.06);
    }

    #[test]
    fn settings_that_no_rule_has_are_refused() {
        let adaptive = Integrator::adaptive;
        for integrator in [
            Integrator::fixed(3),
            Integrator::fixed(64),
            Integrator::fixed(4).budget(8),
            adaptive().start(0),
            adaptive().start(8).budget(4),
            adaptive().budget(0),
            adaptive().budget(1025),
            Integrator::paper().tolerance(f64::NAN, 0.0),
        ] {
            assert!(integrator.validate().is_err(), "{integrator:?}");
        }
        for integrator in [
            adaptive(),
            adaptive().start(8).budget(9),
            Integrator::paper(),
            Integrator::fixed(0),
            Integrator::fixed(32),
        ] {
            assert!(integrator.validate().is_ok(), "{integrator:?}");
        }
    }
}
