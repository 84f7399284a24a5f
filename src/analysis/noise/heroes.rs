//! How often single parameters help: are there heroes and villains, or is it chance?

use std::collections::BTreeMap;

use serde::Serialize;
use statrs::distribution::{ChiSquared, ContinuousCDF};

use crate::analysis::read::{each, stretches};
use crate::{LcaError, Run, Table};

use super::chance::Chance;

/// The bins of the share of steps, each 5 % wide.
const BINS: u64 = 20;
/// The chance that a run without heroes and villains is said to have some.
const LEVEL: f64 = 0.05;
/// How many parameters are listed on either side.
const LISTED: usize = 10;

/// How often parameters help, and how often they would by chance.
///
/// *Chance* is that every parameter helps at each of its steps with a non-zero LCA with the same
/// probability, the `share` of the whole run, independently of the others and of its past: the
/// count of steps at which it helps is then binomial. Where the share itself changes from step to
/// step, chance spreads a little less than that. Where a parameter's helping comes in runs (a
/// direction that helps is kept for several steps), its count spreads more without the parameter
/// being any better than others: so `variance_ratio` and the counts of heroes say that more than
/// chance is at work, not that it is merit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Heroes {
    /// How many parameters had a non-zero LCA at least once; only these count.
    pub moving: u64,
    /// How many never had.
    pub still: u64,
    /// Steps at which a parameter helped over those with non-zero LCA, of all moving parameters;
    /// `None` if none ever moved.
    pub share: Option<f64>,
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
    /// Sum of LCA of the heroes over the run, in units of the loss.
    pub heroes_lca: f64,
    /// Sum of LCA of the villains over the run.
    pub villains_lca: f64,
    /// The heroes that are furthest from chance, in standard deviations; at most 10.
    pub top_heroes: Vec<HelpingParameter>,
    /// The villains that are furthest from chance; at most 10.
    pub top_villains: Vec<HelpingParameter>,
    /// The parameters by the share of their steps at which they helped.
    pub bins: Vec<ShareBin>,
}

/// One parameter, and how often it helped.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
pub struct ShareBin {
    /// The least fraction.
    pub lower: f64,
    /// The fraction below which they lie; the last bin has also those that always helped.
    pub upper: f64,
    /// How many parameters there are.
    pub parameters: u64,
    /// How many there would be by chance.
    pub by_chance: f64,
    /// Their LCA over the run, in units of the loss.
    pub lca: f64,
}

impl ShareBin {
    /// Returns the counts between which that of a bin lies by chance, of `moving` parameters: the
    /// expected one and two standard deviations (about 95 %) to either side.
    pub fn chance_range(&self, moving: u64) -> (f64, f64) {
        let probability = self.by_chance / moving.max(1) as f64;
        let spread = 2.0 * (self.by_chance * (1.0 - probability)).max(0.0).sqrt();
        ((self.by_chance - spread).max(0.0), self.by_chance + spread)
    }
}

/// Returns how often parameters help, from `parameter_totals`.
///
/// Fails if that table is not recorded, or a file can't be read.
pub fn heroes(run: &Run) -> Result<Heroes, LcaError> {
    super::needs_totals(run)?;
    let counts = count(run)?;
    let mut heroes = empty(&counts);
    let Some(share) = heroes.share else {
        return Ok(heroes);
    };
    let tail = LEVEL / 2.0 / counts.moving as f64;
    let mut bounds = BTreeMap::new();
    for (steps, parameters) in &counts.by_steps {
        let chance = Chance::new(*steps, share);
        bounds.insert(*steps, chance.bounds(tail));
        for (helping, probability) in chance.likely() {
            heroes.bins[bin(helping, *steps)].by_chance += probability * *parameters as f64;
        }
    }
    let mut pearson = 0.0;
    visit(run, |tensor, index, helping, hurting, lca| {
        let steps = helping.saturating_add(hurting);
        let Some((least, most)) = bounds.get(&steps) else {
            return;
        };
        let bin = &mut heroes.bins[bin(helping, steps)];
        bin.parameters += 1;
        bin.lca += lca;
        let deviations = Chance::new(steps, share).deviations(helping);
        pearson += deviations * deviations;
        let parameter = || HelpingParameter {
            tensor: tensor.to_owned(),
            index,
            helping,
            hurting,
            lca,
            deviations,
        };
        if most.is_some_and(|most| helping >= most) {
            heroes.heroes += 1;
            heroes.heroes_lca += lca;
            list(&mut heroes.top_heroes, deviations, parameter);
        } else if least.is_some_and(|least| helping <= least) {
            heroes.villains += 1;
            heroes.villains_lca += lca;
            list(&mut heroes.top_villains, deviations, parameter);
        }
    })?;
    let freedom = counts.moving as f64 - 1.0;
    if freedom > 0.0 && share > 0.0 && share < 1.0 {
        heroes.variance_ratio = Some(pearson / freedom);
        heroes.p_value = ChiSquared::new(freedom).ok().map(|law| law.sf(pearson));
    }
    Ok(heroes)
}

/// Returns the result before any parameter was looked at.
fn empty(counts: &Counts) -> Heroes {
    let bin = |bin: u64| ShareBin {
        lower: bin as f64 / BINS as f64,
        upper: (bin + 1) as f64 / BINS as f64,
        parameters: 0,
        by_chance: 0.0,
        lca: 0.0,
    };
    Heroes {
        moving: counts.moving,
        still: counts.still,
        share: (counts.nonzero > 0).then(|| counts.helping as f64 / counts.nonzero as f64),
        variance_ratio: None,
        p_value: None,
        heroes: 0,
        villains: 0,
        heroes_lca: 0.0,
        villains_lca: 0.0,
        top_heroes: Vec::new(),
        top_villains: Vec::new(),
        bins: (0..BINS).map(bin).collect(),
    }
}

/// Returns the bin of a share, in whole numbers so that edges are exact.
fn bin(helping: u32, steps: u32) -> usize {
    (u64::from(helping) * BINS / u64::from(steps)).min(BINS - 1) as usize
}

/// Keeps a parameter if it is among those furthest from chance, the furthest first.
fn list(
    top: &mut Vec<HelpingParameter>,
    deviations: f64,
    parameter: impl FnOnce() -> HelpingParameter,
) {
    let place = top.partition_point(|known| known.deviations.abs() >= deviations.abs());
    if place < LISTED {
        top.insert(place, parameter());
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
