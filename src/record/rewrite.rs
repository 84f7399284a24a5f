//! Rewriting a table: fewer files with the same rows, or without the rows of later steps.
//!
//! A glob over the table's folder must never see a row twice, nor miss one, so a rewrite is
//! put together in a folder of its own and takes the table's place as a whole:
//!
//! 1. `.steps.building` is filled and synced; it means nothing yet.
//! 2. It is renamed to `.steps.next`: complete, but `steps` still counts.
//! 3. `steps` is renamed to `.steps.old`: from here on the rewrite counts.
//! 4. `.steps.next` is renamed to `steps`.
//! 5. The parts in `.steps.old` are removed. Files of somebody else move to `steps`.
//!
//! Between 3 and 4 other readers find no table, which is an error rather than a wrong number;
//! [`super::Run`] looks into `.steps.next` then. A process that dies in between leaves what
//! [`RunFolder::recover`] brings to its end when the run is resumed.

use std::fs;
use std::path::{Path, PathBuf};

use arrow::array::BooleanArray;
use arrow::compute::filter_record_batch;
use arrow::record_batch::RecordBatch;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;

use crate::error::LcaError;

use super::checksum;
use super::files::{self, disk};
use super::folder::RunFolder;
use super::footer::damaged;
use super::iterations::union;
use super::part::{self, KEY_BOUNDS, KEY_CHECKSUMS, Origin, Part, parquet};
use super::reader::PartReader;
use super::schema::Table;
use super::sequence::PartSequence;

/// Rows of a merged file at most: some hundred megabytes of parameters.
const MERGED_ROWS: usize = 32_000_000;
/// Row groups from this size on are copied as they are; smaller ones are encoded anew, together.
const WHOLE_GROUP: usize = 1 << 16;

/// A file of the rewritten table.
enum NewFile {
    Keep(PathBuf),
    /// Row groups of several parts, copied.
    Copy(Vec<PathBuf>),
    /// Rows of several parts, encoded anew; only those about iterations before the given one.
    Encode {
        parts: Vec<PathBuf>,
        before: Option<u64>,
    },
}

/// A table that is to be rewritten.
pub(super) struct Rewrite<'a> {
    pub(super) folder: &'a RunFolder,
    pub(super) table: Table,
    /// What the metadata of new parts says about the run.
    pub(super) run: &'a str,
    pub(super) run_id: &'a str,
    /// The last number given to a part of the table.
    pub(super) sequence: &'a mut u64,
}

impl Rewrite<'_> {
    /// Merges small parts, so that the table is few files.
    pub(super) fn merge(&mut self) -> Result<(), LcaError> {
        struct PartGroup {
            parts: Vec<PathBuf>,
            rows: usize,
            whole: bool,
            ours: bool,
        }
        let mut groups: Vec<PartGroup> = Vec::new();
        for part in PartSequence::list(self.folder, self.table, self.run_id)? {
            let part = part?;
            let path = part.path().to_owned();
            let rows = part.rows();
            let whole = rows >= WHOLE_GROUP * part.row_groups().len();
            let ours = part.has_our_columns();
            match groups.last_mut() {
                Some(group)
                    if (group.whole, group.ours, ours) == (whole, true, true)
                        && group.rows + rows <= MERGED_ROWS =>
                {
                    group.parts.push(path);
                    group.rows += rows;
                }
                _ => groups.push(PartGroup {
                    parts: vec![path],
                    rows,
                    whole,
                    ours,
                }),
            }
        }
        if groups.iter().all(|group| group.parts.len() == 1) {
            return Ok(());
        }
        let output = |mut group: PartGroup| match (group.parts.len(), group.whole) {
            (1, _) => NewFile::Keep(group.parts.remove(0)),
            (_, true) => NewFile::Copy(group.parts),
            (_, false) => NewFile::Encode {
                parts: group.parts,
                before: None,
            },
        };
        self.swap(groups.into_iter().map(output).collect())
    }

    /// Removes the rows about an iteration and those after it, of a table that has iterations.
    pub(super) fn truncate(&mut self, next: u64) -> Result<(), LcaError> {
        let mut outputs = Vec::new();
        let mut later = Vec::new();
        let mut straddled = false;
        for part in PartSequence::list(self.folder, self.table, self.run_id)? {
            let part = part?;
            let path = part.path().to_owned();
            match part.iterations() {
                Some((first, _)) if first >= next => later.push(path),
                Some((_, last)) if last >= next => {
                    straddled = true;
                    outputs.push(NewFile::Encode {
                        parts: vec![path],
                        before: Some(next),
                    });
                }
                _ => outputs.push(NewFile::Keep(path)),
            }
        }
        if straddled {
            self.swap(outputs)
        } else {
            // The last ones first, so that a process that dies in between leaves no gap.
            later.iter().rev().try_for_each(|path| files::remove(path))
        }
    }

    /// Builds the new table and lets it take the place of the present one.
    fn swap(&mut self, outputs: Vec<NewFile>) -> Result<(), LcaError> {
        let (present, building) = (
            self.folder.table(self.table),
            self.folder.building(self.table),
        );
        let (next, old) = (self.folder.next(self.table), self.folder.old(self.table));
        self.folder.remove_building(self.table)?;
        files::create_subfolder(&building)?;
        let built = outputs
            .into_iter()
            .try_for_each(|output| self.build(&building, output));
        if let Err(error) = built.and_then(|()| files::sync_folder(&building)) {
            // The table is as it was; what was built is only in the way.
            let _ = self.folder.remove_building(self.table);
            return Err(error);
        }
        files::rename(&building, &next)?;
        files::rename(&present, &old)?;
        if let Err(error) = files::rename(&next, &present) {
            // Undone as far as possible; if not, reading and resuming know what to make of it.
            let _ = fs::rename(&old, &present);
            return Err(error);
        }
        self.folder.remove_old(self.table)
    }

    fn build(&mut self, building: &Path, output: NewFile) -> Result<(), LcaError> {
        match output {
            NewFile::Keep(path) => keep(&path, building),
            NewFile::Copy(parts) => self.copy(building, &parts),
            NewFile::Encode { parts, before } => self.encode(building, &parts, before),
        }
    }

    fn encode(
        &mut self,
        building: &Path,
        parts: &[PathBuf],
        before: Option<u64>,
    ) -> Result<(), LcaError> {
        *self.sequence += 1;
        let mut merged = Part::create(
            self.folder,
            building.to_owned(),
            self.table,
            *self.sequence,
            self.origin(parts)?,
        )?;
        let schema = self.table.written_schema();
        let columns: Vec<usize> = (0..self.table.columns().len()).collect();
        for path in parts {
            let mut part = PartReader::open(path, self.table)?.into_written()?;
            for group in 0..part.row_groups().len() {
                for batch in part.batches(group, &schema, &columns, &columns, None)? {
                    let batch = batch?;
                    merged.write(&match before {
                        Some(next) => earlier(self.table, &batch, next)
                            .ok_or_else(|| damaged(path, "has no iterations".into()))?,
                        None => batch,
                    })?;
                }
            }
        }
        if merged.rows() == 0 {
            return Ok(());
        }
        merged.close().map(drop)
    }

    /// Returns where a new part belongs that has the rows of these.
    fn origin(&self, parts: &[PathBuf]) -> Result<Origin<'_>, LcaError> {
        let first = parts.first().map_or(Ok(0), |path| {
            PartReader::open(path, self.table)?.first_row()
        });
        Ok(Origin {
            run: self.run,
            run_id: self.run_id,
            first_row: first?,
        })
    }

    fn copy(&mut self, building: &Path, parts: &[PathBuf]) -> Result<(), LcaError> {
        *self.sequence += 1;
        let temporary = part::temporary(self.folder, self.table, *self.sequence);
        let writer = part::begin(
            &temporary,
            self.table,
            part::properties(self.table, self.origin(parts)?),
        )?;
        let mut iterations: Option<(u64, u64)> = None;
        let mut checksums = Vec::new();
        let mut bounds = checksum::EMPTY;
        let failed = |error: ParquetError| parquet("writing", &temporary, error);
        let (mut writer, _) = writer.into_serialized_writer().map_err(failed)?;
        for path in parts {
            let part = PartReader::open(path, self.table)?;
            for group in part.row_groups() {
                let mut copy = writer.next_row_group().map_err(failed)?;
                for column in group.columns() {
                    let close = ColumnCloseResult {
                        bytes_written: column.compressed_size() as u64,
                        rows_written: group.num_rows() as u64,
                        metadata: column.clone(),
                        bloom_filter: None,
                        column_index: None,
                        offset_index: None,
                    };
                    copy.append_column(part.file(), close).map_err(failed)?;
                }
                copy.close().map_err(failed)?;
                bounds = checksum::add_bounds(bounds, group);
            }
            iterations = iterations
                .into_iter()
                .chain(part.iterations())
                .reduce(union);
            // Not computed again: damage done to a part must stay detectable in the copy.
            checksums.extend(part.note(KEY_CHECKSUMS).map(str::to_owned));
        }
        let checksums = KeyValue::new(KEY_CHECKSUMS.into(), checksums.join("\n"));
        writer.append_key_value_metadata(checksums);
        writer.append_key_value_metadata(KeyValue::new(KEY_BOUNDS.into(), part::word(bounds)));
        writer.finish().map_err(failed)?;
        writer
            .inner()
            .sync_all()
            .map_err(|error| disk("syncing", &temporary, error))?;
        files::rename(
            &temporary,
            &building.join(part::name(iterations, *self.sequence)),
        )
    }
}

/// Gives a part a second name in a folder; both hold the same bytes.
fn keep(path: &Path, building: &Path) -> Result<(), LcaError> {
    let Some(name) = path.file_name() else {
        return Ok(());
    };
    files::link_or_copy(path, &building.join(name))
}

/// Returns the rows of a batch that are only about iterations before one.
fn earlier(table: Table, batch: &RecordBatch, next: u64) -> Option<RecordBatch> {
    let iterations = table.iteration_columns()?.of(batch)?;
    let keep: BooleanArray = iterations.map(|(_, last)| Some(last < next)).collect();
    filter_record_batch(batch, &keep).ok()
}
