//! Noticing that there is more of runs that are being recorded.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use burn_lca::{Run, RunStatus, Table};

/// The least time between two looks.
pub const PAUSE: Duration = Duration::from_millis(300);

/// What can be seen of runs without reading their tables. It is another one as soon as there is
/// something else to read: more rows, another state, or another run in a folder.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen(Vec<SeenRun>);

#[derive(Debug, PartialEq, Eq)]
struct SeenRun {
    /// Which run it is and what has become of it, or why it can't be opened.
    state: Result<(String, RunStatus), String>,
    files: Vec<SeenFile>,
}

type SeenFile = (PathBuf, u64, Option<SystemTime>);

impl Seen {
    pub fn of(folders: &[PathBuf]) -> Self {
        let seen = |folder: &PathBuf| {
            let run = Run::open(folder).map_err(|error| error.to_string());
            let state = run.map(|run| (run.info().run_id.clone(), run.status().clone()));
            let mut files: Vec<SeenFile> = Table::ALL
                .into_iter()
                .flat_map(|table| files(&folder.join(table.name())))
                .collect();
            files.sort();
            SeenRun { state, files }
        };
        Self(folders.iter().map(seen).collect())
    }

    /// Returns whether a run is being recorded.
    pub fn is_growing(&self) -> bool {
        let mut states = self.0.iter().filter_map(|run| run.state.as_ref().ok());
        states.any(|(_, status)| *status == RunStatus::Running)
    }
}

/// Lists a folder; what is gone by now is left out.
fn files(folder: &Path) -> Vec<SeenFile> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let seen = |entry: fs::DirEntry| {
        let about = entry.metadata().ok()?;
        Some((entry.path(), about.len(), about.modified().ok()))
    };
    entries.flatten().filter_map(seen).collect()
}

/// Waits after work that began at `start` for as long as it took: what watches a training never
/// takes more than half of a core from it.
pub fn rest(start: Instant) {
    thread::sleep(start.elapsed().max(PAUSE));
}
