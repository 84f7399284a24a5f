//! Series without their noise.

/// Returns how many steps a smoothed line averages over unless another number is asked for: about
/// a thirtieth of all steps, an odd number.
pub(crate) fn smoothing_window(steps: usize) -> usize {
    steps / 60 * 2 + 1
}

/// Returns a series smoothed over `window` steps (an even number counts as the next odd one): the
/// mean of each value and its neighbours. This is the Savitzky-Golay filter of order 1.
///
/// At the ends, where there are neighbours on one side only, it is the least-squares line through
/// the first or last `window` values. A mean of the neighbours that are there would bend every
/// trend, most of all the steep start of training; a window that narrows towards the end would
/// make the last value that of a single step, with all its noise. A straight line stays what it
/// is.
///
/// Values that are not finite are left out; where nothing is left, the result is NaN. A window
/// that is longer than the series is cut to it.
pub(crate) fn smoothed(values: &[f64], window: usize) -> Vec<f64> {
    let reach = (window / 2).min(values.len().saturating_sub(1) / 2);
    if reach == 0 {
        return values.to_vec();
    }
    let window = 2 * reach + 1;
    let (mut sums, mut counts) = (vec![0.0], vec![0usize]);
    for (at, value) in values.iter().enumerate() {
        let finite = value.is_finite();
        sums.push(sums[at] + if finite { *value } else { 0.0 });
        counts.push(counts[at] + usize::from(finite));
    }
    let mean = |start: usize| {
        let end = start + window;
        (sums[end] - sums[start]) / (counts[end] - counts[start]) as f64
    };
    let last = values.len() - window;
    let (first_line, last_line) = (
        Line::through(&values[..window]),
        Line::through(&values[last..]),
    );
    let ends = 0..reach;
    let middle = (0..=last).map(mean);
    ends.clone()
        .map(|at| first_line.at(at))
        .chain(middle)
        .chain(ends.map(|at| last_line.at(reach + 1 + at)))
        .collect()
}

/// The least-squares line through the finite ones of some values.
struct Line {
    /// The mean of the places and of the values.
    center: (f64, f64),
    slope: f64,
}

impl Line {
    fn through(values: &[f64]) -> Self {
        let points = || {
            let finite = values.iter().enumerate();
            finite
                .filter(|(_, value)| value.is_finite())
                .map(|(at, value)| (at as f64, *value))
        };
        let count = points().count() as f64;
        let center = (
            points().map(|(at, _)| at).sum::<f64>() / count,
            points().map(|(_, value)| value).sum::<f64>() / count,
        );
        let moment = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
            points()
                .map(|(at, value)| of(at - center.0, value - center.1))
                .sum()
        };
        let squares = moment(&|at, _| at * at);
        let slope = if squares > 0.0 {
            moment(&|at, value| at * value) / squares
        } else {
            0.0
        };
        Self { center, slope }
    }

    fn at(&self, at: usize) -> f64 {
        self.center.1 + self.slope * (at as f64 - self.center.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_a_mean_and_the_ends_are_lines() {
        // scipy.signal.savgol_filter(values, 3, 1). The first line is through 0, 0, 3: mean 1,
        // slope 3/2; the last one through 6, 0, 0: mean 2, slope −3.
        let values = [0.0, 0.0, 3.0, 0.0, 6.0, 0.0, 0.0];
        let expected = [-0.5, 1.0, 1.0, 3.0, 2.0, 2.0, -1.0];
        assert_eq!(smoothed(&values, 3), expected);
        assert_eq!(smoothed(&values, 2), expected);
        // The whole is one line: mean 9/7, slope Σ(x − 3)·y / 28 = (−3 + 6)/28.
        let line = smoothed(&values, 99);
        for (at, value) in line.iter().enumerate() {
            let expected = 9.0 / 7.0 + 3.0 / 28.0 * (at as f64 - 3.0);
            assert!((value - expected).abs() < 1e-12, "{line:?}");
        }
    }

    #[test]
    fn a_straight_line_stays_as_it_is() {
        let line: Vec<f64> = (0..20).map(|step| 3.0 - 0.25 * f64::from(step)).collect();
        for window in [1, 3, 8, 19, 50] {
            for (smooth, value) in smoothed(&line, window).iter().zip(&line) {
                assert!((smooth - value).abs() < 1e-12, "window {window}");
            }
        }
    }

    #[test]
    fn what_is_not_finite_is_left_out_and_nothing_at_all_is_nan() {
        let gap = smoothed(&[1.0, f64::NAN, 3.0, 4.0, f64::INFINITY], 3);
        assert_eq!(gap, [1.0, 2.0, 3.5, 3.5, 5.0]);
        assert!(
            smoothed(&[f64::NAN; 5], 3)
                .iter()
                .all(|value| value.is_nan())
        );
        assert!(smoothed(&[], 3).is_empty());
        assert_eq!(smoothed(&[1.0, 5.0], 3), [1.0, 5.0]);
    }

    #[test]
    fn a_window_is_odd_and_about_a_thirtieth() {
        assert_eq!(
            [0, 59, 60, 220, 5000].map(smoothing_window),
            [1, 1, 3, 7, 167]
        );
    }
}
