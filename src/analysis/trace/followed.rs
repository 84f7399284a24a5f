//! The recorded steps of single parameters, as they become more.

use std::collections::HashMap;

use arrow::record_batch::RecordBatch;

use crate::error::LcaError;
use crate::record::{Keep, Run, Scan, Table};

use super::super::read::Columns;
use super::extremes::ParameterId;
use super::step::TraceStep;

/// A parameter and its recorded steps, of which none is summed up yet.
pub(super) type Found = (ParameterId, Vec<TraceStep>);

/// Returns the recorded steps of parameters, or only those of some iterations.
pub(super) fn read(
    run: &Run,
    wanted: &[ParameterId],
    iterations: Option<(u64, u64)>,
) -> Result<Vec<Found>, LcaError> {
    let mut found = Followed::new(wanted);
    if !wanted.is_empty() {
        let mut scan = scan(run, wanted);
        if let Some((first, last)) = iterations {
            scan = scan.iterations(first..=last);
        }
        for batch in scan.batches()? {
            found.add(&batch?)?;
        }
    }
    Ok(found.of(wanted))
}

/// Returns the recorded steps of parameters. Of a run whose reading is kept, those of `others` are
/// kept, too, and only new rows are read as long as the parameters are among them.
pub(super) fn followed(
    run: &Run,
    wanted: &[ParameterId],
    others: impl FnOnce() -> Result<Vec<ParameterId>, LcaError>,
) -> Result<Vec<Found>, LcaError> {
    let has_all = |kept: &Followed| wanted.iter().all(|id| kept.steps.contains_key(id));
    let known = run
        .scan(Table::Parameters)
        .kept("", |kept: Option<&Followed>| {
            let kept = kept.filter(|kept| has_all(kept))?;
            Some(kept.steps.keys().cloned().collect::<Vec<ParameterId>>())
        });
    let ids = match known {
        None => return read(run, wanted, None),
        _ if wanted.is_empty() => return Ok(Vec::new()),
        Some(Some(ids)) => ids,
        Some(None) => {
            let mut ids = others()?;
            ids.extend(
                wanted
                    .iter()
                    .filter(|id| !ids.contains(id))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
            ids
        }
    };
    scan(run, &ids).fold(
        "",
        |kept: &Followed| kept.steps.len() == ids.len() && has_all(kept),
        || Followed::new(&ids),
        Followed::add,
        |followed| Ok(followed.of(wanted)),
    )
}

fn scan(run: &Run, parameters: &[ParameterId]) -> Scan {
    let columns = [
        "tensor",
        "index",
        "iteration",
        "span",
        "step",
        "gradient",
        "lca",
    ];
    let mut scan = run.scan(Table::Parameters).columns(columns);
    let mut tensors: Vec<&str> = parameters.iter().map(|at| at.tensor.as_str()).collect();
    tensors.sort_unstable();
    tensors.dedup();
    for tensor in tensors {
        scan = scan.tensor(tensor);
    }
    for parameter in parameters {
        scan = scan.index(parameter.index);
    }
    scan
}

/// Parameters that are followed, and their steps so far.
struct Followed {
    steps: HashMap<ParameterId, Vec<TraceStep>>,
}

impl Followed {
    fn new(parameters: &[ParameterId]) -> Self {
        let none = |parameter: &ParameterId| (parameter.clone(), Vec::new());
        Self {
            steps: parameters.iter().map(none).collect(),
        }
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<(), LcaError> {
        let columns = Columns(batch);
        let (tensor, index) = (columns.text("tensor")?, columns.u32("index")?);
        let (steps, lca) = (columns.steps()?, columns.f32("lca")?);
        let (step, gradient) = (columns.f32("step")?, columns.f32("gradient")?);
        for (parameter, found) in &mut self.steps {
            for (row, index) in index.iter().enumerate() {
                if *index == parameter.index && tensor.value(row) == parameter.tensor {
                    found.push(TraceStep {
                        iteration: steps(row).1,
                        step: step[row],
                        gradient: gradient[row],
                        lca: lca[row],
                        cumulative: 0.0,
                    });
                }
            }
        }
        Ok(())
    }

    fn of(&self, wanted: &[ParameterId]) -> Vec<Found> {
        let found = |parameter: &ParameterId| {
            let steps = self.steps.get(parameter).cloned().unwrap_or_default();
            (parameter.clone(), steps)
        };
        wanted.iter().map(found).collect()
    }
}

impl Keep for Followed {
    fn bytes(&self) -> usize {
        let steps: usize = self.steps.values().map(Vec::len).sum();
        steps * size_of::<TraceStep>()
    }
}
