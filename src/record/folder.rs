//! A run's folder: what is where, and what counts when a process died half-way.

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::error::LcaError;

use super::files::{self, disk};
use super::info::{RunInfo, now};
use super::readme;
use super::schema::Table;

/// The file that says what the run is.
const RUN: &str = "run.json";
/// What that file is called while its run is being removed.
const REMOVED: &str = ".run.json.removed";
/// The file that says so to people, and how to go on from it.
const README: &str = "README.md";
/// The ending of part files.
pub(super) const PART: &str = "parquet";
/// The one file of a table that is replaced as a whole.
pub(super) const SNAPSHOT: &str = "snapshot.parquet";
/// The folder of files that are not complete yet: readers of a table's folder must not see them.
const WRITING: &str = ".writing";
/// The one of these that only takes room.
const RESERVE: &str = "reserve";
/// The ending of their names.
const TEMPORARY: &str = "tmp";

/// The folder of a run.
#[derive(Debug, Clone)]
pub(super) struct RunFolder {
    path: PathBuf,
}

/// Says whether the recorder gives files such a name.
type OwnName = fn(&str) -> bool;

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

    /// Returns where a file is until it is complete.
    pub(super) fn temporary(&self, name: &str) -> PathBuf {
        self.writing().join(format!("{name}.{TEMPORARY}"))
    }

    fn writing(&self) -> PathBuf {
        self.path.join(WRITING)
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
        let mut kept: Vec<(u64, PathBuf)> = files::entries(&self.kept())?
            .into_iter()
            .filter(|(name, _)| is_kept_snapshot(name))
            .filter_map(|(_, path)| Some((path.file_stem()?.to_str()?.parse().ok()?, path)))
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
            match list_parts(&folder) {
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
        if files::is_no_file(&path) {
            return Err(disk("reading", &path, io::Error::other("not a file")));
        }
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

    /// Writes `run.json` with the present time, and returns how many bytes it has.
    pub(super) fn write_info(&self, info: &mut RunInfo) -> Result<usize, LcaError> {
        info.updated = now();
        let path = self.path.join(RUN);
        let text = info.to_text();
        let text = text.map_err(|error| disk("writing", &path, error.into()))?;
        files::replace(&path, &self.temporary(RUN), text.as_bytes())?;
        Ok(text.len())
    }

    /// Writes what the folder says of itself, unless there is such a file of somebody else's.
    pub(super) fn write_readme(&self, info: &RunInfo) -> Result<(), LcaError> {
        let path = self.path.join(README);
        if self.has_other_readme()? {
            return Ok(());
        }
        files::replace(&path, &self.temporary(README), info.readme().as_bytes())
    }

    /// Removes what the folder says of itself where it holds no run.
    pub(super) fn remove_readme(&self) -> Result<(), LcaError> {
        if self.holds_run() || self.has_other_readme()? {
            return Ok(());
        }
        files::remove(&self.path.join(README))
    }

    /// Returns whether there is something of that name that the recorder did not write.
    fn has_other_readme(&self) -> Result<bool, LcaError> {
        let path = self.path.join(README);
        let begins = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(disk("reading", &path, error)),
            Ok(about) if !about.is_file() => return Ok(true),
            Ok(_) => {
                let mut begins = vec![0; readme::TITLE.len()];
                let read = fs::File::open(&path).and_then(|mut file| file.read_exact(&mut begins));
                match read {
                    Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(true),
                    read => read.map_err(|error| disk("reading", &path, error))?,
                }
                begins
            }
        };
        Ok(begins != readme::TITLE.as_bytes())
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

    /// Returns the folders that the recorder keeps files in, and which names those have.
    fn own_folders(&self) -> Vec<(PathBuf, OwnName)> {
        let tables = Table::ALL.into_iter().flat_map(|table| {
            [
                self.building(table),
                self.next(table),
                self.old(table),
                self.table(table),
            ]
        });
        let mut folders: Vec<(PathBuf, OwnName)> =
            tables.map(|folder| (folder, is_part as OwnName)).collect();
        folders.push((self.kept(), is_kept_snapshot));
        folders.push((self.writing(), is_temporary));
        folders
    }

    /// Checks that all that the recorder may replace or remove here is its own.
    ///
    /// Fails on links, which may lead out of the run, and on Parquet files that the recorder did
    /// not write, which would be read as rows of the run.
    pub(super) fn check_own(&self) -> Result<(), LcaError> {
        let refuse = |path: &Path, problem: &str| {
            Err(LcaError::setting(
                "Recorder::new",
                format!("{} {problem}", path.display()),
                "move it away, or record into another folder",
            ))
        };
        let is = |path: &Path, kind: fn(&fs::Metadata) -> bool| match fs::symlink_metadata(path) {
            Ok(metadata) => Ok(kind(&metadata)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
            Err(error) => Err(disk("reading", path, error)),
        };
        if !is(&self.path.join(RUN), fs::Metadata::is_file)? {
            return refuse(&self.path.join(RUN), "is not a plain file");
        }
        for (folder, is_ours) in self.own_folders() {
            if !is(&folder, fs::Metadata::is_dir)? {
                return refuse(&folder, "is not a folder, or only a link to one");
            }
            for (name, path) in files::entries(&folder)? {
                if !is_ours(&name) && name.ends_with(PART) {
                    return refuse(&path, "is not a file that the recorder wrote");
                }
                if is_ours(&name) && !is(&path, fs::Metadata::is_file)? {
                    return refuse(&path, "is not a plain file");
                }
            }
        }
        Ok(())
    }

    /// Prepares the folder for writing.
    pub(super) fn begin_writing(&self) -> Result<(), LcaError> {
        files::create_subfolder(&self.writing())
    }

    /// Takes so much room on the disk, for a `run.json` that says why the recording ended.
    pub(super) fn reserve(&self, bytes: usize) -> Result<(), LcaError> {
        self.release()?;
        files::occupy(&self.temporary(RESERVE), bytes)
    }

    /// Gives the room back.
    pub(super) fn release(&self) -> Result<(), LcaError> {
        files::remove(&self.temporary(RESERVE))
    }

    /// Removes what was needed only while writing.
    pub(super) fn end_writing(&self) -> Result<(), LcaError> {
        files::remove_own(&self.writing(), is_temporary)
    }

    /// Removes the run, and nothing that is not part of it.
    ///
    /// Fails before anything is removed if something can't be.
    pub(super) fn remove_run(&self) -> Result<(), LcaError> {
        self.remove_probes()?;
        let run = self.path.join(RUN);
        files::check_removable(&run)?;
        for (folder, is_ours) in self.own_folders() {
            for (name, path) in files::entries(&folder)? {
                if is_ours(&name) {
                    files::check_removable(&path)?;
                }
            }
        }
        // From here on there is no run, which nobody must resume or read in part.
        files::rename(&run, &self.path.join(REMOVED))?;
        self.end_removal()
    }

    fn remove_probes(&self) -> Result<(), LcaError> {
        files::remove_probes(&self.path, |name| name == RUN)?;
        let mut folders = self.own_folders().into_iter();
        folders.try_for_each(|(folder, is_ours)| files::remove_probes(&folder, is_ours))
    }

    /// Removes what a removal that was cut short has left; for a folder that holds no run.
    pub(super) fn end_removal(&self) -> Result<(), LcaError> {
        let removed = self.path.join(REMOVED);
        if !removed.exists() {
            return Ok(());
        }
        for (folder, is_ours) in self.own_folders() {
            files::remove_own(&folder, is_ours)?;
        }
        files::remove(&removed)?;
        files::sync_folder(&self.path)
    }

    /// Removes kept totals, which are hidden and so easily left behind when a run is removed by
    /// hand.
    pub(super) fn remove_kept(&self) -> Result<(), LcaError> {
        files::remove_own(&self.kept(), is_kept_snapshot)
    }

    /// Removes what a rewrite that was cut short has left of the new table.
    pub(super) fn remove_building(&self, table: Table) -> Result<(), LcaError> {
        files::remove_own(&self.building(table), is_part)
    }

    /// Removes a table that its rewrite has replaced; files of somebody else stay in the table.
    pub(super) fn remove_old(&self, table: Table) -> Result<(), LcaError> {
        let (old, present) = (self.old(table), self.table(table));
        for (name, path) in files::entries(&old)? {
            let target = present.join(&name);
            if !is_part(&name) && !target.exists() {
                files::rename(&path, &target)?;
            }
        }
        files::remove_own(&old, is_part)
    }

    /// Brings every table into the one state that its files on disk stand for.
    ///
    /// A rewrite counts from the moment its folder is called `.next` and the table's own is
    /// gone; see [`super::rewrite`] for the order of the renames.
    pub(super) fn recover(&self) -> Result<(), LcaError> {
        self.remove_probes()?;
        for table in Table::ALL {
            self.remove_building(table)?;
            let (path, next, old) = (self.table(table), self.next(table), self.old(table));
            if path.exists() {
                files::remove_own(&next, is_part)?;
            } else if next.exists() {
                files::rename(&next, &path)?;
            } else if old.exists() {
                files::rename(&old, &path)?;
            }
            self.remove_old(table)?;
        }
        self.end_writing()
    }
}

/// Returns whether a name is one that a part of a table gets.
fn is_part(name: &str) -> bool {
    let numbered = |stem: &str| {
        let mut fields = 0;
        let numbers = stem.split('-').inspect(|_| fields += 1).all(is_number);
        numbers && fields == 3
    };
    name == SNAPSHOT || stem(name, PART).is_some_and(numbered)
}

/// Returns whether a name is one that the totals of an earlier epoch get.
fn is_kept_snapshot(name: &str) -> bool {
    stem(name, PART).is_some_and(is_number)
}

fn is_temporary(name: &str) -> bool {
    stem(name, TEMPORARY).is_some()
}

fn stem<'a>(name: &'a str, extension: &str) -> Option<&'a str> {
    name.strip_suffix(extension)?.strip_suffix('.')
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Lists the Parquet files of a folder, which need not be parts.
fn list_parts(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == PART) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
