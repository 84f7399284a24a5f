//! What runs are called in a page, and what became of them.

use std::path::Component;

use crate::{Run, RunStatus};

/// Returns a name for every run: the end of its folder's path that tells it from the others.
pub(super) fn names(runs: &[Run]) -> Vec<String> {
    let paths: Vec<Vec<String>> = runs.iter().map(parts).collect();
    let longest = paths.iter().map(Vec::len).max().unwrap_or(0);
    let ends = |length: usize| -> Vec<String> {
        let end = |path: &Vec<String>| path[path.len().saturating_sub(length)..].join("/");
        paths.iter().map(end).collect()
    };
    // Recorders are often pointed at a folder `lca`, so that one part says little.
    let told_apart =
        |names: &Vec<String>| (1..names.len()).all(|place| !names[..place].contains(&names[place]));
    let mut names = (2..=longest.max(2))
        .map(ends)
        .find(told_apart)
        .unwrap_or_else(|| ends(longest));
    if !told_apart(&names) {
        for (place, name) in names.iter_mut().enumerate() {
            *name = format!("{name} ({})", place + 1);
        }
    }
    names
}

fn parts(run: &Run) -> Vec<String> {
    let folder = run.folder();
    // `.` and `..` have no name of their own.
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let part = |part: Component| match part {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    };
    folder.components().filter_map(part).collect()
}

/// Returns what became of a run, in a word.
pub(super) fn state(run: &Run) -> &'static str {
    match run.status() {
        RunStatus::Finished => "finished",
        RunStatus::Running => "still running",
        RunStatus::Killed => "killed",
        RunStatus::Interrupted => "interrupted",
        RunStatus::Failed(_) => "failed",
    }
}
