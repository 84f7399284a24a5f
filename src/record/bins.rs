//! The bins of the `histograms` table: signed, logarithmic, one for every `f32`.
//!
//! From the most negative value up: overflow, 132 bins, underflow, exact zero, underflow,
//! 132 bins, overflow; and last one bin for values that are not finite.

use std::ops::Range;
use std::sync::Arc;

use super::rows::HistogramRow;

/// Bins per factor of ten.
const PER_DECADE: i32 = 4;
/// The decimal exponents between which the bins lie.
const LOWEST_DECADE: i32 = -30;
const HIGHEST_DECADE: i32 = 3;
/// Bins of one sign between the two, without underflow and overflow.
const REGULAR: i32 = (HIGHEST_DECADE - LOWEST_DECADE) * PER_DECADE;
/// The bin of exact zeros; the others lie symmetrically around it.
const ZERO: i32 = REGULAR + 2;
/// The bin of values that are not finite.
const NOT_FINITE: i32 = 2 * ZERO + 1;

/// How many bins a histogram has.
pub(crate) const HISTOGRAM_BINS: usize = NOT_FINITE as usize + 1;

/// Returns the bin of a value.
///
/// As a device can compute it for a finite x ≠ 0:
/// `134 + sign(x) · (clamp(floor(log10|x| · 4), −121, 12) + 122)`; zero is 134, not finite 269.
/// Values within rounding of an edge may fall on either side of it, depending on the device.
#[cfg(test)]
pub(crate) fn histogram_bin(value: f32) -> usize {
    let bin = if !value.is_finite() {
        NOT_FINITE
    } else if value == 0.0 {
        ZERO
    } else {
        let magnitude =
            (value.abs().log10() * PER_DECADE as f32).floor() as i32 - LOWEST_DECADE * PER_DECADE;
        let distance = magnitude.clamp(-1, REGULAR) + 2;
        if value > 0.0 {
            ZERO + distance
        } else {
            ZERO - distance
        }
    };
    bin as usize
}

/// Returns the lower and upper edge of a bin; `None` for the bin of values that are not finite.
///
/// The edge that is nearer to zero belongs to the bin, the other one to its neighbour.
fn histogram_edges(bin: usize) -> Option<(f64, f64)> {
    let bin = i32::try_from(bin).ok().filter(|bin| *bin < NOT_FINITE)?;
    let distance = (bin - ZERO).abs();
    if distance == 0 {
        return Some((0.0, 0.0));
    }
    let edge =
        |step: i32| 10f64.powf(f64::from(LOWEST_DECADE) + f64::from(step) / f64::from(PER_DECADE));
    let near = if distance == 1 {
        0.0
    } else {
        edge(distance - 2)
    };
    let far = if distance == REGULAR + 2 {
        f64::INFINITY
    } else {
        edge(distance - 1)
    };
    Some(if bin > ZERO {
        (near, far)
    } else {
        (-far, -near)
    })
}

/// Returns the rows of a tensor's LCA over a window of steps, from one count per bin.
pub(crate) fn histogram_rows(
    window: Range<u64>,
    tensor: &Arc<str>,
    counts: &[u64],
) -> impl Iterator<Item = HistogramRow> {
    let filled = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    filled.map(move |(bin, count)| {
        let (lower, upper) = histogram_edges(bin).unzip();
        HistogramRow {
            window_start: window.start,
            window_end: window.end,
            tensor: tensor.clone(),
            lower,
            upper,
            count: *count,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_within_the_edges_of_its_bin() {
        for exponent in -400..=400 {
            // 1.1: away from the edges, where rounding decides.
            let magnitude = 1.1 * 10f64.powf(f64::from(exponent) / 10.0);
            for value in [magnitude as f32, -magnitude as f32] {
                let bin = histogram_bin(value);
                if !value.is_finite() {
                    assert_eq!(bin, HISTOGRAM_BINS - 1);
                    continue;
                }
                let (lower, upper) = histogram_edges(bin).unwrap();
                let value = f64::from(value);
                assert!(
                    lower <= value && value <= upper,
                    "{value} in bin {bin}: {lower}..{upper}"
                );
            }
        }
    }

    #[test]
    fn bins_are_adjacent_and_cover_the_line() {
        let edges: Vec<_> = (0..HISTOGRAM_BINS - 1)
            .map(|bin| histogram_edges(bin).unwrap())
            .collect();
        assert_eq!(edges[0].0, f64::NEG_INFINITY);
        assert_eq!(edges[HISTOGRAM_BINS - 2].1, f64::INFINITY);
        assert!(edges.windows(2).all(|pair| pair[0].1 == pair[1].0));
    }

    #[test]
    fn zero_nan_and_infinity_have_bins_of_their_own() {
        assert_eq!(histogram_bin(0.0), 134);
        assert_eq!(histogram_bin(-0.0), 134);
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(histogram_bin(value), 269);
        }
        assert_eq!(histogram_bin(f32::MIN_POSITIVE), 135);
        assert_eq!(histogram_bin(f32::MAX), 268);
        assert_eq!(histogram_bin(-f32::MAX), 0);
    }
}
