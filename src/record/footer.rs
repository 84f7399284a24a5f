//! What a part file says of itself: which table, which columns, which checksums.

use std::fs::File;
use std::path::Path;

use arrow::datatypes::FieldRef;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};

use crate::error::LcaError;

use super::checksum;
use super::part::{self, KEY_BOUNDS, KEY_CHECKSUMS, KEY_SCHEMA, KEY_TABLE};
use super::schema::{SCHEMA_VERSION, Table};

/// What a part says of itself, checked.
#[derive(Debug)]
pub(super) struct Footer {
    pub(super) metadata: ArrowReaderMetadata,
    /// By the table's column, where it is in the file; `None` if it was added to the table later.
    pub(super) positions: Vec<Option<usize>>,
    /// By row group and column of the file.
    pub(super) checksums: Vec<Vec<u64>>,
}

impl Footer {
    /// Reads it from a part of a table, to be read as plain columns.
    pub(super) fn read(path: &Path, table: Table, file: &File) -> Result<Self, LcaError> {
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let metadata = ArrowReaderMetadata::load(file, options)
            .map_err(|error| damaged(path, format!("is not a whole Parquet file ({error})")))?;
        Ok(Self {
            checksums: check(path, table, &metadata)?,
            positions: positions(path, table, &metadata)?,
            metadata,
        })
    }

    /// Returns about how many bytes it takes in memory.
    pub(super) fn size(&self) -> usize {
        self.metadata.metadata().memory_size()
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

/// Returns an entry of the metadata.
pub(super) fn value<'a>(parquet: &'a ParquetMetaData, key: &str) -> Option<&'a str> {
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
