//! Counts over a whole run, taken from its tables when it ends.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::AsArray;
use arrow::datatypes::{Float64Type, UInt64Type};

use crate::error::LcaError;

use super::folder::RunFolder;
use super::info::RunTotals;
use super::reader::PartReader;
use super::scan::Scan;
use super::schema::Table;

/// Returns the counts over all parts, including those written before a run was resumed.
pub(super) fn count(folder: &RunFolder) -> Result<RunTotals, LcaError> {
    let mut rows = BTreeMap::new();
    for table in Table::ALL {
        let parts = folder.parts(table)?;
        if parts.is_empty() {
            continue;
        }
        let mut count = 0;
        for path in parts {
            count += PartReader::open(&path, table)?.rows() as u64;
        }
        rows.insert(table.name().to_owned(), count);
    }
    let columns = ["iteration", "capped", "loss_after", "lca"];
    let (mut steps, mut capped, mut not_finite) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for batch in Scan::new(folder.clone(), Table::Steps, None)
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
        rows,
    })
}
