//! Peaks of one series: where they are and how far they stand out.

use crate::analysis::stats::{running_median, smoothed};

/// A local maximum of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Maximum {
    /// Where it is in the series.
    pub(super) position: usize,
    /// How far it is above the running median, or above zero without one.
    pub(super) height: f64,
}

/// Returns the strict local maxima of a signal, highest first.
///
/// The signal is averaged over `smooth` values first. Heights are above the running median of
/// `detrend` values; 0 is for heights above zero.
pub(super) fn peaks(signal: &[f64], smooth: usize, detrend: usize) -> Vec<Maximum> {
    let smoothed = smoothed(signal, smooth);
    let baseline = match detrend {
        0 => vec![0.0; signal.len()],
        width => running_median(&smoothed, width),
    };
    let mut peaks: Vec<Maximum> = smoothed
        .windows(3)
        .enumerate()
        .filter(|(_, near)| near[1] > near[0] && near[1] > near[2])
        .map(|(before, near)| Maximum {
            position: before + 1,
            height: near[1] - baseline[before + 1],
        })
        .collect();
    // Stable: of equal heights the earlier one comes first.
    peaks.sort_by(|a, b| b.height.total_cmp(&a.height));
    peaks
}

#[cfg(test)]
mod tests {
    use super::*;

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
