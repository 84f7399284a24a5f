//! What peaks are, and how they are tested.

use crate::LcaError;

use super::Quantity;
use super::alignment::LEAST_WINDOW;

/// Settings of [`peaks`](super::peaks()).
#[derive(Debug, Clone, PartialEq)]
pub struct PeaksOptions {
    /// What has peaks: LCA (its minima), or the norm of the step or of the gradient (maxima).
    pub of: Quantity,
    /// How many peaks of each layer and class count, the highest ones.
    pub top: usize,
    /// Steps to average over before peaks are looked for, an odd number; 1 is for none.
    pub smooth: usize,
    /// Steps of the running median above which heights are taken, an odd number; 0 is for heights
    /// above zero. It should be long against a peak and short against the schedule.
    pub detrend: usize,
    /// The most steps within which the null model shifts peaks, 8 or more.
    pub window: usize,
    /// In how many layers a step must have a peak to be listed; `None` is for all layers.
    pub at_least: Option<usize>,
    /// How often peaks are shifted at random.
    pub permutations: usize,
    /// The seed of the shifts.
    pub seed: u64,
}

impl Default for PeaksOptions {
    fn default() -> Self {
        Self {
            of: Quantity::Lca,
            top: 20,
            smooth: 1,
            detrend: 51,
            window: 64,
            at_least: None,
            permutations: 1000,
            seed: 0,
        }
    }
}

impl PeaksOptions {
    pub(super) fn check(&self) -> Result<(), LcaError> {
        let refuse = |setting, problem: String, remedy| -> Result<(), LcaError> {
            Err(LcaError::setting(setting, problem, remedy))
        };
        if self.top == 0 {
            return refuse("PeaksOptions::top", "0 peaks".into(), "ask for 1 or more");
        }
        if self.smooth.is_multiple_of(2) {
            let problem = format!("{} steps have no middle", self.smooth);
            return refuse(
                "PeaksOptions::smooth",
                problem,
                "give an odd number of steps",
            );
        }
        if self.detrend != 0 && (self.detrend.is_multiple_of(2) || self.detrend < 3) {
            let problem = format!("{} steps have no middle or no neighbours", self.detrend);
            return refuse(
                "PeaksOptions::detrend",
                problem,
                "give an odd number from 3, or 0",
            );
        }
        if self.window < LEAST_WINDOW {
            let problem = format!("{} steps leave too little to chance", self.window);
            return refuse("PeaksOptions::window", problem, "give 8 or more");
        }
        if self.permutations == 0 {
            let problem = "0 give no p-value".into();
            return refuse("PeaksOptions::permutations", problem, "give 1 or more");
        }
        if self.at_least == Some(0) {
            return refuse(
                "PeaksOptions::at_least",
                "0 layers".into(),
                "ask for 1 or more",
            );
        }
        Ok(())
    }
}
