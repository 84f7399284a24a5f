//! Sums of the table `tensors` over the steps of a run.

use std::collections::HashMap;

use arrow::array::Array;

use crate::error::LcaError;
use crate::record::{Run, Table};

use super::super::read::{NO_STEPS, each, out_of_order, require};
use super::super::stats::HelpingCounts;
use super::options::LayersOptions;

const COLUMNS: [&str; 10] = [
    "iteration",
    "probe",
    "class",
    "tensor",
    "lca",
    "lca_halves",
    "lca_decay",
    "helping",
    "hurting",
    "zero",
];

/// The sums of every layer or tensor over a run.
#[derive(Debug)]
pub(super) struct RunSums {
    /// Steps that are in the sums: those at which all tensors are finite.
    pub(super) steps: u64,
    /// Steps that are left out.
    pub(super) not_finite: u64,
    /// Steps of those that are in the sums at which the share of weight decay is known.
    decayed: u64,
    /// In the model's order.
    pub(super) groups: Vec<GroupSum>,
}

/// Tensors that are summed as one.
#[derive(Debug)]
pub(super) struct GroupSum {
    pub(super) name: String,
    pub(super) parameters: u64,
    pub(super) lca: f64,
    /// The variance of `lca`; `None` unless the probe is sampled.
    pub(super) variance: Option<f64>,
    /// The part of `lca` that is due to weight decay, as far as it is known.
    decay: f64,
    pub(super) counts: HelpingCounts,
    /// Steps at which its LCA is positive.
    pub(super) hurting_steps: u64,
}

impl RunSums {
    /// Returns the LCA of the network.
    pub(super) fn lca(&self) -> f64 {
        self.groups.iter().map(|group| group.lca).sum()
    }

    /// Returns the part of a group's LCA that is due to weight decay, if it is known of all steps.
    pub(super) fn lca_decay(&self, group: usize) -> Option<f64> {
        (self.decayed > 0 && self.decayed == self.steps).then_some(self.groups[group].decay)
    }
}

/// Reads the sums of a run, for the probe and class that are asked for.
pub(super) fn sums(run: &Run, options: &LayersOptions) -> Result<RunSums, LcaError> {
    let probe = options.probe_of(run);
    let mut groups: Vec<GroupSum> = Vec::new();
    let mut index_of: HashMap<&str, usize> = HashMap::new();
    let mut group_of: HashMap<&str, usize> = HashMap::new();
    for tensor in &run.info().tensors {
        let name = options.by.of(&tensor.path);
        let index = *index_of.entry(name).or_insert_with(|| {
            groups.push(GroupSum {
                name: name.to_owned(),
                parameters: 0,
                lca: 0.0,
                variance: None,
                decay: 0.0,
                counts: HelpingCounts::default(),
                hurting_steps: 0,
            });
            groups.len() - 1
        });
        groups[index].parameters = groups[index].parameters.saturating_add(tensor.parameters);
        group_of.insert(&tensor.path, index);
    }
    let mut reading = StepReader::new(groups);
    each(run, Table::Tensors, &COLUMNS, |batch| {
        let iterations = batch.u64("iteration")?;
        let probes = batch.text("probe")?;
        let classes = batch.i32_or_null("class")?;
        let tensors = batch.text("tensor")?;
        let lca = batch.f64("lca")?;
        let halves = batch.f64_or_null("lca_halves")?;
        let decay = batch.f64_or_null("lca_decay")?;
        let helping = batch.u64("helping")?;
        let hurting = batch.u64("hurting")?;
        let zero = batch.u64("zero")?;
        for row in 0..batch.rows() {
            let class = classes.is_valid(row).then(|| classes.value(row));
            if class != options.class || probes.value(row) != probe {
                continue;
            }
            let tensor = tensors.value(row);
            let group = group_of.get(tensor).ok_or_else(|| foreign(run, tensor))?;
            reading.advance(run, iterations[row])?;
            let step = reading.at_step(*group);
            step.lca += lca[row];
            if halves.is_valid(row) {
                *step.halves.get_or_insert(0.0) += halves.value(row);
            }
            if decay.is_valid(row) {
                *step.decay.get_or_insert(0.0) += decay.value(row);
            }
            step.counts += HelpingCounts {
                helping: helping[row],
                hurting: hurting[row],
                zero: zero[row],
            };
        }
        Ok(())
    })?;
    Ok(reading.finish())
}

/// Fails unless the run has the probe and the class, and rows of the table.
pub(super) fn check(run: &Run, options: &LayersOptions) -> Result<(), LcaError> {
    require(run, Table::Tensors, NO_STEPS)?;
    options.by.check(run)?;
    let missing = |problem, remedy: &str| LcaError::NotRecorded {
        path: run.folder().to_owned(),
        problem,
        remedy: remedy.into(),
    };
    let probes = &run.info().probes;
    let wanted = options.probe_of(run);
    let Some(probe) = probes.iter().find(|probe| probe.name == wanted) else {
        let names: Vec<&str> = probes.iter().map(|probe| probe.name.as_str()).collect();
        return Err(missing(
            format!("has no probe {wanted}, only {}", names.join(", ")),
            "ask for one of these, or set `LcaMetric::validation` before training",
        ));
    };
    let Some(class) = options.class else {
        return Ok(());
    };
    let mut classes = probe.classes.iter();
    match (classes.len(), classes.any(|known| known.index == class)) {
        (0, _) => Err(missing(
            format!("has no classes on probe {}", probe.name),
            "ask for all classes together, or set `Probe::classes` before training",
        )),
        (_, false) => {
            let known = probe.classes.iter().map(|class| class.index.to_string());
            Err(LcaError::setting(
                "LayersOptions::class",
                format!("{} has no class {class}", run.folder().display()),
                format!("give one of {}", known.collect::<Vec<_>>().join(", ")),
            ))
        }
        _ => Ok(()),
    }
}

fn foreign(run: &Run, tensor: &str) -> LcaError {
    LcaError::Damaged {
        path: run.folder().join(Table::Tensors.name()),
        problem: format!("has rows of tensor {tensor}, which run.json does not have"),
        remedy: "remove files that this run's recorder did not write".into(),
    }
}

/// Sums step by step, since a step that is not finite is left out as a whole: what the other
/// tensors did at it is not grounded.
struct StepReader {
    sums: RunSums,
    iteration: Option<u64>,
    /// Each group at the current step.
    step: Vec<StepSum>,
    /// Those of them that have rows of it.
    seen: Vec<usize>,
}

/// The tensors of a group at one step.
#[derive(Debug, Clone, Default)]
struct StepSum {
    seen: bool,
    lca: f64,
    /// Half the difference between the halves of the step's sample, if there is one.
    halves: Option<f64>,
    /// The part of `lca` that is due to weight decay, if that is known.
    decay: Option<f64>,
    counts: HelpingCounts,
}

impl StepReader {
    fn new(groups: Vec<GroupSum>) -> Self {
        Self {
            step: vec![StepSum::default(); groups.len()],
            sums: RunSums {
                steps: 0,
                not_finite: 0,
                decayed: 0,
                groups,
            },
            iteration: None,
            seen: Vec::new(),
        }
    }

    fn at_step(&mut self, group: usize) -> &mut StepSum {
        let step = &mut self.step[group];
        if !step.seen {
            step.seen = true;
            self.seen.push(group);
        }
        step
    }

    fn advance(&mut self, run: &Run, iteration: u64) -> Result<(), LcaError> {
        match self.iteration {
            Some(last) if last == iteration => return Ok(()),
            Some(last) if last > iteration => {
                return Err(out_of_order(run, Table::Tensors, iteration, last));
            }
            _ => {}
        }
        self.flush();
        self.iteration = Some(iteration);
        Ok(())
    }

    /// Ends the current step.
    fn flush(&mut self) {
        if self.iteration.is_none() {
            return;
        }
        let mut seen = self.seen.iter().map(|group| &self.step[*group]);
        if seen.all(|step| step.lca.is_finite()) {
            self.sums.steps += 1;
            let mut seen = self.seen.iter().map(|group| &self.step[*group]);
            self.sums.decayed += u64::from(seen.any(|step| step.decay.is_some()));
            for index in &self.seen {
                let (group, step) = (&mut self.sums.groups[*index], &self.step[*index]);
                group.lca += step.lca;
                if let Some(halves) = step.halves {
                    *group.variance.get_or_insert(0.0) += halves * halves;
                }
                group.decay += step.decay.unwrap_or(0.0);
                group.counts += step.counts;
                group.hurting_steps += u64::from(step.lca > 0.0);
            }
        } else {
            self.sums.not_finite += 1;
        }
        for group in self.seen.drain(..) {
            self.step[group] = StepSum::default();
        }
    }

    fn finish(mut self) -> RunSums {
        self.flush();
        self.sums
    }
}
