//! The tables of a run that is being written: the parts that are open, and when they close.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::error::LcaError;

use super::files::disk;
use super::folder::RunFolder;
use super::info::{EpochInfo, RunInfo, RunState};
use super::part::{self, KEY_NEXT, Origin, Part};
use super::rewrite::Rewrite;
use super::schema::Table;
use super::settings::Recorder;
use super::signals::HeldSignals;
use super::snapshot;
use super::table_rows::Rows;
use super::totals;

/// Parts of a table that are left alone at the end of an epoch; merging waits for the run's end.
const MANY_PARTS: usize = 256;

/// The state of the writer thread.
pub(super) struct Tables {
    folder: RunFolder,
    info: RunInfo,
    /// What the metadata of new parts says about the run.
    description: String,
    part_age: Duration,
    part_rows: usize,
    open: BTreeMap<Table, Part>,
    /// The last number given to a part, by table.
    sequences: BTreeMap<Table, u64>,
    /// Rows by table, those included that are in open parts.
    rows: BTreeMap<Table, u64>,
    /// Bytes that are kept free for the last `run.json`.
    reserved: usize,
    /// The iteration of the optimizer step that comes next, as far as is known.
    next_iteration: u64,
    /// What that was when the totals were last written.
    snapshot: Option<u64>,
}

impl Tables {
    /// Begins or continues to write the run that is described, and writes its `run.json`.
    pub(super) fn begin(
        folder: RunFolder,
        settings: &Recorder,
        mut info: RunInfo,
    ) -> Result<Self, LcaError> {
        folder.begin_writing()?;
        let mut sequences = BTreeMap::new();
        for table in Table::ALL {
            let parts = folder.parts(table)?;
            let last = parts.iter().filter_map(|path| part::sequence(path)).max();
            sequences.insert(table, last.unwrap_or(0));
        }
        let description = description(&folder, &info)?;
        let reserved = room_for(description.len());
        let begun = folder
            .reserve(reserved)
            .and_then(|()| folder.write_readme(&info))
            .and_then(|()| folder.write_info(&mut info));
        if let Err(error) = begun {
            // Where there was no run, there is none now.
            let _ = folder.remove_readme().and_then(|()| folder.end_writing());
            return Err(error);
        }
        Ok(Self {
            description,
            folder,
            next_iteration: info.first_iteration,
            snapshot: None,
            info,
            part_age: settings.part_age,
            part_rows: settings.part_rows,
            open: BTreeMap::new(),
            sequences,
            rows: BTreeMap::new(),
            reserved,
        })
    }

    /// Returns the iteration that the first observed step is to have.
    pub(super) fn first_iteration(&self) -> u64 {
        self.info.first_iteration
    }

    /// Removes the rows about an iteration and those after it, of every table that has any.
    pub(super) fn truncate(&mut self, next: u64) -> Result<(), LcaError> {
        Table::ALL
            .into_iter()
            .filter(|table| table.iteration_columns().is_some())
            .try_for_each(|table| self.rewrite(table).truncate(next))
    }

    /// Counts the rows that are there to continue with.
    pub(super) fn count_rows(&mut self) -> Result<(), LcaError> {
        self.rows = totals::count_rows(&self.folder, &self.info.run_id)?;
        Ok(())
    }

    /// Adds rows to the parts that are open.
    pub(super) fn write(&mut self, mut rows: Rows) -> Result<(), LcaError> {
        let table = rows.table();
        match &mut rows {
            Rows::Steps(rows) => {
                let next = rows.iter().map(|row| row.iteration + row.span).max();
                self.reached(next.unwrap_or(0));
            }
            Rows::Totals(_) => return self.replace(rows),
            Rows::Parameters(rows) => {
                if let Some(selection) = &self.info.record.parameters {
                    for values in [&mut rows.lca, &mut rows.step, &mut rows.gradient] {
                        selection.round(values);
                    }
                }
            }
            _ => {}
        }
        rows.batches(|batch| {
            if !self.open.contains_key(&table) {
                let part = self.create(table)?;
                self.open.insert(table, part);
            }
            let full = self.open.get_mut(&table).map_or(Ok(false), |part| {
                part.write(&batch).map(|()| part.rows() >= self.part_rows)
            })?;
            *self.rows.entry(table).or_default() += batch.num_rows() as u64;
            if full { self.close(table) } else { Ok(()) }
        })
    }

    /// Notes that training has come to an iteration, whether its steps are observed or not.
    pub(super) fn reached(&mut self, next_iteration: u64) {
        self.next_iteration = self.next_iteration.max(next_iteration);
    }

    /// Writes a whole table in one file, which takes the place of the one before.
    fn replace(&mut self, rows: Rows) -> Result<(), LcaError> {
        let table = rows.table();
        self.rows.remove(&table);
        let mut part = self.create(table)?;
        part.note(KEY_NEXT, self.next_iteration.to_string());
        rows.batches(|batch| part.write(&batch))?;
        self.rows.insert(table, part.rows() as u64);
        part.close()?;
        self.snapshot = Some(self.next_iteration);
        Ok(())
    }

    /// Notes in `run.json` that tensors are trained that were frozen before.
    pub(super) fn trained(&mut self, paths: &[String]) -> Result<(), LcaError> {
        for tensor in &mut self.info.tensors {
            if paths.contains(&tensor.path) {
                tensor.trainable = true;
                tensor.tied_to = None;
            }
        }
        self.description = description(&self.folder, &self.info)?;
        self.folder.write_info(&mut self.info)?;
        Ok(())
    }

    /// Returns when the oldest part is to be closed.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.open
            .values()
            .map(|part| part.opened() + self.part_age)
            .min()
    }

    /// Closes the parts that have reached their age.
    pub(super) fn close_aged(&mut self) -> Result<(), LcaError> {
        let aged = |part: &Part| part.opened().elapsed() >= self.part_age;
        let tables: Vec<Table> = self
            .open
            .iter()
            .filter(|(_, part)| aged(part))
            .map(|(table, _)| *table)
            .collect();
        tables.into_iter().try_for_each(|table| self.close(table))
    }

    /// Makes all rows of an epoch durable, and then the word that it ended.
    pub(super) fn end_epoch(&mut self, epoch: EpochInfo) -> Result<(), LcaError> {
        self.close_all()?;
        for table in Table::ALL {
            if self.folder.parts(table)?.len() > MANY_PARTS {
                self.merge(table);
            }
        }
        // Before the word that the epoch ended: whoever resumes there finds its totals.
        if self.snapshot == Some(epoch.next_iteration)
            && let Err(error) = snapshot::keep(&self.folder, epoch.next_iteration)
        {
            log::warn!(
                "the totals at the end of epoch {} are not kept for resuming there: {error}",
                epoch.epoch
            );
        }
        self.info.epochs.retain(|known| known.epoch < epoch.epoch);
        self.info.epochs.push(epoch);
        self.info.rows = by_name(&self.rows);
        let bytes = self.folder.write_info(&mut self.info)?;
        if 2 * self.reserved < room_for(bytes) {
            self.reserved = room_for(bytes);
            self.folder.reserve(self.reserved)?;
        }
        Ok(())
    }

    /// Makes all rows durable, in few files if there is time, and then the word that the run ended.
    pub(super) fn finish(&mut self, state: RunState) -> Result<RunInfo, LcaError> {
        self.close_all()?;
        // Who sent a signal doesn't wait for long.
        if !HeldSignals::received() {
            Table::ALL.into_iter().for_each(|table| self.merge(table));
        }
        let rows = totals::count_rows(&self.folder, &self.info.run_id)?;
        let differs = |table: &Table| rows.get(table) != self.rows.get(table);
        if let Some(table) = Table::ALL.into_iter().find(differs) {
            let count = |rows: &BTreeMap<Table, u64>| rows.get(&table).copied().unwrap_or(0);
            return Err(LcaError::Damaged {
                path: self.folder.table(table),
                problem: format!(
                    "the table has {} rows, though {} were written",
                    count(&rows),
                    count(&self.rows)
                ),
                remedy: "let nobody else change the files of a run that is written".into(),
            });
        }
        self.info.rows = by_name(&rows);
        self.info.totals = Some(totals::count(
            &self.folder,
            &self.info,
            self.next_iteration,
        )?);
        self.info.state = state;
        self.folder.write_info(&mut self.info)?;
        self.folder.end_writing()?;
        Ok(self.info.clone())
    }

    /// Gives up the rows that are not in a part yet, and says so in `run.json` if it can.
    pub(super) fn abandon(&mut self, reason: &str) {
        self.open.clear();
        // On a full disk there is no other room for the next line.
        let _ = self.folder.release();
        self.info.state = RunState::Failed(reason.into());
        let _ = self.folder.write_info(&mut self.info);
        let _ = self.folder.end_writing();
    }

    fn create(&mut self, table: Table) -> Result<Part, LcaError> {
        let sequence = self.sequences.entry(table).or_default();
        *sequence += 1;
        let origin = Origin {
            run: &self.description,
            run_id: &self.info.run_id,
            first_row: self.rows.get(&table).copied().unwrap_or(0),
        };
        let folder = self.folder.table(table);
        Part::create(&self.folder, folder, table, *sequence, origin)
    }

    fn close(&mut self, table: Table) -> Result<(), LcaError> {
        self.open
            .remove(&table)
            .map_or(Ok(()), |part| part.close().map(drop))
    }

    fn close_all(&mut self) -> Result<(), LcaError> {
        Table::ALL
            .into_iter()
            .try_for_each(|table| self.close(table))
    }

    /// Merges a table. It is complete without that, so a failure is only worth a warning.
    fn merge(&mut self, table: Table) {
        if let Err(error) = self.rewrite(table).merge() {
            log::warn!("table {table} stays in many files: {error}");
        }
    }

    fn rewrite(&mut self, table: Table) -> Rewrite<'_> {
        Rewrite {
            folder: &self.folder,
            table,
            run: &self.description,
            run_id: &self.info.run_id,
            sequence: self.sequences.entry(table).or_default(),
        }
    }
}

/// Returns what the metadata of new parts says about the run.
fn description(folder: &RunFolder, info: &RunInfo) -> Result<String, LcaError> {
    let text = info.description().to_text();
    text.map_err(|error| disk("writing", folder.path(), error.into()))
}

/// Returns how much room a `run.json` of about this size may need before this is asked again: it
/// grows with the epochs, and at last has the reason of a failure.
fn room_for(bytes: usize) -> usize {
    4 * bytes + (16 << 10)
}

fn by_name(rows: &BTreeMap<Table, u64>) -> BTreeMap<String, u64> {
    let rows = rows.iter();
    rows.map(|(table, rows)| (table.name().to_owned(), *rows))
        .collect()
}
