//! How large the LCA of single parameters at single steps is.

mod around_mean;
mod fits;
mod histogram;
mod laws;
mod likelihood;

#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::error::LcaError;
use crate::record::{Run, Table};

use super::read::{Columns, each, fold, not_recorded};
use super::stats::{Bin, FineBins, HelpingCounts, Quantile, coarse, quantiles};
use super::steps::step_sums;

pub use around_mean::{LinearBar, LinearHistogram};
pub use fits::{DistributionFits, FitQuality, GaussianFit, WeibullFit};
pub(super) use histogram::Edges;
pub use histogram::{HistogramBar, LcaHistogram};

/// The probabilities of the quantiles.
const PROBABILITIES: [f64; 9] = [0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999];

/// The distribution of LCA over parameters and steps, of the training probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Distribution {
    /// The values that are counted.
    pub source: ValueSource,
    /// How many are negative, positive and exactly zero.
    #[serde(flatten)]
    pub counts: HelpingCounts,
    /// How many are NaN or infinite; they are in nothing else here.
    pub not_finite: u64,
    /// The mean with zeros, in units of the loss; `None` without values.
    ///
    /// Of all parameters and steps where all are counted: the sum of LCA in the table `steps`
    /// over the number of parameters there. Otherwise of the values that are counted.
    pub mean: Option<f64>,
    /// Quantiles of all finite values with zeros, ascending.
    pub quantiles: Vec<Quantile>,
    /// Distributions fitted to the values that are not zero.
    pub fits: DistributionFits,
    /// Counts of finite values, ascending, in 4 bins per factor of ten and sign.
    pub bins: Vec<Bin>,
    /// The same counts as they are drawn; `None` if all values are zero.
    pub histogram: Option<LcaHistogram>,
    /// Those near the mean on a linear axis; `None` if all values are zero.
    pub around_mean: Option<LinearHistogram>,
}

/// Which values of LCA are counted.
///
/// All that a run has recorded if possible: single values are known to one part in a thousand,
/// those of a histogram to a factor of 1.8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ValueSource {
    /// The single values of all parameters and steps, from the table `parameters`.
    Parameters,
    /// Counts of all parameters and steps, from the table `histograms`.
    Histograms,
    /// The single values of the parameters and steps that were chosen to be recorded, from the
    /// table `parameters`, of a run that has no histograms.
    ChosenParameters,
}

/// Returns the distribution of LCA over parameters and steps.
///
/// # Errors
///
/// [`LcaError::NotRecorded`] if the run has rows of neither `parameters` nor `histograms`, and the
/// errors of [`Scan`](crate::Scan) if a table can't be read.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::{Run, analysis::distribution};
///
/// let run = Run::open(folder.path())?;
/// let found = distribution(&run)?;
/// let [median] = found.quantiles.iter().filter(|at| at.probability == 0.5).collect::<Vec<_>>()[..]
/// else { unreachable!() };
/// println!("half of the values are below {:+.1e}", median.value);
/// if let Some(weibull) = found.fits.double_weibull {
///     println!("Weibull shape {:.2}", weibull.shape);
/// }
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn distribution(run: &Run) -> Result<Distribution, LcaError> {
    let Some(values) = values(run)? else {
        let problem = "has rows of neither table parameters nor histograms";
        let remedy = "record with `Recorder::standard()` or `Recorder::full()`";
        return Err(not_recorded(run, problem.into(), remedy));
    };
    let CountedValues {
        source,
        bins,
        not_finite,
        mean,
    } = values;
    let count = |holds: fn(&Bin) -> bool| {
        let those = bins.iter().filter(|bin| holds(bin));
        those.map(|bin| bin.count).sum()
    };
    let fits = fits::fits(&bins);
    let drawn = match source {
        ValueSource::Histograms => bins.clone(),
        ValueSource::Parameters | ValueSource::ChosenParameters => coarse(&bins),
    };
    Ok(Distribution {
        source,
        counts: HelpingCounts {
            helping: count(|bin| bin.lower < 0.0),
            hurting: count(|bin| bin.upper > 0.0),
            zero: count(|bin| bin.lower == bin.upper),
        },
        not_finite,
        mean,
        quantiles: quantiles(&bins, &PROBABILITIES),
        histogram: LcaHistogram::new(&drawn, &fits),
        around_mean: mean.and_then(|mean| LinearHistogram::new(&bins, mean, &fits)),
        fits,
        bins: drawn,
    })
}

/// Quantiles of LCA over parameters and steps, of the training probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LcaQuantiles {
    /// The values that are counted.
    pub source: ValueSource,
    /// How many finite values are counted.
    pub values: u64,
    /// How many are NaN or infinite, and left out.
    pub not_finite: u64,
    /// The quantiles, ascending; none if there are no finite values.
    pub quantiles: Vec<Quantile>,
}

/// Returns the quantiles that [`distribution`] has, of these ascending probabilities; `None` if
/// the run has recorded no values.
pub(super) fn lca_quantiles(
    run: &Run,
    probabilities: &[f64],
) -> Result<Option<LcaQuantiles>, LcaError> {
    let found = values(run)?.map(|values| LcaQuantiles {
        source: values.source,
        values: values.bins.iter().map(|bin| bin.count).sum(),
        not_finite: values.not_finite,
        quantiles: quantiles(&values.bins, probabilities),
    });
    Ok(found)
}

/// The values of a run in ascending bins.
struct CountedValues {
    source: ValueSource,
    bins: Vec<Bin>,
    not_finite: u64,
    mean: Option<f64>,
}

fn values(run: &Run) -> Result<Option<CountedValues>, LcaError> {
    let single = run.has(Table::Parameters)?;
    let chosen = run.info().record.parameters.as_ref();
    let all = single && chosen.is_none_or(|selection| selection.is_everything());
    if run.has(Table::Histograms)? && !all {
        from_histograms(run).map(Some)
    } else if single {
        from_parameters(run, all).map(Some)
    } else {
        Ok(None)
    }
}

fn from_parameters(run: &Run, all: bool) -> Result<CountedValues, LcaError> {
    let add = |counts: &mut FineBins, columns: &Columns| {
        columns.f32("lca")?.iter().for_each(|lca| counts.add(*lca));
        Ok(())
    };
    fold(
        run,
        Table::Parameters,
        &["lca"],
        FineBins::new,
        add,
        |counts| {
            let bins = counts.bins();
            let finite: u64 = bins.iter().map(|bin| bin.count).sum();
            Ok(CountedValues {
                source: if all {
                    ValueSource::Parameters
                } else {
                    ValueSource::ChosenParameters
                },
                mean: if all {
                    mean_of_steps(run)?
                } else {
                    (finite > 0).then(|| counts.sum / finite as f64)
                },
                bins,
                not_finite: counts.not_finite,
            })
        },
    )
}

/// Different bins at most: the 270 of a recorder, with edges as several machines round them.
const MOST_BINS: usize = 4096;

fn from_histograms(run: &Run) -> Result<CountedValues, LcaError> {
    let mut bins: Vec<Bin> = Vec::new();
    let mut not_finite = 0;
    let names = ["lower", "upper", "count"];
    each(run, Table::Histograms, &names, |columns| {
        let lower = columns.f64_or_null("lower")?.iter();
        let edges = lower.zip(columns.f64_or_null("upper")?);
        for (edges, count) in edges.zip(columns.u64("count")?) {
            let (Some(lower), Some(upper)) = edges else {
                not_finite += count;
                continue;
            };
            let bin = Bin::new(lower, upper, *count);
            // There are few bins, and every window has the same ones.
            match bins.binary_search_by(|known| order(known, &bin)) {
                Ok(index) => bins[index].count += count,
                Err(_) if bins.len() == MOST_BINS => {
                    return Err(LcaError::Damaged {
                        path: run.folder().join(Table::Histograms.name()),
                        problem: format!("has more than {MOST_BINS} different bins"),
                        remedy: "remove files that this run's recorder did not write".into(),
                    });
                }
                Err(index) => bins.insert(index, bin),
            }
        }
        Ok(())
    })?;
    Ok(CountedValues {
        source: ValueSource::Histograms,
        bins,
        not_finite,
        mean: mean_of_steps(run)?,
    })
}

fn order(a: &Bin, b: &Bin) -> std::cmp::Ordering {
    let lower = a.lower.total_cmp(&b.lower);
    lower.then(a.upper.total_cmp(&b.upper))
}

fn mean_of_steps(run: &Run) -> Result<Option<f64>, LcaError> {
    Ok(step_sums(run)?.first().and_then(|main| main.mean()))
}
