//! A run of which one file holds arbitrary bytes is read or refused, and never a panic.
//!
//! `cargo +nightly fuzz run run`, in the crate's folder. The first byte of the input says which
//! file it is about, and the second whether the rest replaces that file or edits it.

#![no_main]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use burn_lca::{Run, Table};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

#[path = "../../cli/fixture/mod.rs"]
mod fixture;

use fixture::{Fixture, part_path};

/// The batches of a table that are read: a few bytes can claim any number of equal rows.
const BATCHES: usize = 16;

/// A whole run, with each of its files and what that holds.
struct Whole {
    folder: TempDir,
    files: Vec<(PathBuf, Vec<u8>)>,
}

static WHOLE: LazyLock<Whole> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    Fixture {
        steps: 4,
        ..Fixture::default()
    }
    .write(folder.path());
    let mut paths = vec![folder.path().join("run.json")];
    paths.extend(Table::ALL.map(|table| part_path(folder.path(), table)));
    let files = paths.into_iter().map(|path| {
        let bytes = fs::read(&path).expect("a file of the run");
        (path, bytes)
    });
    Whole {
        files: files.collect(),
        folder,
    }
});

fuzz_target!(|data: &[u8]| {
    let [file, way, rest @ ..] = data else {
        return;
    };
    let (path, bytes) = &WHOLE.files[usize::from(*file) % WHOLE.files.len()];
    let changed = match way % 2 {
        0 => rest.to_vec(),
        _ => edited(bytes, rest),
    };
    fs::write(path, changed).expect("a file that can be written");
    read(WHOLE.folder.path());
    fs::write(path, bytes).expect("a file that can be written");
});

/// Returns the bytes with some replaced: three bytes are a place from the end, where a Parquet
/// file says what it holds, and what to put there.
fn edited(bytes: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for edit in edits.chunks_exact(3) {
        let back = usize::from(u16::from_le_bytes([edit[0], edit[1]]));
        let place = bytes.len() - 1 - back % bytes.len();
        bytes[place] = edit[2];
    }
    bytes
}

/// Reads all there is; errors are as good as rows.
fn read(folder: &Path) {
    let Ok(run) = Run::open(folder) else {
        return;
    };
    for table in run.tables().unwrap_or_default() {
        let scans = [run.scan(table), run.scan(table).iterations(1..3)];
        for batches in scans.into_iter().filter_map(|scan| scan.batches().ok()) {
            batches.take(BATCHES).for_each(drop);
        }
    }
}
