//! Peaks of one series: where they are and how far they stand out.

/// A peak of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Peak {
    /// Where it is in the series.
    pub(super) position: usize,
    /// How far it is above the running median, or above zero without one.
    pub(super) height: f64,
}

/// Returns the strict local maxima of a signal, highest first.
///
/// The signal is averaged over `smooth` values first. Heights are above the running median of
/// `detrend` values; 0 is for heights above zero.
pub(super) fn peaks(signal: &[f64], smooth: usize, detrend: usize) -> Vec<Peak> {
    let smoothed = moving_average(signal, smooth);
    let baseline = match detrend {
        0 => vec![0.0; signal.len()],
        width => running_median(&smoothed, width),
    };
    let mut peaks: Vec<Peak> = smoothed
        .windows(3)
        .enumerate()
        .filter(|(_, near)| near[1] > near[0] && near[1] > near[2])
        .map(|(before, near)| Peak {
            position: before + 1,
            height: near[1] - baseline[before + 1],
        })
        .collect();
    // Stable: of equal heights the earlier one comes first.
    peaks.sort_by(|one, other| other.height.total_cmp(&one.height));
    peaks
}

/// Returns the mean of the values around each one, `width` of them, fewer near the ends.
fn moving_average(values: &[f64], width: usize) -> Vec<f64> {
    let last = values.len().saturating_sub(1);
    let around = |center: usize| {
        let radius = (width / 2).min(center).min(last - center);
        let near = &values[center - radius..=center + radius];
        near.iter().sum::<f64>() / near.len() as f64
    };
    (0..values.len()).map(around).collect()
}

/// Returns the median of the `width` values around each one.
///
/// Near the ends the window stays whole, and the value is no longer in its middle: a shorter one
/// would follow the values there more closely than elsewhere.
pub(in crate::analysis) fn running_median(values: &[f64], width: usize) -> Vec<f64> {
    let width = width.clamp(1, values.len().max(1));
    let mut sorted: Vec<f64> = values.iter().take(width).copied().collect();
    sorted.sort_by(f64::total_cmp);
    let mut medians = Vec::with_capacity(values.len());
    let mut start = 0;
    for center in 0..values.len() {
        let wanted = center.saturating_sub(width / 2).min(values.len() - width);
        if wanted > start {
            replace(&mut sorted, values[start], values[start + width]);
            start = wanted;
        }
        medians.push(0.5 * (sorted[(width - 1) / 2] + sorted[width / 2]));
    }
    medians
}

/// Takes a value out of sorted values and puts another in.
fn replace(sorted: &mut Vec<f64>, old: f64, new: f64) {
    let place = |sorted: &[f64], value: f64| {
        sorted.partition_point(|other| other.total_cmp(&value).is_lt())
    };
    sorted.remove(place(sorted, old));
    sorted.insert(place(sorted, new), new);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_median_is_the_median_of_every_window() {
        let values: Vec<f64> = (0..40)
            .map(|step| f64::from(step * step * 7919 % 31))
            .collect();
        for width in [1, 2, 5, 8, 40, 99] {
            let medians = running_median(&values, width);
            for (center, median) in medians.iter().enumerate() {
                let width = width.min(40);
                let start = center.saturating_sub(width / 2).min(40 - width);
                let mut window = values[start..start + width].to_vec();
                window.sort_by(f64::total_cmp);
                let expected = match width % 2 {
                    1 => window[width / 2],
                    _ => 0.5 * (window[width / 2 - 1] + window[width / 2]),
                };
                assert_eq!(*median, expected, "width {width} at {center}");
            }
        }
        assert!(running_median(&[], 5).is_empty());
    }

    #[test]
    fn only_strict_maxima_within_the_series_are_peaks() {
        let positions = |signal: &[f64]| -> Vec<usize> {
            peaks(signal, 1, 0)
                .iter()
                .map(|peak| peak.position)
                .collect()
        };
        assert_eq!(
            positions(&[9.0, 1.0, 3.0, 2.0, 5.0, 5.0, 1.0, 4.0, 0.0, 9.0]),
            [7, 2]
        );
        for short in [&[][..], &[1.0], &[1.0, 2.0]] {
            assert!(positions(short).is_empty());
        }
    }

    #[test]
    fn height_is_above_the_trend_and_smoothing_averages() {
        // A ramp with two bumps: the later one is higher above zero, the earlier one stands out.
        // A bump moves the median of the 9 values around it up by one.
        let mut signal: Vec<f64> = (0..41).map(f64::from).collect();
        signal[10] += 8.0;
        signal[30] += 3.0;
        let raw = peaks(&signal, 1, 0);
        let detrended = peaks(&signal, 1, 9);
        assert_eq!((raw[0].position, raw[0].height), (30, 33.0));
        assert_eq!((detrended[0].position, detrended[0].height), (10, 7.0));
        let smooth = peaks(&[0.0, 0.0, 3.0, 0.0, 6.0, 0.0, 0.0], 3, 0);
        assert_eq!(smooth.len(), 1);
        assert_eq!((smooth[0].position, smooth[0].height), (3, 3.0));
    }
}
