//! Whether the mean of a few independent numbers differs from zero.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Up to how many numbers all assignments of signs are gone through: 65,536 of them.
const EXACT: usize = 16;
/// Assignments that are drawn where there are too many to go through.
const DRAWN: u64 = 100_000;
const SEED: u64 = 0;

/// The p-value of a sign-flip permutation test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SignFlip {
    /// The two-sided p-value.
    pub p: f64,
    /// Assignments of signs that were looked at.
    pub flips: u64,
    /// Whether these are all that there are.
    pub exact: bool,
}

/// Returns the mean of numbers.
pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Returns the standard deviation of a sample (divisor n − 1); `None` of fewer than two numbers.
pub(super) fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}

/// Returns the two-sided p-value of Student's t-test (1908) that the mean is zero.
///
/// `None` of fewer than two numbers, of numbers that are not finite, and of numbers without
/// spread beyond rounding, which can't be independent measurements.
pub(super) fn t_test(values: &[f64]) -> Option<f64> {
    let (mean, deviation) = (mean(values), deviation(values)?);
    if !deviation.is_finite() || deviation <= 1e-12 * mean.abs() {
        return None;
    }
    let count = values.len() as f64;
    let t = mean / (deviation / count.sqrt());
    let distribution = StudentsT::new(0.0, 1.0, count - 1.0).ok()?;
    Some((2.0 * distribution.sf(t.abs())).min(1.0))
}

/// Returns the two-sided p-value of the sign-flip permutation test (Fisher 1935) that every
/// number is as likely as its negative: the share of all assignments of signs whose sum is as
/// far from zero as the one seen.
///
/// With n numbers it is never below 2/2^n. Where there are too many assignments to go through,
/// the one seen counts as one of those drawn, which keeps the test valid (Phipson and Smyth
/// 2010). `None` of fewer than two numbers and of numbers that are not finite.
pub(super) fn sign_flip(values: &[f64]) -> Option<SignFlip> {
    let (first, others) = values
        .split_first()
        .filter(|(_, others)| !others.is_empty())?;
    let all: f64 = values.iter().map(|value| value.abs()).sum();
    if !all.is_finite() {
        return None;
    }
    // What is equal but for rounding counts as equal.
    let seen = values.iter().sum::<f64>().abs() - 1e-12 * all;
    let as_far = |signs: u64| {
        let flipped = others.iter().enumerate().map(|(place, value)| {
            if signs >> (place % 64) & 1 == 1 {
                -value
            } else {
                *value
            }
        });
        (first + flipped.sum::<f64>()).abs() >= seen
    };
    if values.len() <= EXACT {
        // The first keeps its sign: the other half mirrors this one.
        let half = 1u64 << others.len();
        let count = (0..half).filter(|signs| as_far(*signs)).count();
        return Some(SignFlip {
            p: count as f64 / half as f64,
            flips: 2 * half,
            exact: true,
        });
    }
    let mut rng = StdRng::seed_from_u64(SEED);
    let mut sum_as_far = || {
        let flipped = values
            .iter()
            .map(|value| if rng.random() { *value } else { -value });
        flipped.sum::<f64>().abs() >= seen
    };
    let count = (0..DRAWN).filter(|_| sum_as_far()).count();
    Some(SignFlip {
        p: (count + 1) as f64 / (DRAWN + 1) as f64,
        flips: DRAWN,
        exact: false,
    })
}

/// Returns p-values corrected for their number by Holm's method (1979), in their order.
///
/// Rejecting those below α keeps the probability of any false rejection below α, whatever the
/// dependence between them. Missing p-values don't count.
pub(super) fn holm(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let known = p_values.iter().enumerate();
    let mut order: Vec<(usize, f64)> = known
        .filter_map(|(place, p)| Some((place, (*p)?)))
        .collect();
    order.sort_by(|one, other| one.1.total_cmp(&other.1));
    let mut corrected = vec![None; p_values.len()];
    let mut least: f64 = 0.0;
    for (rank, (place, p)) in order.iter().enumerate() {
        least = least.max(p * (order.len() - rank) as f64).min(1.0);
        corrected[*place] = Some(least);
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_t_test_agrees_with_its_closed_form_for_three_degrees_of_freedom() {
        // With u = t/√3 the two-sided p is 1 − 2/π·(u/(1 + u²) + atan u).
        let values = [1.0, 2.0, 0.5, 3.0];
        let u: f64 = 1.625 / (3.6875_f64 / 12.0).sqrt() / 3f64.sqrt();
        let expected = 1.0 - 2.0 / std::f64::consts::PI * (u / (1.0 + u * u) + u.atan());
        assert!((t_test(&values).unwrap() - expected).abs() < 1e-9);
    }

    #[test]
    fn all_signs_are_gone_through_where_they_are_few() {
        // Of the 8 assignments only +++ and −−− reach 6; +, +, − of 1, 2, 3 gives 0.
        let flip = sign_flip(&[1.0, 2.0, 3.0]).unwrap();
        assert_eq!((flip.p, flip.flips, flip.exact), (0.25, 8, true));
        // Sums of ±2 ±1 ±1 are as far from 0 as 2 − 1 + 1 but for +2 −1 −1 and its mirror.
        assert_eq!(sign_flip(&[2.0, -1.0, 1.0]).unwrap().p, 0.75);
        assert_eq!(sign_flip(&[0.0, 0.0]).unwrap().p, 1.0);
    }

    #[test]
    fn drawn_signs_agree_with_the_normal_limit() {
        // 40 equal numbers with 26 positive: P(|sum| ≥ 12) of fair coins is 0.0807.
        let values: Vec<f64> = (0..40)
            .map(|place| if place < 26 { 1.0 } else { -1.0 })
            .collect();
        let flip = sign_flip(&values).unwrap();
        assert!(!flip.exact && (flip.p - 0.0807).abs() < 0.004, "{flip:?}");
    }

    #[test]
    fn what_cannot_be_tested_has_no_p_value() {
        for values in [&[][..], &[1.0], &[f64::NAN, 1.0], &[f64::INFINITY, 1.0]] {
            assert_eq!(
                (t_test(values), sign_flip(values)),
                (None, None),
                "{values:?}"
            );
        }
        assert_eq!(t_test(&[-0.1, -0.1, -0.1]), None);
    }

    #[test]
    fn holm_corrects_for_the_p_values_that_there_are() {
        let p = [Some(0.01), None, Some(0.04), Some(0.03), Some(0.9)];
        let corrected = holm(&p);
        assert_eq!(
            corrected,
            [Some(0.04), None, Some(0.09), Some(0.09), Some(0.9)]
        );
    }
}
