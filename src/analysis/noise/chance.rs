//! How often a parameter helps by chance: the binomial distribution, near its middle and far out.

use statrs::distribution::{Binomial, Discrete, DiscreteCDF};

/// Standard deviations beyond which counts are left out of a sum over all: far less than 1e-15.
const FAR: f64 = 10.0;

/// The count of helping steps in `steps`, each of which helps with probability `share`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chance {
    steps: u32,
    share: f64,
}

impl Chance {
    pub(super) fn new(steps: u32, share: f64) -> Self {
        Self { steps, share }
    }

    fn mean(&self) -> f64 {
        f64::from(self.steps) * self.share
    }

    fn standard_deviation(&self) -> f64 {
        (self.mean() * (1.0 - self.share)).sqrt()
    }

    /// Returns how many standard deviations a count is above the mean; 0 if there is no spread.
    pub(super) fn deviations(&self, helping: u32) -> f64 {
        let spread = self.standard_deviation();
        if spread > 0.0 {
            (f64::from(helping) - self.mean()) / spread
        } else {
            0.0
        }
    }

    /// Returns the counts that are not out of the question, with their probabilities.
    pub(super) fn likely(&self) -> impl Iterator<Item = (u32, f64)> {
        let reach = FAR * self.standard_deviation() + FAR;
        let least = (self.mean() - reach).max(0.0) as u32;
        let most = ((self.mean() + reach) as u32).min(self.steps);
        let first = self.law().map_or(0.0, |law| law.pmf(u64::from(least)));
        let (steps, odds) = (f64::from(self.steps), self.share / (1.0 - self.share));
        let following = move |(count, probability): &(u32, f64)| {
            let at = f64::from(*count);
            // One multiplication instead of a logarithm of factorials.
            let next = probability * odds * (steps - at) / (at + 1.0);
            (*count < most).then_some((count + 1, next))
        };
        // Where all steps help there is one count, and no odds.
        match self.share < 1.0 {
            true => std::iter::successors(Some((least, first)), following),
            false => std::iter::successors(Some((self.steps, 1.0)), following),
        }
    }

    /// Returns the greatest count that is so small, and the least that is so great, that chance
    /// gives it or one further out with a probability of at most `tail`; `None` where not even
    /// the last count is so improbable.
    pub(super) fn bounds(&self, tail: f64) -> (Option<u32>, Option<u32>) {
        let Some(law) = self.law() else {
            return (None, None);
        };
        let steps = u64::from(self.steps);
        // Both probabilities are monotone in the count.
        let seldom = partition(steps + 1, |count| law.cdf(count) <= tail);
        let often = partition(steps + 1, |count| {
            let beyond = if count == 0 { 1.0 } else { law.sf(count - 1) };
            beyond > tail
        });
        let least = seldom.checked_sub(1).map(|count| count as u32);
        let most = (often <= steps).then_some(often as u32);
        (least, most)
    }

    fn law(&self) -> Option<Binomial> {
        Binomial::new(self.share, u64::from(self.steps)).ok()
    }
}

/// Returns how many of the numbers from 0 hold a property that only the first ones have.
fn partition(end: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, end);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
