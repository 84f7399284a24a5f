//! A part file: written under a temporary name, synced, renamed.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::error::LcaError;

use super::checksum::{self, chunk_checksum};
use super::files::{self, disk};
use super::folder::{PART, RunFolder, SNAPSHOT};
use super::iterations::union;
use super::schema::{SCHEMA_VERSION, Table};

/// Keys of the metadata in every part.
pub(super) const KEY_SCHEMA: &str = "burn_lca.schema_version";
const KEY_CRATE: &str = "burn_lca.crate_version";
pub(super) const KEY_TABLE: &str = "burn_lca.table";
pub(super) const KEY_RUN: &str = "burn_lca.run";
/// The run's own word; parts of another run have another.
pub(super) const KEY_RUN_ID: &str = "burn_lca.run_id";
/// How many rows of the table come before those of the part.
pub(super) const KEY_FIRST_ROW: &str = "burn_lca.first_row";
/// Of a snapshot: the first iteration that is not in it.
pub(super) const KEY_NEXT: &str = "burn_lca.next_iteration";
/// A line per row group, a word per column; see [`super::checksum`].
pub(super) const KEY_CHECKSUMS: &str = "burn_lca.checksums";
/// One word for the numbers of rows and the bounds that filters trust.
pub(super) const KEY_BOUNDS: &str = "burn_lca.bounds";

/// Rows of a row group at most: what a reader holds of a part, and a writer before it is on disk.
const ROW_GROUP: usize = 1 << 20;
/// Rows of a data page at most: compression gains nothing from larger ones.
const PAGE: usize = 1 << 17;

/// Where a part belongs, for its metadata.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    /// What the run is about: the text of `run.json` without what grows or changes.
    pub(super) run: &'a str,
    pub(super) run_id: &'a str,
    /// How many rows of the table come before.
    pub(super) first_row: u64,
}

/// A part that is being written.
pub(super) struct Part {
    table: Table,
    /// Where it is until it is complete.
    temporary: PathBuf,
    /// The folder that it goes to then.
    folder: PathBuf,
    sequence: u64,
    writer: ArrowWriter<File>,
    opened: Instant,
    rows: usize,
    /// The first and last iteration of the rows so far.
    iterations: Option<(u64, u64)>,
    closed: bool,
}

impl Part {
    /// Begins a part that goes to a folder. The sequence number must be new in the table.
    pub(super) fn create(
        run_folder: &RunFolder,
        folder: PathBuf,
        table: Table,
        sequence: u64,
        origin: Origin<'_>,
    ) -> Result<Self, LcaError> {
        let temporary = temporary(run_folder, table, sequence);
        let writer = begin(&temporary, table, properties(table, origin))?;
        Ok(Self {
            table,
            temporary,
            folder,
            sequence,
            writer,
            opened: Instant::now(),
            rows: 0,
            iterations: None,
            closed: false,
        })
    }

    /// Returns when the part was begun.
    pub(super) fn opened(&self) -> Instant {
        self.opened
    }

    /// Returns how many rows were written.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Adds an entry to the part's metadata.
    pub(super) fn note(&mut self, key: &str, value: String) {
        self.writer
            .append_key_value_metadata(KeyValue::new(key.into(), value));
    }

    /// Adds rows, which have the table's schema as written.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), LcaError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.writer
            .write(batch)
            .map_err(|error| parquet("writing", &self.temporary, error))?;
        self.rows += batch.num_rows();
        let iterations = iterations(self.table, batch);
        self.iterations = self.iterations.into_iter().chain(iterations).reduce(union);
        Ok(())
    }

    /// Completes the part; when this returns, it is durable under its final name.
    pub(super) fn close(mut self) -> Result<PathBuf, LcaError> {
        self.finish()
            .map_err(|error| parquet("writing", &self.temporary, error))?;
        files::create_subfolder(&self.folder)?;
        let path = self.folder.join(name(self.iterations, self.sequence));
        files::rename(&self.temporary, &path)?;
        self.closed = true;
        Ok(path)
    }

    fn finish(&mut self) -> Result<(), ParquetError> {
        self.writer.flush()?;
        // The checksums are of what the file holds, so everything has to be in it.
        self.writer.sync()?;
        let mut file = File::open(&self.temporary)?;
        let lines: Result<Vec<String>, io::Error> = self
            .writer
            .flushed_row_groups()
            .iter()
            .map(|row_group| {
                let sums: Result<Vec<String>, io::Error> = row_group
                    .columns()
                    .iter()
                    .map(|column| chunk_checksum(&mut file, row_group, column).map(word))
                    .collect();
                Ok(sums?.join(" "))
            })
            .collect();
        let groups = self.writer.flushed_row_groups().iter();
        let bounds = groups.fold(checksum::EMPTY, |sum, group| {
            checksum::add_bounds(sum, group)
        });
        self.note(KEY_CHECKSUMS, lines?.join("\n"));
        self.note(KEY_BOUNDS, word(bounds));
        self.writer.finish()?;
        self.writer.inner().sync_all()?;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.closed {
            // Whatever made this part fail was reported; the next writer removes what stays.
            let _ = files::remove(&self.temporary);
        }
    }
}

/// Returns a checksum as it is kept in a part's metadata.
pub(super) fn word(checksum: u64) -> String {
    format!("{checksum:016x}")
}

/// Returns where a part is until it is complete.
pub(super) fn temporary(folder: &RunFolder, table: Table, sequence: u64) -> PathBuf {
    folder.temporary(&format!("{table}-{sequence:06}"))
}

/// Returns a part's final name: its iterations, by which names sort, and a number of its own.
pub(super) fn name(iterations: Option<(u64, u64)>, sequence: u64) -> String {
    match iterations {
        Some((first, last)) => format!("{first:010}-{last:010}-{sequence:06}.{PART}"),
        None => SNAPSHOT.into(),
    }
}

/// Creates a file and writes the beginning of a part to it.
pub(super) fn begin(
    path: &Path,
    table: Table,
    properties: WriterProperties,
) -> Result<ArrowWriter<File>, LcaError> {
    let file = files::create(path)?;
    // Without Arrow's own copy of the schema, readers see plain strings, not dictionaries.
    let options = ArrowWriterOptions::new()
        .with_properties(properties)
        .with_skip_arrow_metadata(true);
    ArrowWriter::try_new_with_options(file, table.written_schema(), options)
        .map_err(|error| parquet("writing", path, error))
}

/// Returns the number in a part's name that makes it unique.
pub(super) fn sequence(path: &Path) -> Option<u64> {
    path.file_stem()?.to_str()?.rsplit('-').next()?.parse().ok()
}

/// Returns the first and last iteration that a batch is about.
fn iterations(table: Table, batch: &RecordBatch) -> Option<(u64, u64)> {
    table.iteration_columns()?.of(batch)?.reduce(union)
}

/// Returns how the columns of a table are encoded, and the metadata of its parts.
pub(super) fn properties(table: Table, origin: Origin<'_>) -> WriterProperties {
    let metadata = [
        (KEY_SCHEMA, SCHEMA_VERSION.to_string()),
        (KEY_CRATE, env!("CARGO_PKG_VERSION").into()),
        (KEY_TABLE, table.name().into()),
        (KEY_RUN, origin.run.into()),
        (KEY_RUN_ID, origin.run_id.into()),
        (KEY_FIRST_ROW, origin.first_row.to_string()),
    ];
    let mut builder = WriterProperties::builder()
        .set_created_by(concat!("burn-lca ", env!("CARGO_PKG_VERSION")).into())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .set_data_page_row_count_limit(PAGE)
        // Filters skip whole row groups; an index of pages would cost more than it saves.
        .set_offset_index_disabled(true)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_statistics_truncate_length(None)
        .set_dictionary_enabled(false)
        .set_key_value_metadata(Some(
            metadata
                .map(|(key, value)| KeyValue::new(key.into(), value))
                .into(),
        ));
    for column in table.columns() {
        let path = ColumnPath::from(column.name);
        builder = match &column.data_type {
            // Statistics of floats would need rules for NaN, and no filter asks for them.
            data_type if data_type.is_floating() => builder
                .set_column_encoding(path.clone(), Encoding::BYTE_STREAM_SPLIT)
                .set_column_statistics_enabled(path, EnabledStatistics::None),
            DataType::Utf8 => builder.set_column_dictionary_enabled(path, true),
            DataType::Boolean => builder,
            _ => builder.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED),
        };
    }
    builder.build()
}

/// Returns the error of writing or reading a Parquet file.
pub(super) fn parquet(action: &'static str, path: &Path, error: ParquetError) -> LcaError {
    let source = match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(source) => *source,
            Err(source) => io::Error::other(source),
        },
        error => io::Error::other(error),
    };
    disk(action, path, source)
}
