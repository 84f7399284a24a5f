//! Parameters that never did anything, or hardly ever helped.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use crate::error::LcaError;
use crate::record::{Run, Table};

use super::super::read;
use super::fair_coins::{FairCoins, MIN_STEPS};
use super::options::CandidatesOptions;
use crate::analysis::thousands;

/// The parameters of one tensor that never did anything, or hardly ever helped.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TensorParameters {
    /// The run, counted from 0.
    pub run: usize,
    /// The tensor.
    pub tensor: String,
    /// How many parameters it has.
    pub parameters: u64,
    /// Those whose LCA was exactly zero at every step.
    pub dead: u64,
    /// Those of the dead that still have their initial value.
    pub unmoved: u64,
    /// Those that are neither dead nor have an LCA other than zero at 20 steps, so that nothing is
    /// said of how often they helped.
    pub unjudged: u64,
    /// Those that hardly ever helped.
    pub rarely_helping: u64,
    /// How many of these there would be if parameters helped as fair coins show heads: at every
    /// step with a probability of one half, independently.
    pub rarely_helping_expected: f64,
    /// LCA of those that hardly ever helped, summed.
    pub rarely_helping_lca: f64,
    /// The ones of these that hurt the most.
    pub worst: Vec<ParameterCandidate>,
    /// What the numbers say, in words; nothing where there is nothing to act on.
    pub reason: Option<String>,
}

/// A parameter that hardly ever helped.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ParameterCandidate {
    /// The parameter, row-major.
    pub index: u32,
    /// Its LCA over the run.
    pub lca: f64,
    /// Steps at which it helped.
    pub helping: u32,
    /// Steps at which it hurt.
    pub hurting: u32,
    /// Steps at which its LCA was exactly zero.
    pub zero: u32,
}

/// Returns what there is to say about every tensor; nothing if no totals were recorded.
pub(super) fn parameters(
    run: &Run,
    number: usize,
    options: &CandidatesOptions,
) -> Result<Vec<TensorParameters>, LcaError> {
    let mut found: Vec<TensorParameters> = Vec::new();
    let mut indices_of: HashMap<String, usize> = HashMap::new();
    let mut coins = FairCoins::new(options.max_helping_fraction);
    let columns = [
        "tensor", "index", "lca", "helping", "hurting", "zero", "initial", "final",
    ];
    read::each(run, Table::ParameterTotals, &columns, |batch| {
        let indices = batch.u32("index")?;
        let lca = batch.f64("lca")?;
        let (helping, hurting) = (batch.u32("helping")?, batch.u32("hurting")?);
        let zero = batch.u32("zero")?;
        let (initial, last) = (batch.f32("initial")?, batch.f32("final")?);
        for (tensor, rows) in read::stretches(batch.text("tensor")?) {
            let index = indices_of.get(tensor).copied().unwrap_or_else(|| {
                found.push(TensorParameters::new(number, tensor));
                indices_of.insert(tensor.to_owned(), found.len() - 1);
                found.len() - 1
            });
            for row in rows {
                let parameter = ParameterCandidate {
                    index: indices[row],
                    lca: lca[row],
                    helping: helping[row],
                    hurting: hurting[row],
                    zero: zero[row],
                };
                let unmoved = initial[row] == last[row];
                found[index].add(parameter, unmoved, &mut coins, options);
            }
        }
        Ok(())
    })?;
    // Frozen on purpose is nothing to advise about.
    let tensors = run.info().tensors.iter();
    let frozen = tensors.filter(|tensor| !tensor.trainable);
    let frozen: HashSet<&str> = frozen.map(|tensor| &*tensor.path).collect();
    found.retain(|tensor| !frozen.contains(&*tensor.tensor));
    for tensor in &mut found {
        tensor.reason = tensor.advice(options);
    }
    Ok(found)
}

impl TensorParameters {
    fn new(run: usize, tensor: &str) -> Self {
        Self {
            run,
            tensor: tensor.to_owned(),
            parameters: 0,
            dead: 0,
            unmoved: 0,
            unjudged: 0,
            rarely_helping: 0,
            rarely_helping_expected: 0.0,
            rarely_helping_lca: 0.0,
            worst: Vec::new(),
            reason: None,
        }
    }

    fn add(
        &mut self,
        parameter: ParameterCandidate,
        unmoved: bool,
        coins: &mut FairCoins,
        options: &CandidatesOptions,
    ) {
        self.parameters += 1;
        let moved = u64::from(parameter.helping) + u64::from(parameter.hurting);
        if moved == 0 && parameter.zero > 0 {
            self.dead += 1;
            self.unmoved += u64::from(unmoved);
            return;
        }
        if moved < MIN_STEPS {
            self.unjudged += 1;
            return;
        }
        self.rarely_helping_expected += coins.probability(moved);
        if f64::from(parameter.helping) > options.max_helping_fraction * moved as f64 {
            return;
        }
        self.rarely_helping += 1;
        self.rarely_helping_lca += parameter.lca;
        let worse = |known: &ParameterCandidate| known.lca >= parameter.lca;
        let index = self.worst.partition_point(worse);
        if index < options.top {
            self.worst.insert(index, parameter);
            self.worst.truncate(options.top);
        }
    }

    fn advice(&self, options: &CandidatesOptions) -> Option<String> {
        let mut words = Vec::new();
        if self.dead > 0 {
            let (it, its) = if self.dead == 1 {
                ("it", "its")
            } else {
                ("them", "their")
            };
            words.push(format!(
                "{}; prune {it}, or look whether {its} inputs are always zero",
                self.death()
            ));
        }
        // Beyond what the spread of a count makes likely.
        if self.rarely_helping as f64
            > self.rarely_helping_expected + 3.0 * self.rarely_helping_expected.sqrt()
        {
            let (it, its) = if self.rarely_helping == 1 {
                ("it", "its")
            } else {
                ("them", "their")
            };
            words.push(format!(
                "{} helped at no more than {} % of {its} steps; reinitialize or prune {it}",
                thousands(self.rarely_helping),
                100.0 * options.max_helping_fraction
            ));
        }
        (!words.is_empty()).then(|| words.join("; "))
    }

    /// Returns how the dead came to have no LCA.
    fn death(&self) -> String {
        let (dead, unmoved) = (thousands(self.dead), thousands(self.unmoved));
        if self.unmoved == self.dead {
            format!("{dead} never moved")
        } else if self.unmoved == 0 {
            format!(
                "{dead} never changed the loss: at all steps that moved one, its gradient was zero"
            )
        } else {
            format!(
                "{dead} never changed the loss: {unmoved} never moved, and at all steps that moved \
                 another one, its gradient was zero"
            )
        }
    }
}
