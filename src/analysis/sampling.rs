//! How far sums over a sampled probe may be from those over all examples.

use arrow::array::{Array, PrimitiveArray};
use arrow::datatypes::Float64Type;

use crate::record::Run;

/// Returns whether the training probe of a run is sampled.
pub(super) fn is_sampled(run: &Run) -> bool {
    let main = run.info().probes.first();
    main.is_some_and(|probe| probe.sample.is_some())
}

/// Standard errors to either side of an estimate that leave 5 % of a normal distribution out.
const TWO_SIDED_95: f64 = 1.959_963_984_540_054;

/// Returns half the width of the 95 % confidence interval of an estimate that is near to normal:
/// it reaches from `estimate − margin` to `estimate + margin`.
pub(super) fn margin(standard_error: f64) -> f64 {
    TWO_SIDED_95 * standard_error
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
