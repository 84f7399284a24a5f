//! Where the gradient is evaluated along a step, how the values are weighted, and when to stop.
//!
//! Rules over n intervals of equal width come first. With T(n) the composite trapezoid and M(n)
//! the mean of the gradients at the n midpoints,
//!
//! ```text
//! T(1)  = (g(0) + g(1)) / 2
//! T(2n) = (T(n) + M(n)) / 2
//! S(2n) = (T(n) + 2 M(n)) / 3          composite Simpson
//! ```
//!
//! so a doubling needs the midpoints alone, and two sums hold all that was computed. Where that
//! does not converge soon, a [`Mesh`] says which intervals to bisect.

mod integrator;
mod mesh;

pub use integrator::Integrator;
pub(crate) use integrator::{Convergence, LossChange};
pub(crate) use mesh::{Advice, Mesh, Node};

/// Positions on [0, 1] of the midpoints that lead from `intervals` to twice as many.
pub(crate) fn midpoints(intervals: u16) -> impl Iterator<Item = f64> {
    (0..intervals).map(move |k| (f64::from(k) + 0.5) / f64::from(intervals))
}
