//! Whether the mean of a few independent values differs from zero.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The most values whose flips of sign are all enumerated: 32,768 sums.
const MOST_ENUMERATED: usize = 16;

/// Flips that are drawn where they are too many to enumerate.
const DRAWS: usize = 9_999;

/// Student's t-test of a mean against zero.
///
/// Assumes values that are independent and near to normal.
pub(super) struct StudentT {
    mean: f64,
    /// The standard deviation of the mean.
    error: f64,
    distribution: StudentsT,
}

impl StudentT {
    /// Returns the test; `None` of fewer than two values or of values that are all the same,
    /// since such say nothing about what varies between them.
    pub(super) fn new(values: &[f64]) -> Option<Self> {
        let error = deviation(values)? / (values.len() as f64).sqrt();
        let distribution = StudentsT::new(0.0, 1.0, values.len() as f64 - 1.0).ok()?;
        // Of copies, the error may be above zero by rounding.
        let vary = values.windows(2).any(|pair| pair[0] != pair[1]);
        (vary && error > 0.0).then_some(Self {
            mean: mean(values),
            error,
            distribution,
        })
    }

    /// Returns the mean over its standard deviation.
    pub(super) fn t(&self) -> f64 {
        self.mean / self.error
    }

    /// Returns the probability of a t so great if the mean were zero.
    pub(super) fn p_above(&self) -> f64 {
        self.distribution.cdf(-self.t())
    }

    /// Returns the probability of a t so small if the mean were zero.
    pub(super) fn p_below(&self) -> f64 {
        self.distribution.cdf(self.t())
    }

    /// Returns the probability of a t so far from zero, on either side, if the mean were zero.
    pub(super) fn p_two_sided(&self) -> f64 {
        2.0 * self.distribution.cdf(-self.t().abs())
    }

    /// Returns the 95 % confidence interval of the mean.
    pub(super) fn interval(&self) -> [f64; 2] {
        let reach = self.distribution.inverse_cdf(0.975) * self.error;
        [self.mean - reach, self.mean + reach]
    }
}

/// Welch's t-test of the difference of two means: `second` − `first`.
///
/// Assumes values that are independent and near to normal; both may scatter differently.
pub(super) struct Welch(StudentT);

impl Welch {
    /// Returns the test; `None` of fewer than two values on a side, or if neither side's vary.
    pub(super) fn new(first: &[f64], second: &[f64]) -> Option<Self> {
        let part = |values: &[f64]| Some(deviation(values)?.powi(2) / values.len() as f64);
        let parts = [part(first)?, part(second)?];
        let vary = |values: &[f64]| values.windows(2).any(|pair| pair[0] != pair[1]);
        let variance: f64 = parts.iter().sum();
        let free = [first, second].map(|values| values.len() as f64 - 1.0);
        let freedom = variance.powi(2) / (parts[0].powi(2) / free[0] + parts[1].powi(2) / free[1]);
        let distribution = StudentsT::new(0.0, 1.0, freedom).ok()?;
        ((vary(first) || vary(second)) && variance > 0.0).then(|| {
            Self(StudentT {
                mean: mean(second) - mean(first),
                error: variance.sqrt(),
                distribution,
            })
        })
    }

    /// Returns the standard error of the difference.
    pub(super) fn error(&self) -> f64 {
        self.0.error
    }

    /// Returns the difference over its standard error.
    pub(super) fn t(&self) -> f64 {
        self.0.t()
    }

    /// Returns the probability of a t so far from zero, on either side, if the means were the same.
    pub(super) fn p_two_sided(&self) -> f64 {
        self.0.p_two_sided()
    }

    /// Returns the 95 % confidence interval of the difference.
    pub(super) fn interval(&self) -> [f64; 2] {
        self.0.interval()
    }
}

/// Returns the mean; NaN of no values.
pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Returns the standard deviation of the population that two or more values are drawn from.
pub(super) fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() as f64 - 1.0)).sqrt())
}

/// Returns one standard deviation below and above the mean; of two or more values.
pub(super) fn spread(values: &[f64]) -> Option<[f64; 2]> {
    let (mean, deviation) = (mean(values), deviation(values)?);
    Some([mean - deviation, mean + deviation])
}

/// Fisher's permutation test of a mean against zero: the sign of each value is flipped.
///
/// Assumes values that are independent and, were there nothing behind them, as often of one sign
/// as of the other at every magnitude. It needs no normal distribution, but knows only as many
/// sums as there are flips.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SignFlip {
    /// How many flips are compared: all of them, or as many as are drawn.
    pub flips: usize,
    /// Whether these are all of them.
    pub exact: bool,
    /// The least p-value that so many values can have, before any correction.
    pub least_p: f64,
}

impl SignFlip {
    /// Chooses the flips for a number of values: all up to 16, otherwise 9,999 at random.
    pub(super) fn new(values: usize) -> Self {
        if values <= MOST_ENUMERATED {
            let flips = 1 << values;
            Self {
                flips,
                exact: true,
                // Both the values as they are and all of them flipped are as far from zero.
                least_p: (2.0 / flips as f64).min(1.0),
            }
        } else {
            Self {
                flips: DRAWS,
                exact: false,
                least_p: 1.0 / (1 + DRAWS) as f64,
            }
        }
    }

    /// Returns the part of the flips with a sum at least as far from zero, on either side.
    ///
    /// Where flips are drawn, the values as they are count as one of them (Phipson and Smyth,
    /// 2010), so that p is never zero.
    pub(super) fn p_two_sided(self, values: &[f64], seed: u64) -> f64 {
        let magnitude: f64 = values.iter().map(|value| value.abs()).sum();
        // Sums that are equal but for rounding count as equal.
        let reached = values.iter().sum::<f64>().abs() - 1e-12 * magnitude;
        let flipped = |flip: &mut dyn FnMut(usize) -> bool| {
            let signed = values.iter().enumerate();
            let sum: f64 = signed
                .map(|(index, value)| if flip(index) { -value } else { *value })
                .sum();
            usize::from(sum.abs() >= reached)
        };
        if self.exact {
            let count = |flips: usize| flipped(&mut |index| flips >> index & 1 == 1);
            (0..self.flips).map(count).sum::<usize>() as f64 / self.flips as f64
        } else {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let drawn = (0..self.flips).map(|_| flipped(&mut |_| rng.random()));
            (1 + drawn.sum::<usize>()) as f64 / (1 + self.flips) as f64
        }
    }
}

/// Returns p-values corrected for their number after Holm (1979), in their order.
///
/// The probability that any of those at most alpha is there by chance is then at most alpha,
/// whether or not they depend on each other.
pub(super) fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut corrected = vec![0.0; p.len()];
    let mut least: f64 = 0.0;
    for (rank, index) in order.into_iter().enumerate() {
        least = least.max(p[index] * (p.len() - rank) as f64).min(1.0);
        corrected[index] = least;
    }
    corrected
}

/// Returns the p-values that there are, corrected for their number after Holm.
pub(super) fn holm_of_known(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let known: Vec<f64> = p.iter().copied().flatten().collect();
    let mut corrected = holm(&known).into_iter();
    p.iter().map(|p| p.and_then(|_| corrected.next())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_t_test_agrees_with_the_textbook() {
        // With 2 degrees of freedom P(|T| > t) = 1 − t/√(t² + 2). The mean of 1, 2, 6 is 3, its
        // deviation √7, t = 3/√(7/3), t² = 27/7: p = 1 − √(27/41).
        let test = StudentT::new(&[1.0, 2.0, 6.0]).unwrap();
        let p = 1.0 - (27.0_f64 / 41.0).sqrt();
        assert!((test.t().powi(2) - 27.0 / 7.0).abs() < 1e-12);
        assert!((test.p_two_sided() - p).abs() < 1e-9);
        assert!((test.p_above() - p / 2.0).abs() < 1e-9);
        assert!((test.p_below() + test.p_above() - 1.0).abs() < 1e-12);
        // The same formula gives P(|T| > 4.3027) = 0.05.
        let reach = 4.302_652_73 * (7.0_f64 / 3.0).sqrt();
        let [low, high] = test.interval();
        assert!((low - (3.0 - reach)).abs() < 1e-6 && (high - (3.0 + reach)).abs() < 1e-6);
    }

    /// 0, 2 and 0, 0, 6, 6: means 1 and 3, variances 2 and 12, of the means 1 and 3. The difference
    /// 2 has the error 2, t = 1, and 4²/(1²/1 + 3²/3) = 4 degrees of freedom, with which
    /// P(|T| > t) = 1 − u(3 − u²)/2, u = t/√(t² + 4).
    #[test]
    fn the_difference_of_two_means_is_tested_as_welch_does() {
        let test = Welch::new(&[0.0, 2.0], &[0.0, 0.0, 6.0, 6.0]).unwrap();
        assert!((test.error() - 2.0).abs() < 1e-12 && (test.t() - 1.0).abs() < 1e-12);
        let u = 0.2_f64.sqrt();
        assert!((test.p_two_sided() - (1.0 - u * (3.0 - u * u) / 2.0)).abs() < 1e-9);
        let [low, high] = test.interval();
        assert!((low - (2.0 - 2.0 * 2.776_445_105)).abs() < 1e-7);
        assert!((high - (2.0 + 2.0 * 2.776_445_105)).abs() < 1e-7);
        assert!(Welch::new(&[0.0], &[1.0, 2.0]).is_none());
        assert!(Welch::new(&[0.1, 0.1, 0.1], &[0.2, 0.2]).is_none());
    }

    #[test]
    fn copies_and_single_values_are_not_tested() {
        assert!(StudentT::new(&[0.1, 0.1, 0.1]).is_none());
        assert!(StudentT::new(&[0.25]).is_none());
        assert!(StudentT::new(&[]).is_none());
    }

    #[test]
    fn three_values_are_flipped_in_eight_ways() {
        let flips = SignFlip::new(3);
        assert_eq!((flips.flips, flips.exact, flips.least_p), (8, true, 0.25));
        // Sums of ±1 ±2 ±6: ±9, ±7, ±5, ±3.
        assert_eq!(flips.p_two_sided(&[1.0, 2.0, 6.0], 0), 0.25);
        assert_eq!(flips.p_two_sided(&[-1.0, 2.0, 6.0], 0), 0.5);
        assert_eq!(flips.p_two_sided(&[1.0, 2.0, -6.0], 0), 1.0);
        // Sums of ±0.1 ±0.2 ±0.3: ±0.6, ±0.4, ±0.2 and twice 0.
        assert_eq!(flips.p_two_sided(&[-0.1, -0.2, 0.3], 0), 1.0);
    }

    #[test]
    fn drawn_flips_come_near_to_the_exact_p() {
        let flips = SignFlip::new(17);
        assert!(!flips.exact);
        // Sums of 17 ones are as far as 9 where 13 or more are of one sign:
        // 2 · (1 + 17 + 136 + 680 + 2380)/2¹⁷ = 0.04904, with a deviation of 0.0022.
        let values: Vec<f64> = (0..17)
            .map(|index| if index < 13 { 1.0 } else { -1.0 })
            .collect();
        let p = flips.p_two_sided(&values, 3);
        assert!((p - 0.04904).abs() < 0.0066, "{p}");
        // The seed gives the same p on every machine and in every version.
        assert_eq!(p, 0.0486);
        // One draw in 2¹⁶ is as far from zero as all of one sign.
        let of_one_sign = flips.p_two_sided(&[1.0; 17], 3);
        assert!((flips.least_p..=3.0 * flips.least_p).contains(&of_one_sign));
    }

    #[test]
    fn holm_multiplies_by_those_left_and_never_falls() {
        assert_eq!(holm(&[0.01, 0.04, 0.03, 0.9]), [0.04, 0.09, 0.09, 0.9]);
        assert_eq!(holm(&[0.5, 0.75]), [1.0, 1.0]);
        assert_eq!(
            holm_of_known(&[Some(0.25), None, Some(0.125)]),
            [Some(0.25), None, Some(0.25)]
        );
    }
}
