//! Single parameters over time: what they did, and what came of it.

mod extremes;

use serde::Serialize;

use crate::error::LcaError;
use crate::record::{Run, Table};

use super::names::listed;
use super::options::options;
use super::read::{Columns, not_recorded, require};
use super::series::finite_sum;
use super::stats::{HelpingCounts, steps_per_window};
use extremes::ParameterId;

options! {
    /// Which parameters are to be traced.
    #[derive(Eq)]
    pub struct TraceOptions {
        /// The tensor; `None` is every tensor, which leaves the choice of parameters to `extremes`.
        pub tensor: Option<String> = None,
        /// Parameters of that tensor, by their index in it; none leaves the choice to `extremes`.
        pub indices: Vec<u32> = Vec::new(),
        /// How many of the parameters that helped most are chosen, and of those that hurt most.
        pub extremes: usize = 3,
        /// The first and the last iteration that is read; `None` is all. Sums are over what is read.
        pub iterations: Option<(u64, u64)> = None,
    }
}

/// Single parameters over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Trace {
    /// The parameters, in the order in which they were asked for; chosen ones from the most
    /// helpful to the most hurtful.
    pub parameters: Vec<Trajectory>,
}

/// One parameter over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Trajectory {
    /// The tensor.
    pub tensor: String,
    /// The parameter in it.
    pub index: u32,
    /// Sum of LCA over the recorded steps below, in units of the loss.
    pub lca: f64,
    /// Sum of its changes over the recorded steps.
    pub moved: f64,
    /// At how many of the recorded steps it helped, hurt or did neither.
    pub counts: HelpingCounts,
    /// Its recorded steps, ascending.
    pub steps: Vec<TraceStep>,
}

/// One parameter at one step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TraceStep {
    /// The optimizer step, the last one of several that were measured as one.
    pub iteration: u64,
    /// The parameter's change.
    pub step: f32,
    /// The training probe's gradient before it, in units of the loss.
    pub gradient: f32,
    /// Its share of the loss change; to first order step times gradient. Negative helps.
    pub lca: f32,
    /// Its share summed up to and with this recorded step.
    pub cumulative: f64,
}

/// One parameter over a window of its recorded steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TraceWindow {
    /// The last optimizer step of the window.
    pub iteration: u64,
    /// The sum of the parameter's finite changes; NaN without such.
    pub step: f64,
    /// The mean of the finite gradients; NaN without such.
    pub gradient: f64,
    /// The sum of its finite LCA; NaN without such.
    pub lca: f64,
}

impl Trajectory {
    /// Returns the recorded steps in windows, at most `most` of them, and how many steps a window
    /// has; the last one may have fewer.
    #[must_use]
    pub fn in_windows(&self, most: usize) -> (usize, Vec<TraceWindow>) {
        let steps = steps_per_window(self.steps.len(), most);
        let window = |window: &[TraceStep]| {
            let sum = |value: fn(&TraceStep) -> f32| {
                finite_sum(window.iter().map(|step| f64::from(value(step))))
            };
            let gradients = window.iter().filter(|step| step.gradient.is_finite());
            Some(TraceWindow {
                iteration: window.last()?.iteration,
                step: sum(|step| step.step),
                gradient: sum(|step| step.gradient) / gradients.count() as f64,
                lca: sum(|step| step.lca),
            })
        };
        (steps, self.steps.chunks(steps).filter_map(window).collect())
    }
}

/// Returns single parameters over time, from `parameters`.
///
/// Without indices these are the ones, of those that have rows there, that helped and hurt most:
/// over the whole run by `parameter_totals`, or without that table over their rows.
///
/// # Errors
///
/// [`LcaError::NotRecorded`] if the run has no table `parameters`, or no rows of a parameter that
/// is asked for; [`LcaError::Setting`] if the model has no such tensor or parameter; and the errors
/// of [`Scan`](crate::Scan) if a table can't be read.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::Run;
/// use burn_lca::analysis::{trace, trace::TraceOptions};
///
/// let run = Run::open(folder.path())?;
/// let first = TraceOptions::default().tensor(Some("hidden.weight".into())).indices(vec![0]);
/// for step in &trace(&run, &first)?.parameters[0].steps {
///     println!("{}: {:+.1e} times {:+.1e}", step.iteration, step.step, step.gradient);
/// }
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn trace(run: &Run, options: &TraceOptions) -> Result<Trace, LcaError> {
    require(run, Table::Parameters, HOW_TO_RECORD)?;
    let parameters = match (&options.tensor, options.indices.as_slice()) {
        (Some(tensor), indices @ [_, ..]) => {
            check(run, tensor, indices)?;
            let parameter = |index: &u32| ParameterId {
                tensor: tensor.clone(),
                index: *index,
            };
            indices.iter().map(parameter).collect()
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
    let parameters = read(run, parameters, options.iterations)?;
    if let Some(missing) = parameters
        .iter()
        .find(|parameter| parameter.steps.is_empty())
    {
        let problem = format!(
            "has no row of parameter {} of {} in table parameters",
            missing.index, missing.tensor
        );
        return Err(not_recorded(run, problem, HOW_TO_RECORD));
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
            format!("its tensors are {}", listed(&paths)),
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

fn read(
    run: &Run,
    wanted: Vec<ParameterId>,
    iterations: Option<(u64, u64)>,
) -> Result<Vec<Trajectory>, LcaError> {
    let mut parameters: Vec<Trajectory> = wanted
        .into_iter()
        .map(|parameter| Trajectory {
            tensor: parameter.tensor,
            index: parameter.index,
            lca: 0.0,
            moved: 0.0,
            counts: HelpingCounts::default(),
            steps: Vec::new(),
        })
        .collect();
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
    if tensors.is_empty() {
        return Ok(parameters);
    }
    for tensor in tensors {
        scan = scan.tensor(tensor);
    }
    for parameter in &parameters {
        scan = scan.index(parameter.index);
    }
    if let Some((first, last)) = iterations {
        scan = scan.iterations(first..=last);
    }
    for batch in scan.batches()? {
        let batch = batch?;
        let columns = Columns(&batch);
        let (tensor, index) = (columns.text("tensor")?, columns.u32("index")?);
        let (steps, lca) = (columns.steps()?, columns.f32("lca")?);
        let (step, gradient) = (columns.f32("step")?, columns.f32("gradient")?);
        for parameter in &mut parameters {
            for (row, index) in index.iter().enumerate() {
                if *index == parameter.index && tensor.value(row) == parameter.tensor {
                    parameter.steps.push(TraceStep {
                        iteration: steps(row).1,
                        step: step[row],
                        gradient: gradient[row],
                        lca: lca[row],
                        cumulative: 0.0,
                    });
                }
            }
        }
    }
    for parameter in &mut parameters {
        parameter.steps.sort_by_key(|step| step.iteration);
        for step in &mut parameter.steps {
            parameter.lca += f64::from(step.lca);
            parameter.moved += f64::from(step.step);
            parameter.counts += HelpingCounts {
                helping: u64::from(step.lca < 0.0),
                hurting: u64::from(step.lca > 0.0),
                zero: u64::from(step.lca == 0.0),
            };
            step.cumulative = parameter.lca;
        }
    }
    Ok(parameters)
}
