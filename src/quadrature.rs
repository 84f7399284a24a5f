//! Where the gradient is evaluated along a step, how the values are weighted, and when to stop.
//!
//! Nodes are equally spaced on [0, 1]. With T(n) the composite trapezoid over n intervals and
//! M(n) the mean of the gradients at the n midpoints of those intervals,
//!
//! ```text
//! T(1)  = (g(0) + g(1)) / 2
//! T(2n) = (T(n) + M(n)) / 2
//! S(2n) = (T(n) + 2 M(n)) / 3          composite Simpson
//! ```
//!
//! so one rung up the ladder needs the midpoints alone, and two sums hold all that was computed.

use crate::LcaError;
use crate::record::IntegratorInfo;

/// The finest rule on offer.
const MAX_SPLITS: u16 = 32;

/// How finely the gradient is integrated along an optimizer step.
///
/// | splits | rule | new sweeps of the probe per step |
/// | --- | --- | --- |
/// | 0 | gradient at the start of the step only (first order) | 1 |
/// | 1 | trapezoid | 1 |
/// | 2 | Simpson | 2 |
/// | 4, 8, 16, 32 | composite Simpson | 4, 8, 16, 32 |
///
/// An adaptive integrator starts with few splits and doubles them until the residual, what the
/// sum of the allocations misses of the measured loss change ΔL, is at most
/// `absolute + relative · |ΔL|`. Every gradient that was computed is used again.
///
/// ```
/// use burn_lca::Integrator;
///
/// let default = Integrator::adaptive();
/// let tight = Integrator::adaptive().tolerance(1e-5, 0.0).cap(8);
/// let simpson = Integrator::fixed(2);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Integrator {
    start: u16,
    cap: u16,
    absolute: f64,
    relative: f64,
    adaptive: bool,
}

impl Integrator {
    /// Returns the default: from the trapezoid up to 32 splits, until the residual is at most
    /// 1e-4 (in units of the loss) plus 1 % of the loss change.
    pub fn adaptive() -> Self {
        Self {
            start: 1,
            cap: MAX_SPLITS,
            absolute: 1e-4,
            relative: 1e-2,
            adaptive: true,
        }
    }

    /// Returns an integrator that always uses the same number of splits: 0, 1, 2, 4, 8, 16 or 32.
    pub fn fixed(splits: u16) -> Self {
        Self {
            start: splits,
            cap: splits,
            adaptive: false,
            ..Self::adaptive()
        }
    }

    /// Returns the rule of the original experiments: from 2 splits up to 32, until the residual
    /// is at most 0.001 (Lan, Liu, Zhou and Yosinski 2019).
    pub fn paper() -> Self {
        Self {
            start: 2,
            cap: MAX_SPLITS,
            absolute: 1e-3,
            relative: 0.0,
            adaptive: true,
        }
    }

    /// Returns the integrator with another tolerance: `absolute` in units of the loss,
    /// `relative` as a fraction of the loss change of the step.
    pub fn tolerance(self, absolute: f64, relative: f64) -> Self {
        Self {
            absolute,
            relative,
            ..self
        }
    }

    /// Returns the integrator with another number of splits to begin with.
    pub fn start(self, splits: u16) -> Self {
        Self {
            start: splits,
            ..self
        }
    }

    /// Returns the integrator with another number of splits to end with. A step that misses the
    /// tolerance there is recorded as capped.
    pub fn cap(self, splits: u16) -> Self {
        Self {
            cap: splits,
            ..self
        }
    }

    pub(crate) fn validate(&self) -> Result<(), LcaError> {
        let on_ladder = |splits: u16| splits == 0 || splits.is_power_of_two();
        for splits in [self.start, self.cap] {
            if !on_ladder(splits) || splits > MAX_SPLITS {
                return Err(LcaError::setting(
                    "Integrator",
                    format!("{splits} splits are not on the ladder"),
                    "use 0, 1, 2, 4, 8, 16 or 32",
                ));
            }
        }
        if self.start > self.cap {
            return Err(LcaError::setting(
                "Integrator::cap",
                format!(
                    "the cap of {} splits is below the start of {}",
                    self.cap, self.start
                ),
                "raise the cap or lower the start",
            ));
        }
        let tolerable = |value: f64| value.is_finite() && value >= 0.0;
        if !tolerable(self.absolute) || !tolerable(self.relative) {
            return Err(LcaError::setting(
                "Integrator::tolerance",
                format!(
                    "{} + {} · |loss change| is no tolerance",
                    self.absolute, self.relative
                ),
                "use two finite numbers of at least 0",
            ));
        }
        Ok(())
    }

    /// Splits of the first estimate.
    pub(crate) fn first(&self) -> u16 {
        self.start
    }

    /// Whether the splits adapt to the residual.
    pub(crate) fn is_adaptive(&self) -> bool {
        self.adaptive
    }

    /// Splits to go on with, or what ended the climb.
    pub(crate) fn next(&self, splits: u16, loss_change: f64, residual: f64) -> Verdict {
        if !loss_change.is_finite() || !residual.is_finite() {
            return Verdict::NotFinite;
        }
        let tolerance = self.absolute + self.relative * loss_change.abs();
        if !self.is_adaptive() || residual.abs() <= tolerance {
            Verdict::Done
        } else if splits < self.cap {
            Verdict::Refine((splits * 2).max(1))
        } else {
            Verdict::Capped
        }
    }
}

impl From<&Integrator> for IntegratorInfo {
    fn from(integrator: &Integrator) -> Self {
        Self {
            mode: match integrator.is_adaptive() {
                true => "adaptive",
                false => "fixed",
            }
            .to_owned(),
            absolute: integrator.absolute,
            relative: integrator.relative,
            start: integrator.start,
            cap: integrator.cap,
        }
    }
}

impl Default for Integrator {
    fn default() -> Self {
        Self::adaptive()
    }
}

/// What to do after an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Done,
    /// Go on with this many splits.
    Refine(u16),
    /// The tolerance is missed and the finest rule allowed is used.
    Capped,
    /// No refinement can help.
    NotFinite,
}

/// Positions on [0, 1] of the midpoints that lead from `intervals` to twice as many.
pub(crate) fn midpoints(intervals: u16) -> impl Iterator<Item = f64> {
    (0..intervals).map(move |k| (f64::from(k) + 0.5) / f64::from(intervals))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ladder on numbers in place of gradients.
    fn integrate(splits: u16, f: impl Fn(f64) -> f64) -> f64 {
        if splits == 0 {
            return f(0.0);
        }
        let mut trapezoid = (f(0.0) + f(1.0)) / 2.0;
        let mut estimate = trapezoid;
        let mut intervals = 1;
        while intervals < splits {
            let midpoint = midpoints(intervals).map(&f).sum::<f64>() / f64::from(intervals);
            estimate = (trapezoid + 2.0 * midpoint) / 3.0;
            trapezoid = (trapezoid + midpoint) / 2.0;
            intervals *= 2;
        }
        estimate
    }

    #[test]
    fn composite_simpson_errs_by_its_known_term_on_a_quartic() {
        // ∫₀¹ x⁴ dx = 1/5; composite Simpson over n intervals errs by f⁗/(180 n⁴) = 24/(180 n⁴).
        for splits in [2_u16, 4, 8, 16, 32] {
            let error = integrate(splits, |x| x.powi(4)) - 0.2;
            let expected = 24.0 / (180.0 * f64::from(splits).powi(4));
            assert!((error - expected).abs() < 1e-14, "{splits}: {error:e}");
        }
    }

    #[test]
    fn the_trapezoid_is_exact_on_a_line_and_simpson_on_a_cubic() {
        // ∫₀¹ 3x + 2 dx = 7/2 and ∫₀¹ 4x³ − x dx = 1 − 1/2.
        assert_eq!(integrate(1, |x| 3.0 * x + 2.0), 3.5);
        assert!((integrate(2, |x| 4.0 * x.powi(3) - x) - 0.5).abs() < 1e-15);
    }

    #[test]
    fn the_climb_ends_at_the_tolerance_the_cap_or_a_loss_that_is_not_finite() {
        let integrator = Integrator::adaptive().tolerance(1e-3, 0.1).cap(4);
        assert_eq!(integrator.next(1, -0.1, 0.010), Verdict::Done);
        assert_eq!(integrator.next(1, -0.1, -0.012), Verdict::Refine(2));
        assert_eq!(integrator.next(2, -0.1, 0.012), Verdict::Refine(4));
        assert_eq!(integrator.next(4, -0.1, 0.012), Verdict::Capped);
        assert_eq!(integrator.next(1, f64::NAN, f64::NAN), Verdict::NotFinite);
        assert_eq!(Integrator::fixed(1).next(1, -0.1, 9.0), Verdict::Done);
        assert_eq!(
            Integrator::adaptive().start(0).next(0, -0.1, 9.0),
            Verdict::Refine(1)
        );
    }

    #[test]
    fn settings_off_the_ladder_are_refused() {
        assert!(Integrator::fixed(3).validate().is_err());
        assert!(Integrator::fixed(64).validate().is_err());
        assert!(Integrator::adaptive().start(8).cap(4).validate().is_err());
        assert!(
            Integrator::paper()
                .tolerance(f64::NAN, 0.0)
                .validate()
                .is_err()
        );
        assert!(Integrator::paper().validate().is_ok());
    }
}
