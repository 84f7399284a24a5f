//! The runs that a command is about.

use std::path::PathBuf;

use burn_lca::{LcaError, Run};

use crate::terminal::say;

/// Opens runs in the order given.
pub fn open(folders: &[PathBuf]) -> Result<Vec<Run>, LcaError> {
    folders.iter().map(Run::open).collect()
}

/// Says on stderr which runs did not finish; a picture has no room for it.
pub fn warn_of_unfinished(runs: &[Run]) {
    for note in runs.iter().filter_map(Run::unfinished) {
        say(note);
    }
}
