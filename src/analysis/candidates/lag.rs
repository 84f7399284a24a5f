//! Layers that learn later than the rest of the network.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use statrs::distribution::{Binomial, DiscreteCDF};

use crate::error::LcaError;
use crate::record::Run;

use super::super::grouping::Grouping;
use super::super::names::main_probe;
use super::super::series::{Quantity, Request, SeriesTable, series};
use super::super::significance::{holm, mean};
use super::super::stats::running_median;
use super::options::CandidatesOptions;

/// Steps of the running median that is taken off before LCA is compared: long against the lags,
/// short against the schedule.
const DETREND: usize = 51;

/// The greatest lag that is looked at, in observed steps.
const GREATEST_LAG: usize = 10;

/// Steps of a part of the run, at least; five times the greatest lag.
const LEAST_PART: usize = 50;

/// Parts that a run is cut into, at most.
const MOST_PARTS: usize = 20;

/// Parts that are needed to tell anything.
const LEAST_PARTS: usize = 8;

/// How far the layers' LCA is behind that of the rest of the network.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Lags {
    /// The lags that are looked at, in observed steps; positive is later than the rest.
    pub lags: Vec<i64>,
    /// Parts of the runs that are compared.
    pub parts: usize,
    /// Every layer that moved, in the model's order; none where the parts are too few.
    pub layers: Vec<LayerLag>,
    /// Why there are none, in words.
    pub unknown: Option<String>,
}

/// How far a layer's LCA is behind that of the rest of the network.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LayerLag {
    /// The layer.
    pub layer: String,
    /// Correlation with the rest of the network at each lag, mean over the parts.
    pub correlation: Vec<f64>,
    /// The greatest of these.
    pub greatest_correlation: f64,
    /// The lag of the greatest correlation, in observed steps.
    pub lag: i64,
    /// Parts in which the greatest correlation is at a positive lag.
    pub later: usize,
    /// Parts in which it is at a negative lag.
    pub earlier: usize,
    /// The fraction of the steps at which the layer's LCA is positive: where it hurts.
    pub fraction_hurting_steps: f64,
    /// Probability of so many later parts if later and earlier were alike (sign test, one-sided),
    /// corrected for the number of layers (Holm).
    pub p_corrected: f64,
    /// Whether it lags: `p_corrected` is at most the alpha asked for, and the lag is positive.
    pub candidate: bool,
    /// What the numbers say, in words.
    pub reason: String,
}

/// Reads the LCA of every layer over the steps at which all are finite.
pub(super) fn read(run: &Run) -> Result<SeriesTable, LcaError> {
    let request = Request {
        quantity: Quantity::Lca,
        probe: main_probe(run),
        grouping: &Grouping::Layer,
        by_class: false,
    };
    let mut table = series(run, request)?;
    table.keep_finite();
    table
        .series
        .retain(|series| series.values.iter().any(|value| *value != 0.0));
    Ok(table)
}

/// Returns why there are no lags of sampled probes.
pub(super) fn unknown_of_samples() -> Lags {
    Lags {
        lags: Vec::new(),
        parts: 0,
        layers: Vec::new(),
        unknown: Some(
            "Not known: the layers share the noise of every step's sample, which correlates them at \
             no lag; record a run on the whole probe."
                .to_owned(),
        ),
    }
}

/// Returns the lag of every layer.
pub(super) fn lags(runs: &[SeriesTable], options: &CandidatesOptions) -> Lags {
    let reach = GREATEST_LAG as i64;
    let parts = runs.iter().map(|run| parts_of(run.iterations.len())).sum();
    let mut found = Lags {
        lags: (-reach..=reach).collect(),
        parts,
        layers: Vec::new(),
        unknown: None,
    };
    let compared = if parts < LEAST_PARTS { &[] } else { runs };
    let mut hurting = fractions_hurting(compared);
    // Every layer counts alike in the rest of the network, however large its LCA.
    let scaled: Vec<BTreeMap<&str, Vec<f64>>> = compared.iter().map(scale).collect();
    let networks: Vec<Vec<f64>> = scaled.iter().map(sum).collect();
    for series in compared.iter().take(1).flat_map(|run| &run.series) {
        let mut parts = Vec::new();
        for (run, network) in scaled.iter().zip(&networks) {
            if let Some(layer) = run.get(&*series.name)
                && run.len() > 1
            {
                let others = network.iter().zip(layer);
                let rest: Vec<f64> = others.map(|(network, layer)| network - layer).collect();
                parts.extend(correlations(layer, &rest));
            }
        }
        if !parts.is_empty() {
            let hurting = hurting.remove(&*series.name).unwrap_or_default();
            let layer = judge(series.name.clone(), &found.lags, &parts, hurting);
            found.layers.push(layer);
        }
    }
    if found.layers.is_empty() {
        let steps = LEAST_PARTS * LEAST_PART + 2 * GREATEST_LAG;
        found.unknown = Some(format!(
            "Not known: this takes two layers, and {steps} observed steps of one run."
        ));
    }
    let p: Vec<f64> = found.layers.iter().map(|layer| layer.p_corrected).collect();
    for (layer, p) in found.layers.iter_mut().zip(holm(&p)) {
        layer.p_corrected = p;
        layer.candidate = layer.lag > 0 && p <= options.alpha;
        layer.reason = reason(layer);
    }
    found
}

fn parts_of(steps: usize) -> usize {
    (steps.saturating_sub(2 * GREATEST_LAG) / LEAST_PART).min(MOST_PARTS)
}

/// Takes the trend off every layer and divides by the root of the mean square.
fn scale(run: &SeriesTable) -> BTreeMap<&str, Vec<f64>> {
    let scaled = run.series.iter().map(|series| {
        let trend = running_median(&series.values, DETREND);
        let residues = series
            .values
            .iter()
            .zip(&trend)
            .map(|(value, trend)| value - trend);
        let residues: Vec<f64> = residues.collect();
        let squares: f64 = residues.iter().map(|value| value * value).sum();
        let size = (squares / residues.len().max(1) as f64).sqrt();
        let size = if size > 0.0 { size } else { 1.0 };
        (
            series.name.as_str(),
            residues.iter().map(|value| value / size).collect(),
        )
    });
    scaled.collect()
}

/// Returns the sum over all layers by step.
fn sum(layers: &BTreeMap<&str, Vec<f64>>) -> Vec<f64> {
    let steps = layers.values().map(Vec::len).max().unwrap_or(0);
    let mut sums = vec![0.0; steps];
    for values in layers.values() {
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += value;
        }
    }
    sums
}

/// Returns the correlations at every lag, of each part of the run.
fn correlations(layer: &[f64], rest: &[f64]) -> Vec<Vec<f64>> {
    let count = parts_of(layer.len());
    let reach = GREATEST_LAG;
    // What a lag reaches over is left out at both ends.
    let steps = layer.len().saturating_sub(2 * reach);
    let part = |part: usize| -> Vec<f64> {
        let (start, end) = (
            reach + part * steps / count,
            reach + (part + 1) * steps / count,
        );
        let at = |shift: usize| {
            let earlier = &rest[start + reach - shift..end + reach - shift];
            correlation(&layer[start..end], earlier)
        };
        // Shift 0 pairs the layer with the rest `reach` steps later.
        (0..=2 * reach).map(at).collect()
    };
    (0..count).map(part).collect()
}

/// Pearson's correlation; 0 where one does not vary.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let (a_mean, b_mean) = (mean(a), mean(b));
    let (mut both, mut a_squares, mut b_squares) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - a_mean, b - b_mean);
        both += a * b;
        a_squares += a * a;
        b_squares += b * b;
    }
    let size = (a_squares * b_squares).sqrt();
    if size > 0.0 { both / size } else { 0.0 }
}

/// Returns the index of the greatest correlation; that of no lag where none is positive.
fn greatest(correlation: &[f64]) -> usize {
    let positive = correlation
        .iter()
        .enumerate()
        .filter(|(_, value)| **value > 0.0);
    let greatest = positive.max_by(|a, b| a.1.total_cmp(b.1));
    greatest.map_or(GREATEST_LAG, |(index, _)| index)
}

fn judge(layer: String, lags: &[i64], parts: &[Vec<f64>], fraction_hurting_steps: f64) -> LayerLag {
    let mean = |lag: usize| parts.iter().map(|part| part[lag]).sum::<f64>() / parts.len() as f64;
    let correlation: Vec<f64> = (0..lags.len()).map(mean).collect();
    let of_parts = || parts.iter().map(|part| lags[greatest(part)]);
    let later = of_parts().filter(|lag| *lag > 0).count();
    let earlier = of_parts().filter(|lag| *lag < 0).count();
    // Of n fair coins, `later` or more heads are as likely as `earlier` or fewer.
    let p =
        Binomial::new(0.5, (later + earlier) as u64).map_or(1.0, |coins| coins.cdf(earlier as u64));
    LayerLag {
        layer,
        lag: lags[greatest(&correlation)],
        greatest_correlation: correlation.iter().copied().fold(-1.0, f64::max),
        correlation,
        later,
        earlier,
        fraction_hurting_steps,
        p_corrected: p,
        candidate: false,
        reason: String::new(),
    }
}

fn reason(layer: &LayerLag) -> String {
    match (layer.candidate, layer.lag) {
        (true, lag) => format!(
            "its LCA follows that of the other layers {lag} observed steps later, and hurts at \
             {:.0} % of the steps; with less momentum on it, it may help more",
            100.0 * layer.fraction_hurting_steps
        ),
        (_, 0) => "it learns at the same steps as the rest".to_owned(),
        (_, ..0) => "it is ahead of the rest".to_owned(),
        _ => "it follows the rest, but no more than chance allows".to_owned(),
    }
}

/// Returns by layer the fraction of the steps of all runs at which it hurt.
fn fractions_hurting(runs: &[SeriesTable]) -> HashMap<&str, f64> {
    let mut counts: HashMap<&str, [usize; 2]> = HashMap::new();
    for series in runs.iter().flat_map(|run| &run.series) {
        let [hurting, steps] = counts.entry(&series.name).or_default();
        *hurting += series.values.iter().filter(|value| **value > 0.0).count();
        *steps += series.values.len();
    }
    let fraction = |[hurting, steps]: [usize; 2]| hurting as f64 / steps.max(1) as f64;
    let counts = counts.into_iter();
    counts
        .map(|(layer, counts)| (layer, fraction(counts)))
        .collect()
}
