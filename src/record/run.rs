//! A recorded run, to be read.

use std::ops::{Range, RangeBounds};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::LcaError;

use super::cache::PartCache;
use super::folder::RunFolder;
use super::info::{RunInfo, RunState};
use super::iterations::half_open;
use super::lock;
use super::scan::Scan;
use super::schema::Table;

/// A recorded run: finished, still being written, or left behind by a process that died.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::{Run, RunStatus, Table};
///
/// let run = Run::open(folder.path())?;
/// assert_eq!(*run.status(), RunStatus::Finished);
/// assert_eq!(run.info().tensors[0].path, "hidden.weight");
/// assert_eq!(run.tables()?, Table::ALL);
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Run {
    folder: RunFolder,
    info: Arc<RunInfo>,
    status: RunStatus,
    cache: Option<Arc<PartCache>>,
    /// The iterations that are looked at, all by default.
    iterations: Option<Range<u64>>,
}

/// What has become of a run by the time that it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunStatus {
    /// A process is writing it.
    Running,
    /// Its process died without ending it; what it had written is there.
    Killed,
    /// Training came to its end.
    Finished,
    /// Training was stopped before its end.
    Interrupted,
    /// Training or the recording of it failed, with what went wrong.
    Failed(String),
}

impl Run {
    /// Returns the run in a folder. Its tables are opened only when they are read.
    ///
    /// # Errors
    ///
    /// If the folder holds no run, or `run.json` can't be read, is damaged, or was written by a
    /// newer version of this crate.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, LcaError> {
        let folder = RunFolder::new(folder);
        // Looked at first: a run that ends between the two is then seen as finished, not killed.
        let held = lock::is_held(folder.path());
        let info = folder.read_info()?;
        let status = match &info.state {
            RunState::Running if held || lock::is_held(folder.path()) => RunStatus::Running,
            RunState::Running => RunStatus::Killed,
            RunState::Finished => RunStatus::Finished,
            RunState::Interrupted => RunStatus::Interrupted,
            RunState::Failed(reason) => RunStatus::Failed(reason.clone()),
        };
        Ok(Self {
            folder,
            info: Arc::new(info),
            status,
            cache: None,
            iterations: None,
        })
    }

    /// Has what is read of the run stay in memory, for other copies of it that do the same.
    #[cfg(feature = "report")]
    pub(crate) fn kept_in(mut self, cache: &Arc<PartCache>) -> Self {
        self.cache = Some(cache.clone());
        self
    }

    /// Returns the run as if it had only the rows about iterations in a range: those that overlap it. A
    /// second range leaves those in both. Totals of parameters are of the whole run all the same.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
    /// # let folder = example::recorded_run();
    /// use burn_lca::{Run, Table};
    ///
    /// let run = Run::open(folder.path())?.between(10..20);
    /// let mut rows = 0;
    /// for batch in run.scan(Table::Steps).batches()? {
    ///     rows += batch?.num_rows();
    /// }
    /// assert_eq!(rows, 2 * 10, "two probes, 10 steps");
    /// # Ok::<(), burn_lca::LcaError>(())
    /// ```
    pub fn between(self, iterations: impl RangeBounds<u64>) -> Self {
        let Range { start, end } = half_open(iterations);
        let looked_at = self.iterations.clone().unwrap_or(0..u64::MAX);
        Self {
            iterations: Some(start.max(looked_at.start)..end.min(looked_at.end)),
            ..self
        }
    }

    /// Returns the folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns what the run is about.
    #[must_use]
    pub fn info(&self) -> &RunInfo {
        &self.info
    }

    /// Returns what has become of the run.
    #[must_use]
    pub fn status(&self) -> &RunStatus {
        &self.status
    }

    /// Returns the iterations that are looked at; `None` if all are.
    pub(super) fn only(&self) -> Option<&Range<u64>> {
        self.iterations.as_ref()
    }

    /// Returns the tables that have rows.
    ///
    /// # Errors
    ///
    /// If the folder of a table can't be listed.
    pub fn tables(&self) -> Result<Vec<Table>, LcaError> {
        let mut tables = Vec::new();
        for table in Table::ALL {
            if !self.folder.parts(table)?.is_empty() {
                tables.push(table);
            }
        }
        Ok(tables)
    }

    /// Returns whether a table has rows; fails if it had and they are gone.
    #[cfg(feature = "analysis")]
    pub(crate) fn has(&self, table: Table) -> Result<bool, LcaError> {
        if !self.folder.parts(table)?.is_empty() {
            return Ok(true);
        }
        match self.info.rows.get(table.name()) {
            None | Some(0) => Ok(false),
            Some(rows) => Err(LcaError::Damaged {
                path: self.folder.table(table),
                problem: format!("the table has no rows, but run.json counts {rows}"),
                remedy: "restore its files from a copy".into(),
            }),
        }
    }

    /// Returns a request for the rows of a table. Reading a table without rows gives none.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
    /// # let folder = example::recorded_run();
    /// use burn_lca::{Run, Table};
    ///
    /// let run = Run::open(folder.path())?;
    /// let mut rows = 0;
    /// for batch in run.scan(Table::Steps).columns(["iteration", "lca"]).batches()? {
    ///     rows += batch?.num_rows();
    /// }
    /// assert_eq!(rows, 2 * 30, "two probes, 30 steps");
    /// # Ok::<(), burn_lca::LcaError>(())
    /// ```
    pub fn scan(&self, table: Table) -> Scan {
        let scan = Scan::new(self.folder.clone(), table, self.info.clone());
        let scan = scan.kept_in(self.cache.clone());
        match &self.iterations {
            Some(range) if table.iteration_columns().is_some() => scan.iterations(range.clone()),
            _ => scan,
        }
    }
}
