//! How often a parameter helps by chance: the binomial distribution, near its middle and far out.

use std::f64::consts::{PI, SQRT_2};
use std::ops::Range;

use statrs::distribution::{Binomial, Discrete, DiscreteCDF};
use statrs::function::erf::erfc;

/// Standard deviations beyond which counts are left out of a sum over all: far less than 1e-15.
const FAR: f64 = 10.0;

/// The variance from which on the distribution is taken for the normal one with a correction for its
/// skewness, which is right to 1e-5.
const NEARLY_NORMAL: f64 = 16_384.0;

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

    fn variance(&self) -> f64 {
        self.mean() * (1.0 - self.probability)
    }

    /// Returns how many standard deviations a count is above the mean; 0 if there is no spread.
    pub(super) fn deviations(&self, helping: u32) -> f64 {
        let spread = self.variance().sqrt();
        if spread > 0.0 {
            (f64::from(helping) - self.mean()) / spread
        } else {
            0.0
        }
    }

    /// Returns the probabilities of ranges of counts. Each begins where the one before it ends, the
    /// first with 0; the last has all counts from its start on.
    ///
    /// How long that takes has a bound, however many steps there are.
    pub(super) fn by_range(&self, starts: &[u32]) -> Vec<f64> {
        if self.variance() >= NEARLY_NORMAL {
            let below = |start: &u32| start.checked_sub(1).map_or(0.0, |last| self.nearly(last));
            let ends = starts.iter().skip(1).map(below).chain([1.0]);
            let ranges = starts.iter().map(below).zip(ends);
            return ranges.map(|(start, end)| (end - start).max(0.0)).collect();
        }
        let mut ranges = vec![0.0; starts.len()];
        for (count, probability) in self.likely() {
            let above = starts.partition_point(|start| *start <= count);
            ranges[above - 1] += probability;
        }
        ranges
    }

    /// Returns about the probability of a count or a smaller one: the first terms of Edgeworth's series.
    fn nearly(&self, count: u32) -> f64 {
        let spread = self.variance().sqrt();
        let z = (f64::from(count) + 0.5 - self.mean()) / spread;
        let skewness = (1.0 - 2.0 * self.probability) / spread;
        let density = (-z * z / 2.0).exp() / (2.0 * PI).sqrt();
        erfc(-z / SQRT_2) / 2.0 - skewness / 6.0 * (z * z - 1.0) * density
    }

    /// Returns the counts that are not out of the question, with their probabilities.
    fn likely(&self) -> impl Iterator<Item = (u32, f64)> {
        let reach = FAR * self.variance().sqrt() + FAR;
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

    fn distribution(&self) -> Option<Binomial> {
        Binomial::new(self.probability, u64::from(self.steps)).ok()
    }
}

/// Tells counts that chance hardly ever gives, in one number of steps.
///
/// Such a count, or one further out on its side, has a probability of at most `tail`. These
/// probabilities ascend or descend with the count, so that one that was computed settles many counts:
/// a count takes one computation at most, and nearly all take none.
#[derive(Debug)]
pub(super) struct Extremes {
    chance: BinomialCount,
    tail: f64,
    /// Counts not known yet to be too great or not; those before them aren't, those after them are.
    great: Range<u64>,
    /// Counts not known yet to be too small or not; those before them are, those after them aren't.
    small: Range<u64>,
}

impl Extremes {
    /// Of a `tail` below one half.
    pub(super) fn new(chance: BinomialCount, tail: f64) -> Self {
        // The median is the mean, rounded up or down, so that neither tail begins before it.
        let mean = chance.mean();
        Self {
            great: mean.floor() as u64 + 1..u64::from(chance.steps) + 1,
            small: 0..mean.ceil() as u64,
            chance,
            tail,
        }
    }

    /// Returns whether there hardly ever are so many.
    pub(super) fn is_great(&mut self, count: u32) -> bool {
        let (chance, tail) = (self.chance, self.tail);
        !is_before(&mut self.great, count.into(), |count| {
            let beyond = chance.distribution().map(|chance| chance.sf(count - 1));
            beyond.is_none_or(|beyond| beyond > tail)
        })
    }

    /// Returns whether there hardly ever are so few.
    pub(super) fn is_small(&mut self, count: u32) -> bool {
        let (chance, tail) = (self.chance, self.tail);
        is_before(&mut self.small, count.into(), |count| {
            let up_to = chance.distribution().map(|chance| chance.cdf(count));
            up_to.is_some_and(|up_to| up_to <= tail)
        })
    }
}

/// Returns whether a number holds a property that only the first ones have; `unknown` are those of
/// which that is not known yet.
fn is_before(unknown: &mut Range<u64>, number: u64, holds: impl FnOnce(u64) -> bool) -> bool {
    if unknown.contains(&number) {
        if holds(number) {
            unknown.start = number + 1;
        } else {
            unknown.end = number;
        }
    }
    number < unknown.start
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
        let every: Vec<u32> = (0..=steps).collect();
        let counts = BinomialCount::new(steps, share);
        for (count, probability) in counts.by_range(&every).into_iter().enumerate() {
            assert!((probability - exact[count]).abs() < 1e-11, "{count}");
        }
        let split = counts.by_range(&[0, 1, 1, steps]);
        assert!((split.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{split:?}");
        assert_eq!(split[1], 0.0);
    }

    /// The same ranges by adding up single counts, each of which follows from the one before.
    #[rstest]
    #[case(65_600, 0.5)]
    #[case(200_001, 0.1)]
    #[case(2_000_000, 0.01)]
    fn of_very_many_steps_the_probabilities_are_nearly_exact(
        #[case] steps: u32,
        #[case] share: f64,
    ) {
        let counts = BinomialCount::new(steps, share);
        assert!(counts.variance() >= NEARLY_NORMAL);
        let around = |deviations: f64| {
            (counts.mean() + deviations * counts.variance().sqrt()).round() as u32
        };
        let starts = [
            0,
            around(-4.0),
            around(-1.0),
            around(0.0),
            around(0.5),
            around(3.0),
        ];
        let mut exact = [0.0; 6];
        for (count, probability) in counts.likely() {
            exact[starts.iter().rposition(|start| *start <= count).unwrap()] += probability;
        }
        for (near, exact) in counts.by_range(&starts).into_iter().zip(exact) {
            assert!((near - exact).abs() < 1e-5, "{near} {exact}");
        }
    }

    #[rstest]
    #[case(1, 0.99, 0.02)]
    #[case(20, 0.3, 0.01)]
    #[case(300, 0.52, 1e-6)]
    #[case(300, 0.001, 0.02)]
    #[case(3, 0.5, 0.01)]
    fn extremes_are_the_counts_with_improbable_tails(
        #[case] steps: u32,
        #[case] share: f64,
        #[case] tail: f64,
    ) {
        let exact = pascal(steps, share);
        let mut extremes = Extremes::new(BinomialCount::new(steps, share), tail);
        // In an order that jumps to and fro, so that what is known grows from both ends.
        for count in (0..=steps).map(|turn| turn * 101 % (steps + 1)) {
            let up_to: f64 = exact[..=count as usize].iter().sum();
            let from: f64 = exact[count as usize..].iter().sum();
            assert_eq!(extremes.is_small(count), up_to <= tail, "{count}: {up_to}");
            assert_eq!(extremes.is_great(count), from <= tail, "{count}: {from}");
        }
    }

    #[test]
    fn of_the_most_steps_that_there_can_be_the_tails_begin_beyond_six_deviations() {
        // P(Z ≥ 6) of a normal distribution is 9.87e-10.
        let counts = BinomialCount::new(1 << 31, 0.5);
        let mut extremes = Extremes::new(counts, 9.87e-10);
        let at = |deviations: f64| {
            (counts.mean() + deviations * counts.variance().sqrt()).round() as u32
        };
        assert_eq!(
            [0.0, 1e-3, 1.0, 5.99].map(|z| extremes.is_great(at(z))),
            [false; 4]
        );
        assert_eq!(
            [0.0, -1e-3, -1.0, -5.99].map(|z| extremes.is_small(at(z))),
            [false; 4]
        );
        assert!(extremes.is_great(at(6.01)) && extremes.is_small(at(-6.01)));
    }
}
