//! Snapshots of `parameter_totals`: the present one, and those of earlier epochs.
//!
//! Totals can't be cut off at an iteration as rows of steps can. So that a run can be resumed
//! from the checkpoint of an earlier epoch, the snapshot of each is kept, in
//! `.parameter_totals.kept/<next iteration>.parquet`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use arrow::array::AsArray;
use arrow::compute::partition;
use arrow::record_batch::RecordBatch;

use crate::error::LcaError;

use super::columns::TableBlock;
use super::files;
use super::folder::RunFolder;
use super::footer::damaged;
use super::info::RunInfo;
use super::part::{KEY_NEXT, KEY_RUN};
use super::reader::PartReader;
use super::rows::ParameterTotalRows;
use super::schema::Table;

/// Snapshots that are kept, besides the present one: more than Burn keeps checkpoints by itself.
const KEPT: usize = 8;

/// The totals up to the iteration at which a run continues.
pub(super) struct Snapshot {
    path: PathBuf,
    /// The first iteration that they count.
    pub(super) totals_from: u64,
    pub(super) rows: Vec<ParameterTotalRows>,
}

impl Snapshot {
    /// Returns the totals of exactly the iterations before `next`, if they are there.
    ///
    /// Fails if they were there but are damaged, or are not of this run and its tensors.
    pub(super) fn find(
        folder: &RunFolder,
        next: u64,
        info: &RunInfo,
    ) -> Result<Option<Self>, LcaError> {
        // Before the first step there is nothing to continue.
        if next == 0 {
            return Ok(None);
        }
        let mut failure = None;
        for path in [folder.snapshot(), folder.kept_snapshot(next)] {
            if !path.exists() {
                continue;
            }
            match Self::read(&path, next, info) {
                Ok(None) => {}
                Ok(found) => return Ok(found),
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(None), Err)
    }

    fn read(path: &Path, next: u64, info: &RunInfo) -> Result<Option<Self>, LcaError> {
        let mut part = PartReader::open(path, Table::ParameterTotals)?;
        part.check_run(&info.run_id)?;
        if part.note(KEY_NEXT) != Some(&*next.to_string()) {
            return Ok(None);
        }
        let run = part.note(KEY_RUN).unwrap_or_default();
        let totals_from = RunInfo::parse(run, path)?.totals_from;
        let schema = Table::ParameterTotals.schema();
        let columns: Vec<usize> = (0..Table::ParameterTotals.columns().len()).collect();
        let mut rows = Vec::new();
        for group in 0..part.row_groups().len() {
            for batch in part.batches(group, &schema, &columns, &columns, None)? {
                append(&mut rows, &batch?).ok_or_else(|| {
                    damaged(path, "does not have every parameter in its place".into())
                })?;
            }
        }
        let tensors = info.tensors.iter();
        let sizes: HashMap<&str, u64> = tensors
            .map(|tensor| (&*tensor.path, tensor.parameters))
            .collect();
        let fits =
            |rows: &ParameterTotalRows| sizes.get(&*rows.tensor) == Some(&(rows.lca.len() as u64));
        match rows.iter().find(|rows| !fits(rows)) {
            Some(rows) => {
                let problem = format!("has {} rows of {}", rows.lca.len(), rows.tensor);
                Err(damaged(path, problem))
            }
            None => Ok(Some(Self {
                path: path.to_owned(),
                totals_from,
                rows,
            })),
        }
    }
}

/// Lets a snapshot be the table, or leaves it without rows; forgets what is later than that.
pub(super) fn restore(
    folder: &RunFolder,
    next: u64,
    snapshot: Option<&Snapshot>,
) -> Result<(), LcaError> {
    let present = folder.snapshot();
    match snapshot {
        Some(snapshot) if snapshot.path == present => {}
        Some(snapshot) => files::link(&snapshot.path, &present, &folder.temporary("snapshot"))?,
        None => files::remove(&present)?,
    }
    // One for this very iteration that was not found is damaged.
    let later = if snapshot.is_some() { next + 1 } else { next };
    for (iteration, path) in folder.kept_snapshots()? {
        if iteration >= later {
            files::remove(&path)?;
        }
    }
    Ok(())
}

/// Keeps the present snapshot as that of the iterations before `next`, and not too many others.
pub(super) fn keep(folder: &RunFolder, next: u64) -> Result<(), LcaError> {
    files::create_subfolder(&folder.kept())?;
    let (present, kept) = (folder.snapshot(), folder.kept_snapshot(next));
    files::link(&present, &kept, &folder.temporary("snapshot"))?;
    let kept = folder.kept_snapshots()?;
    kept.iter()
        .rev()
        .skip(KEPT)
        .try_for_each(|(_, path)| files::remove(path))
}

/// Adds the rows of a batch to those of their tensors; `None` if one is not where it belongs.
fn append(tensors: &mut Vec<ParameterTotalRows>, batch: &RecordBatch) -> Option<()> {
    let names = batch.column_by_name("tensor")?;
    for range in partition(std::slice::from_ref(names)).ok()?.ranges() {
        let name = names.as_string_opt::<i32>()?.value(range.start);
        if tensors.last().is_none_or(|tensor| *tensor.tensor != *name) {
            tensors.push(ParameterTotalRows::default());
        }
        let rows = batch.slice(range.start, range.len());
        tensors.last_mut()?.append(&rows)?;
    }
    Some(())
}
