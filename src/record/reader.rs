//! A part file as it is read: checked against the table's schema and its own checksums.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder, RowFilter,
};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::statistics::Statistics;

use crate::error::LcaError;

use super::batches::{Keeping, PartBatches};
use super::cache::{Chunks, PartCache, Stamp};
use super::checksum::chunk_checksum;
use super::files::{self, disk};
use super::footer::{Footer, damaged, value};
use super::info::{RunInfo, TensorInfo};
use super::iterations::union;
use super::part::{KEY_FIRST_ROW, KEY_NEXT, KEY_RUN, KEY_RUN_ID, parquet};
use super::schema::Table;

/// Rows of the batches that are read, at most.
const BATCH: usize = 1 << 16;

/// A part that is open for reading.
pub(super) struct PartReader {
    table: Table,
    path: PathBuf,
    file: File,
    footer: Arc<Footer>,
    /// Where its columns stay once they are read.
    kept: Option<KeptIn>,
}

/// A part's place in memory.
struct KeptIn {
    cache: Arc<PartCache>,
    stamp: Stamp,
}

impl PartReader {
    /// Opens a part of a table, to be read as plain columns.
    pub(super) fn open(path: &Path, table: Table) -> Result<Self, LcaError> {
        let file = Self::open_file(path)?;
        let footer = Footer::read(path, table, &file)?;
        Ok(Self {
            table,
            path: path.to_owned(),
            file,
            footer: footer.into(),
            kept: None,
        })
    }

    /// Opens a part whose footer stays in memory, and its columns if they are of those that do.
    pub(super) fn open_kept(
        path: &Path,
        table: Table,
        cache: &Arc<PartCache>,
    ) -> Result<Self, LcaError> {
        let file = Self::open_file(path)?;
        let about = file.metadata();
        let stamp = Stamp::of(&about.map_err(|error| disk("reading", path, error))?);
        let footer = match cache.footer(path, &stamp) {
            Some(footer) => footer,
            None => {
                let footer = Arc::new(Footer::read(path, table, &file)?);
                cache.keep_footer(path, &stamp, &footer);
                footer
            }
        };
        Ok(Self {
            table,
            path: path.to_owned(),
            file,
            footer,
            kept: Some(KeptIn {
                cache: cache.clone(),
                stamp,
            }),
        })
    }

    /// Opens the file of a part.
    fn open_file(path: &Path) -> Result<File, LcaError> {
        if files::is_no_file(path) {
            return Err(damaged(path, "is not a file".into()));
        }
        File::open(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => LcaError::Disk {
                action: "reading",
                path: path.to_owned(),
                source: error,
                remedy: "its rows were merged into another file meanwhile; read the table again"
                    .into(),
            },
            _ => disk("reading", path, error),
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
        let columns = self.footer.metadata.schema().fields().len();
        self.footer
            .positions
            .iter()
            .copied()
            .eq((0..columns).map(Some))
    }

    /// Changes the types in which columns are read to those that are written.
    ///
    /// Fails if there are columns that this version does not know, and would lose.
    pub(super) fn into_written(mut self) -> Result<Self, LcaError> {
        let written = self.table.written_schema();
        let fields = self.footer.metadata.schema().fields().iter();
        let fields = fields.map(|field| written.field_with_name(field.name()).cloned());
        let fields: Result<Vec<_>, _> = fields.collect();
        let fields = fields.map_err(|_| LcaError::Damaged {
            path: self.path.clone(),
            problem: "has columns that this version of burn-lca does not know, and would lose"
                .into(),
            remedy: "update burn-lca".into(),
        })?;
        let options = ArrowReaderOptions::new().with_schema(Schema::new(fields).into());
        let footer = &self.footer;
        let metadata = ArrowReaderMetadata::try_new(footer.metadata.metadata().clone(), options)
            .map_err(|error| parquet("reading", &self.path, error))?;
        self.footer = Arc::new(Footer {
            metadata,
            positions: footer.positions.clone(),
            checksums: footer.checksums.clone(),
        });
        // Columns are kept as they are read otherwise.
        self.kept = None;
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

    /// Returns the checksums of the columns of a row group.
    pub(super) fn checksums(&self, row_group: usize) -> &[u64] {
        &self.footer.checksums[row_group]
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
            let column = self.footer.positions[column]?;
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
        let column = self.footer.positions[column]?;
        let statistics = self.row_groups()[row_group].column(column).statistics()?;
        Some((statistics.min_bytes_opt()?, statistics.max_bytes_opt()?))
    }

    /// Returns the projection on some columns, by position.
    pub(super) fn projection(&self, columns: &[usize]) -> ProjectionMask {
        let schema = self.parquet().file_metadata().schema_descr();
        let columns = columns
            .iter()
            .filter_map(|column| self.footer.positions[*column]);
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
        let kept = self.kept.as_ref();
        let kept = kept.filter(|_| filter.is_none() && PartCache::keeps(self.table));
        let known: Vec<Option<Chunks>> = columns
            .iter()
            .map(|column| {
                let kept = kept?;
                kept.cache
                    .column(&self.path, &kept.stamp, (row_group, *column))
            })
            .collect();
        let is_known = |column: usize| {
            columns
                .iter()
                .zip(&known)
                .any(|(of, known)| *of == column && known.is_some())
        };
        let groups = self.footer.metadata.metadata().row_groups();
        for column in checked.iter().filter(|column| !is_known(**column)) {
            let Some(position) = self.footer.positions[*column] else {
                continue;
            };
            let sum = chunk_checksum(
                &mut self.file,
                &groups[row_group],
                groups[row_group].column(position),
            )
            .map_err(|error| damaged(&self.path, format!("can't be read ({error})")))?;
            if sum != self.footer.checksums[row_group][position] {
                let name = self.table.columns()[*column].name;
                return Err(damaged(
                    &self.path,
                    format!("column {name} has changed since it was written"),
                ));
            }
        }
        let keeping = kept.map(|kept| Keeping {
            cache: kept.cache.clone(),
            stamp: kept.stamp.clone(),
            row_group,
            room: kept.cache.room(),
            bytes: 0,
            columns: vec![Vec::new(); columns.len()],
        });
        let missing = columns
            .iter()
            .zip(&known)
            .filter(|(_, known)| known.is_none());
        let missing: Vec<usize> = missing.map(|(column, _)| *column).collect();
        let is_in_file = |column: &usize| self.footer.positions[*column].is_some();
        let all_known = known.iter().any(Option::is_some) && !missing.iter().any(is_in_file);
        let rows = if all_known {
            None
        } else {
            Some(self.rows_of(row_group, &missing, filter)?)
        };
        Ok(PartBatches {
            path: self.path.clone(),
            schema: schema.clone(),
            table_columns: columns.to_vec(),
            known,
            rows,
            next: 0,
            keeping,
        })
    }

    /// Begins to read columns of a row group.
    fn rows_of(
        &self,
        row_group: usize,
        columns: &[usize],
        filter: Option<RowFilter>,
    ) -> Result<ParquetRecordBatchReader, LcaError> {
        let file = self
            .file
            .try_clone()
            .map_err(|error| disk("reading", &self.path, error))?;
        let metadata = self.footer.metadata.clone();
        let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata)
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
        self.footer.metadata.metadata()
    }
}
