//! The parts of a table one after the other, each of this run and following on the one before.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::LcaError;

use super::cache::PartCache;
use super::folder::RunFolder;
use super::reader::PartReader;
use super::schema::Table;

/// The parts of a table that are still to be opened, in the order of their rows.
pub(super) struct PartSequence {
    table: Table,
    folder: PathBuf,
    run_id: String,
    parts: VecDeque<PathBuf>,
    next_row: u64,
    cache: Option<Arc<PartCache>>,
}

impl PartSequence {
    /// Lists the parts of a table.
    pub(super) fn list(folder: &RunFolder, table: Table, run_id: &str) -> Result<Self, LcaError> {
        Ok(Self {
            table,
            folder: folder.table(table),
            run_id: run_id.to_owned(),
            parts: folder.parts(table)?.into(),
            next_row: 0,
            cache: None,
        })
    }

    /// Has what is read stay in memory, and forgets what is no longer there.
    pub(super) fn kept_in(mut self, cache: Option<Arc<PartCache>>) -> Self {
        self.cache = cache;
        if let Some(cache) = &self.cache {
            cache.keep_only(&self.folder, self.parts.iter());
        }
        self
    }

    /// Returns the folder of the table.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns how many rows the parts have that were opened so far.
    pub(super) fn rows(&self) -> u64 {
        self.next_row
    }

    /// Opens all that are left, and returns how many rows the table has.
    pub(super) fn count(mut self) -> Result<u64, LcaError> {
        self.by_ref().try_for_each(|part| part.map(drop))?;
        Ok(self.next_row)
    }

    /// Opens a part, if it is the one whose rows come next.
    fn open(&mut self, path: &Path) -> Result<PartReader, LcaError> {
        let part = match &self.cache {
            Some(cache) => PartReader::open_kept(path, self.table, cache),
            None => PartReader::open(path, self.table),
        }?;
        part.check_run(&self.run_id)?;
        let first = part.first_row()?;
        let damaged = |problem: String, remedy: &str| LcaError::Damaged {
            path: path.to_owned(),
            problem,
            remedy: remedy.into(),
        };
        if first < self.next_row {
            let problem = format!("its rows, from row {first} on, are in the table twice");
            return Err(damaged(problem, "move the copy out of the run's folder"));
        }
        if first > self.next_row {
            let problem = format!(
                "rows {} to {} of table {}, which come before it, are missing",
                self.next_row,
                first - 1,
                self.table
            );
            // What comes after the gap can still be asked for.
            self.next_row = first;
            self.parts.push_front(path.to_owned());
            return Err(damaged(problem, "restore the missing file from a copy"));
        }
        self.next_row = first.saturating_add(part.rows() as u64);
        Ok(part)
    }
}

impl Iterator for PartSequence {
    type Item = Result<PartReader, LcaError>;

    fn next(&mut self) -> Option<Self::Item> {
        let path = self.parts.pop_front()?;
        Some(self.open(&path))
    }
}
