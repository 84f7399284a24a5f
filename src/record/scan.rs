//! Reading a table: which columns, which rows, one row group at a time.

use std::fmt;
use std::ops::{Range, RangeBounds};
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{SchemaRef, UInt32Type};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::{ArrowPredicate, ArrowPredicateFn, RowFilter};

use crate::error::LcaError;

use super::batches::PartBatches;
use super::cache::PartCache;
use super::folder::RunFolder;
use super::info::RunInfo;
use super::iterations::{IterationColumns, half_open};
use super::kept::RowGroups;
use super::reader::PartReader;
use super::schema::Table;
use super::sequence::PartSequence;

/// A request for rows of one table.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::arrow::array::AsArray;
/// use burn_lca::arrow::datatypes::Float32Type;
/// use burn_lca::{Run, Table};
///
/// let run = Run::open(folder.path())?;
/// // The LCA of the output's only bias in steps 10 to 19.
/// let scan = run.scan(Table::Parameters).columns(["iteration", "lca"]);
/// let mut values = Vec::new();
/// for batch in scan.iterations(10..20).tensor("output.bias").batches()? {
///     values.extend_from_slice(batch?["lca"].as_primitive::<Float32Type>().values());
/// }
/// assert_eq!(values.len(), 10);
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a scan reads nothing until `batches` is called"]
pub struct Scan {
    pub(super) folder: RunFolder,
    pub(super) table: Table,
    pub(super) info: Arc<RunInfo>,
    columns: Option<Vec<String>>,
    pub(super) iterations: Option<Range<u64>>,
    tensors: Vec<String>,
    indices: Vec<u32>,
    pub(super) cache: Option<Arc<PartCache>>,
}

impl Scan {
    pub(super) fn new(folder: RunFolder, table: Table, info: Arc<RunInfo>) -> Self {
        Self {
            cache: None,
            folder,
            table,
            info,
            columns: None,
            iterations: None,
            tensors: Vec::new(),
            indices: Vec::new(),
        }
    }

    /// Has what is read stay in memory.
    pub(super) fn kept_in(mut self, cache: Option<Arc<PartCache>>) -> Self {
        self.cache = cache;
        self
    }

    /// Reads only these columns, in this order.
    pub fn columns<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.columns = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Reads only rows about iterations in a range: those that overlap it.
    pub fn iterations(mut self, range: impl RangeBounds<u64>) -> Self {
        self.iterations = Some(half_open(range));
        self
    }

    /// Reads only rows of this tensor. Further calls add tensors.
    pub fn tensor(mut self, path: impl Into<String>) -> Self {
        self.tensors.push(path.into());
        self
    }

    /// Reads only rows of parameters with this index into their tensor. Further calls add indices.
    pub fn index(mut self, index: u32) -> Self {
        self.indices.push(index);
        self
    }

    /// Returns the rows, in the order in which they were recorded.
    ///
    /// Part files are opened one after another while reading; rows that are written meanwhile are
    /// not read.
    ///
    /// # Errors
    ///
    /// If the table has no column that was asked for or that a filter needs, or if its folder
    /// can't be listed. Every batch can be an error, too: of a file that can't be read or is
    /// damaged, that is of another run, there twice or after a missing one, or that was merged into
    /// another one meanwhile, after which the table has to be read again. The last is one if the
    /// table does not have as many rows as it was given.
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
                let columns = self.table.iteration_columns();
                let columns =
                    columns.ok_or_else(|| self.no_column("Scan::iterations", "iteration"))?;
                let position = |name| self.position("Scan::iterations", name);
                Some(IterationFilter {
                    range,
                    columns,
                    positions: [position(columns.first)?, position(columns.extent)?],
                })
            }
            None => None,
        };
        let tensors = if self.tensors.is_empty() {
            None
        } else {
            Some(TensorFilter {
                paths: self.tensors.clone().into(),
                column: self.position("Scan::tensor", "tensor")?,
            })
        };
        let indices = if self.indices.is_empty() {
            None
        } else {
            let mut indices = self.indices.clone();
            indices.sort_unstable();
            Some(IndexFilter {
                ascending: indices.into(),
                column: self.position("Scan::index", "index")?,
            })
        };
        let schema = self.table.schema().project(&columns).map(Arc::new);
        Ok(Batches {
            table: self.table,
            schema: schema.map_err(|error| self.no_column("Scan::columns", &error.to_string()))?,
            parts: PartSequence::list(&self.folder, self.table, &self.info.run_id)?
                .kept_in(self.cache),
            copied: Some(self.info.clone()),
            info: Some(self.info),
            passed: RowGroups::NONE,
            part: None,
            rows: None,
            columns,
            iterations,
            tensors,
            indices,
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
struct IterationFilter {
    range: Range<u64>,
    columns: IterationColumns,
    /// Their positions in the table.
    positions: [usize; 2],
}

#[derive(Debug)]
struct TensorFilter {
    paths: Arc<[String]>,
    column: usize,
}

#[derive(Debug)]
struct IndexFilter {
    ascending: Arc<[u32]>,
    column: usize,
}

/// The rows that a [`Scan`] asked for, as record batches.
///
/// After an error, the next call continues with the next part file.
#[must_use = "rows are read only as the batches are iterated over"]
pub struct Batches {
    table: Table,
    schema: SchemaRef,
    parts: PartSequence,
    /// What a part is still to be compared with, and what all of them are.
    copied: Option<Arc<RunInfo>>,
    info: Option<Arc<RunInfo>>,
    /// The row groups that were read or left out so far.
    passed: RowGroups,
    /// The part that is being read, and its next row group.
    part: Option<(PartReader, usize)>,
    rows: Option<PartBatches>,
    columns: Vec<usize>,
    iterations: Option<IterationFilter>,
    tensors: Option<TensorFilter>,
    indices: Option<IndexFilter>,
}

impl fmt::Debug for Batches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches")
            .field("table", &self.table)
            .field("columns", &self.schema.fields())
            .field("iterations", &self.iterations)
            .field("tensors", &self.tensors)
            .field("indices", &self.indices)
            .finish_non_exhaustive()
    }
}

impl Batches {
    /// Returns the columns of every batch.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// Returns the next batch of the row group, the part, or the parts that are left.
    fn advance(&mut self) -> Result<Option<RecordBatch>, LcaError> {
        loop {
            if let Some(batch) = self.rows.as_mut().and_then(Iterator::next) {
                match batch? {
                    batch if batch.num_rows() == 0 => continue,
                    batch => return Ok(Some(batch)),
                }
            }
            self.rows = None;
            match self.part.take() {
                Some((mut part, group)) if group < part.row_groups().len() => {
                    self.passed.add(part.checksums(group));
                    if self.may_hold(&part, group) {
                        self.rows = Some(self.open(&mut part, group)?);
                    }
                    self.part = Some((part, group + 1));
                }
                _ if self.open_next()? => {}
                _ => return self.check_rows().map(|()| None),
            }
        }
    }

    /// Opens the next part; returns whether there is one.
    fn open_next(&mut self) -> Result<bool, LcaError> {
        let Some(part) = self.parts.next().transpose()? else {
            return Ok(false);
        };
        if let Some(info) = self.copied.take() {
            part.check_copy(&info)?;
        }
        self.part = Some((part, 0));
        Ok(true)
    }

    /// Leaves the next row groups out, as many as these are; returns whether they are the same ones.
    pub(super) fn pass_over(&mut self, known: RowGroups) -> Result<bool, LcaError> {
        while self.passed.number < known.number {
            match self.part.take() {
                Some((part, group)) if group < part.row_groups().len() => {
                    self.passed.add(part.checksums(group));
                    self.part = Some((part, group + 1));
                }
                _ if self.open_next()? => {}
                _ => return Ok(false),
            }
        }
        Ok(self.passed == known)
    }

    /// Returns the row groups that were read or left out so far.
    pub(super) fn row_groups(&self) -> RowGroups {
        self.passed
    }

    /// Checks that no part is missing at the end.
    fn check_rows(&mut self) -> Result<(), LcaError> {
        let Some(info) = self.info.take() else {
            return Ok(());
        };
        let found = self.parts.rows();
        let expected = info.rows.get(self.table.name()).copied().unwrap_or(0);
        if found == expected || info.totals.is_none() && found > expected {
            return Ok(());
        }
        Err(LcaError::Damaged {
            path: self.parts.folder().to_owned(),
            problem: format!("the table has {found} rows, but run.json counts {expected}"),
            remedy: "restore missing files from a copy; if the run was resumed meanwhile, open it \
                     again"
                .into(),
        })
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
    fn open(&self, part: &mut PartReader, group: usize) -> Result<PartBatches, LcaError> {
        let mut checked = self.columns.clone();
        let mut filters: Vec<Box<dyn ArrowPredicate>> = Vec::new();
        if let Some(wanted) = &self.iterations {
            let all_wanted = part.group_iterations(group).is_some_and(|(first, last)| {
                wanted.range.start <= first && last < wanted.range.end
            });
            if !all_wanted {
                checked.extend(wanted.positions);
                let (range, columns) = (wanted.range.clone(), wanted.columns);
                let projection = part.projection(&wanted.positions);
                filters.push(Box::new(ArrowPredicateFn::new(projection, move |batch| {
                    overlap(&batch, &range, columns)
                })));
            }
        }
        // Before names are: of the rows that this leaves out, these are not even decoded.
        if let Some(wanted) = &self.indices {
            checked.push(wanted.column);
            let ascending = wanted.ascending.clone();
            let columns = part.projection(&[wanted.column]);
            filters.push(Box::new(ArrowPredicateFn::new(columns, move |batch| {
                let indices = batch.column(0).as_primitive::<UInt32Type>().values();
                let is_wanted = |row: usize| ascending.binary_search(&indices[row]).is_ok();
                let wanted = BooleanBuffer::collect_bool(indices.len(), is_wanted);
                Ok(BooleanArray::new(wanted, None))
            })));
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
        part.batches(group, &self.schema, &self.columns, &checked, filter)
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
    columns: IterationColumns,
) -> Result<BooleanArray, ArrowError> {
    let missing = || ArrowError::SchemaError("no columns with iterations".into());
    let iterations = columns.of(batch).ok_or_else(missing)?;
    Ok(iterations
        .map(|(first, last)| Some(first < range.end && last >= range.start))
        .collect())
}
