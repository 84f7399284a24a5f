//! The range of colours: a percentile of magnitudes.

use super::quantile::rank;

/// The percentile of magnitudes that gets full colour unless another one is asked for.
pub(crate) const COLOR_PERCENTILE: f64 = 99.0;

/// Returns the magnitude that gets full colour: the percentile (0 to 100) of the magnitudes of
/// the values that are finite and not zero; `None` if there are none.
///
/// Zeros don't count: a zero has the colour of zero whatever the range, and where most values are
/// exactly zero, as with dead inputs, they would leave no range for the others.
pub(crate) fn color_range(values: impl IntoIterator<Item = f64>, percentile: f64) -> Option<f64> {
    let mut magnitudes: Vec<f64> = values
        .into_iter()
        .map(f64::abs)
        .filter(|magnitude| *magnitude > 0.0 && magnitude.is_finite())
        .collect();
    let rank = rank(percentile / 100.0, magnitudes.len() as u64) as usize;
    let index = (rank - 1).min(magnitudes.len().checked_sub(1)?);
    Some(*magnitudes.select_nth_unstable_by(index, f64::total_cmp).1)
}

/// Finds the same percentile of values that are too many to keep, from above to within 1 %.
#[derive(Clone)]
pub(crate) struct Magnitudes {
    /// By the upper half of an `f32`, of which values differ by less than 1 %: how many there
    /// are, and the largest.
    buckets: Vec<(u64, f32)>,
    values: u64,
}

impl Magnitudes {
    pub(crate) fn new() -> Self {
        Self {
            buckets: vec![(0, 0.0); 1 << 15],
            values: 0,
        }
    }

    /// Returns how many bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.buckets)
    }

    pub(crate) fn add(&mut self, value: f64) {
        let magnitude = value.abs() as f32;
        if magnitude > 0.0 && magnitude.is_finite() {
            let (count, largest) = &mut self.buckets[(magnitude.to_bits() >> 16) as usize];
            *count += 1;
            *largest = largest.max(magnitude);
            self.values += 1;
        }
    }

    /// Returns what [`color_range`] would: the largest value in the bucket with the percentile.
    pub(crate) fn color_range(&self, percentile: f64) -> Option<f64> {
        let rank = rank(percentile / 100.0, self.values);
        let mut below = 0;
        let reached = self.buckets.iter().find(|(count, _)| {
            below += count;
            below >= rank
        });
        reached.map(|(_, largest)| f64::from(*largest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_colour_is_the_percentile_of_magnitudes_other_than_zero() {
        let values = [-4.0, 0.0, 1.0, f64::NAN, 0.0, -2.0, f64::INFINITY, 3.0, 0.0];
        let ranges = [25.0, 50.0, 51.0, 99.0, 100.0].map(|part| color_range(values, part));
        assert_eq!(ranges, [1.0, 2.0, 3.0, 4.0, 4.0].map(Some));
        assert_eq!(color_range([0.0, f64::NAN], 99.0), None);
        assert_eq!(color_range([], 99.0), None);
    }

    #[test]
    fn counted_magnitudes_have_the_same_range_to_within_a_hundredth() {
        let values =
            (1..=1000).map(|value| if value % 2 == 0 { 1.0 } else { -1.0 } * f64::from(value));
        let values: Vec<f64> = values.chain([0.0, 0.0, f64::NAN]).collect();
        let mut magnitudes = Magnitudes::new();
        values.iter().for_each(|value| magnitudes.add(*value));
        for percentile in [1.0, 50.0, 99.0, 100.0] {
            let exact = color_range(values.iter().copied(), percentile).unwrap();
            let counted = magnitudes.color_range(percentile).unwrap();
            assert!(
                (exact..exact * 1.01).contains(&counted),
                "{exact} {counted}"
            );
        }
        assert_eq!(Magnitudes::new().color_range(99.0), None);
    }
}
