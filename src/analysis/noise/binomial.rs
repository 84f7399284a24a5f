//! How often a parameter helps by chance: the binomial distribution, near its middle and far out.

use statrs::distribution::{Binomial, Discrete, DiscreteCDF};

/// Standard deviations beyond which counts are left out of a sum over all: far less than 1e-15.
const FAR: f64 = 10.0;

/// The count of helping steps in `steps`, each of which helps with probability `probability`.
#[derive(Debug, Clone, Copy)]
pub(super) struct BinomialCount {
    steps: u32,
    probability: f64,
}

impl BinomialCount {
    pub(super) fn new(steps: u32, probability: f64) -> Self {
        Self { steps, probability }
    }

    fn mean(&self) -> f64 {
        f64::from(self.steps) * self.probability
    }

    fn standard_deviation(&self) -> f64 {
        (self.mean() * (1.0 - self.probability)).sqrt()
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
        let first = self
            .distribution()
            .map_or(0.0, |counts| counts.pmf(u64::from(least)));
        let (steps, odds) = (
            f64::from(self.steps),
            self.probability / (1.0 - self.probability),
        );
        let following = move |(count, probability): &(u32, f64)| {
            let at = f64::from(*count);
            // One multiplication instead of a logarithm of factorials.
            let next = probability * odds * (steps - at) / (at + 1.0);
            (*count < most).then_some((count + 1, next))
        };
        // Where all steps help there is one count, and no odds.
        let start = if self.probability < 1.0 {
            (least, first)
        } else {
            (self.steps, 1.0)
        };
        std::iter::successors(Some(start), following)
    }

    /// Returns the greatest count that is so small, and the least that is so great, that chance
    /// gives it or one further out with a probability of at most `tail`; `None` where not even
    /// the last count is so improbable.
    pub(super) fn bounds(&self, tail: f64) -> (Option<u32>, Option<u32>) {
        let Some(counts) = self.distribution() else {
            return (None, None);
        };
        let steps = u64::from(self.steps);
        // Both probabilities are monotone in the count.
        let seldom = partition(steps + 1, |count| counts.cdf(count) <= tail);
        let often = partition(steps + 1, |count| {
            let beyond = if count == 0 {
                1.0
            } else {
                counts.sf(count - 1)
            };
            beyond > tail
        });
        let least = seldom.checked_sub(1).map(|count| count as u32);
        let most = (often <= steps).then_some(often as u32);
        (least, most)
    }

    fn distribution(&self) -> Option<Binomial> {
        Binomial::new(self.probability, u64::from(self.steps)).ok()
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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// The binomial probabilities, by adding one step after the other.
    fn pascal(steps: u32, share: f64) -> Vec<f64> {
        let mut row = vec![1.0];
        for _ in 0..steps {
            let grown = |at: usize| {
                let stays = row.get(at).map_or(0.0, |p| p * (1.0 - share));
                stays + at.checked_sub(1).map_or(0.0, |at| row[at] * share)
            };
            row = (0..=row.len()).map(grown).collect();
        }
        row
    }

    #[rstest]
    #[case(1, 0.5)]
    #[case(20, 0.3)]
    #[case(300, 0.52)]
    #[case(50, 0.0)]
    #[case(50, 1.0)]
    fn probabilities_are_those_of_pascals_triangle(#[case] steps: u32, #[case] share: f64) {
        let exact = pascal(steps, share);
        let mut sum = 0.0;
        for (count, probability) in BinomialCount::new(steps, share).likely() {
            assert!((probability - exact[count as usize]).abs() < 1e-11);
            sum += probability;
        }
        assert!((sum - 1.0).abs() < 1e-9, "{sum}");
    }

    #[rstest]
    #[case(20, 0.3, 0.01)]
    #[case(300, 0.52, 1e-6)]
    #[case(3, 0.5, 0.01)]
    fn bounds_are_the_nearest_counts_that_are_improbable_enough(
        #[case] steps: u32,
        #[case] share: f64,
        #[case] tail: f64,
    ) {
        let exact = pascal(steps, share);
        let below = |count: u32| exact[..=count as usize].iter().sum::<f64>();
        let above = |count: u32| exact[count as usize..].iter().sum::<f64>();
        let least = (0..=steps).rev().find(|count| below(*count) <= tail);
        let most = (0..=steps).find(|count| above(*count) <= tail);
        assert_eq!(BinomialCount::new(steps, share).bounds(tail), (least, most));
    }
}
