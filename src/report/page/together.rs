//! What several runs say together: means and deviations over them.

use serde::Serialize;

use crate::analysis;
use crate::analysis::classes::{ClassMapOptions, MeanClassMap};
use crate::analysis::distribution::Distribution;
use crate::analysis::noise::Heroes;
use crate::analysis::overlay::{MeanCurve, Overlay, OverlayOf};
use crate::analysis::sets::RunSet;
use crate::analysis::shares::{Histograms, Shares};
use crate::error::LcaError;
use crate::record::Run;

use super::budget::Budget;
use super::columns::Doubles;
use super::missing::known;

/// Curves of all runs: a mean and its band each.
#[derive(Serialize)]
pub(super) struct Means {
    cautions: Vec<String>,
    curves: Vec<MeanPart>,
}

#[derive(Serialize)]
struct MeanPart {
    /// The probe or layer.
    name: String,
    runs: usize,
    /// Of so many steps the last point is kept.
    every: usize,
    /// The iterations after which a loss or a sum is what it is, or that a fraction is of.
    iterations: Doubles,
    mean: Doubles,
    low: Doubles,
    high: Doubles,
}

/// What is drawn of several runs over each other, of the table `steps`; nothing of one.
#[derive(Serialize)]
pub(super) struct StepMeans {
    mean_loss: Option<Means>,
    mean_helping: Option<Means>,
}

/// The same of layers.
#[derive(Serialize)]
pub(super) struct LayerMeans {
    mean_layers: Option<Means>,
}

/// The same of single values and parameters.
#[derive(Serialize)]
pub(super) struct ValueMeans {
    value_shares: Option<Shares>,
    hero_shares: Option<Shares>,
}

/// The same of classes.
#[derive(Serialize)]
pub(super) struct ClassMeans {
    class_means: Option<MeanClassMap>,
}

impl StepMeans {
    pub(super) fn of(runs: &[Run], budget: Budget) -> Result<Self, LcaError> {
        let helping = OverlayOf::Helping { smooth: None };
        Ok(Self {
            mean_loss: means(runs, OverlayOf::Loss, budget.points)?,
            mean_helping: means(runs, helping, budget.points)?,
        })
    }
}

impl LayerMeans {
    pub(super) fn of(runs: &[Run], budget: Budget) -> Result<Self, LcaError> {
        Ok(Self {
            mean_layers: means(runs, OverlayOf::Cumulative, budget.curve_values)?,
        })
    }
}

impl ValueMeans {
    /// Returns what the runs' values, which may not be recorded, have in common.
    pub(super) fn of(
        runs: &[Run],
        distributions: &[Option<&Distribution>],
        heroes: &[Option<&Heroes>],
    ) -> Result<Self, LcaError> {
        let of_all = |histograms: Option<Histograms>| match histograms {
            Some(histograms) if runs.len() > 1 => known(histograms.of_sets(&[all(runs)])),
            _ => Ok((None, None)),
        };
        let distributions: Option<Vec<&Distribution>> = distributions.iter().copied().collect();
        let heroes: Option<Vec<&Heroes>> = heroes.iter().copied().collect();
        Ok(Self {
            value_shares: of_all(distributions.map(|found| Histograms::of_lca(&found)))?.0,
            hero_shares: of_all(heroes.map(|found| Histograms::of_helping(&found)))?.0,
        })
    }
}

impl ClassMeans {
    pub(super) fn of(runs: &[Run]) -> Result<Self, LcaError> {
        if runs.len() < 2 {
            return Ok(Self { class_means: None });
        }
        let found = analysis::mean_class_map(runs, &ClassMapOptions::default());
        // The page has every run over time.
        let class_means = known(found)?.0.map(|found| MeanClassMap {
            over_time: None,
            ..found
        });
        Ok(Self { class_means })
    }
}

fn all(runs: &[Run]) -> RunSet {
    RunSet::new("these runs", runs.to_vec())
}

/// Returns means of at most so many points, over all curves.
fn means(runs: &[Run], of: OverlayOf, most: usize) -> Result<Option<Means>, LcaError> {
    if runs.len() < 2 {
        return Ok(None);
    }
    let ends_there = !matches!(of, OverlayOf::Helping { .. });
    let Some(Overlay {
        panels, cautions, ..
    }) = known(analysis::overlay(&[all(runs)], of))?.0
    else {
        return Ok(None);
    };
    let most = (most / panels.len().max(1)).max(2);
    let curves = panels.into_iter().filter_map(|panel| {
        let set = panel.sets.into_iter().next()?;
        let runs = set.runs.len();
        Some(MeanPart::of(panel.name, runs, set.mean?, ends_there, most))
    });
    Ok(Some(Means {
        curves: curves.collect(),
        cautions,
    }))
}

impl MeanPart {
    /// Keeps at most so many points. What stands before an iteration, `ends_there`, is said of the
    /// one before it, as the page's other curves are.
    fn of(name: String, runs: usize, curve: MeanCurve, ends_there: bool, most: usize) -> Self {
        // Before the first step there is a loss or a sum, too.
        let first = usize::from(ends_there).min(curve.iterations.len());
        let rest = |values: Vec<f64>| values[first..].to_vec();
        let curve = MeanCurve {
            iterations: curve.iterations[first..].to_vec(),
            mean: rest(curve.mean),
            low: rest(curve.low),
            high: rest(curve.high),
            ..curve
        };
        let curve = curve.in_windows(most);
        let iterations = curve.iterations.into_iter();
        Self {
            name,
            runs,
            every: curve.steps_per_window,
            iterations: Doubles::counts(iterations.map(|at| at - u64::from(ends_there))),
            mean: Doubles(curve.mean),
            low: Doubles(curve.low),
            high: Doubles(curve.high),
        }
    }
}
