//! Quantiles of LCA, from the bins of `histograms`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::read::each;
use crate::{LcaError, Run, Table};

/// The probabilities whose quantiles are taken.
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

/// A quantile that is known up to the bin it is in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quantile {
    /// The share of values that are not greater.
    pub probability: f64,
    /// The LCA, interpolated within its bin: geometrically, since bins are logarithmic.
    pub lca: f64,
    /// The bin's lower edge.
    pub from: f64,
    /// The bin's upper edge.
    pub to: f64,
}

/// Returns the distribution over all windows and tensors; `None` unless histograms were recorded.
pub(super) fn of(run: &Run) -> Result<Option<Distribution>, LcaError> {
    if !run.tables()?.contains(&Table::Histograms) {
        return Ok(None);
    }
    // By the bits of the edges, which are the same in every window; ordered further below.
    let mut bins: BTreeMap<(u64, u64), u64> = BTreeMap::new();
    let mut not_finite = 0;
    each(
        run,
        Table::Histograms,
        &["from", "to", "count"],
        |columns| {
            let edges = columns
                .f64_or_null("from")?
                .iter()
                .zip(columns.f64_or_null("to")?);
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
        .map(|((from, to), count)| Bin {
            from: f64::from_bits(from),
            to: f64::from_bits(to),
            count,
        })
        .collect();
    bins.sort_by(|one, other| (one.from + one.to).total_cmp(&(other.from + other.to)));
    let values: u64 = bins.iter().map(|bin| bin.count).sum();
    Ok(Some(Distribution {
        source: Table::Histograms.name(),
        values,
        not_finite,
        quantiles: PROBABILITIES
            .iter()
            .filter_map(|probability| quantile(&bins, values, *probability))
            .collect(),
    }))
}

/// A bin of LCA and how many values are in it.
#[derive(Debug, Clone, Copy)]
struct Bin {
    from: f64,
    to: f64,
    count: u64,
}

/// Returns the quantile of bins in ascending order; `None` of no values.
fn quantile(bins: &[Bin], values: u64, probability: f64) -> Option<Quantile> {
    let rank = probability * values as f64;
    let mut below = 0.0;
    for bin in bins.iter().filter(|bin| bin.count > 0) {
        let count = bin.count as f64;
        if below + count >= rank {
            return Some(Quantile {
                probability,
                lca: bin.at((rank - below) / count),
                from: bin.from,
                to: bin.to,
            });
        }
        below += count;
    }
    None
}

impl Bin {
    /// Returns the value that a fraction of the bin's values is not greater than.
    fn at(&self, fraction: f64) -> f64 {
        let Self { from, to, .. } = *self;
        if from.is_infinite() || to.is_infinite() {
            return if from.is_infinite() { to } else { from };
        }
        if from == 0.0 || to == 0.0 {
            return from + (to - from) * fraction;
        }
        from * (to / from).powf(fraction)
    }
}
