//! Single parameters over time: what they did, and what came of it.

mod extremes;

use serde::Serialize;

use crate::{LcaError, Run, Table};

use super::read::{Columns, require};

/// Which parameters are to be traced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceOptions {
    /// The tensor; `None` is every tensor, which leaves the choice of parameters to `extremes`.
    pub tensor: Option<String>,
    /// Parameters of that tensor; none leaves the choice to `extremes`.
    pub indices: Vec<u32>,
    /// How many of the parameters that helped most are chosen, and of those that hurt most.
    pub extremes: usize,
}

impl Default for TraceOptions {
    fn default() -> Self {
        Self {
            tensor: None,
            indices: Vec::new(),
            extremes: 3,
        }
    }
}

/// Single parameters over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trace {
    /// The parameters, in the order in which they were asked for; chosen ones from the most
    /// helpful to the most hurtful.
    pub parameters: Vec<Trajectory>,
}

/// One parameter over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trajectory {
    /// The tensor.
    pub tensor: String,
    /// The parameter in it.
    pub index: u32,
    /// Sum of LCA over the recorded steps below, in units of the loss.
    pub lca: f64,
    /// Its recorded steps, ascending.
    pub steps: Vec<TraceStep>,
}

/// One parameter at one step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TraceStep {
    /// The optimizer step.
    pub iteration: u64,
    /// The parameter's change, θ_{t+1} − θ_t.
    pub step: f32,
    /// The training probe's gradient at θ_t, in units of the loss.
    pub gradient: f32,
    /// Its share of the loss change; to first order step times gradient. Negative helps.
    pub lca: f32,
}

/// A parameter by its place in the model.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    tensor: String,
    index: u32,
}

/// Returns single parameters over time, from `parameters`.
///
/// Without indices these are the ones, of those that have rows there, that helped and hurt most:
/// over the whole run by `parameter_totals`, or without that table over their rows.
///
/// Fails if `parameters` is not recorded, if the tensor or a parameter is not in the model or not
/// in the table, or if a file can't be read.
pub fn trace(run: &Run, options: &TraceOptions) -> Result<Trace, LcaError> {
    require(run, Table::Parameters, HOW_TO_RECORD)?;
    let places = match (&options.tensor, options.indices.as_slice()) {
        (Some(tensor), indices @ [_, ..]) => {
            check(run, tensor, indices)?;
            let place = |index: &u32| Place {
                tensor: tensor.clone(),
                index: *index,
            };
            indices.iter().map(place).collect()
        }
        (None, [_, ..]) => {
            return Err(LcaError::setting(
                "trace",
                "indices are given without a tensor",
                "give the tensor before them",
            ));
        }
        (tensor, []) => {
            if let Some(tensor) = tensor {
                check(run, tensor, &[])?;
            }
            extremes::extremes(run, tensor.as_deref(), options.extremes)?
        }
    };
    let parameters = read(run, places)?;
    if let Some(missing) = parameters
        .iter()
        .find(|parameter| parameter.steps.is_empty())
    {
        return Err(LcaError::NotRecorded {
            path: run.folder().to_owned(),
            problem: format!(
                "has no row of parameter {} of {} in table parameters",
                missing.index, missing.tensor
            ),
            remedy: HOW_TO_RECORD.into(),
        });
    }
    Ok(Trace { parameters })
}

const HOW_TO_RECORD: &str = "record with `Recorder::full()`, or choose tensors, steps and \
                             indices with `Recorder::parameters`";

/// Fails if the model has no such tensor, or the tensor no such parameters.
fn check(run: &Run, path: &str, indices: &[u32]) -> Result<(), LcaError> {
    let tensors = &run.info().tensors;
    let Some(tensor) = tensors.iter().find(|tensor| tensor.path == path) else {
        let paths: Vec<&str> = tensors.iter().map(|tensor| tensor.path.as_str()).collect();
        return Err(LcaError::setting(
            "trace",
            format!("the model has no tensor {path}"),
            format!("its tensors are {}", paths.join(", ")),
        ));
    };
    match indices
        .iter()
        .find(|index| u64::from(**index) >= tensor.parameters)
    {
        Some(index) => Err(LcaError::setting(
            "trace",
            format!("{path} has no parameter {index}"),
            format!("give an index below {}", tensor.parameters),
        )),
        None => Ok(()),
    }
}

fn read(run: &Run, places: Vec<Place>) -> Result<Vec<Trajectory>, LcaError> {
    let mut parameters: Vec<Trajectory> = places
        .into_iter()
        .map(|place| Trajectory {
            tensor: place.tensor,
            index: place.index,
            lca: 0.0,
            steps: Vec::new(),
        })
        .collect();
    let columns = ["tensor", "index", "iteration", "step", "gradient", "lca"];
    let mut scan = run.scan(Table::Parameters).columns(columns);
    let mut tensors: Vec<&str> = parameters.iter().map(|at| at.tensor.as_str()).collect();
    tensors.sort_unstable();
    tensors.dedup();
    if tensors.is_empty() {
        return Ok(parameters);
    }
    for tensor in tensors {
        scan = scan.tensor(tensor);
    }
    for batch in scan.batches()? {
        let batch = batch?;
        let columns = Columns(&batch);
        let (tensor, index) = (columns.text("tensor")?, columns.u32("index")?);
        let (iteration, lca) = (columns.u64("iteration")?, columns.f32("lca")?);
        let (step, gradient) = (columns.f32("step")?, columns.f32("gradient")?);
        for parameter in &mut parameters {
            // The index first: few rows have it, and comparing it is cheap.
            for (row, index) in index.iter().enumerate() {
                if *index == parameter.index && tensor.value(row) == parameter.tensor {
                    parameter.lca += f64::from(lca[row]);
                    parameter.steps.push(TraceStep {
                        iteration: iteration[row],
                        step: step[row],
                        gradient: gradient[row],
                        lca: lca[row],
                    });
                }
            }
        }
    }
    for parameter in &mut parameters {
        parameter.steps.sort_by_key(|step| step.iteration);
    }
    Ok(parameters)
}
