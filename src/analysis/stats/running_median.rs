//! The trend of a series, which peaks stand out from.

/// Returns the median of the `width` values around each one.
///
/// Near the ends the window stays whole, and the value is no longer in its middle: a shorter one
/// would follow the values there more closely than elsewhere.
pub(crate) fn running_median(values: &[f64], width: usize) -> Vec<f64> {
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
    let index = |sorted: &[f64], value: f64| {
        sorted.partition_point(|known| known.total_cmp(&value).is_lt())
    };
    sorted.remove(index(sorted, old));
    sorted.insert(index(sorted, new), new);
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
}
