//! Which iterations a row is about.

use std::ops::{Bound, Range, RangeBounds};

use arrow::array::AsArray;
use arrow::datatypes::UInt64Type;
use arrow::record_batch::RecordBatch;

/// The columns that say which iterations a row is about, first and last.
#[derive(Debug, Clone, Copy)]
pub(super) struct IterationColumns {
    pub(super) first: &'static str,
    pub(super) last: &'static str,
    /// Whether `last` holds the first iteration that the row is no longer about.
    exclusive: bool,
}

impl IterationColumns {
    /// Those of rows that are about one iteration.
    pub(super) const ONE: Self = Self {
        first: "iteration",
        last: "iteration",
        exclusive: false,
    };

    /// Those of rows that are about a window of iterations.
    pub(super) const WINDOW: Self = Self {
        first: "window_start",
        last: "window_end",
        exclusive: true,
    };

    /// Returns the last iteration that a value of the column `last` stands for.
    pub(super) fn last_of(self, value: u64) -> u64 {
        if self.exclusive {
            value.saturating_sub(1)
        } else {
            value
        }
    }

    /// Returns the first and last iteration of every row of a batch that has these columns.
    pub(super) fn of(self, batch: &RecordBatch) -> Option<impl Iterator<Item = (u64, u64)>> {
        let column = |name| batch.column_by_name(name)?.as_primitive_opt::<UInt64Type>();
        let (first, last) = (column(self.first)?, column(self.last)?);
        let last = last.values().iter().map(move |last| self.last_of(*last));
        Some(first.values().iter().copied().zip(last))
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
