//! Typed columns of the batches that a scan gives.

use std::ops::Range;

use arrow::array::{Array, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray, StringArray};
use arrow::datatypes::{Float32Type, Float64Type, Int32Type, UInt16Type, UInt32Type, UInt64Type};
use arrow::record_batch::RecordBatch;

use crate::error::LcaError;
use crate::record::{Keep, Run, RunStatus, Table};

/// Columns that analyses add up.
const COUNTS: [&str; 8] = [
    "span",
    "helping",
    "hurting",
    "zero",
    "examples",
    "count",
    "step_sign_changes",
    "gradient_sign_changes",
];
/// A count over parameters and steps at most: 2^23 rows of these add up to less than 2^64.
const MOST_WIDE: u64 = 1 << 40;
/// A count of steps at most: helping, hurting and zero add up to less than 2^32.
const MOST_NARROW: u32 = 1 << 30;

/// What to do about a run without rows of a table that every recorder writes.
pub(crate) const NO_STEPS: &str = "record a run that takes a step";

/// What to do about a run of which no step is finite.
pub(crate) const NO_FINITE_STEPS: &str =
    "see with `burn-lca summary` since when the loss is not finite";

/// Fails unless the run has rows of a table; `remedy` says how to have them recorded.
pub(crate) fn require(run: &Run, table: Table, remedy: &str) -> Result<(), LcaError> {
    if run.has(table)? {
        return Ok(());
    }
    let problem = format!("has no rows of table {table}");
    Err(not_recorded(run, problem, remedy))
}

/// Returns the error of a run without something that it may still record if it goes on.
pub(crate) fn not_recorded(run: &Run, problem: String, remedy: &str) -> LcaError {
    LcaError::NotRecorded {
        path: run.folder().to_owned(),
        problem,
        remedy: match run.status() {
            RunStatus::Running => format!("wait for it, or {remedy}"),
            RunStatus::Killed => format!("it was killed, so {remedy}"),
            RunStatus::Failed(reason) => {
                format!("it failed ({reason}); if that is not why, {remedy}")
            }
            _ => remedy.into(),
        },
    }
}

/// Fails unless the totals of single parameters are recorded.
pub(crate) fn require_totals(run: &Run) -> Result<(), LcaError> {
    let remedy = "record an epoch to its end with `Recorder::standard()`";
    require(run, Table::ParameterTotals, remedy)
}

/// Looks at the batches of a table, of these columns only.
pub(crate) fn each(
    run: &Run,
    table: Table,
    columns: &[&str],
    mut look: impl FnMut(&Columns) -> Result<(), LcaError>,
) -> Result<(), LcaError> {
    for batch in run.scan(table).columns(columns.iter().copied()).batches()? {
        let batch = batch?;
        check_counts(run, table, &batch)?;
        look(&Columns(&batch))?;
    }
    Ok(())
}

/// Adds the batches of a table, of these columns only, to what `begin` returns, and returns what `look`
/// makes of that. Of a run whose reading is kept, only new rows are read.
pub(super) fn fold<T: Keep, R>(
    run: &Run,
    table: Table,
    columns: &[&str],
    begin: impl FnOnce() -> T,
    mut add: impl FnMut(&mut T, &Columns) -> Result<(), LcaError>,
    look: impl FnOnce(&T) -> Result<R, LcaError>,
) -> Result<R, LcaError> {
    let scan = run.scan(table).columns(columns.iter().copied());
    let add = |made: &mut T, batch: &RecordBatch| {
        check_counts(run, table, batch)?;
        add(made, &Columns(batch))
    };
    scan.fold("", |_| true, begin, add, look)
}

/// Fails on counts that no run can have, so that sums over rows need not mind overflowing.
fn check_counts(run: &Run, table: Table, batch: &RecordBatch) -> Result<(), LcaError> {
    for name in COUNTS {
        let Some(column) = batch.column_by_name(name) else {
            continue;
        };
        let wide = column.as_primitive_opt::<UInt64Type>();
        let narrow = column.as_primitive_opt::<UInt32Type>();
        let too_many = wide.is_some_and(|counts| counts.values().iter().any(|n| *n > MOST_WIDE))
            || narrow.is_some_and(|counts| counts.values().iter().any(|n| *n > MOST_NARROW));
        if too_many {
            return Err(LcaError::Damaged {
                path: run.folder().join(table.name()),
                problem: format!("column {name} has counts that no run can have"),
                remedy: "remove files that this run's recorder did not write".into(),
            });
        }
    }
    Ok(())
}

/// Returns the error of a table whose iterations don't ascend, as those of a recorder do.
pub(super) fn out_of_order(run: &Run, table: Table, iteration: u64, last: u64) -> LcaError {
    LcaError::Damaged {
        path: run.folder().join(table.name()),
        problem: format!("iteration {iteration} comes after iteration {last}"),
        remedy: "remove files that this run's recorder did not write".into(),
    }
}

/// Values that are made of one row at most, on the whole: what has no row at a step has a value,
/// too, that says so.
const VALUES_OF_A_ROW: usize = 16;
/// Values that are made of any number of rows.
const FREE_VALUES: usize = 1 << 20;

/// Fails if a table has too few rows for the values that would be made of them: a recorder writes
/// everything at every step, and what fills memory has to be in the files.
pub(super) fn check_filled(
    run: &Run,
    table: Table,
    values: usize,
    rows: usize,
) -> Result<(), LcaError> {
    if values <= FREE_VALUES.saturating_add(rows.saturating_mul(VALUES_OF_A_ROW)) {
        return Ok(());
    }
    Err(LcaError::Damaged {
        path: run.folder().join(table.name()),
        problem: format!("has only {rows} rows for the {values} values of its steps"),
        remedy: "remove files that this run's recorder did not write".into(),
    })
}

/// The columns of a batch, by name.
pub(crate) struct Columns<'a>(pub(crate) &'a RecordBatch);

impl<'a> Columns<'a> {
    pub(crate) fn rows(&self) -> usize {
        self.0.num_rows()
    }

    pub(crate) fn f64(&self, name: &str) -> Result<&'a [f64], LcaError> {
        Ok(self.primitive::<Float64Type>(name)?.values())
    }

    pub(crate) fn f32(&self, name: &str) -> Result<&'a [f32], LcaError> {
        Ok(self.primitive::<Float32Type>(name)?.values())
    }

    pub(crate) fn u64(&self, name: &str) -> Result<&'a [u64], LcaError> {
        Ok(self.primitive::<UInt64Type>(name)?.values())
    }

    /// Returns the first and the last optimizer step that each row is about; needs `iteration` and
    /// `span`.
    pub(crate) fn steps(&self) -> Result<impl Fn(usize) -> (u64, u64) + use<'a>, LcaError> {
        let (first, span) = (self.u64("iteration")?, self.u64("span")?);
        Ok(move |row: usize| {
            let last = first[row].saturating_add(span[row].max(1) - 1);
            (first[row], last)
        })
    }

    pub(crate) fn u32(&self, name: &str) -> Result<&'a [u32], LcaError> {
        Ok(self.primitive::<UInt32Type>(name)?.values())
    }

    pub(crate) fn u16(&self, name: &str) -> Result<&'a [u16], LcaError> {
        Ok(self.primitive::<UInt16Type>(name)?.values())
    }

    /// Returns a column that may hold nulls, such as `buffers`; iterate over it.
    pub(crate) fn f64_or_null(
        &self,
        name: &str,
    ) -> Result<&'a PrimitiveArray<Float64Type>, LcaError> {
        self.primitive(name)
    }

    /// Returns a column that may hold nulls, such as `class`; iterate over it.
    pub(crate) fn i32_or_null(
        &self,
        name: &str,
    ) -> Result<&'a PrimitiveArray<Int32Type>, LcaError> {
        self.primitive(name)
    }

    pub(crate) fn bool(&self, name: &str) -> Result<&'a BooleanArray, LcaError> {
        let column = self.column(name)?;
        column.as_boolean_opt().ok_or_else(|| no_column(name))
    }

    pub(crate) fn text(&self, name: &str) -> Result<&'a StringArray, LcaError> {
        let column = self.column(name)?;
        column.as_string_opt().ok_or_else(|| no_column(name))
    }

    fn column(&self, name: &str) -> Result<&'a dyn Array, LcaError> {
        let column = self.0.column_by_name(name);
        Ok(column.ok_or_else(|| no_column(name))?.as_ref())
    }

    fn primitive<T: ArrowPrimitiveType>(
        &self,
        name: &str,
    ) -> Result<&'a PrimitiveArray<T>, LcaError> {
        let column = self.column(name)?;
        column.as_primitive_opt().ok_or_else(|| no_column(name))
    }
}

/// Returns the stretches of rows with the same text, in their order.
///
/// Rows of a tensor stand together, so that a look-up by name is needed once a stretch only.
pub(crate) fn stretches(texts: &StringArray) -> impl Iterator<Item = (&str, Range<usize>)> {
    let mut next = 0;
    std::iter::from_fn(move || {
        if next == texts.len() {
            return None;
        }
        let (start, text) = (next, texts.value(next));
        while next < texts.len() && texts.value(next) == text {
            next += 1;
        }
        Some((text, start..next))
    })
}

/// The scan has checked names and types, so this is about what an analysis asks for.
fn no_column(name: &str) -> LcaError {
    LcaError::internal(format!(
        "the batches have no column {name} of the type that is read"
    ))
}
