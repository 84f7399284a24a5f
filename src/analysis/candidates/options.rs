//! What counts as a candidate, and how it is tested.

use crate::error::LcaError;

use super::super::options::options;

options! {
    /// Settings of [`candidates`](super::candidates()).
    pub struct CandidatesOptions {
        /// The greatest corrected p-value at which a tensor or layer is a candidate.
        pub alpha: f64 = 0.05,
        /// A unit or parameter hardly ever helps if it helped at no more than this fraction of the
        /// steps at which its LCA was not zero.
        pub max_helping_fraction: f64 = 0.05,
        /// How many parameters of each tensor are listed, the worst.
        pub top: usize = 10,
        /// How often blocks of steps are drawn for a p-value of a single run.
        pub resamples: usize = 10_000,
        /// The seed of the draws.
        pub seed: u64 = 0,
    }
}

impl CandidatesOptions {
    pub(super) fn check(&self) -> Result<(), LcaError> {
        for (setting, value) in [
            ("CandidatesOptions::alpha", self.alpha),
            (
                "CandidatesOptions::max_helping_fraction",
                self.max_helping_fraction,
            ),
        ] {
            if !(0.0..=1.0).contains(&value) {
                let problem = format!("{value} is not a fraction");
                return Err(LcaError::setting(
                    setting,
                    problem,
                    "give a number from 0 to 1",
                ));
            }
        }
        if self.resamples == 0 {
            return Err(LcaError::setting(
                "CandidatesOptions::resamples",
                "a p-value takes resamples, and there are 0",
                "give 1 or more",
            ));
        }
        Ok(())
    }
}
