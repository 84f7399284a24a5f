//! Which iterations a row is about.

use std::ops::{Bound, Range, RangeBounds};

use arrow::array::AsArray;
use arrow::datatypes::UInt64Type;
use arrow::record_batch::RecordBatch;

/// The columns that say which iterations a row is about, first and last.
#[derive(Debug, Clone, Copy)]
pub(super) struct IterationColumns {
    pub(super) first: &'static str,
    /// The column that the last one follows from.
    pub(super) extent: &'static str,
    /// Whether `extent` holds how many iterations there are, and not the one after the last.
    counts: bool,
}

impl IterationColumns {
    /// Those of rows that are about one optimizer step or several.
    pub(super) const STEPS: Self = Self {
        first: "iteration",
        extent: "span",
        counts: true,
    };

    /// Those of rows that are about a window of iterations.
    pub(super) const WINDOW: Self = Self {
        first: "window_start",
        extent: "window_end",
        counts: false,
    };

    /// Returns the last iteration of a row that begins at `first`, by its value of `extent`.
    pub(super) fn last_of(self, first: u64, extent: u64) -> u64 {
        let end = if self.counts {
            first.saturating_add(extent)
        } else {
            extent
        };
        end.saturating_sub(1)
    }

    /// Returns the first and last iteration of every row of a batch that has these columns.
    pub(super) fn of(self, batch: &RecordBatch) -> Option<impl Iterator<Item = (u64, u64)>> {
        let column = |name| batch.column_by_name(name)?.as_primitive_opt::<UInt64Type>();
        let (first, extent) = (column(self.first)?, column(self.extent)?);
        let rows = first.values().iter().zip(extent.values());
        Some(rows.map(move |(first, extent)| (*first, self.last_of(*first, *extent))))
    }
}

/// Returns the range that holds both.
pub(super) fn union((first, last): (u64, u64), other: (u64, u64)) -> (u64, u64) {
    (first.min(other.0), last.max(other.1))
}

/// Returns a range of iterations as its first and the one after its last.
pub(super) fn half_open(range: impl RangeBounds<u64>) -> Range<u64> {
    let start = match range.start_bound() {
        Bound::Included(first) => *first,
        Bound::Excluded(before) => before.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(last) => last.saturating_add(1),
        Bound::Excluded(end) => *end,
        Bound::Unbounded => u64::MAX,
    };
    start..end
}
