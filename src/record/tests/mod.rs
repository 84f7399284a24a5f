//! Tests of the record as a whole: rows in, files on disk, rows out.

mod cache;
mod columns;
mod damage;
mod failure;
mod fold;
mod kill;
mod large;
mod measure;
mod rewriting;
mod round_trip;
mod start;
mod totals;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::concat_batches;
use arrow::datatypes::UInt64Type;
use arrow::record_batch::RecordBatch;

use crate::error::LcaError;

use super::folder::RunFolder;
use super::*;

/// Writes a run into a folder with the standard settings.
fn begin(folder: &Path) -> RunWriter {
    RunWriter::create(&Recorder::new(folder), info(), None).unwrap()
}

/// A run of a model with one tensor.
fn info() -> RunInfo {
    RunInfo {
        tensors: vec![TensorInfo::new("fc1.weight", &[2, 2], Some(1))],
        ..RunInfo::default()
    }
}

fn step(iteration: u64) -> StepRow {
    StepRow {
        iteration,
        span: 1,
        epoch: 1,
        probe: "training".into(),
        loss_before: 2.5,
        loss_after: 2.25,
        lca: -0.25,
        lca_se: None,
        lca_decay: None,
        residual: 1e-7,
        buffers: None,
        splits: 2,
        sweeps: 3,
        capped: false,
        helping: 7,
        hurting: 3,
        zero: 1,
        lca_helping: -0.5,
        lca_hurting: 0.25,
        learning_rate: 0.05,
        probe_seconds: 0.125,
    }
}

/// The rows of one step in two tables, recognizable by their iteration.
fn rows(iteration: u64) -> Vec<Rows> {
    let values = vec![iteration as f32; 4];
    vec![
        Rows::Steps(vec![step(iteration)]),
        Rows::Parameters(ParameterRows {
            iteration,
            span: 1,
            tensor: "fc1.weight".into(),
            index: ElementIndices::All,
            lca: values.clone(),
            step: values.clone(),
            gradient: values,
        }),
    ]
}

fn read_scan(scan: Scan) -> RecordBatch {
    let batches = scan.batches().unwrap();
    let schema = batches.schema();
    let batches: Vec<RecordBatch> = batches.map(Result::unwrap).collect();
    concat_batches(&schema, &batches).unwrap()
}

fn read(folder: &Path, table: Table) -> RecordBatch {
    read_scan(Run::open(folder).unwrap().scan(table))
}

/// The iterations of a table's rows, as they are read.
fn iterations(folder: &Path, table: Table) -> Vec<u64> {
    let batch = read_scan(
        Run::open(folder)
            .unwrap()
            .scan(table)
            .columns(["iteration"]),
    );
    batch
        .column(0)
        .as_primitive::<UInt64Type>()
        .values()
        .to_vec()
}

/// Asserts that the folders of tables hold nothing but whole parts, whatever reads them.
fn assert_only_parts(folder: &Path) {
    for table in Table::ALL {
        for (name, path) in files::entries(&RunFolder::new(folder).table(table)).unwrap() {
            assert!(name.ends_with(".parquet"), "{}", path.display());
        }
    }
}

fn parts(folder: &Path, table: Table) -> Vec<PathBuf> {
    RunFolder::new(folder).parts(table).unwrap()
}

/// Waits for something that another thread or process does; fails after ten seconds.
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "waited in vain: {what}"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Tells a test that it runs in a child process, and in which folder.
const CHILD: &str = "BURN_LCA_TEST_RECORD_CHILD";

/// The folder of this process, if it is the child of the test that is run.
fn child_folder() -> Option<PathBuf> {
    std::env::var_os(CHILD).map(PathBuf::from)
}

/// Runs this very test in a process of its own, as the child that works in a folder.
fn child(test: &str, folder: &Path) -> Command {
    let path = module_path!().split_once("::").unwrap().1;
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", &format!("{path}::{test}")])
        .args(["--nocapture", "--test-threads=1"])
        .env(CHILD, folder);
    command
}

fn names(texts: &[&str]) -> Vec<Arc<str>> {
    texts.iter().map(|text| Arc::from(*text)).collect()
}
