//! Reading a table: which columns, which rows, one row group at a time.

use std::collections::VecDeque;
use std::ops::{Bound, Range, RangeBounds};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::{SchemaRef, UInt64Type};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::{
    ArrowPredicate, ArrowPredicateFn, ParquetRecordBatchReader, RowFilter,
};

use crate::LcaError;

use super::folder::RunFolder;
use super::reader::{PartReader, damaged};
use super::schema::{IterationColumns, Table};

/// A request for rows of one table.
///
/// ```no_run
/// # use burn_lca::{LcaError, Run, Table};
/// let run = Run::open("artifacts/lca")?;
/// let scan = run.scan(Table::Parameters).columns(["iteration", "lca"]);
/// for batch in scan.iterations(100..200).tensor("fc1.weight").batches()? {
///     println!("{} rows", batch?.num_rows());
/// }
/// # Ok::<(), LcaError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Scan {
    folder: RunFolder,
    table: Table,
    columns: Option<Vec<String>>,
    iterations: Option<Range<u64>>,
    tensors: Vec<String>,
}

impl Scan {
    pub(super) fn new(folder: RunFolder, table: Table) -> Self {
        Self {
            folder,
            table,
            columns: None,
            iterations: None,
            tensors: Vec::new(),
        }
    }

    /// Reads only these columns, in this order.
    pub fn columns<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.columns = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Reads only rows about iterations in a range; of histograms, windows that overlap it.
    pub fn iterations(mut self, range: impl RangeBounds<u64>) -> Self {
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
        self.iterations = Some(start..end);
        self
    }

    /// Reads only rows about this tensor; called again, about either.
    pub fn tensor(mut self, path: impl Into<String>) -> Self {
        self.tensors.push(path.into());
        self
    }

    /// Returns the rows, in the order in which they were recorded.
    ///
    /// Fails if the table has no such column, or none that a filter needs. The parts are
    /// opened one after the other while reading; rows that arrive meanwhile are not read.
    pub fn batches(self) -> Result<Batches, LcaError> {
        let columns = match &self.columns {
            Some(names) => names
                .iter()
                .map(|name| self.position("Scan::columns", name))
                .collect::<Result<Vec<_>, _>>()?,
            None => (0..self.table.columns().len()).collect(),
        };
        let iterations = match self.iterations.clone() {
            Some(range) => {
                let span = self
                    .table
                    .span()
                    .ok_or_else(|| self.no_column("Scan::iterations", "iteration"))?;
                let first = self.position("Scan::iterations", span.first)?;
                let last = self.position("Scan::iterations", span.last)?;
                Some(Iterations {
                    range,
                    span,
                    columns: [first, last],
                })
            }
            None => None,
        };
        let tensors = match self.tensors.is_empty() {
            true => None,
            false => {
                let column = self.position("Scan::tensor", "tensor")?;
                Some(Tensors {
                    paths: self.tensors.clone().into(),
                    column,
                })
            }
        };
        let schema = self.table.schema().project(&columns).map(Arc::new);
        Ok(Batches {
            table: self.table,
            schema: schema.map_err(|error| self.no_column("Scan::columns", &error.to_string()))?,
            parts: self.folder.parts(self.table)?.into(),
            part: None,
            rows: None,
            columns,
            iterations,
            tensors,
        })
    }

    fn position(&self, setting: &'static str, name: &str) -> Result<usize, LcaError> {
        let mut columns = self.table.columns().iter();
        columns
            .position(|column| column.name == name)
            .ok_or_else(|| self.no_column(setting, name))
    }

    fn no_column(&self, setting: &'static str, name: &str) -> LcaError {
        let names: Vec<&str> = self
            .table
            .columns()
            .iter()
            .map(|column| column.name)
            .collect();
        LcaError::setting(
            setting,
            format!("table {} has no column {name}", self.table),
            format!("its columns are {}", names.join(", ")),
        )
    }
}

#[derive(Debug)]
struct Iterations {
    range: Range<u64>,
    span: IterationColumns,
    columns: [usize; 2],
}

#[derive(Debug)]
struct Tensors {
    paths: Arc<[String]>,
    column: usize,
}

/// The rows that a [`Scan`] asked for, as record batches.
///
/// After an error the next call goes on with the next part file.
pub struct Batches {
    table: Table,
    schema: SchemaRef,
    parts: VecDeque<PathBuf>,
    /// The part that is being read, and its next row group.
    part: Option<(PartReader, usize)>,
    rows: Option<ParquetRecordBatchReader>,
    columns: Vec<usize>,
    iterations: Option<Iterations>,
    tensors: Option<Tensors>,
}

impl Batches {
    /// Returns the columns of every batch.
    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// Returns the next batch of the row group, the part, or the parts that are left.
    fn advance(&mut self) -> Result<Option<RecordBatch>, LcaError> {
        loop {
            if let Some(batch) = self.rows.as_mut().and_then(Iterator::next) {
                let batch = batch.and_then(|batch| self.arrange(&batch));
                return match (batch, &self.part) {
                    (Ok(batch), _) if batch.num_rows() == 0 => continue,
                    (Ok(batch), _) => Ok(Some(batch)),
                    (Err(error), Some((part, _))) => Err(damaged(part.path(), error.to_string())),
                    (Err(error), None) => {
                        Err(damaged(self.table.name().as_ref(), error.to_string()))
                    }
                };
            }
            self.rows = None;
            match self.part.take() {
                Some((mut part, group)) if group < part.row_groups().len() => {
                    if self.may_hold(&part, group) {
                        self.rows = Some(self.open(&mut part, group)?);
                    }
                    self.part = Some((part, group + 1));
                }
                _ => match self.parts.pop_front() {
                    Some(path) => self.part = Some((PartReader::open(&path, self.table)?, 0)),
                    None => return Ok(None),
                },
            }
        }
    }

    /// Returns whether the statistics of a row group leave room for rows that are asked for.
    fn may_hold(&self, part: &PartReader, group: usize) -> bool {
        let in_range = self.iterations.as_ref().is_none_or(|wanted| {
            part.group_iterations(group)
                .is_none_or(|(first, last)| first < wanted.range.end && last >= wanted.range.start)
        });
        let of_tensor = self.tensors.as_ref().is_none_or(|wanted| {
            part.texts(group, wanted.column)
                .is_none_or(|(least, greatest)| {
                    let within =
                        |path: &String| least <= path.as_bytes() && path.as_bytes() <= greatest;
                    wanted.paths.iter().any(within)
                })
        });
        in_range && of_tensor
    }

    /// Begins to read a row group, with the filters that its statistics leave to do.
    fn open(
        &self,
        part: &mut PartReader,
        group: usize,
    ) -> Result<ParquetRecordBatchReader, LcaError> {
        let mut checked = self.columns.clone();
        let mut filters: Vec<Box<dyn ArrowPredicate>> = Vec::new();
        if let Some(wanted) = &self.iterations {
            let all_wanted = part.group_iterations(group).is_some_and(|(first, last)| {
                wanted.range.start <= first && last < wanted.range.end
            });
            if !all_wanted {
                checked.extend(wanted.columns);
                let (range, span) = (wanted.range.clone(), wanted.span);
                let columns = part.projection(&wanted.columns);
                filters.push(Box::new(ArrowPredicateFn::new(columns, move |batch| {
                    overlap(&batch, &range, span)
                })));
            }
        }
        if let Some(wanted) = &self.tensors {
            checked.push(wanted.column);
            let paths = wanted.paths.clone();
            let columns = part.projection(&[wanted.column]);
            filters.push(Box::new(ArrowPredicateFn::new(columns, move |batch| {
                let tensors = batch.column(0).as_string::<i32>();
                let wanted = |tensor: Option<&str>| {
                    tensor.is_some_and(|tensor| paths.iter().any(|path| path == tensor))
                };
                Ok(BooleanArray::from_iter(
                    tensors.iter().map(|tensor| Some(wanted(tensor))),
                ))
            })));
        }
        checked.sort_unstable();
        checked.dedup();
        let filter = (!filters.is_empty()).then(|| RowFilter::new(filters));
        part.batches(group, &self.columns, &checked, filter)
    }

    /// Puts the columns into the order that was asked for; the file has them in its own.
    fn arrange(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let columns: Result<Vec<ArrayRef>, ArrowError> = self
            .schema
            .fields()
            .iter()
            .map(|field| {
                let missing = || ArrowError::SchemaError(format!("no column {}", field.name()));
                batch
                    .column_by_name(field.name())
                    .cloned()
                    .ok_or_else(missing)
            })
            .collect();
        RecordBatch::try_new(self.schema.clone(), columns?)
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, LcaError>;

    fn next(&mut self) -> Option<Self::Item> {
        let result = self.advance();
        if result.is_err() {
            self.part = None;
            self.rows = None;
        }
        result.transpose()
    }
}

/// Returns which rows are about an iteration in the range.
fn overlap(
    batch: &RecordBatch,
    range: &Range<u64>,
    span: IterationColumns,
) -> Result<BooleanArray, ArrowError> {
    let column = |name: &str| {
        let column = batch
            .column_by_name(name)
            .and_then(|column| column.as_primitive_opt::<UInt64Type>());
        column.ok_or_else(|| ArrowError::SchemaError(format!("no column {name}")))
    };
    let (first, last) = (column(span.first)?, column(span.last)?);
    let rows = first.values().iter().zip(last.values());
    Ok(rows
        .map(|(first, last)| {
            let last = if span.exclusive {
                last.saturating_sub(1)
            } else {
                *last
            };
            Some(*first < range.end && last >= range.start)
        })
        .collect())
}
