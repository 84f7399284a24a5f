//! From values to colours: the value of full colour, and codes of a byte.

use serde::Serialize;

use crate::analysis::stats::Magnitudes;

/// The value that gets full colour.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ColorScale {
    /// The value; none if no cell has one that is finite and not zero.
    pub full: Option<f64>,
    /// The percentile of the magnitudes that it is, of the cells at all recorded iterations that
    /// are finite and not zero.
    pub percentile: f64,
}

/// Codes of a byte: what a cell of a frame can be.
pub mod code {
    /// The code of the value of full colour, and of what is larger.
    pub const FULL: i8 = 126;
    /// The cell has no value at this iteration.
    pub const MISSING: i8 = -127;
    /// The cell's value is NaN or infinite.
    pub const NOT_FINITE: i8 = -128;
}

impl ColorScale {
    pub(super) fn new(magnitudes: &Magnitudes, percentile: f64) -> Self {
        Self {
            full: magnitudes.color_range(percentile),
            percentile,
        }
    }

    /// Returns the code of a value: its share of full colour in 126 parts, of which what is not
    /// exactly zero has one at least. 0 is exactly zero.
    #[must_use]
    pub fn code(&self, value: f64) -> i8 {
        if !value.is_finite() {
            return code::NOT_FINITE;
        }
        let (Some(full), true) = (self.full, value != 0.0) else {
            return 0;
        };
        let limit = f64::from(code::FULL);
        let parts = (value.abs() / full * limit).round().clamp(1.0, limit);
        (parts as i8) * if value < 0.0 { -1 } else { 1 }
    }

    /// Returns the value in the middle of those that have a code; none of one that is no value.
    #[must_use]
    pub fn value(&self, code: i8) -> Option<f64> {
        match code {
            code::MISSING | code::NOT_FINITE => None,
            0 => Some(0.0),
            code => self
                .full
                .map(|full| full * f64::from(code) / f64::from(code::FULL)),
        }
    }
}
