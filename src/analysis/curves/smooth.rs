//! Series without their noise.

/// Returns the mean of each value and its neighbours, `window` in all (an even number counts as
/// the next odd one), of fewer at the ends.
///
/// Values that are not finite are left out of the means; where nothing is left, the mean is NaN.
pub fn running_mean(values: &[f64], window: usize) -> Vec<f64> {
    let reach = window / 2;
    let (mut sums, mut counts) = (vec![0.0], vec![0usize]);
    for (at, value) in values.iter().enumerate() {
        let finite = value.is_finite();
        sums.push(sums[at] + if finite { *value } else { 0.0 });
        counts.push(counts[at] + usize::from(finite));
    }
    let mean = |at: usize| {
        // At the ends the window narrows on both sides, so that a trend is not bent.
        let reach = reach.min(at).min(values.len() - 1 - at);
        let (from, to) = (at - reach, at + reach + 1);
        match counts[to] - counts[from] {
            0 => f64::NAN,
            count => (sums[to] - sums[from]) / count as f64,
        }
    };
    (0..values.len()).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_mean_keeps_a_straight_line_and_passes_over_what_is_not_finite() {
        let line: Vec<f64> = (0..9).map(f64::from).collect();
        assert_eq!(running_mean(&line, 5), line);
        assert_eq!(running_mean(&[1.0, f64::NAN, 3.0], 3), [1.0, 2.0, 3.0]);
        assert!(running_mean(&[f64::NAN], 3)[0].is_nan());
        assert!(running_mean(&[], 3).is_empty());
    }
}
