//! A part file as it is read: checked against the table's schema and its own checksums.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use arrow::array::{ArrayRef, new_null_array};
use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder, RowFilter,
};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::statistics::Statistics;

use crate::error::LcaError;

use super::checksum::{self, chunk_checksum};
use super::files::{self, disk};
use super::info::{RunInfo, TensorInfo};
use super::iterations::union;
use super::part::{
    self, KEY_BOUNDS, KEY_CHECKSUMS, KEY_FIRST_ROW, KEY_NEXT, KEY_RUN, KEY_RUN_ID, KEY_SCHEMA,
    KEY_TABLE, parquet,
};
use super::schema::{SCHEMA_VERSION, Table};

/// Rows of the batches that are read, at most.
const BATCH: usize = 1 << 16;

/// A part that is open for reading.
pub(super) struct PartReader {
    table: Table,
    path: PathBuf,
    file: File,
    metadata: ArrowReaderMetadata,
    /// By the table's column, where it is in the file; `None` if it was added to the table later.
    positions: Vec<Option<usize>>,
    /// By row group and column of the file.
    checksums: Vec<Vec<u64>>,
}

impl PartReader {
    /// Opens a part of a table, to be read as plain columns.
    pub(super) fn open(path: &Path, table: Table) -> Result<Self, LcaError> {
        if files::is_no_file(path) {
            return Err(damaged(path, "is not a file".into()));
        }
        let file = File::open(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => LcaError::Disk {
                action: "reading",
                path: path.to_owned(),
                source: error,
                remedy: "its rows were merged into another file meanwhile; read the table again"
                    .into(),
            },
            _ => disk("reading", path, error),
        })?;
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = ArrowReaderMetadata::load(&file, options)
            .map_err(|error| damaged(path, format!("is not a whole Parquet file ({error})")))?;
        let checksums = check(path, table, &metadata)?;
        let positions = positions(path, table, &metadata)?;
        Ok(Self {
            table,
            path: path.to_owned(),
            file,
            metadata,
            positions,
            checksums,
        })
    }

    /// Fails if the part is of another run.
    pub(super) fn check_run(&self, run_id: &str) -> Result<(), LcaError> {
        if self.note(KEY_RUN_ID) == Some(run_id) {
            return Ok(());
        }
        Err(LcaError::Damaged {
            path: self.path.clone(),
            problem: "is a part of another run".into(),
            remedy: "move it out of the run's folder".into(),
        })
    }

    /// Fails if the part was written for other tensors than `run.json` has, or before its last
    /// epoch ended though it is replaced at the end of every one.
    pub(super) fn check_copy(&self, info: &RunInfo) -> Result<(), LcaError> {
        if self.table == Table::ParameterTotals
            && info.record.totals
            && let Some(end) = info.epochs.last()
            && let Some(next) = self
                .note(KEY_NEXT)
                .and_then(|text| text.parse::<u64>().ok())
            && next < end.next_iteration
        {
            let (epoch, end) = (end.epoch, end.next_iteration);
            let problem = format!("ends before iteration {next}, but epoch {epoch} before {end}");
            return Err(damaged(&self.path, problem));
        }
        let text = self.note(KEY_RUN).unwrap_or_default();
        let copy = RunInfo::parse(text, &self.path)?;
        let tensors = info.tensors.iter().map(TensorInfo::identity);
        if copy.tensors.iter().map(TensorInfo::identity).eq(tensors) {
            return Ok(());
        }
        Err(damaged(
            &self.path,
            "is about other tensors than run.json".into(),
        ))
    }

    /// Returns how many rows of the table come before those of the part.
    pub(super) fn first_row(&self) -> Result<u64, LcaError> {
        self.note(KEY_FIRST_ROW)
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| damaged(&self.path, "does not say which rows it has".into()))
    }

    /// Returns whether the columns are just those that this version writes.
    pub(super) fn has_our_columns(&self) -> bool {
        let columns = self.metadata.schema().fields().len();
        self.positions.iter().copied().eq((0..columns).map(Some))
    }

    /// Changes the types in which columns are read to those that are written.
    ///
    /// Fails if there are columns that this version does not know, and would lose.
    pub(super) fn into_written(mut self) -> Result<Self, LcaError> {
        let written = self.table.written_schema();
        let fields = self.metadata.schema().fields().iter();
        let fields = fields.map(|field| written.field_with_name(field.name()).cloned());
        let fields: Result<Vec<_>, _> = fields.collect();
        let fields = fields.map_err(|_| LcaError::Damaged {
            path: self.path.clone(),
            problem: "has columns that this version of burn-lca does not know, and would lose"
                .into(),
            remedy: "update burn-lca".into(),
        })?;
        let options = ArrowReaderOptions::new().with_schema(Schema::new(fields).into());
        self.metadata = ArrowReaderMetadata::try_new(self.metadata.metadata().clone(), options)
            .map_err(|error| parquet("reading", &self.path, error))?;
        Ok(self)
    }

    /// Returns the file, to copy from.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Returns where the part is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns what the footer says about the row groups.
    pub(super) fn row_groups(&self) -> &[RowGroupMetaData] {
        self.parquet().row_groups()
    }

    /// Returns an entry of the metadata that the writer left.
    pub(super) fn note(&self, key: &str) -> Option<&str> {
        value(self.parquet(), key)
    }

    /// Returns the range that the iterations of the part are in: its end may be too late.
    pub(super) fn iterations(&self) -> Option<(u64, u64)> {
        (0..self.row_groups().len())
            .filter_map(|group| self.group_iterations(group))
            .reduce(union)
    }

    /// Returns how many rows the part has.
    pub(super) fn rows(&self) -> usize {
        self.row_groups()
            .iter()
            .map(|group| group.num_rows() as usize)
            .sum()
    }

    /// Returns the range that the iterations of a row group are in. The last one may be too late,
    /// where not all rows span the same number of steps.
    pub(super) fn group_iterations(&self, row_group: usize) -> Option<(u64, u64)> {
        let columns = self.table.iteration_columns()?;
        let statistics = |name: &str| {
            let mut known = self.table.columns().iter();
            let column = known.position(|column| column.name == name)?;
            let column = self.positions[column]?;
            match self.row_groups()[row_group].column(column).statistics()? {
                Statistics::Int64(bounds) => {
                    Some((*bounds.min_opt()? as u64, *bounds.max_opt()? as u64))
                }
                _ => None,
            }
        };
        let (first, last) = statistics(columns.first)?;
        let (_, extent) = statistics(columns.extent)?;
        Some((first, columns.last_of(last, extent)))
    }

    /// Returns the least and greatest text of a column in a row group.
    pub(super) fn texts(&self, row_group: usize, column: usize) -> Option<(&[u8], &[u8])> {
        let column = self.positions[column]?;
        let statistics = self.row_groups()[row_group].column(column).statistics()?;
        Some((statistics.min_bytes_opt()?, statistics.max_bytes_opt()?))
    }

    /// Returns the projection on some columns, by position.
    pub(super) fn projection(&self, columns: &[usize]) -> ProjectionMask {
        let schema = self.parquet().file_metadata().schema_descr();
        let columns = columns.iter().filter_map(|column| self.positions[*column]);
        ProjectionMask::leaves(schema, columns)
    }

    /// Reads some columns of one row group as `schema` has them, after checking that its bytes are
    /// those written.
    ///
    /// `checked` are the columns that are looked at, here or in the filter.
    pub(super) fn batches(
        &mut self,
        row_group: usize,
        schema: &SchemaRef,
        columns: &[usize],
        checked: &[usize],
        filter: Option<RowFilter>,
    ) -> Result<PartBatches, LcaError> {
        let groups = self.metadata.metadata().row_groups();
        for column in checked {
            let Some(position) = self.positions[*column] else {
                continue;
            };
            let sum = chunk_checksum(
                &mut self.file,
                &groups[row_group],
                groups[row_group].column(position),
            )
            .map_err(|error| damaged(&self.path, format!("can't be read ({error})")))?;
            if sum != self.checksums[row_group][position] {
                let name = self.table.columns()[*column].name;
                return Err(damaged(
                    &self.path,
                    format!("column {name} has changed since it was written"),
                ));
            }
        }
        let file = self
            .file
            .try_clone()
            .map_err(|error| disk("reading", &self.path, error))?;
        let mut builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
                .with_row_groups(vec![row_group])
                .with_projection(self.projection(columns))
                .with_batch_size(BATCH);
        if let Some(filter) = filter {
            builder = builder.with_row_filter(filter);
        }
        let batches = builder
            .build()
            .map_err(|error| damaged(&self.path, error.to_string()))?;
        Ok(PartBatches {
            path: self.path.clone(),
            schema: schema.clone(),
            batches,
        })
    }

    fn parquet(&self) -> &ParquetMetaData {
        self.metadata.metadata()
    }
}

/// Fails unless a file is a part of the table; returns its checksums.
fn check(
    path: &Path,
    table: Table,
    metadata: &ArrowReaderMetadata,
) -> Result<Vec<Vec<u64>>, LcaError> {
    let parquet = metadata.metadata();
    let value = |key| value(parquet, key);
    let foreign = || LcaError::Damaged {
        path: path.to_owned(),
        problem: format!("is a Parquet file, but not a part of table {table}"),
        remedy: "move it out of the run's folder".into(),
    };
    let version: u32 = value(KEY_SCHEMA)
        .and_then(|text| text.parse().ok())
        .ok_or_else(foreign)?;
    if version > SCHEMA_VERSION {
        return Err(LcaError::NewerSchema {
            path: path.to_owned(),
            found: version,
            known: SCHEMA_VERSION,
        });
    }
    if value(KEY_TABLE) != Some(table.name()) {
        return Err(foreign());
    }
    let sums = value(KEY_CHECKSUMS).and_then(checksums);
    let groups = parquet.row_groups();
    let rows: i64 = groups.iter().map(RowGroupMetaData::num_rows).sum();
    if rows != parquet.file_metadata().num_rows() {
        return Err(damaged(path, "contradicts itself about its rows".into()));
    }
    let bounds = groups.iter().fold(checksum::EMPTY, checksum::add_bounds);
    if value(KEY_BOUNDS) != Some(&*part::word(bounds)) {
        let problem = "the bounds of its columns have changed since it was written";
        return Err(damaged(path, problem.into()));
    }
    let fits = |sums: &Vec<Vec<u64>>| {
        let columns =
            |(sums, group): (&Vec<u64>, &RowGroupMetaData)| sums.len() == group.num_columns();
        sums.len() == groups.len() && sums.iter().zip(groups).all(columns)
    };
    sums.filter(fits)
        .ok_or_else(|| damaged(path, "has no checksums that fit it".into()))
}

/// Returns where the columns of the table are in a file; they have the table's names and types.
///
/// Others may be there, of a newer version, and those that can be null may lack, of an older one.
fn positions(
    path: &Path,
    table: Table,
    metadata: &ArrowReaderMetadata,
) -> Result<Vec<Option<usize>>, LcaError> {
    let leaves = metadata.parquet_schema().columns();
    let schema = table.schema();
    let position = |field: &FieldRef| {
        let found = metadata.schema().field_with_name(field.name()).ok();
        let leaf = leaves
            .iter()
            .position(|leaf| leaf.path().parts() == [field.name().as_str()]);
        match (found, leaf) {
            (Some(found), Some(_)) if found == &**field => Ok(leaf),
            (None, None) if field.is_nullable() => Ok(None),
            _ => Err(damaged(
                path,
                format!("does not have column {} of table {table}", field.name()),
            )),
        }
    };
    schema.fields().iter().map(position).collect()
}

/// The rows of a row group, batch by batch, with their columns in the order of a schema.
pub(super) struct PartBatches {
    path: PathBuf,
    schema: SchemaRef,
    batches: ParquetRecordBatchReader,
}

impl Iterator for PartBatches {
    type Item = Result<RecordBatch, LcaError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batches.next()?;
        let arranged = batch.and_then(|batch| arrange(&batch, &self.schema));
        Some(arranged.map_err(|error| damaged(&self.path, error.to_string())))
    }
}

/// Puts columns that were read into the order of a schema; those that the file lacks are null.
fn arrange(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let column = |field: &FieldRef| match batch.column_by_name(field.name()) {
        Some(column) => column.clone(),
        None => new_null_array(field.data_type(), batch.num_rows()),
    };
    let columns: Vec<ArrayRef> = schema.fields().iter().map(column).collect();
    RecordBatch::try_new(schema.clone(), columns)
}

/// Returns an entry of the metadata.
fn value<'a>(parquet: &'a ParquetMetaData, key: &str) -> Option<&'a str> {
    let pairs = parquet.file_metadata().key_value_metadata()?;
    pairs.iter().find(|pair| pair.key == key)?.value.as_deref()
}

/// Parses the checksums of a part: a line per row group, a word per column.
fn checksums(text: &str) -> Option<Vec<Vec<u64>>> {
    let word = |word| u64::from_str_radix(word, 16).ok();
    text.lines()
        .map(|line| line.split(' ').map(word).collect())
        .collect()
}

/// Returns the error of a part that is not what was written.
pub(super) fn damaged(path: &Path, problem: String) -> LcaError {
    LcaError::Damaged {
        path: path.to_owned(),
        problem,
        remedy: "restore it from a copy; the other files of the table can still be read as plain \
                 Parquet files"
            .into(),
    }
}
