//! Long series, made short enough to be shown.

/// Returns how many consecutive steps make a window, so that there are at most `most` windows;
/// `chunks` of so many are the windows, the last of which may have fewer steps.
pub(crate) fn steps_per_window(steps: usize, most: usize) -> usize {
    steps.div_ceil(most.max(1)).max(1)
}

/// Returns the last value of every window of so many steps.
pub(crate) fn last_of_windows<T: Copy>(values: &[T], steps: usize) -> Vec<T> {
    let windows = values.chunks(steps);
    windows
        .filter_map(|window| window.last().copied())
        .collect()
}

/// Returns what can be seen of a line: of consecutive points in the same column of a picture the
/// first, the lowest, the highest and the last, in their order (the M4 aggregation of Jugel,
/// Jerzak, Hackenbroich and Markl, 2014).
///
/// Points whose height is not finite are gaps, and stay gaps.
#[cfg_attr(
    not(feature = "report"),
    allow(dead_code, reason = "only pictures need it")
)]
pub(crate) fn extremes_by_column<P: Copy>(
    points: &[P],
    column: impl Fn(&P) -> i64,
    height: impl Fn(&P) -> f64,
) -> Vec<P> {
    let together =
        |a: &P, b: &P| column(a) == column(b) && height(a).is_finite() == height(b).is_finite();
    let mut kept = Vec::new();
    for group in points.chunk_by(together) {
        let by_height = |a: &usize, b: &usize| height(&group[*a]).total_cmp(&height(&group[*b]));
        let last = group.len() - 1;
        let mut indices = vec![0, last];
        if height(&group[0]).is_finite() {
            indices.extend((0..group.len()).min_by(by_height));
            indices.extend((0..group.len()).max_by(by_height));
        }
        indices.sort_unstable();
        indices.dedup();
        kept.extend(indices.into_iter().map(|index| group[index]));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_as_long_as_so_many_need() {
        let found = [(0, 10), (10, 10), (11, 10), (5000, 3000), (7, 0)];
        let expected = [1, 1, 2, 2, 7];
        assert_eq!(
            found.map(|(steps, most)| steps_per_window(steps, most)),
            expected
        );
    }

    #[test]
    fn a_column_keeps_its_first_lowest_highest_and_last_point_and_gaps() {
        let heights = [
            5.0,
            9.0,
            1.0,
            4.0,
            4.0,
            f64::NAN,
            f64::NAN,
            f64::NAN,
            2.0,
            7.0,
        ];
        let points: Vec<(usize, f64)> = heights.into_iter().enumerate().collect();
        let kept = |per_column: usize| -> Vec<usize> {
            let kept =
                extremes_by_column(&points, |(at, _)| (at / per_column) as i64, |point| point.1);
            kept.into_iter().map(|(at, _)| at).collect()
        };
        assert_eq!(kept(1), (0..10).collect::<Vec<_>>());
        assert_eq!(kept(10), [0, 1, 2, 4, 5, 7, 8, 9]);
        assert_eq!(kept(5), [0, 1, 2, 4, 5, 7, 8, 9]);
        assert_eq!(kept(3), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
}
