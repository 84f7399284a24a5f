//! Which pictures are made of a run.

use crate::error::LcaError;

use super::super::options::options;
use super::super::stats::COLOR_PERCENTILE;
use super::limits::CellLimits;

options! {
    /// Which pictures are made of a run.
    pub struct ParameterMapOptions {
        /// The most iterations of those recorded: evenly spaced ones, the first and the last among them,
        /// of which one is the last; or as [`parameter_map`](super::parameter_map) chooses them.
        pub frames: usize = 400,
        /// The first and the last iteration of which there are pictures; `None` is all that are
        /// recorded. Colours mean the same in any part of a run.
        pub iterations: Option<(u64, u64)> = None,
        /// Whether they are spaced by the logarithm of their number, which shows more of the first
        /// iterations; only for a [`FrameReader`](super::FrameReader).
        pub log_steps: bool = false,
        /// The percentile (above 0, up to 100) of the magnitudes that gets full colour, of the cells
        /// at all recorded iterations that are finite and not zero; what is larger gets it too.
        pub percentile: f64 = COLOR_PERCENTILE,
        /// How large blocks may be.
        pub limits: CellLimits = CellLimits::default(),
    }
}

impl ParameterMapOptions {
    /// Fails if an option can't work.
    pub(super) fn check(&self) -> Result<(), LcaError> {
        if self.frames == 0 {
            return Err(LcaError::setting(
                "ParameterMapOptions::frames",
                "is 0",
                "ask for one frame at least",
            ));
        }
        if !(self.percentile > 0.0 && self.percentile <= 100.0) {
            return Err(LcaError::setting(
                "ParameterMapOptions::percentile",
                format!("is {}", self.percentile),
                "give one above 0, up to 100",
            ));
        }
        Ok(())
    }
}
