//! How often single parameters help: are there heroes and villains, or is it chance?

use std::collections::BTreeMap;

use serde::Serialize;
use statrs::distribution::{ChiSquared, ContinuousCDF};

use crate::error::LcaError;
use crate::record::{Run, Table};

use super::super::read::{each, require_totals, stretches};
use super::binomial::{BinomialCount, Extremes};
use crate::analysis::thousands;

/// The bins of the fraction of steps, each 5 % wide.
const BINS: u64 = 20;
/// The probability that a run without heroes and villains is said to have some.
const ALPHA: f64 = 0.05;
/// How many parameters are listed on either side.
const LISTED: usize = 10;

/// How often parameters help, and how often they would by chance.
///
/// *Chance* is that every parameter helps at each of its steps with a non-zero LCA with the same
/// probability, the `helping_fraction` of the whole run, independently of the others and of its
/// past: the count of steps at which it helps is then binomial. Where that fraction itself changes
/// from step to step, chance spreads a little less. Where a parameter's helping comes in runs (a
/// direction that helps is kept for several steps), its count spreads more without the parameter
/// being any better than others: so `variance_ratio` and the counts of heroes say that more than
/// chance is at work, not that it is merit.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Heroes {
    /// How many parameters had a non-zero LCA at least once; only these count.
    pub moving: u64,
    /// How many never had.
    pub still: u64,
    /// Steps at which a parameter helped over those with non-zero LCA, of all moving parameters;
    /// `None` if none ever moved.
    pub helping_fraction: Option<f64>,
    /// Pearson's statistic Σ (h − n·p)² / (n·p·(1 − p)) over the parameters, of h helping steps
    /// in n, divided by the parameters less one: 1 is chance, more is a wider spread.
    ///
    /// `None`, as the p-value, with fewer than two parameters or if all help always or never.
    pub variance_ratio: Option<f64>,
    /// The probability that chance gives a ratio as high, from the χ² distribution.
    pub p_value: Option<f64>,
    /// Parameters that help so often that a run of nothing but chance has one of these, or a
    /// villain, with a probability of at most 5 % (exact binomial tails, Bonferroni-corrected
    /// for the number of parameters and for both sides).
    pub heroes: u64,
    /// Parameters that help so seldom, by the same measure.
    pub villains: u64,
    /// Moving parameters with so few steps that they would be no heroes if they helped at every
    /// one of them.
    pub too_few_steps: u64,
    /// What to say of these, in words; `None` if there are few.
    pub caution: Option<String>,
    /// Sum of LCA of the heroes over the run, in units of the loss.
    pub heroes_lca: f64,
    /// Sum of LCA of the villains over the run.
    pub villains_lca: f64,
    /// The heroes that are furthest from chance, in standard deviations; at most 10.
    pub top_heroes: Vec<HelpingParameter>,
    /// The villains that are furthest from chance; at most 10.
    pub top_villains: Vec<HelpingParameter>,
    /// The parameters by the fraction of their steps at which they helped.
    pub bins: Vec<HelpingBin>,
}

/// One parameter, and how often it helped.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct HelpingParameter {
    /// The tensor.
    pub tensor: String,
    /// The parameter in it.
    pub index: u32,
    /// At how many steps it helped.
    pub helping: u32,
    /// At how many steps it hurt.
    pub hurting: u32,
    /// Its LCA over the run, in units of the loss.
    pub lca: f64,
    /// How many standard deviations of chance its count of helping steps is above the expected.
    pub deviations: f64,
}

/// Parameters that helped at a fraction of their steps between `lower` and `upper`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct HelpingBin {
    /// The least fraction.
    pub lower: f64,
    /// The fraction below which they lie; the last bin has also those that always helped.
    pub upper: f64,
    /// How many parameters there are.
    pub parameters: u64,
    /// How many there would be by chance.
    pub by_chance: f64,
    /// Two standard deviations below `by_chance`: with [`chance_high`](Self::chance_high) the range
    /// in which chance alone leaves about 95 % of such counts.
    pub chance_low: f64,
    /// Two standard deviations above `by_chance`.
    pub chance_high: f64,
    /// Their LCA over the run, in units of the loss.
    pub lca: f64,
}

/// Returns how often each parameter helps, against chance.
///
/// # Errors
///
/// [`LcaError::NotRecorded`] if the run has no table `parameter_totals`, and the errors of
/// [`Scan`](crate::Scan) if it can't be read.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::{Run, analysis::noise};
///
/// let run = Run::open(folder.path())?;
/// let found = noise::heroes(&run)?;
/// println!("the counts spread {:?} times as much as by chance", found.variance_ratio);
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn heroes(run: &Run) -> Result<Heroes, LcaError> {
    require_totals(run)?;
    let counts = count(run)?;
    let mut heroes = empty(&counts);
    let Some(fraction) = heroes.helping_fraction else {
        return Ok(heroes);
    };
    let tail = ALPHA / 2.0 / counts.moving as f64;
    let mut extremes = BTreeMap::new();
    for (steps, parameters) in &counts.by_steps {
        let chance = BinomialCount::new(*steps, fraction);
        let mut extremes_of = Extremes::new(chance, tail);
        if !extremes_of.is_great(*steps) {
            heroes.too_few_steps += parameters;
        }
        extremes.insert(*steps, extremes_of);
        let expected = chance.by_range(&starts(*steps)).into_iter();
        for (bin, probability) in heroes.bins.iter_mut().zip(expected) {
            bin.by_chance += probability * *parameters as f64;
        }
    }
    heroes.caution = caution(&heroes);
    for bin in &mut heroes.bins {
        let probability = bin.by_chance / counts.moving as f64;
        let reach = 2.0 * (bin.by_chance * (1.0 - probability)).max(0.0).sqrt();
        bin.chance_low = (bin.by_chance - reach).max(0.0);
        bin.chance_high = bin.by_chance + reach;
    }
    let mut pearson = 0.0;
    visit(run, |tensor, index, helping, hurting, lca| {
        let steps = helping.saturating_add(hurting);
        let Some(extremes) = extremes.get_mut(&steps) else {
            return;
        };
        let bin = &mut heroes.bins[bin(helping, steps)];
        bin.parameters += 1;
        bin.lca += lca;
        let deviations = BinomialCount::new(steps, fraction).deviations(helping);
        pearson += deviations * deviations;
        let parameter = || HelpingParameter {
            tensor: tensor.to_owned(),
            index,
            helping,
            hurting,
            lca,
            deviations,
        };
        if extremes.is_great(helping) {
            heroes.heroes += 1;
            heroes.heroes_lca += lca;
            list(&mut heroes.top_heroes, deviations, parameter);
        } else if extremes.is_small(helping) {
            heroes.villains += 1;
            heroes.villains_lca += lca;
            list(&mut heroes.top_villains, deviations, parameter);
        }
    })?;
    let freedom = counts.moving as f64 - 1.0;
    if freedom > 0.0 && fraction > 0.0 && fraction < 1.0 {
        heroes.variance_ratio = Some(pearson / freedom);
        heroes.p_value = ChiSquared::new(freedom)
            .ok()
            .map(|chance| chance.sf(pearson));
    }
    Ok(heroes)
}

/// Returns the result before any parameter was looked at.
fn empty(counts: &Counts) -> Heroes {
    let bin = |bin: u64| HelpingBin {
        lower: bin as f64 / BINS as f64,
        upper: (bin + 1) as f64 / BINS as f64,
        parameters: 0,
        by_chance: 0.0,
        chance_low: 0.0,
        chance_high: 0.0,
        lca: 0.0,
    };
    Heroes {
        moving: counts.moving,
        still: counts.still,
        helping_fraction: (counts.nonzero > 0)
            .then(|| counts.helping as f64 / counts.nonzero as f64),
        variance_ratio: None,
        p_value: None,
        heroes: 0,
        villains: 0,
        too_few_steps: 0,
        caution: None,
        heroes_lca: 0.0,
        villains_lca: 0.0,
        top_heroes: Vec::new(),
        top_villains: Vec::new(),
        bins: (0..BINS).map(bin).collect(),
    }
}

/// Returns what to say of parameters with too few steps, if they are a tenth of all.
fn caution(heroes: &Heroes) -> Option<String> {
    let too_few = "too few steps to be heroes: help at every one of them could be chance";
    match heroes.too_few_steps {
        0 => None,
        some if some < heroes.moving / 10 => None,
        all if all == heroes.moving => Some(format!("All parameters have {too_few}.")),
        some => Some(format!(
            "{} of the parameters have {too_few}.",
            thousands(some)
        )),
    }
}

/// Returns the bin of a fraction of steps, in whole numbers so that edges are exact.
fn bin(helping: u32, steps: u32) -> usize {
    (u64::from(helping) * BINS / u64::from(steps)).min(BINS - 1) as usize
}

/// Returns the least count of helping steps of every bin.
fn starts(steps: u32) -> [u32; BINS as usize] {
    std::array::from_fn(|bin| (bin as u64 * u64::from(steps)).div_ceil(BINS) as u32)
}

/// Keeps a parameter if it is among those furthest from chance, the furthest first.
fn list(
    top: &mut Vec<HelpingParameter>,
    deviations: f64,
    parameter: impl FnOnce() -> HelpingParameter,
) {
    let index = top.partition_point(|known| known.deviations.abs() >= deviations.abs());
    if index < LISTED {
        top.insert(index, parameter());
        top.truncate(LISTED);
    }
}

/// What chance depends on.
struct Counts {
    moving: u64,
    still: u64,
    helping: u64,
    nonzero: u64,
    /// How many parameters have so many steps with a non-zero LCA.
    by_steps: BTreeMap<u32, u64>,
}

fn count(run: &Run) -> Result<Counts, LcaError> {
    let mut counts = Counts {
        moving: 0,
        still: 0,
        helping: 0,
        nonzero: 0,
        by_steps: BTreeMap::new(),
    };
    // Neighbours mostly have the same number of steps.
    let (mut steps, mut parameters) = (0, 0);
    each(
        run,
        Table::ParameterTotals,
        &["helping", "hurting"],
        |columns| {
            let hurting = columns.u32("hurting")?;
            for (helping, hurting) in columns.u32("helping")?.iter().zip(hurting) {
                let nonzero = helping.saturating_add(*hurting);
                counts.helping += u64::from(*helping);
                counts.nonzero += u64::from(nonzero);
                if nonzero != steps {
                    *counts.by_steps.entry(steps).or_default() += parameters;
                    (steps, parameters) = (nonzero, 0);
                }
                parameters += 1;
            }
            Ok(())
        },
    )?;
    *counts.by_steps.entry(steps).or_default() += parameters;
    counts.still = counts.by_steps.remove(&0).unwrap_or(0);
    counts.moving = counts.by_steps.values().sum();
    Ok(counts)
}

/// Visits every parameter: tensor, index, helping, hurting, LCA.
fn visit(run: &Run, mut look: impl FnMut(&str, u32, u32, u32, f64)) -> Result<(), LcaError> {
    let names = ["tensor", "index", "helping", "hurting", "lca"];
    each(run, Table::ParameterTotals, &names, |columns| {
        let (helping, hurting) = (columns.u32("helping")?, columns.u32("hurting")?);
        let (index, lca) = (columns.u32("index")?, columns.f64("lca")?);
        for (tensor, rows) in stretches(columns.text("tensor")?) {
            for row in rows {
                look(tensor, index[row], helping[row], hurting[row], lca[row]);
            }
        }
        Ok(())
    })
}
