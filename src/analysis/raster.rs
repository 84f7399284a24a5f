//! Values by row and iteration, binned to what a picture has room for.

use serde::Serialize;

use super::stats::{COLOR_PERCENTILE, color_range, steps_per_window};

/// Means of LCA by row (a unit, a class) and optimizer step.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Raster {
    /// The first iteration of each column, ascending.
    pub starts: Vec<u64>,
    /// The last iteration of the last column, of all that its last step is about; `None` without
    /// columns.
    pub last: Option<u64>,
    /// Iterations that no recorded step is about, between one and the next: the fewest.
    pub unrecorded: u64,
    /// How many recorded steps a column averages; the last one may have fewer.
    pub steps_per_column: usize,
    /// How many of the original rows a row averages; the last one may have fewer.
    pub per_row: usize,
    /// How many original rows there are.
    pub rows: usize,
    /// The mean of the finite values of each cell, row by row; NaN where there are none. A step that
    /// is about several optimizer steps counts as so many with an equal part each.
    pub values: Vec<f64>,
    /// The magnitude that gets full colour: the 99th percentile of the magnitudes of the cells
    /// that are finite and not zero; `None` if there are none.
    pub color_range: Option<f64>,
    /// Values that are not finite, which are left out.
    pub not_finite: u64,
}

impl Raster {
    /// Returns the cells of each row, from the first one on.
    #[must_use]
    pub fn by_row(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        // `chunks` refuses 0; without columns there are no values either.
        self.values.chunks(self.starts.len().max(1))
    }
}

fn unrecorded(steps: &[(u64, u64)]) -> u64 {
    let between = |pair: &[(u64, u64)]| pair[1].0.saturating_sub(pair[0].1.saturating_add(1));
    steps.windows(2).map(between).min().unwrap_or(0)
}

/// Returns how many steps a column averages, and how many rows a row, so that there are at most so
/// many columns and rows.
fn per_cell(steps: &[(u64, u64)], rows: usize, [columns, most_rows]: [usize; 2]) -> [usize; 2] {
    [
        steps_per_window(steps.len(), columns),
        steps_per_window(rows, most_rows),
    ]
}

/// A raster while its table is being read.
pub(super) struct Filling<'a> {
    /// The first and the last iteration of each step.
    steps: &'a [(u64, u64)],
    raster: Raster,
    /// Optimizer steps by cell.
    counts: Vec<u64>,
    /// The latest iteration and its index: rows of a step stand together.
    latest: Option<(u64, usize)>,
}

impl<'a> Filling<'a> {
    /// Begins a raster of ascending steps, by their first and last iteration, that has at most so many
    /// columns and rows.
    pub(super) fn new(steps: &'a [(u64, u64)], rows: usize, most: [usize; 2]) -> Self {
        let [steps_per_column, per_row] = per_cell(steps, rows, most);
        let columns = steps.iter().step_by(steps_per_column);
        let starts: Vec<u64> = columns.map(|(first, _)| *first).collect();
        let cells = Self::cells(steps, rows, most);
        Self {
            steps,
            raster: Raster {
                starts,
                last: steps.last().map(|(_, last)| *last),
                unrecorded: unrecorded(steps),
                steps_per_column,
                per_row,
                rows,
                values: vec![0.0; cells],
                color_range: None,
                not_finite: 0,
            },
            counts: vec![0; cells],
            latest: None,
        }
    }

    /// Returns how many cells such a raster has.
    pub(super) fn cells(steps: &[(u64, u64)], rows: usize, most: [usize; 2]) -> usize {
        let [steps_per_column, per_row] = per_cell(steps, rows, most);
        let columns = steps.len().div_ceil(steps_per_column);
        columns.saturating_mul(rows.div_ceil(per_row))
    }

    /// Adds the value of a row at the step that begins at an iteration; one of an unknown step or row
    /// is passed over.
    pub(super) fn add(&mut self, iteration: u64, row: usize, value: f64) {
        if let Some((step, cell)) = self.sum(iteration, row, value) {
            let (first, last) = self.steps[step];
            self.counts[cell] += last - first + 1;
        }
    }

    /// Adds a further part of a value that [`add`](Self::add) was given, as a bias is of its unit.
    pub(super) fn add_part(&mut self, iteration: u64, row: usize, value: f64) {
        self.sum(iteration, row, value);
    }

    fn sum(&mut self, iteration: u64, row: usize, value: f64) -> Option<(usize, usize)> {
        let index = match self.latest {
            Some((latest, index)) if latest == iteration => index,
            _ => {
                let first = |step: &(u64, u64)| step.0;
                self.steps.binary_search_by_key(&iteration, first).ok()?
            }
        };
        self.latest = Some((iteration, index));
        if row >= self.raster.rows {
            return None;
        }
        if !value.is_finite() {
            self.raster.not_finite += 1;
            return None;
        }
        let column = index / self.raster.steps_per_column;
        let cell = row / self.raster.per_row * self.raster.starts.len() + column;
        self.raster.values[cell] += value;
        Some((index, cell))
    }

    pub(super) fn finish(mut self) -> Raster {
        for (value, count) in self.raster.values.iter_mut().zip(self.counts) {
            *value = match count {
                0 => f64::NAN,
                count => *value / count as f64,
            };
        }
        let values = self.raster.values.iter().copied();
        self.raster.color_range = color_range(values, COLOR_PERCENTILE);
        self.raster
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_means_of_the_steps_and_rows_they_hold() {
        let steps = [0, 1, 5, 6, 7].map(|iteration| (iteration, iteration));
        let mut filling = Filling::new(&steps, 3, [3, 2]);
        for (step, (iteration, _)) in steps.iter().enumerate() {
            for row in 0..3 {
                filling.add(*iteration, row, (10 * row + step) as f64);
            }
        }
        filling.add(5, 0, f64::NAN);
        let raster = filling.finish();
        assert_eq!(raster.starts, [0, 5, 7]);
        assert_eq!((raster.steps_per_column, raster.per_row), (2, 2));
        assert_eq!(raster.values, [5.5, 7.5, 9.0, 20.5, 22.5, 24.0]);
        assert_eq!(raster.not_finite, 1);
        assert_eq!(raster.color_range, Some(24.0));
    }

    /// Segments of 4, 4 and 2 steps with LCA −8, −4 and −1: the first column is −12 over 8 steps.
    #[test]
    fn a_step_that_is_about_several_counts_as_so_many() {
        let steps = [(0, 3), (4, 7), (8, 9)];
        let mut filling = Filling::new(&steps, 1, [2, 1]);
        for ((first, _), lca) in steps.iter().zip([-8.0, -4.0, -1.0]) {
            filling.add(*first, 0, lca);
        }
        let raster = filling.finish();
        assert_eq!((raster.starts, raster.last), (vec![0, 8], Some(9)));
        assert_eq!(raster.values, [-1.5, -0.5]);
    }

    #[test]
    fn a_raster_of_nothing_has_no_cells() {
        let raster = Filling::new(&[], 3, [10, 10]).finish();
        assert_eq!((raster.by_row().len(), raster.color_range), (0, None));
    }
}
