//! What runs are called in a page, what became of them, and names that fit into figures.

use std::collections::HashSet;
use std::path::Component;

use serde::Serialize;

use crate::analysis::names::{layer_of, shorten_apart};
use crate::record::{Run, RunStatus};

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
        |names: &Vec<String>| (1..names.len()).all(|index| !names[..index].contains(&names[index]));
    let mut names = (2..=longest.max(2))
        .map(ends)
        .find(told_apart)
        .unwrap_or_else(|| ends(longest));
    if !told_apart(&names) {
        for (index, name) in names.iter_mut().enumerate() {
            *name = format!("{name} ({})", index + 1);
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

/// Returns what a class is called in figures: a number alone would say nothing.
pub(super) fn class_text(name: &str) -> String {
    let is_number = name.chars().all(|letter| letter.is_ascii_digit());
    let what = if is_number { "class " } else { "" };
    format!("{what}{name}")
}

/// Letters that figures have room for, on screens from wide to narrow.
const ROOMS: [usize; 4] = [28, 20, 14, 10];

/// Long names of layers, tensors and classes, and what is shown of them.
#[derive(Serialize)]
pub(super) struct ShortNames {
    /// The most letters of each text.
    letters: [usize; ROOMS.len()],
    names: Vec<ShortName>,
}

#[derive(Serialize)]
struct ShortName {
    name: String,
    /// The name with so many letters at most.
    texts: Vec<String>,
}

/// Returns the names of runs that are too long for some figure. `classes` are their classes' names
/// as rows have them.
pub(super) fn short_names(runs: &[Run], classes: Vec<String>) -> ShortNames {
    let tensors = || runs.iter().flat_map(|run| &run.info().tensors);
    let tensor_names: Vec<String> = tensors().map(|tensor| tensor.path.clone()).collect();
    let layers = tensors().map(|tensor| layer_of(&tensor.path).to_owned());
    let mut names: Vec<ShortName> = Vec::new();
    let mut known: HashSet<String> = HashSet::new();
    for mut list in [layers.collect(), tensor_names, classes] {
        list.sort_unstable();
        list.dedup();
        let texts = ROOMS.map(|letters| {
            let fits = |name: &str| name.chars().count() <= letters;
            shorten_apart(list.iter().map(String::as_str), fits)
        });
        for (index, name) in list.into_iter().enumerate() {
            let is_long = name.chars().count() > ROOMS[ROOMS.len() - 1];
            if is_long && known.insert(name.clone()) {
                let texts = texts.iter().map(|texts| texts[index].clone());
                names.push(ShortName {
                    texts: texts.collect(),
                    name,
                });
            }
        }
    }
    ShortNames {
        letters: ROOMS,
        names,
    }
}
