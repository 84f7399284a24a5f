use crate::analysis::stats::{FineBins, coarse};

use super::samples::{double_weibull, fine, histogram};

#[test]
fn every_value_lies_in_a_bin_a_part_in_a_thousand_wide() {
    for exponent in -35..38 {
        for digits in [1.0, 1.9999, 1.414, 3.00001, -7.77] {
            let value = (digits * 10f64.powi(exponent)) as f32;
            let bins = fine(&[value]);
            let (from, to) = (bins[0].lower, bins[0].upper);
            assert!(
                from <= f64::from(value) && f64::from(value) <= to,
                "{value} {bins:?}"
            );
            assert!(
                (to - from).abs() <= 1.01e-3 * f64::from(value.abs()),
                "{bins:?}"
            );
        }
    }
}

#[test]
fn values_of_ten_digits_are_counted_exactly() {
    let step = 2f32.powi(-30);
    let values: Vec<f32> = (1024..2048).map(|digits| digits as f32 * step).collect();
    let bins = fine(&values);
    assert_eq!(bins.len(), values.len());
    assert!(bins.windows(2).all(|pair| pair[0].upper == pair[1].lower));
}

#[test]
fn the_ends_of_the_range_have_their_place() {
    let mut bins = FineBins::new();
    for value in [
        f32::MAX,
        -f32::MAX,
        f32::from_bits(1),
        0.0,
        -0.0,
        f32::NAN,
        f32::INFINITY,
    ] {
        bins.add(value);
    }
    assert_eq!((bins.zero, bins.not_finite), (2, 2));
    let bins = bins.bins();
    assert_eq!(bins.len(), 4);
    assert!(bins.windows(2).all(|pair| pair[0].upper <= pair[1].lower));
}

#[test]
fn bins_for_figures_hold_every_value_between_their_edges() {
    let values = double_weibull(0.5, 1e-6, 1_000, 4);
    let (bins, exact) = (coarse(&fine(&values)), histogram(&values));
    assert_eq!(bins.len(), exact.len());
    for (bin, exact) in bins.iter().zip(&exact) {
        assert_eq!((bin.lower, bin.upper), (exact.lower, exact.upper));
        // Rounding moves a value over an edge once in a thousand.
        assert!(bin.count.abs_diff(exact.count) <= 3, "{bin:?} {exact:?}");
    }
}
