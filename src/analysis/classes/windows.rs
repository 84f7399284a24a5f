//! LCA by layer, class and window of steps, and the colours of its means.

use std::ops::Range;

use serde::Serialize;

use super::super::stats::{COLOR_PERCENTILE, color_range, steps_per_window};

/// LCA by layer, class and window of steps.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ClassWindows {
    /// How many observed steps there are.
    pub steps: usize,
    /// How many of them a window has; the last one may have fewer.
    pub steps_per_window: usize,
    /// The first iteration of each window.
    pub starts: Vec<u64>,
    /// The last iteration of each window.
    pub ends: Vec<u64>,
    /// How many optimizer steps each window is about.
    pub optimizer_steps: Vec<u64>,
    /// The sums up to and with each window: layer by layer and at last all layers together, class
    /// by class, window by window.
    pub cumulative: Vec<f64>,
    /// The sums up to the first window, of the same rows: zeros unless the windows are of a part of
    /// the iterations.
    pub before: Vec<f64>,
    /// Columns of one window, of two, of four and so on, as long as a picture has enough of them.
    pub levels: Vec<ClassLevel>,
}

/// The colours of LCA by class over time, in columns of several windows.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ClassLevel {
    /// How many windows a column has; the last one may have fewer.
    pub windows: usize,
    /// The mean LCA of an optimizer step that gets full colour, for each layer and at last for all together:
    /// the 99th percentile of the magnitudes of the columns that are not zero; `None` if all are.
    pub color_ranges: Vec<Option<f64>>,
}

/// Columns over time that a narrow picture has room for.
const FEWEST_COLUMNS: usize = 40;

impl ClassWindows {
    /// Sums rows over some of the steps, layer by layer and class by class, to at most so many sums
    /// where one window leaves that few.
    pub(super) fn new(
        steps: &[(u64, u64)],
        shown: Range<usize>,
        rows: &[Vec<f64>],
        classes: usize,
        most_sums: usize,
    ) -> Self {
        let row_count = rows.len() + classes;
        let steps = &steps[shown.clone()];
        let per_window = steps_per_window(steps.len(), most_sums / row_count.max(1));
        let windows = || steps.chunks(per_window);
        let before = rows.iter().map(|row| row[..shown.start].iter().sum());
        let mut before: Vec<f64> = before.collect();
        let mut found = Self {
            steps: steps.len(),
            steps_per_window: per_window,
            starts: windows()
                .filter_map(|window| window.first().map(|(first, _)| *first))
                .collect(),
            ends: windows()
                .filter_map(|window| window.last().map(|(_, last)| *last))
                .collect(),
            optimizer_steps: windows().map(optimizer_steps).collect(),
            cumulative: rows
                .iter()
                .zip(&before)
                .flat_map(|(row, before)| cumulative(&row[shown.clone()], *before, per_window))
                .collect(),
            before: Vec::new(),
            levels: Vec::new(),
        };
        let all = (0..classes).map(|class| before.iter().skip(class).step_by(classes).sum());
        let all: Vec<f64> = all.collect();
        before.extend(all);
        found.before = before;
        let layer = classes * found.ends.len();
        let all = (0..layer).map(|at| found.cumulative.iter().skip(at).step_by(layer).sum());
        let all: Vec<f64> = all.collect();
        found.cumulative.extend(all);
        let widths = std::iter::successors(Some(1), |width| Some(width * 2));
        let few = |width: &usize| *width == 1 || found.ends.len() / width >= FEWEST_COLUMNS;
        found.levels = widths
            .take_while(few)
            .map(|width| found.level(width, layer))
            .collect();
        found
    }

    fn level(&self, width: usize, layer: usize) -> ClassLevel {
        let range = |(sums, before): (&[f64], &[f64])| {
            let rows = sums.chunks(self.ends.len()).zip(before);
            let means = rows.flat_map(|(row, before)| self.means(row, *before, width));
            color_range(means, COLOR_PERCENTILE)
        };
        let classes = layer / self.ends.len().max(1);
        let layers = self.cumulative.chunks(layer.max(1));
        let layers = layers.zip(self.before.chunks(classes.max(1)));
        ClassLevel {
            windows: width,
            color_ranges: layers.map(range).collect(),
        }
    }

    /// Returns the mean LCA of an optimizer step in columns of so many windows, from the cumulative sums of a
    /// row and what was before it.
    fn means(&self, row: &[f64], before: f64, width: usize) -> impl Iterator<Item = f64> {
        let columns = row.chunks(width).zip(self.optimizer_steps.chunks(width));
        columns.scan(before, move |before, (sums, steps)| {
            let steps: u64 = steps.iter().sum();
            let reached = *sums.last()?;
            let sum = reached - std::mem::replace(before, reached);
            Some(sum / steps as f64)
        })
    }
}

/// Returns how many optimizer steps some steps are about.
fn optimizer_steps(steps: &[(u64, u64)]) -> u64 {
    steps.iter().map(|(first, last)| last - first + 1).sum()
}

fn cumulative(row: &[f64], before: f64, steps: usize) -> impl Iterator<Item = f64> {
    row.chunks(steps).scan(before, |sum, window| {
        *sum += window.iter().sum::<f64>();
        Some(*sum)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_means_of_a_step_and_all_layers_together_are_the_last_rows() {
        // Two layers of one class over 162 steps: 81 windows of 2. The first layer has 1 at each
        // step but the last, which has 5; the other has −3.
        let steps: Vec<(u64, u64)> = (0..162).map(|step| (step, step)).collect();
        let mut first = vec![1.0; 162];
        first[161] = 5.0;
        let found = ClassWindows::new(&steps, 0..162, &[first, vec![-3.0; 162]], 1, 3 * 81);
        assert_eq!((found.steps_per_window, found.ends.len()), (2, 81));
        let rows: Vec<&[f64]> = found.cumulative.chunks(81).collect();
        assert_eq!(rows.len(), 3);
        assert_eq!(
            [rows[0][80], rows[1][80], rows[2][80]],
            [166.0, -486.0, -320.0]
        );
        // Of 81 columns of a window the 99th percentile is the 81st: the last, (1 + 5)/2. Of 41
        // columns of two windows the last has one window, and so the same mean.
        let ranges = [3.0, 3.0, 2.0].map(Some);
        let widths: Vec<usize> = found.levels.iter().map(|level| level.windows).collect();
        assert_eq!(widths, [1, 2]);
        for level in &found.levels {
            assert_eq!(level.color_ranges, ranges);
        }
    }

    #[test]
    fn windows_of_a_part_go_on_from_what_was_before() {
        // 1 at each of 100 steps; a second layer has -2. Steps 40 to 59 in windows of 4.
        let steps: Vec<(u64, u64)> = (0..100).map(|step| (step, step)).collect();
        let rows = [vec![1.0; 100], vec![-2.0; 100]];
        let found = ClassWindows::new(&steps, 40..60, &rows, 1, 3 * 5);
        assert_eq!((found.steps, found.steps_per_window), (20, 4));
        assert_eq!(found.before, [40.0, -80.0, -40.0]);
        assert_eq!(found.cumulative[..5], [44.0, 48.0, 52.0, 56.0, 60.0]);
        assert_eq!(found.cumulative[10..], [-44.0, -48.0, -52.0, -56.0, -60.0]);
        // Means of a step: the part before is in no column.
        assert_eq!(found.levels[0].color_ranges, [1.0, 2.0, 1.0].map(Some));
    }

    #[test]
    fn no_steps_have_no_sums_and_no_colours() {
        let found = ClassWindows::new(&[], 0..0, &[vec![], vec![]], 2, 100);
        assert!(found.cumulative.is_empty() && found.levels[0].color_ranges.is_empty());
    }
}
