//! Histograms of several runs over the same bars, with mean and deviation over those of a set.

use serde::Serialize;

use crate::error::LcaError;
use crate::record::Run;

use super::alike::require_different;
use super::distribution::{Distribution, Edges, distribution};
use super::lengths::of_different_lengths;
use super::noise::{Heroes, heroes};
use super::sets::RunSet;
use super::significance::{mean, spread};
use super::stats::Bin;

/// Which histograms are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SharesOf {
    /// Values of LCA, of single parameters at single steps: [`distribution`](super::distribution()).
    Lca,
    /// Parameters by the fraction of their steps at which they helped: [`heroes`].
    Helping,
}

/// Histograms of several sets of runs, over the same bars.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Shares {
    /// Which they are.
    pub of: SharesOf,
    /// The edges of the bars, ascending, one more than there are bars: in units of the loss, or
    /// fractions of steps. None if there is nothing to count.
    pub edges: Vec<f64>,
    /// Of values of LCA, up to where the axis is linear on either side of zero, as
    /// [`LcaHistogram::linear_below`](super::distribution::LcaHistogram::linear_below) has it.
    pub linear_below: Option<f64>,
    /// The sets, in the order given.
    pub sets: Vec<SetShares>,
    /// What makes the runs hard to compare, in words.
    pub cautions: Vec<String>,
}

/// The histograms of the runs of one set.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SetShares {
    /// The set.
    pub set: String,
    /// Every run that has something to count.
    pub runs: Vec<RunShares>,
    /// Their mean; `None` of fewer than two.
    pub mean: Option<MeanShares>,
    /// The mean over the runs of what chance would give, by bar; `None` of values of LCA, and without
    /// a run.
    pub by_chance: Option<Vec<f64>>,
}

/// The histogram of one run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RunShares {
    /// Its folder.
    pub folder: String,
    /// How many values or parameters are counted: all finite values, zeros among them, or all
    /// parameters that ever moved the loss.
    pub counted: u64,
    /// The fraction of them in each bar; exact zeros are in none.
    pub shares: Vec<f64>,
}

/// Mean and deviation over runs, by bar.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MeanShares {
    /// The mean of the runs' fractions; every run counts the same, whatever it has counted.
    pub mean: Vec<f64>,
    /// One standard deviation below it.
    pub low: Vec<f64>,
    /// One standard deviation above it.
    pub high: Vec<f64>,
}

/// Returns the histograms of several sets of runs over the same bars.
///
/// Runs differ in how many values they have, so fractions are compared, not counts. The bars of LCA
/// fit the values of all runs together.
///
/// # Errors
///
/// [`LcaError::Setting`] without a run or if one is given twice, and the errors of
/// [`distribution`](super::distribution()) and [`heroes`].
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let (a, b) = (example::recorded_run(), example::recorded_run());
/// use burn_lca::Run;
/// use burn_lca::analysis::{shares, sets::RunSet, shares::SharesOf};
///
/// let seeds = RunSet::new("seeds", vec![Run::open(a.path())?, Run::open(b.path())?]);
/// let found = shares(&[seeds], SharesOf::Helping)?;
/// let mean = found.sets[0].mean.as_ref().unwrap();
/// assert!((mean.mean.iter().sum::<f64>() - 1.0).abs() < 1e-12);
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn shares(sets: &[RunSet], of: SharesOf) -> Result<Shares, LcaError> {
    let runs = || sets.iter().flat_map(|set| &set.runs);
    require_different("shares", &runs().cloned().collect::<Vec<Run>>())?;
    let histograms = match of {
        SharesOf::Lca => {
            let found = runs().map(distribution).collect::<Result<Vec<_>, _>>()?;
            Histograms::of_lca(&found.iter().collect::<Vec<_>>())
        }
        SharesOf::Helping => {
            let found = runs().map(heroes).collect::<Result<Vec<_>, _>>()?;
            Histograms::of_helping(&found.iter().collect::<Vec<_>>())
        }
    };
    histograms.of_sets(sets)
}

/// Histograms of runs over the same bars.
pub(crate) struct Histograms {
    of: SharesOf,
    edges: Vec<f64>,
    linear_below: Option<f64>,
    runs: Vec<Histogram>,
    cautions: Vec<String>,
}

struct Histogram {
    counted: u64,
    counts: Vec<u64>,
    by_chance: Option<Vec<f64>>,
}

impl Histograms {
    pub(crate) fn of_lca(found: &[&Distribution]) -> Self {
        let bins = found.iter().flat_map(|run| run.bins.iter().copied());
        let edges = Edges::of(&bins.collect::<Vec<Bin>>());
        let histogram = |run: &&Distribution| Histogram {
            counted: run.bins.iter().map(|bin| bin.count).sum(),
            counts: edges
                .as_ref()
                .map_or(Vec::new(), |edges| edges.counts(&run.bins)),
            by_chance: None,
        };
        let sources = found
            .windows(2)
            .any(|pair| pair[0].source != pair[1].source);
        let caution = "Some runs have recorded every value, others histograms or chosen parameters \
                       only: what is counted is not quite the same thing.";
        Self {
            of: SharesOf::Lca,
            runs: found.iter().map(histogram).collect(),
            linear_below: edges.as_ref().map(|edges| edges.linear_below),
            edges: edges.map_or(Vec::new(), |edges| edges.all),
            cautions: sources.then(|| caution.to_owned()).into_iter().collect(),
        }
    }

    pub(crate) fn of_helping(found: &[&Heroes]) -> Self {
        let bins = found.first().map_or(&[][..], |run| &run.bins);
        let lower = bins.iter().map(|bin| bin.lower);
        let edges = lower.chain(bins.last().map(|bin| bin.upper));
        let histogram = |run: &&Heroes| Histogram {
            counted: run.moving,
            counts: run.bins.iter().map(|bin| bin.parameters).collect(),
            by_chance: Some(run.bins.iter().map(|bin| bin.by_chance).collect()),
        };
        Self {
            of: SharesOf::Helping,
            edges: edges.collect(),
            linear_below: None,
            runs: found.iter().map(histogram).collect(),
            cautions: Vec::new(),
        }
    }

    /// Puts the histograms of the runs of all sets, which are in that order, into sets.
    pub(crate) fn of_sets(self, sets: &[RunSet]) -> Result<Shares, LcaError> {
        let mut histograms = self.runs.into_iter();
        let mut cautions = self.cautions;
        let mut found = Vec::new();
        for set in sets {
            let mut of_set = SetShares {
                set: set.name.clone(),
                runs: Vec::new(),
                mean: None,
                by_chance: None,
            };
            let mut chances = Vec::new();
            for (run, histogram) in set.runs.iter().zip(&mut histograms) {
                let folder = run.folder().display().to_string();
                if histogram.counted == 0 {
                    cautions.push(format!("{folder} has nothing to count, and is left out."));
                    continue;
                }
                let share = |count: f64| count / histogram.counted as f64;
                of_set.runs.push(RunShares {
                    folder,
                    counted: histogram.counted,
                    shares: histogram
                        .counts
                        .iter()
                        .map(|count| share(*count as f64))
                        .collect(),
                });
                let by_chance = histogram.by_chance.into_iter();
                chances.extend(
                    by_chance.map(|bars| bars.into_iter().map(share).collect::<Vec<f64>>()),
                );
            }
            let shares: Vec<&[f64]> = of_set.runs.iter().map(|run| &run.shares[..]).collect();
            of_set.mean = (shares.len() > 1).then(|| MeanShares::of(&shares));
            of_set.by_chance = means(&chances);
            cautions.extend(of_different_lengths(
                &set.name,
                &set.runs,
                "each counts the same",
            )?);
            found.push(of_set);
        }
        Ok(Shares {
            of: self.of,
            edges: self.edges,
            linear_below: self.linear_below,
            sets: found,
            cautions,
        })
    }
}

impl MeanShares {
    fn of(runs: &[&[f64]]) -> Self {
        let bars = runs.first().map_or(0, |bars| bars.len());
        let mut found = Self {
            mean: Vec::with_capacity(bars),
            low: Vec::with_capacity(bars),
            high: Vec::with_capacity(bars),
        };
        for bar in 0..bars {
            let values: Vec<f64> = runs.iter().map(|bars| bars[bar]).collect();
            let mean = mean(&values);
            let [low, high] = spread(&values).unwrap_or([mean; 2]);
            found.mean.push(mean);
            found.low.push(low);
            found.high.push(high);
        }
        found
    }
}

/// Returns the means by bar; `None` without a run.
fn means(runs: &[Vec<f64>]) -> Option<Vec<f64>> {
    let bars = runs.first()?.len();
    let mean_of = |bar| mean(&runs.iter().map(|run| run[bar]).collect::<Vec<f64>>());
    Some((0..bars).map(mean_of).collect())
}
