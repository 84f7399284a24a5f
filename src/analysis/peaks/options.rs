//! What peaks are, and how they are tested.

use crate::error::LcaError;

use super::super::options::options;
use super::super::series::Quantity;
use super::alignment::MIN_WINDOW;

options! {
    /// Settings of [`peaks`](super::peaks()).
    pub struct PeaksOptions {
        /// What has peaks: LCA (its minima), or the norm of the step or of the gradient (maxima).
        pub quantity: Quantity = Quantity::Lca,
        /// How many peaks of each layer and class count, the highest ones.
        pub top: usize = 20,
        /// Steps to average over before peaks are looked for, an odd number; 1 is for none.
        pub smooth: usize = 1,
        /// Steps of the running median above which heights are taken, an odd number; 0 is for
        /// heights above zero. It should be long against a peak and short against the learning
        /// rate's schedule.
        pub detrend: usize = 51,
        /// The most steps within which the null model shifts peaks, 8 or more.
        pub window: usize = 64,
        /// In how many layers a step must have a peak to be listed; `None` is for all layers that have
        /// peaks, or half of them where they are more than 12.
        pub min_layers: Option<usize> = None,
        /// How often peaks are shifted at random.
        pub permutations: usize = 1000,
        /// The seed of the shifts.
        pub seed: u64 = 0,
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
        if let Some(layers @ 0..2) = self.min_layers {
            let problem = format!("{layers} layers can't have peaks at the same iteration");
            return refuse("PeaksOptions::min_layers", problem, "ask for two or more");
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
        if self.window < MIN_WINDOW {
            let problem = format!("{} steps leave too little to chance", self.window);
            return refuse("PeaksOptions::window", problem, "give 8 or more");
        }
        if self.permutations == 0 {
            let problem = "a p-value takes permutations, and there are 0".into();
            return refuse("PeaksOptions::permutations", problem, "give 1 or more");
        }
        if self.min_layers == Some(0) {
            return refuse(
                "PeaksOptions::min_layers",
                "0 layers".into(),
                "ask for 1 or more",
            );
        }
        Ok(())
    }
}
