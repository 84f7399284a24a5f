//! How large the LCA of single parameters at single steps is.

use serde::Serialize;

use crate::analysis::names::main_probe;
use crate::analysis::read::{each, stretches};
use crate::analysis::stats::{Bin, Quantile, quantiles};
use crate::{LcaError, Run, Table};

use super::bins::{FineBins, coarse};
use super::tail::{Tail, tail};

/// The probabilities of the quantiles.
const PROBABILITIES: [f64; 9] = [0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999];

/// The distribution of LCA over parameters and steps, of the training probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Distribution {
    /// The table that it is taken from.
    pub source: Source,
    /// How many values are negative.
    pub helping: u64,
    /// How many values are positive.
    pub hurting: u64,
    /// How many values are exactly zero.
    pub zero: u64,
    /// How many values are NaN or infinite; they are in nothing else here.
    pub not_finite: u64,
    /// The mean with zeros, in units of the loss; `None` without values.
    ///
    /// From `parameters`, of the recorded values. A histogram doesn't know it well, so with that
    /// source it is the sum of LCA in `steps` over the number of parameters summed there.
    pub mean: Option<f64>,
    /// Quantiles of all finite values with zeros, ascending.
    pub quantiles: Vec<Quantile>,
    /// Fits to the values that are not zero.
    pub tail: Tail,
    /// Counts of finite values, ascending, in 4 bins per factor of ten and sign.
    pub bins: Vec<Bin>,
}

/// Where the values of a distribution are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Single values, of the parameters and steps that were recorded.
    Parameters,
    /// Counts in the logarithmic bins of the table `histograms`, of all parameters and steps.
    Histograms,
}

/// Returns the distribution of LCA, from `parameters` where there are any, else `histograms`.
///
/// Fails if neither is recorded, or a file can't be read.
pub fn distribution(run: &Run) -> Result<Distribution, LcaError> {
    let tables = run.tables()?;
    if tables.contains(&Table::Parameters) {
        from_parameters(run)
    } else if tables.contains(&Table::Histograms) {
        from_histograms(run)
    } else {
        Err(LcaError::NotRecorded {
            path: run.folder().to_owned(),
            problem: "has rows of neither table parameters nor histograms".into(),
            remedy: "record with `Recorder::standard()` or `Recorder::full()`".into(),
        })
    }
}

fn from_parameters(run: &Run) -> Result<Distribution, LcaError> {
    let mut counts = FineBins::new();
    each(run, Table::Parameters, &["lca"], |columns| {
        columns.f32("lca")?.iter().for_each(|lca| counts.add(*lca));
        Ok(())
    })?;
    let bins = counts.bins();
    let finite: u64 = bins.iter().map(|bin| bin.count).sum();
    let mean = (finite > 0).then(|| counts.sum / finite as f64);
    Ok(describe(Source::Parameters, &bins, counts.not_finite, mean))
}

fn from_histograms(run: &Run) -> Result<Distribution, LcaError> {
    let mut bins: Vec<Bin> = Vec::new();
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
                let (Some(from), Some(to)) = edges else {
                    not_finite += count;
                    continue;
                };
                let bin = Bin::new(from, to, *count);
                // There are few bins, and every window has the same ones.
                match bins.binary_search_by(|known| order(known, &bin)) {
                    Ok(place) => bins[place].count += count,
                    Err(place) => bins.insert(place, bin),
                }
            }
            Ok(())
        },
    )?;
    Ok(describe(
        Source::Histograms,
        &bins,
        not_finite,
        mean_of_steps(run)?,
    ))
}

fn order(a: &Bin, b: &Bin) -> std::cmp::Ordering {
    let lower = a.lower.total_cmp(&b.lower);
    lower.then(a.upper.total_cmp(&b.upper))
}

/// Returns the mean over all parameters and all steps with a finite sum.
fn mean_of_steps(run: &Run) -> Result<Option<f64>, LcaError> {
    let main = main_probe(run);
    let (mut sum, mut count) = (0.0, 0);
    let names = ["probe", "lca", "helping", "hurting", "zero"];
    each(run, Table::Steps, &names, |columns| {
        let lca = columns.f64("lca")?;
        let (helping, hurting) = (columns.u64("helping")?, columns.u64("hurting")?);
        let zero = columns.u64("zero")?;
        for (_, rows) in stretches(columns.text("probe")?).filter(|(probe, _)| *probe == main) {
            for row in rows.filter(|row| lca[*row].is_finite()) {
                sum += lca[row];
                count += helping[row] + hurting[row] + zero[row];
            }
        }
        Ok(())
    })?;
    Ok((count > 0).then(|| sum / count as f64))
}

/// Describes values that are counted in ascending bins.
fn describe(source: Source, bins: &[Bin], not_finite: u64, mean: Option<f64>) -> Distribution {
    let count = |holds: fn(&Bin) -> bool| {
        let those = bins.iter().filter(|bin| holds(bin));
        those.map(|bin| bin.count).sum()
    };
    Distribution {
        source,
        helping: count(|bin| bin.lower < 0.0),
        hurting: count(|bin| bin.upper > 0.0),
        zero: count(|bin| bin.lower == bin.upper),
        not_finite,
        mean,
        quantiles: quantiles(bins, &PROBABILITIES),
        tail: tail(bins),
        bins: match source {
            Source::Parameters => coarse(bins),
            Source::Histograms => bins.to_vec(),
        },
    }
}
