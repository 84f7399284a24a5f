//! A part file as it is read: checked against the table's schema and its own checksums.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder, RowFilter,
};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::statistics::Statistics;

use crate::error::LcaError;

use super::checksum::{self, chunk_checksum};
use super::files::disk;
use super::iterations::union;
use super::part::{self, KEY_BOUNDS, KEY_CHECKSUMS, KEY_SCHEMA, KEY_TABLE, parquet};
use super::schema::{SCHEMA_VERSION, Table};

/// Rows of the batches that are read, at most.
const BATCH: usize = 1 << 16;

/// A part that is open for reading.
pub(super) struct PartReader {
    table: Table,
    path: PathBuf,
    file: File,
    metadata: ArrowReaderMetadata,
    /// By row group and column.
    checksums: Vec<Vec<u64>>,
}

impl PartReader {
    /// Opens a part of a table, to be read as plain columns.
    pub(super) fn open(path: &Path, table: Table) -> Result<Self, LcaError> {
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
        Ok(Self {
            table,
            path: path.to_owned(),
            file,
            metadata,
            checksums,
        })
    }

    /// Changes the types in which columns are read to another that fits the file.
    pub(super) fn with_schema(mut self, schema: SchemaRef) -> Result<Self, LcaError> {
        let options = ArrowReaderOptions::new().with_schema(schema);
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

    /// Returns the first and last iteration of the part.
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

    /// Returns the first and last iteration of a row group.
    pub(super) fn group_iterations(&self, row_group: usize) -> Option<(u64, u64)> {
        let columns = self.table.iteration_columns()?;
        let statistics = |name: &str| {
            let column = self
                .table
                .columns()
                .iter()
                .position(|column| column.name == name)?;
            match self.row_groups()[row_group].column(column).statistics()? {
                Statistics::Int64(bounds) => {
                    Some((*bounds.min_opt()? as u64, *bounds.max_opt()? as u64))
                }
                _ => None,
            }
        };
        let (first, _) = statistics(columns.first)?;
        let (_, last) = statistics(columns.last)?;
        Some((first, columns.last_of(last)))
    }

    /// Returns the least and greatest text of a column in a row group.
    pub(super) fn texts(&self, row_group: usize, column: usize) -> Option<(&[u8], &[u8])> {
        let statistics = self.row_groups()[row_group].column(column).statistics()?;
        Some((statistics.min_bytes_opt()?, statistics.max_bytes_opt()?))
    }

    /// Returns the projection on some columns, by position.
    pub(super) fn projection(&self, columns: &[usize]) -> ProjectionMask {
        let schema = self.parquet().file_metadata().schema_descr();
        ProjectionMask::roots(schema, columns.iter().copied())
    }

    /// Reads some columns of one row group, after checking that its bytes are those written.
    ///
    /// `checked` are the columns that are looked at, here or in the filter.
    pub(super) fn batches(
        &mut self,
        row_group: usize,
        columns: &[usize],
        checked: &[usize],
        filter: Option<RowFilter>,
    ) -> Result<ParquetRecordBatchReader, LcaError> {
        let groups = self.metadata.metadata().row_groups();
        for column in checked {
            let sum = chunk_checksum(
                &mut self.file,
                &groups[row_group],
                groups[row_group].column(*column),
            )
            .map_err(|error| damaged(&self.path, format!("can't be read ({error})")))?;
            if sum != self.checksums[row_group][*column] {
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
        builder
            .build()
            .map_err(|error| damaged(&self.path, error.to_string()))
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
    if metadata.schema().fields() != table.schema().fields() {
        return Err(damaged(
            path,
            format!("does not have the columns of table {table}"),
        ));
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
        sums.len() == groups.len() && sums.iter().all(|row| row.len() == table.columns().len())
    };
    sums.filter(fits)
        .ok_or_else(|| damaged(path, "has no checksums that fit it".into()))
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
        remedy: "restore it from a copy, or move it away to read the table without its rows".into(),
    }
}
