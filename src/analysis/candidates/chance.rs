//! How often something hardly ever helps by chance alone.

use std::collections::HashMap;

use statrs::distribution::{Binomial, DiscreteCDF};

/// Steps with an LCA that is not zero, below which nothing is said about how often one helps.
pub(super) const LEAST_STEPS: u64 = 20;

/// The probability that a fair coin shows heads in at most a given part of its throws.
pub(super) struct Chance {
    rarely: f64,
    known: HashMap<u64, f64>,
}

impl Chance {
    pub(super) fn new(rarely: f64) -> Self {
        Self {
            rarely,
            known: HashMap::new(),
        }
    }

    /// Returns it for a number of throws; 0 where these are too few to judge.
    pub(super) fn of(&mut self, throws: u64) -> f64 {
        if throws < LEAST_STEPS {
            return 0.0;
        }
        let heads = (self.rarely * throws as f64).floor() as u64;
        let probability = || Binomial::new(0.5, throws).map_or(0.0, |coins| coins.cdf(heads));
        *self.known.entry(throws).or_insert_with(probability)
    }
}
