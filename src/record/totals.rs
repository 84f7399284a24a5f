//! Counts over a whole run, taken from its tables when it ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{Float64Type, UInt64Type};

use crate::error::LcaError;

use super::folder::RunFolder;
use super::info::{RunInfo, RunTotals};
use super::scan::Scan;
use super::schema::Table;
use super::sequence::PartSequence;

/// Returns the rows of all parts by table, of the tables that have any.
pub(super) fn count_rows(
    folder: &RunFolder,
    run_id: &str,
) -> Result<BTreeMap<Table, u64>, LcaError> {
    let mut rows = BTreeMap::new();
    for table in Table::ALL {
        let count = PartSequence::list(folder, table, run_id)?.count()?;
        if count > 0 {
            rows.insert(table, count);
        }
    }
    Ok(rows)
}

/// Returns the counts over all steps, including those before a run was resumed.
pub(super) fn count(
    folder: &RunFolder,
    info: &RunInfo,
    next_iteration: u64,
) -> Result<RunTotals, LcaError> {
    let columns = ["iteration", "capped", "loss_after", "lca"];
    let (mut steps, mut capped, mut not_finite) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for batch in Scan::new(folder.clone(), Table::Steps, Arc::new(info.clone()))
        .columns(columns)
        .batches()?
    {
        let batch = batch?;
        let iterations = batch.column(0).as_primitive::<UInt64Type>().values();
        let reached = batch.column(1).as_boolean().values();
        let loss = batch.column(2).as_primitive::<Float64Type>().values();
        let lca = batch.column(3).as_primitive::<Float64Type>().values();
        for (row, iteration) in iterations.iter().enumerate() {
            steps.insert(*iteration);
            if reached.value(row) {
                capped.insert(*iteration);
            }
            if !loss[row].is_finite() || !lca[row].is_finite() {
                not_finite.insert(*iteration);
            }
        }
    }
    Ok(RunTotals {
        steps: steps.len() as u64,
        capped: capped.len() as u64,
        not_finite: not_finite.len() as u64,
        next_iteration,
    })
}
