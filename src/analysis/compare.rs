//! Two runs side by side.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{LcaError, Run, Table};

use super::groups::{Group, Grouping, Selection, groups};
use super::read::each;
use super::summary::{Helping, Reconciliation, Summary, summary};

/// Two runs side by side. What one of them does not have is `None` there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Observed steps. Sums over runs of different length compare the runs, not their steps.
    pub steps: Pair,
    /// The probes that either run has.
    pub probes: Vec<ProbePair>,
    /// The layers that either run has, those of the first in the order of its model; on the
    /// training probe.
    pub layers: Vec<LayerPair>,
    /// The classes that either run has; on the training probe.
    pub classes: Vec<ClassPair>,
}

/// The same number of two runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Pair {
    /// Of the first run.
    pub first: Option<f64>,
    /// Of the second.
    pub second: Option<f64>,
}

impl Pair {
    /// Returns second − first, if both have it.
    pub fn difference(&self) -> Option<f64> {
        Some(self.second? - self.first?)
    }

    fn of<T>(pair: [Option<&T>; 2], number: impl Fn(&T) -> f64) -> Self {
        let [first, second] = pair.map(|side| side.map(&number));
        Self { first, second }
    }
}

/// A probe in two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProbePair {
    /// The probe.
    pub probe: String,
    /// The loss before the first observed step.
    pub loss_before: Pair,
    /// The loss after the last.
    pub loss_after: Pair,
    /// The difference of the two.
    pub loss_change: Pair,
    /// Sum of LCA over all parameters and steps.
    pub lca: Pair,
    /// Of all parameters at all steps, how many had negative LCA, in percent.
    pub percent_of_all: Pair,
    /// The same without those that had exactly zero.
    pub percent_of_nonzero: Pair,
}

/// A layer in two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerPair {
    /// The layer.
    pub layer: String,
    /// How many parameters it has.
    pub parameters: Pair,
    /// LCA summed over the run.
    pub lca: Pair,
    /// Of its parameters at all steps, how many had negative LCA, in percent of those whose LCA
    /// is not zero.
    pub percent_of_nonzero: Pair,
}

/// A class in two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassPair {
    /// The class.
    pub class: i32,
    /// Its name, from the first run that has it.
    pub name: String,
    /// Its loss after the last observed step.
    pub loss_after: Pair,
    /// Sum of LCA in its own loss.
    pub lca: Pair,
}

/// Returns two runs side by side.
///
/// # Errors
///
/// [`LcaError::NotRecorded`] if no step of a run was observed.
pub fn compare(first: &Run, second: &Run) -> Result<Comparison, LcaError> {
    let sides = [first, second];
    let summaries = [summary(first)?, summary(second)?];
    let steps = |summary: &Summary| Some(summary.steps as f64);
    Ok(Comparison {
        steps: Pair {
            first: steps(&summaries[0]),
            second: steps(&summaries[1]),
        },
        probes: probes(&summaries),
        layers: layers(sides)?,
        classes: classes(sides)?,
    })
}

/// Returns the keys of both, those of the first before those that only the second has.
fn joined<'a, T, K: PartialEq + 'a>(sides: [&'a [T]; 2], key: impl Fn(&'a T) -> K) -> Vec<K> {
    let mut keys = Vec::new();
    for key in sides.into_iter().flatten().map(key) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

fn probes(summaries: &[Summary; 2]) -> Vec<ProbePair> {
    let sides = [&*summaries[0].reconciliation, &*summaries[1].reconciliation];
    let pair = |probe: &String| {
        let losses = sides.map(|side| side.iter().find(|row| row.probe == *probe));
        let helping = [&summaries[0].helping, &summaries[1].helping]
            .map(|side| side.iter().find(|row| row.probe == *probe));
        let loss = |number: fn(&Reconciliation) -> f64| Pair::of(losses, number);
        let percent = |number: fn(&Helping) -> f64| Pair::of(helping, number);
        ProbePair {
            probe: probe.clone(),
            loss_before: loss(|row| row.loss_before),
            loss_after: loss(|row| row.loss_after),
            loss_change: loss(|row| row.loss_change),
            lca: loss(|row| row.lca),
            percent_of_all: percent(|row| row.percent_of_all),
            percent_of_nonzero: percent(|row| row.percent_of_nonzero),
        }
    };
    joined(sides, |row| &row.probe)
        .into_iter()
        .map(pair)
        .collect()
}

fn layers(runs: [&Run; 2]) -> Result<Vec<LayerPair>, LcaError> {
    let of = |run: &Run| {
        groups(
            run,
            &Selection {
                by: Grouping::Layer,
                probe: main_probe(run),
                class: None,
            },
        )
    };
    let sides = [of(runs[0])?, of(runs[1])?];
    let pair = |layer: &String| {
        let rows = [&sides[0], &sides[1]].map(|side| side.iter().find(|row| row.name == *layer));
        let percent =
            |group: &Group| 100.0 * group.helping as f64 / (group.helping + group.hurting) as f64;
        LayerPair {
            layer: layer.clone(),
            parameters: Pair::of(rows, |group| group.parameters as f64),
            lca: Pair::of(rows, |group| group.lca),
            percent_of_nonzero: Pair::of(rows, percent),
        }
    };
    let names = joined([&sides[0], &sides[1]], |group| &group.name);
    Ok(names.into_iter().map(pair).collect())
}

/// A class over a run.
#[derive(Debug, Default)]
struct ClassSums {
    lca: f64,
    loss_after: f64,
    last: u64,
}

fn classes(runs: [&Run; 2]) -> Result<Vec<ClassPair>, LcaError> {
    let sides = [class_sums(runs[0])?, class_sums(runs[1])?];
    let mut classes: Vec<i32> = sides.iter().flat_map(|side| side.keys().copied()).collect();
    classes.sort_unstable();
    classes.dedup();
    let name = |class: i32| {
        let named = runs.iter().flat_map(|run| &run.info().probes);
        let mut named = named.flat_map(|probe| &probe.classes);
        let found = named.find(|known| known.index == class);
        found.map_or_else(|| class.to_string(), |known| known.name.clone())
    };
    let pair = |class: i32| {
        let rows = [sides[0].get(&class), sides[1].get(&class)];
        ClassPair {
            class,
            name: name(class),
            loss_after: Pair::of(rows, |sums| sums.loss_after),
            lca: Pair::of(rows, |sums| sums.lca),
        }
    };
    Ok(classes.into_iter().map(pair).collect())
}

/// Returns the classes of a run; none if it was not split by class.
fn class_sums(run: &Run) -> Result<BTreeMap<i32, ClassSums>, LcaError> {
    let probe = main_probe(run);
    let mut sums: BTreeMap<i32, ClassSums> = BTreeMap::new();
    let names = ["iteration", "probe", "class", "loss_after", "lca"];
    each(run, Table::Classes, &names, |columns| {
        let (iterations, probes) = (columns.u64("iteration")?, columns.text("probe")?);
        let (losses, lca) = (columns.f64("loss_after")?, columns.f64("lca")?);
        for (row, class) in columns.i32_or_null("class")?.iter().enumerate() {
            let Some(class) = class.filter(|_| probes.value(row) == probe) else {
                continue;
            };
            let sums = sums.entry(class).or_default();
            if lca[row].is_finite() {
                sums.lca += lca[row];
            }
            if iterations[row] >= sums.last {
                (sums.last, sums.loss_after) = (iterations[row], losses[row]);
            }
        }
        Ok(())
    })?;
    Ok(sums)
}

/// Returns the name of the probe that a run is about: the first.
fn main_probe(run: &Run) -> String {
    let first = run.info().probes.first();
    first.map_or_else(|| "training".into(), |probe| probe.name.clone())
}
