//! Neurons and channels that no longer do anything, or hardly ever help.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use crate::error::LcaError;
use crate::record::{Run, Table, TensorInfo};

use super::super::names::layer_of;
use super::super::read;
use super::fair_coins::{FairCoins, MIN_STEPS};
use super::options::CandidatesOptions;

/// The units of one layer; of one tensor, where a layer's tensors differ in their units.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LayerUnits {
    /// The run, counted from 0.
    pub run: usize,
    /// The layer or tensor.
    pub layer: String,
    /// How many units it has.
    pub units: usize,
    /// How many of the candidates are dead.
    pub dead: usize,
    /// How many units are neither dead nor have an LCA other than zero at 20 recorded steps, so that
    /// nothing is said of how often they helped.
    pub unjudged: usize,
    /// How many of the candidates hardly ever help.
    pub rarely_helping: usize,
    /// How many would hardly ever help if units helped as fair coins show heads: at every recorded
    /// step with a probability of one half, independently.
    pub rarely_helping_expected: f64,
    /// The units to act on.
    pub candidates: Vec<UnitCandidate>,
}

/// A unit to act on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct UnitCandidate {
    /// The unit, from 0.
    pub unit: u32,
    /// What is wrong with it.
    pub problem: UnitProblem,
    /// Its LCA, summed over the recorded steps only.
    pub lca: f64,
    /// Recorded steps at which it helped.
    pub helping: u64,
    /// Recorded steps at which it hurt.
    pub hurting: u64,
    /// Recorded steps at which its LCA was exactly zero.
    pub zero: u64,
    /// The last recorded step with an LCA that is not zero.
    pub last_active: Option<u64>,
    /// What the numbers say, in words.
    pub reason: String,
}

/// What is wrong with a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnitProblem {
    /// Its LCA was exactly zero at all of the last recorded steps, a tenth of them and 20 at
    /// least: no gradient reaches it, or it does not move.
    Dead,
    /// Of the steps at which it did anything, it helped at few.
    RarelyHelps,
}

/// Counts of a unit up to a recorded step of its group, of which not all rows may be in yet.
#[derive(Debug, Clone)]
struct UnitCount {
    lca: f64,
    helping: u64,
    hurting: u64,
    zero: u64,
    last_active: Option<u64>,
    /// Zeros since then.
    silent: u64,
    /// That step, counted from 1, and its iteration.
    step: u64,
    iteration: u64,
    /// Its LCA at that step so far.
    current: f64,
}

impl UnitCount {
    fn new(step: u64, iteration: u64) -> Self {
        Self {
            lca: 0.0,
            helping: 0,
            hurting: 0,
            zero: 0,
            last_active: None,
            silent: 0,
            step,
            iteration,
            current: 0.0,
        }
    }

    /// Counts the step that rows came of; without a row at those after it, its LCA there is zero.
    fn advance(&mut self, step: u64, iteration: u64) {
        if step == self.step {
            return;
        }
        self.count_current();
        let zeros = step - self.step - 1;
        self.zero += zeros;
        self.silent += zeros;
        (self.step, self.iteration) = (step, iteration);
    }

    fn count_current(&mut self) {
        let (iteration, lca) = (self.iteration, std::mem::take(&mut self.current));
        self.lca += lca;
        match lca {
            0.0 => {
                self.zero += 1;
                self.silent += 1;
                return;
            }
            ..0.0 => self.helping += 1,
            0.0.. => self.hurting += 1,
            // Not finite: neither, but not silent.
            _ => {}
        }
        self.last_active = Some(iteration);
        self.silent = 0;
    }
}

/// The units of the same number in all tensors of a group.
#[derive(Debug, Default)]
struct UnitGroup {
    counts: Vec<UnitCount>,
    /// Recorded steps that had rows of the group, and the iteration of the last.
    steps: u64,
    iteration: Option<u64>,
}

impl UnitGroup {
    /// Adds the LCA of a unit that is there; returns whether it is.
    fn add(&mut self, unit: usize, iteration: u64, lca: f64) -> bool {
        if self.iteration != Some(iteration) {
            self.iteration = Some(iteration);
            self.steps += 1;
        }
        // A recorder writes the units of a tensor in their order, so one row makes room for one.
        if unit == self.counts.len() {
            self.counts.push(UnitCount::new(self.steps, iteration));
        }
        let Some(count) = self.counts.get_mut(unit) else {
            return false;
        };
        count.advance(self.steps, iteration);
        count.current += lca;
        true
    }

    /// Counts what is still open once all rows are in.
    fn finish(&mut self) {
        for count in &mut self.counts {
            // One step further than the last, which then counts, too.
            count.advance(self.steps + 1, u64::MAX);
        }
    }
}

/// Returns the units to act on in every layer; nothing if no units were recorded.
pub(super) fn units(
    run: &Run,
    number: usize,
    options: &CandidatesOptions,
) -> Result<Vec<LayerUnits>, LcaError> {
    let mut coins = FairCoins::new(options.max_helping_fraction);
    let layers = count(run)?.into_iter().map(|(layer, group)| {
        let counts = group.counts.iter();
        let by_chance = counts.map(|count| coins.probability(count.helping + count.hurting));
        let rarely_helping_expected = by_chance.sum();
        let mut unjudged = 0;
        let mut candidates: Vec<UnitCandidate> = Vec::new();
        for (count, unit) in group.counts.iter().zip(0..) {
            match judge(unit, count, options) {
                Some(candidate) => candidates.push(candidate),
                None => unjudged += usize::from(count.helping + count.hurting < MIN_STEPS),
            }
        }
        let with = |problem| {
            candidates
                .iter()
                .filter(|unit| unit.problem == problem)
                .count()
        };
        LayerUnits {
            run: number,
            units: group.counts.len(),
            dead: with(UnitProblem::Dead),
            unjudged,
            rarely_helping: with(UnitProblem::RarelyHelps),
            rarely_helping_expected,
            candidates,
            layer,
        }
    });
    Ok(layers.filter(|layer| layer.units > 0).collect())
}

fn count(run: &Run) -> Result<Vec<(String, UnitGroup)>, LcaError> {
    let tensors = &run.info().tensors;
    let mut groups: Vec<(String, UnitGroup)> = Vec::new();
    let mut group_of: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let alike = layers_of_one_size(tensors);
    let mut known: HashMap<&str, usize> = HashMap::new();
    for tensor in tensors.iter().filter(|tensor| tensor.trainable) {
        let layer = layer_of(&tensor.path);
        // Only tensors with the same units can be added up.
        let name = if alike.contains(layer) {
            layer
        } else {
            &tensor.path
        };
        let index = *known.entry(name).or_insert_with(|| {
            groups.push((name.to_owned(), UnitGroup::default()));
            groups.len() - 1
        });
        group_of.insert(&tensor.path, (index, tensor.units));
    }
    let damaged = |problem| LcaError::Damaged {
        path: run.folder().join(Table::Units.name()),
        problem,
        remedy: "remove files that this run's recorder did not write".into(),
    };
    let columns = ["iteration", "span", "tensor", "unit", "lca"];
    read::each(run, Table::Units, &columns, |batch| {
        let steps = batch.steps()?;
        let names = batch.text("tensor")?;
        let units = batch.u32("unit")?;
        let lca = batch.f32("lca")?;
        for row in 0..batch.rows() {
            let Some((index, count)) = group_of.get(names.value(row)) else {
                continue;
            };
            let unit = units[row] as usize;
            if unit >= *count {
                let problem = format!("tensor {} has no unit {unit}", names.value(row));
                return Err(damaged(problem));
            }
            let group = &mut groups[*index].1;
            if !group.add(unit, steps(row).1, f64::from(lca[row])) {
                return Err(damaged(format!(
                    "tensor {} has unit {unit}, but not the one before it",
                    names.value(row)
                )));
            }
        }
        Ok(())
    })?;
    groups.iter_mut().for_each(|(_, group)| group.finish());
    Ok(groups)
}

/// Returns the layers whose tensors all have the same number of units.
fn layers_of_one_size(tensors: &[TensorInfo]) -> HashSet<&str> {
    let mut sizes: HashMap<&str, Option<usize>> = HashMap::new();
    for tensor in tensors.iter().filter(|tensor| tensor.trainable) {
        let size = sizes
            .entry(layer_of(&tensor.path))
            .or_insert(Some(tensor.units));
        *size = size.filter(|size| *size == tensor.units);
    }
    let alike = sizes.into_iter().filter(|(_, size)| size.is_some());
    alike.map(|(layer, _)| layer).collect()
}

fn judge(unit: u32, count: &UnitCount, options: &CandidatesOptions) -> Option<UnitCandidate> {
    let moved = count.helping + count.hurting;
    let recorded = moved + count.zero;
    let (problem, reason) = if count.silent >= MIN_STEPS.max(recorded / 10) {
        let since = match count.last_active {
            Some(last) => format!("at every recorded step after iteration {last}"),
            None => "at every recorded step".to_owned(),
        };
        let words = format!("exactly zero {since}; prune or reinitialize it");
        (UnitProblem::Dead, words)
    } else if moved >= MIN_STEPS
        && count.helping as f64 <= options.max_helping_fraction * moved as f64
    {
        let words = format!(
            "helped at {} of the {moved} steps at which it did anything; reinitialize it, or prune \
             it if the loss allows",
            count.helping
        );
        (UnitProblem::RarelyHelps, words)
    } else {
        return None;
    };
    Some(UnitCandidate {
        unit,
        problem,
        lca: count.lca,
        helping: count.helping,
        hurting: count.hurting,
        zero: count.zero,
        last_active: count.last_active,
        reason,
    })
}
