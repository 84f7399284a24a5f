//! Quantiles, of values that are known and of values that are counted in bins.

use serde::Serialize;

/// A range of LCA and how many values lie in it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Bin {
    /// The lower edge, in units of the loss.
    pub lower: f64,
    /// The upper edge; the same as the lower one for the bin of exact zeros.
    pub upper: f64,
    /// How many values are between the two.
    pub count: u64,
}

impl Bin {
    pub(crate) fn new(lower: f64, upper: f64, count: u64) -> Self {
        Self {
            lower,
            upper,
            count,
        }
    }

    /// Appends it to other bins, or counts it into the last one if that has the same edges.
    pub(crate) fn append_to(self, bins: &mut Vec<Self>) {
        match bins.last_mut() {
            Some(last) if (last.lower, last.upper) == (self.lower, self.upper) => {
                last.count += self.count;
            }
            _ => bins.push(self),
        }
    }

    /// Returns the value in the middle, on the logarithmic scale where both edges allow it.
    pub(crate) fn center(&self) -> f64 {
        self.at(0.5)
    }

    /// Returns the value at a fraction of the way from the lower to the upper edge, as if the
    /// values were spread evenly over the logarithm.
    ///
    /// In a bin that reaches to infinity this is the finite edge.
    fn at(&self, fraction: f64) -> f64 {
        let Self { lower, upper, .. } = *self;
        if lower == upper || upper.is_infinite() {
            lower
        } else if lower.is_infinite() {
            upper
        } else if lower * upper > 0.0 {
            lower.signum() * lower.abs().powf(1.0 - fraction) * upper.abs().powf(fraction)
        } else {
            lower + (upper - lower) * fraction
        }
    }
}

/// A value that a fraction of all values doesn't exceed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Quantile {
    /// The fraction, from 0 to 1.
    pub probability: f64,
    /// The value, in units of the loss; interpolated within its bin.
    pub value: f64,
    /// The lower edge of the bin that holds it.
    pub lower: f64,
    /// The upper edge of that bin.
    pub upper: f64,
}

/// Returns the rank, from 1, of the quantile among so many values in ascending order.
///
/// It is the least value that a fraction `probability` of all values doesn't exceed: the inverse
/// of the empirical distribution function (definition 1 of Hyndman and Fan, 1996). So every
/// quantile is one of the values, and is found in bins as well as in a list.
pub(crate) fn rank(probability: f64, values: u64) -> u64 {
    ((probability * values as f64).ceil() as u64).max(1)
}

/// Returns quantiles of values that are counted in ascending bins, for ascending probabilities;
/// none if nothing was counted.
///
/// The i-th of m values in a bin is taken to be i/(m + 1) of the way through it, where it is on
/// average if the values are spread evenly over the logarithm.
pub(crate) fn quantiles(bins: &[Bin], probabilities: &[f64]) -> Vec<Quantile> {
    let values: u64 = bins.iter().map(|bin| bin.count).sum();
    let mut bins = bins.iter().filter(|bin| bin.count > 0).peekable();
    let mut below = 0;
    let mut quantiles = Vec::new();
    for probability in probabilities {
        let rank = rank(*probability, values);
        while let Some(bin) = bins.next_if(|bin| below + bin.count < rank) {
            below += bin.count;
        }
        let Some(bin) = bins.peek() else { break };
        quantiles.push(Quantile {
            probability: *probability,
            value: bin.at((rank - below) as f64 / (bin.count + 1) as f64),
            lower: bin.lower,
            upper: bin.upper,
        });
    }
    quantiles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_the_inverse_distribution_function() {
        // Of 4 values: a quarter doesn't exceed the first, anything above it the second, ….
        let ranks = [0.0, 0.25, 0.26, 0.5, 0.75, 0.76, 1.0].map(|p| rank(p, 4));
        assert_eq!(ranks, [1, 1, 2, 2, 3, 4, 4]);
        assert_eq!(rank(0.99, 0), 1);
    }

    #[test]
    fn quantiles_lie_in_their_bins_as_far_as_their_rank() {
        let bins = [
            Bin::new(-10.0, -1.0, 3),
            Bin::new(0.0, 0.0, 2),
            Bin::new(1.0, 100.0, 1),
            Bin::new(100.0, f64::INFINITY, 4),
        ];
        let found = quantiles(&bins, &[0.1, 0.3, 0.4, 0.6, 0.9]);
        // Ranks 1, 3, 4, 6 and 9 of 10. The first is 1 of 3 in a bin of one factor of ten:
        // −10^(3/4); the third of three −10^(1/4); the only one in its bin √(1 · 100).
        let expected = [
            (-(10f64.powf(0.75)), -10.0, -1.0),
            (-(10f64.powf(0.25)), -10.0, -1.0),
            (0.0, 0.0, 0.0),
            (10.0, 1.0, 100.0),
            (100.0, 100.0, f64::INFINITY),
        ];
        assert_eq!(found.len(), expected.len());
        for (found, (value, lower, upper)) in found.iter().zip(expected) {
            assert!((found.value - value).abs() < 1e-12, "{found:?} {value}");
            assert_eq!((found.lower, found.upper), (lower, upper));
        }
    }

    #[test]
    fn nothing_has_no_quantiles() {
        assert!(quantiles(&[], &[0.5]).is_empty());
        assert!(quantiles(&[Bin::new(0.0, 1.0, 0)], &[0.5]).is_empty());
    }
}
