//! What is drawn where a figure has no room for all.

/// Returns the items of the greatest sizes, at most so many, in their own order.
pub(super) fn largest<T>(items: Vec<T>, most: usize, size: impl Fn(&T) -> f64) -> Vec<T> {
    if items.len() <= most {
        return items;
    }
    let mut sizes: Vec<f64> = items.iter().map(&size).collect();
    sizes.sort_by(|a, b| b.total_cmp(a));
    let least = sizes[most - 1];
    let large = items.into_iter().filter(|item| size(item) >= least);
    large.take(most).collect()
}
