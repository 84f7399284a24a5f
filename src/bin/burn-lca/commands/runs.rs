//! The runs that a command is about.

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use burn_lca::analysis::iterations;
use burn_lca::analysis::sets::RunSet;
use burn_lca::{LcaError, Run};

use crate::failure::Failure;
use crate::terminal::say;

/// The folder of a run with what it is called, as in `0.9=runs/a`.
#[derive(Debug, Clone)]
pub struct LabelledRun {
    pub label: Option<String>,
    pub folder: PathBuf,
}

impl From<OsString> for LabelledRun {
    /// A folder that is there is no label, and neither is what has a separator of paths in it.
    fn from(text: OsString) -> Self {
        let folder = PathBuf::from(text);
        let text = folder.to_str().filter(|_| !folder.exists());
        let parts = text.and_then(|text| text.split_once('='));
        match parts.filter(|(label, _)| !label.contains(std::path::is_separator)) {
            Some((label, path)) => Self {
                label: Some(label.to_owned()),
                folder: path.into(),
            },
            None => Self {
                label: None,
                folder,
            },
        }
    }
}

// Comments for people who read this, since a documentation would stand in for the command's own.
// Which steps of runs are looked at.
#[derive(Debug, Clone, clap::Args)]
pub struct StepsArgs {
    /// The first iteration that is looked at.
    #[arg(long, value_name = "ITERATION")]
    pub from: Option<u64>,
    /// The last iteration that is looked at.
    #[arg(long, value_name = "ITERATION")]
    pub to: Option<u64>,
}

impl StepsArgs {
    /// Returns a run as if it had only these steps.
    pub fn of(&self, run: Run) -> Result<Run, Failure> {
        let (from, to) = (self.from.unwrap_or(0), self.to.unwrap_or(u64::MAX));
        if from > to {
            let problem = format!("--from {from} is after --to {to}; give an earlier one");
            return Err(Failure::Usage(problem));
        }
        if self.from.is_none() && self.to.is_none() {
            return Ok(run);
        }
        // Of a run without rows the analysis says so.
        let Some((first, last)) = iterations(&run)?.map(RangeInclusive::into_inner) else {
            return Ok(run.between(from..));
        };
        if from > last || to < first {
            let wrong = match self.from.filter(|from| *from > last) {
                Some(from) => format!("--from {from}"),
                None => format!("--to {to}"),
            };
            let folder = run.folder().display();
            let problem = format!("{wrong}: {folder} has iterations {first} to {last}");
            return Err(Failure::Usage(problem));
        }
        Ok(match (from > first, to < last) {
            (false, false) => run,
            (true, false) => run.between(from..),
            (_, true) => run.between(from..=to),
        })
    }

    /// Returns runs as if they had only these steps.
    pub fn of_all(&self, runs: Vec<Run>) -> Result<Vec<Run>, Failure> {
        runs.into_iter().map(|run| self.of(run)).collect()
    }
}

/// Returns the numbers before runs.
pub fn numbers(runs: &[LabelledRun]) -> Result<Vec<f64>, Failure> {
    let number = |run: &LabelledRun| {
        let number = run.label.as_ref().and_then(|label| label.parse().ok());
        number.ok_or_else(|| {
            let folder = run.folder.display();
            let problem =
                format!("no number stands before {folder}; give NUMBER=RUN, as 0.9={folder}");
            Failure::Usage(problem)
        })
    };
    runs.iter().map(number).collect()
}

/// Returns runs as sets, each of those with one name before them; `None` of runs without names.
pub fn sets(labelled: &[LabelledRun], runs: &[Run]) -> Result<Option<Vec<RunSet>>, Failure> {
    if let Some(unnamed) = labelled.iter().find(|run| run.label.is_none()) {
        if labelled.iter().any(|run| run.label.is_some()) {
            let folder = unnamed.folder.display();
            let problem = format!("no name stands before {folder}; give all runs one, or none");
            return Err(Failure::Usage(problem));
        }
        return Ok(None);
    }
    let mut sets: Vec<RunSet> = Vec::new();
    for (run, named) in runs.iter().zip(labelled) {
        let name = named.label.as_deref().unwrap_or_default();
        match sets.iter_mut().find(|set| set.name == name) {
            Some(set) => set.runs.push(run.clone()),
            None => sets.push(RunSet::new(name, vec![run.clone()])),
        }
    }
    Ok(Some(sets))
}

/// Opens runs in the order given, whatever is before them.
pub fn open_labelled(runs: &[LabelledRun]) -> Result<Vec<Run>, LcaError> {
    runs.iter().map(|run| Run::open(&run.folder)).collect()
}

/// Opens runs in the order given.
pub fn open(folders: &[PathBuf]) -> Result<Vec<Run>, LcaError> {
    folders.iter().map(Run::open).collect()
}

/// Says on stderr what there is to know about the runs; a picture has no room for it.
pub fn print_notes(runs: &[Run]) {
    for note in Run::notes_of(runs) {
        say(note);
    }
}
