//! Sums of the table `tensors` over the steps of a run.

use std::collections::HashMap;

use arrow::array::Array;

use crate::{LcaError, Run, Table};

use super::super::read::{NO_FINITE_STEPS, NO_STEPS, each, out_of_order, require};
use super::LayersOptions;

const COLUMNS: [&str; 8] = [
    "iteration",
    "probe",
    "class",
    "tensor",
    "lca",
    "helping",
    "hurting",
    "zero",
];

/// The sums of every tensor over a run.
#[derive(Debug)]
pub(super) struct RunSums {
    /// Steps that are in the sums: those at which all tensors are finite.
    pub(super) steps: u64,
    /// Steps that are left out.
    pub(super) not_finite: u64,
    /// In the model's order.
    pub(super) tensors: Vec<Sum>,
}

/// LCA and counts, summed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    pub(super) lca: f64,
    pub(super) helping: u64,
    pub(super) hurting: u64,
    pub(super) zero: u64,
}

impl Sum {
    pub(super) fn add(&mut self, other: Self) {
        self.lca += other.lca;
        self.helping += other.helping;
        self.hurting += other.hurting;
        self.zero += other.zero;
    }
}

/// Reads the sums of a run, for the probe and class that are asked for.
pub(super) fn sums(run: &Run, options: &LayersOptions) -> Result<RunSums, LcaError> {
    check(run, options)?;
    require(run, Table::Tensors, NO_STEPS)?;
    let tensors = run.info().tensors.iter().zip(0..);
    let places: HashMap<&str, usize> = tensors
        .map(|(tensor, place)| (tensor.path.as_str(), place))
        .collect();
    let mut reading = Reading::new(places.len());
    each(run, Table::Tensors, &COLUMNS, |batch| {
        let iterations = batch.u64("iteration")?;
        let probes = batch.text("probe")?;
        let classes = batch.i32_or_null("class")?;
        let tensors = batch.text("tensor")?;
        let lca = batch.f64("lca")?;
        let helping = batch.u64("helping")?;
        let hurting = batch.u64("hurting")?;
        let zero = batch.u64("zero")?;
        for row in 0..batch.rows() {
            let class = classes.is_valid(row).then(|| classes.value(row));
            if class != options.class || probes.value(row) != options.probe {
                continue;
            }
            let tensor = tensors.value(row);
            let place = places.get(tensor).ok_or_else(|| foreign(run, tensor))?;
            reading.advance(run, iterations[row])?;
            reading.step[*place].add(Sum {
                lca: lca[row],
                helping: helping[row],
                hurting: hurting[row],
                zero: zero[row],
            });
        }
        Ok(())
    })?;
    let sums = reading.finish();
    if sums.steps == 0 {
        return Err(LcaError::NotRecorded {
            path: run.folder().to_owned(),
            problem: format!(
                "has no finite steps of probe {} in table tensors",
                options.probe
            ),
            remedy: NO_FINITE_STEPS.into(),
        });
    }
    Ok(sums)
}

/// Fails unless the run has the probe and the class.
fn check(run: &Run, options: &LayersOptions) -> Result<(), LcaError> {
    let missing = |problem, remedy: &str| LcaError::NotRecorded {
        path: run.folder().to_owned(),
        problem,
        remedy: remedy.into(),
    };
    let probes = &run.info().probes;
    let Some(probe) = probes.iter().find(|probe| probe.name == options.probe) else {
        let names: Vec<&str> = probes.iter().map(|probe| probe.name.as_str()).collect();
        return Err(missing(
            format!("has no probe {}, only {}", options.probe, names.join(", ")),
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
struct Reading {
    sums: RunSums,
    iteration: Option<u64>,
    step: Vec<Sum>,
}

impl Reading {
    fn new(tensors: usize) -> Self {
        Self {
            sums: RunSums {
                steps: 0,
                not_finite: 0,
                tensors: vec![Sum::default(); tensors],
            },
            iteration: None,
            step: vec![Sum::default(); tensors],
        }
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
        if self.step.iter().all(|sum| sum.lca.is_finite()) {
            self.sums.steps += 1;
            for (sum, step) in self.sums.tensors.iter_mut().zip(&self.step) {
                sum.add(*step);
            }
        } else {
            self.sums.not_finite += 1;
        }
        self.step.fill(Sum::default());
    }

    fn finish(mut self) -> RunSums {
        self.flush();
        self.sums
    }
}
