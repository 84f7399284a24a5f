//! The quantiles of LCA over all parameters and steps, from the bins of `histograms`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::read::each;
use crate::analysis::stats::{Bin, Quantile, quantiles};
use crate::{LcaError, Run, Table};

/// The probabilities whose quantiles a summary has.
const PROBABILITIES: [f64; 7] = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

/// How LCA is distributed over all parameters and steps.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Distribution {
    /// The table that was counted.
    pub source: &'static str,
    /// Finite values that were counted.
    pub values: u64,
    /// Values that were not finite, which are left out.
    pub not_finite: u64,
    /// Quantiles in ascending order; empty if there are no finite values.
    pub quantiles: Vec<Quantile>,
}

/// Counts the bins of all windows and tensors together.
pub(super) fn distribution(run: &Run) -> Result<Option<Distribution>, LcaError> {
    if !run.tables()?.contains(&Table::Histograms) {
        return Ok(None);
    }
    // By the bits of the edges, which are the same in every window; ordered further below.
    let mut bins: BTreeMap<(u64, u64), u64> = BTreeMap::new();
    let mut not_finite = 0;
    each(
        run,
        Table::Histograms,
        &["lower", "upper", "count"],
        |columns| {
            let edges = columns
                .f64_or_null("lower")?
                .iter()
                .zip(columns.f64_or_null("upper")?);
            for (edges, count) in edges.zip(columns.u64("count")?) {
                match edges {
                    (Some(from), Some(to)) => {
                        *bins.entry((from.to_bits(), to.to_bits())).or_default() += count;
                    }
                    _ => not_finite += count,
                }
            }
            Ok(())
        },
    )?;
    let mut bins: Vec<Bin> = bins
        .into_iter()
        .map(|((from, to), count)| Bin::new(f64::from_bits(from), f64::from_bits(to), count))
        .collect();
    bins.sort_by(|a, b| (a.lower + a.upper).total_cmp(&(b.lower + b.upper)));
    let values: u64 = bins.iter().map(|bin| bin.count).sum();
    Ok(Some(Distribution {
        source: Table::Histograms.name(),
        values,
        not_finite,
        quantiles: quantiles(&bins, &PROBABILITIES),
    }))
}
