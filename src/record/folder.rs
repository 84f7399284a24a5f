//! A run's folder: what is where, and what counts when a process died half-way.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::LcaError;

use super::files::{self, TEMPORARY, disk};
use super::info::{RunInfo, now};
use super::schema::Table;

/// The file that says what the run is.
const RUN: &str = "run.json";
/// The ending of part files.
pub(super) const PART: &str = "parquet";
/// The one file of a table that is replaced as a whole.
pub(super) const SNAPSHOT: &str = "snapshot.parquet";

/// The folder of a run.
#[derive(Debug, Clone)]
pub(super) struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the folder of a table's parts.
    pub(super) fn table(&self, table: Table) -> PathBuf {
        self.path.join(table.name())
    }

    /// Returns the folder in which a table's rewrite is put together.
    pub(super) fn building(&self, table: Table) -> PathBuf {
        self.path.join(format!(".{table}.building"))
    }

    /// Returns the folder of a complete rewrite that has not taken the table's place yet.
    pub(super) fn next(&self, table: Table) -> PathBuf {
        self.path.join(format!(".{table}.next"))
    }

    /// Returns the folder of a table that its rewrite has replaced.
    pub(super) fn old(&self, table: Table) -> PathBuf {
        self.path.join(format!(".{table}.old"))
    }

    /// Returns where the totals are.
    pub(super) fn snapshot(&self) -> PathBuf {
        self.table(Table::ParameterTotals).join(SNAPSHOT)
    }

    /// Returns the folder of the totals as they were at the ends of epochs.
    pub(super) fn kept(&self) -> PathBuf {
        self.path.join(format!(".{}.kept", Table::ParameterTotals))
    }

    /// Returns where the totals of the iterations before one are kept.
    pub(super) fn kept_snapshot(&self, next: u64) -> PathBuf {
        self.kept().join(format!("{next:010}.{PART}"))
    }

    /// Returns the totals that are kept by the iteration up to which they count, ascending.
    pub(super) fn kept_snapshots(&self) -> Result<Vec<(u64, PathBuf)>, LcaError> {
        let mut kept: Vec<(u64, PathBuf)> = list_if_there(&self.kept(), PART)?
            .into_iter()
            .filter_map(|path| Some((path.file_stem()?.to_str()?.parse().ok()?, path)))
            .collect();
        kept.sort();
        Ok(kept)
    }

    /// Returns a table's parts in the order of their names, which is that of their rows.
    pub(super) fn parts(&self, table: Table) -> Result<Vec<PathBuf>, LcaError> {
        // A listing that races with a writer may have a new file and lack an older one. If the
        // next one is the same, it does not: the older file was there before that began.
        let mut parts = self.list_table(table)?;
        loop {
            let again = self.list_table(table)?;
            if again == parts {
                return Ok(parts);
            }
            parts = again;
        }
    }

    /// Lists a table. Between the two renames of a rewrite it is not there, but its complete
    /// rewrite is.
    fn list_table(&self, table: Table) -> Result<Vec<PathBuf>, LcaError> {
        for folder in [self.table(table), self.next(table), self.table(table)] {
            match list(&folder, PART) {
                Ok(parts) => return Ok(parts),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(disk("reading", &folder, error)),
            }
        }
        Ok(Vec::new())
    }

    /// Returns whether the folder holds a run.
    pub(super) fn holds_run(&self) -> bool {
        self.path.join(RUN).exists()
    }

    pub(super) fn read_info(&self) -> Result<RunInfo, LcaError> {
        let path = self.path.join(RUN);
        match fs::read_to_string(&path) {
            Ok(text) => RunInfo::parse(&text, &path),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(LcaError::NoRun {
                path: self.path.clone(),
            }),
            // What is no text is no more of a run.json than a text that can't be parsed.
            Err(error) if error.kind() == ErrorKind::InvalidData => RunInfo::parse("", &path),
            Err(error) => Err(disk("reading", &path, error)),
        }
    }

    /// Writes `run.json` with the present time, and returns its text.
    pub(super) fn write_info(&self, info: &mut RunInfo) -> Result<String, LcaError> {
        info.updated = now();
        let path = self.path.join(RUN);
        let text = serde_json::to_string_pretty(info)
            .map_err(|error| disk("writing", &path, error.into()))?;
        files::replace(&path, text.as_bytes())?;
        Ok(text)
    }

    /// Fails if a new run here would mix with Parquet files that are no run's.
    pub(super) fn check_unclaimed(&self) -> Result<(), LcaError> {
        for table in Table::ALL {
            if !self.parts(table)?.is_empty() {
                return Err(LcaError::setting(
                    "Recorder::new",
                    format!(
                        "{} has Parquet files in {table} but no run.json, so they are not known \
                         to be a run's",
                        self.path.display()
                    ),
                    "choose another folder, or move them away",
                ));
            }
        }
        Ok(())
    }

    /// Removes the run, and nothing that is not part of one.
    pub(super) fn remove_run(&self) -> Result<(), LcaError> {
        for table in Table::ALL {
            for folder in [self.building(table), self.next(table), self.old(table)] {
                files::remove_folder(&folder)?;
            }
            let folder = self.table(table);
            remove_temporary(&folder)?;
            for part in self.parts(table)? {
                files::remove(&part)?;
            }
            // Fails where somebody else keeps files in it, which then stays.
            let _ = fs::remove_dir(folder);
        }
        files::remove_folder(&self.kept())?;
        // Last, so that a removal that was cut short can be repeated.
        files::remove(&self.path.join(RUN))?;
        files::sync_folder(&self.path)
    }

    /// Brings every table into the one state that its files on disk stand for.
    ///
    /// A rewrite counts from the moment its folder is called `.next` and the table's own is
    /// gone; see [`super::rewrite`] for the order of the renames.
    pub(super) fn recover(&self) -> Result<(), LcaError> {
        for table in Table::ALL {
            files::remove_folder(&self.building(table))?;
            let (path, next) = (self.table(table), self.next(table));
            if next.exists() {
                if path.exists() {
                    files::remove_folder(&next)?;
                } else {
                    files::rename(&next, &path)?;
                }
            }
            files::remove_folder(&self.old(table))?;
            remove_temporary(&self.table(table))?;
        }
        remove_temporary(&self.kept())
    }
}

fn remove_temporary(folder: &Path) -> Result<(), LcaError> {
    let paths = list_if_there(folder, TEMPORARY)?;
    paths.iter().try_for_each(|path| files::remove(path))
}

/// Lists a folder; one that is not there has no files.
fn list_if_there(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, LcaError> {
    match list(folder, extension) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        result => result.map_err(|error| disk("reading", folder, error)),
    }
}

fn list(folder: &Path, extension: &str) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
