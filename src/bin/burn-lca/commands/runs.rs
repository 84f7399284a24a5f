//! The runs that a command is about.

use std::path::PathBuf;

use burn_lca::{LcaError, Run};

use crate::terminal::say;

/// Opens runs in the order given.
pub fn open(folders: &[PathBuf]) -> Result<Vec<Run>, LcaError> {
    folders.iter().map(Run::open).collect()
}

/// Says on stderr what there is to know about the runs; a picture has no room for it.
pub fn print_notes(runs: &[Run]) {
    for note in runs.iter().flat_map(Run::notes) {
        say(note);
    }
}
