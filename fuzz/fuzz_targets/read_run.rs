//! Arbitrary bytes as a run's `run.json`, or as a part of one of its tables: whatever is in
//! them, reading ends with rows or an error.
//!
//! The first byte says which file the others are.
#![no_main]

use std::fs;
use std::path::Path;

use burn_lca::{Run, Table};
use libfuzzer_sys::fuzz_target;

const RUN: &[u8] = br#"{"schema_version": 1, "state": "finished"}"#;

fuzz_target!(|data: &[u8]| {
    let Some((which, bytes)) = data.split_first() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a place for temporary files");
    match Table::ALL.get(usize::from(*which) % (Table::ALL.len() + 1)) {
        Some(table) => {
            write(&folder.path().join("run.json"), RUN);
            let parts = folder.path().join(table.name());
            fs::create_dir(&parts).expect("a folder");
            let name = match table {
                Table::ParameterTotals => "snapshot.parquet",
                _ => "0000000000-0000000009-000001.parquet",
            };
            write(&parts.join(name), bytes);
        }
        None => write(&folder.path().join("run.json"), bytes),
    }
    read(folder.path());
});

fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("room for a file");
}

/// Reads everything in every way; errors are answers too.
fn read(folder: &Path) {
    let Ok(run) = Run::open(folder) else {
        return;
    };
    for table in Table::ALL {
        let scans = [
            run.scan(table),
            run.scan(table).iterations(3..7),
            run.scan(table).tensor("fc1.weight"),
        ];
        for batches in scans.into_iter().filter_map(|scan| scan.batches().ok()) {
            batches.flatten().for_each(drop);
        }
    }
}
