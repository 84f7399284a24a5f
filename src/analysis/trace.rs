//! Single parameters over time: what they did, and what came of it.

mod extremes;
mod followed;
mod step;

use serde::Serialize;

use crate::error::LcaError;
use crate::record::{Run, Table};

use super::names::listed;
use super::options::options;
use super::read::{not_recorded, require};
use super::series::finite_sum;
use super::stats::{HelpingCounts, steps_per_window};
use extremes::{ParameterId, extremes};
use followed::{followed, read};

pub use step::TraceStep;

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
    fn of(parameter: ParameterId, mut steps: Vec<TraceStep>) -> Self {
        steps.sort_by_key(|step| step.iteration);
        let (mut lca, mut moved) = (0.0, 0.0);
        let mut counts = HelpingCounts::default();
        for step in &mut steps {
            lca += f64::from(step.lca);
            moved += f64::from(step.step);
            counts += HelpingCounts {
                helping: u64::from(step.lca < 0.0),
                hurting: u64::from(step.lca > 0.0),
                zero: u64::from(step.lca == 0.0),
            };
            step.cumulative = lca;
        }
        Self {
            tensor: parameter.tensor,
            index: parameter.index,
            lca,
            moved,
            counts,
            steps,
        }
    }

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
    let found = match (&options.tensor, options.indices.as_slice()) {
        (Some(tensor), indices @ [_, ..]) => {
            check(run, tensor, indices)?;
            let parameter = |index: &u32| ParameterId {
                tensor: tensor.clone(),
                index: *index,
            };
            let wanted: Vec<ParameterId> = indices.iter().map(parameter).collect();
            read(run, &wanted, options.iterations)?
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
            let chosen = |count| extremes(run, tensor.as_deref(), count);
            let wanted = chosen(options.extremes)?;
            match options.iterations {
                Some(_) => read(run, &wanted, options.iterations)?,
                // Others may be among them at a later time.
                None => followed(run, &wanted, || {
                    chosen(FOLLOWED.saturating_mul(options.extremes))
                })?,
            }
        }
    };
    let parameters: Vec<Trajectory> = found
        .into_iter()
        .map(|(parameter, steps)| Trajectory::of(parameter, steps))
        .collect();
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

/// How many times as many parameters as are asked for are followed in a run that grows.
const FOLLOWED: usize = 4;

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
