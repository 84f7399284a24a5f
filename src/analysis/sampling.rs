//! How far sums over a sampled probe may be from those over all examples.

use arrow::array::{Array, PrimitiveArray};
use arrow::datatypes::Float64Type;
use statrs::distribution::{ContinuousCDF, Normal};

use crate::record::Run;

/// Returns whether a probe of a run is sampled.
pub(super) fn is_sampled(run: &Run, probe: &str) -> bool {
    let mut probes = run.info().probes.iter();
    probes.any(|known| known.name == probe && known.sample.is_some())
}

/// Standard errors to either side of an estimate that leave 5 % of a normal distribution out.
const TWO_SIDED_95: f64 = 1.959_963_984_540_054;

/// Returns half the width of the 95 % confidence interval of an estimate that is near to normal:
/// it reaches from `estimate − margin` to `estimate + margin`.
pub(super) fn margin(standard_error: f64) -> f64 {
    TWO_SIDED_95 * standard_error
}

/// Returns the probability of an estimate so far from zero, on either side, if what it estimates were
/// zero; `None` if it has no error.
pub(super) fn p_of_estimate(estimate: f64, standard_error: f64) -> Option<f64> {
    let distribution = Normal::new(0.0, standard_error).ok()?;
    let p = 2.0 * distribution.cdf(-estimate.abs());
    (standard_error > 0.0 && p.is_finite()).then_some(p)
}

/// Returns the variance of a sum over steps, from half the differences of the steps' samples; steps
/// at which these are not finite have none in the sum either.
pub(super) fn variance(halves: impl IntoIterator<Item = f64>) -> f64 {
    let halves = halves.into_iter().filter(|half| half.is_finite());
    halves.map(|half| half * half).sum()
}

/// Adds the square of a standard error, where there is one: steps are sampled independently.
pub(super) fn add_variance(
    variance: &mut Option<f64>,
    errors: &PrimitiveArray<Float64Type>,
    row: usize,
) {
    if errors.is_valid(row) {
        *variance.get_or_insert(0.0) += errors.value(row).powi(2);
    }
}
