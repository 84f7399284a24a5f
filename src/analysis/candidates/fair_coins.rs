//! How often something hardly ever helps by chance alone.

use std::collections::HashMap;

use statrs::distribution::{Binomial, DiscreteCDF};

use crate::analysis::thousands;

/// The fewest steps with an LCA that is not zero from which anything is said about how often one
/// helps.
pub(super) const MIN_STEPS: u64 = 20;

/// Returns what to say of those that have fewer steps than that; `None` if none has.
pub(super) fn unjudged(count: u64, all: u64, what: &str) -> Option<String> {
    (count > 0).then(|| {
        format!(
            "Not judged, since their LCA is other than zero at fewer than {MIN_STEPS} recorded \
             steps: {} of {} {what}.",
            thousands(count),
            thousands(all)
        )
    })
}

/// The probability that a fair coin shows heads in at most a given fraction of its tosses.
pub(super) struct FairCoins {
    max_fraction: f64,
    known: HashMap<u64, f64>,
}

impl FairCoins {
    pub(super) fn new(max_fraction: f64) -> Self {
        Self {
            max_fraction,
            known: HashMap::new(),
        }
    }

    /// Returns the probability for a number of tosses; 0 where these are too few to judge.
    pub(super) fn probability(&mut self, tosses: u64) -> f64 {
        if tosses < MIN_STEPS {
            return 0.0;
        }
        let heads = (self.max_fraction * tosses as f64).floor() as u64;
        let probability = || Binomial::new(0.5, tosses).map_or(0.0, |coins| coins.cdf(heads));
        *self.known.entry(tosses).or_insert_with(probability)
    }
}
