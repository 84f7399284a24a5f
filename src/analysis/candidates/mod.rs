//! What to act on: tensors, units and parameters whose training cost more than it brought in.
//!
//! These are pointers, not proofs. LCA says what the steps that were made did to the loss; what
//! the network would have done without them takes another run to see.

mod fair_coins;
mod lag;
mod options;
mod parameters;
mod sums;
mod tensors;
mod units;

use serde::Serialize;

use crate::error::LcaError;
use crate::record::Run;

use super::alike::require_alike;
use super::names::{main_probe, validation_probe};
use super::read::{NO_FINITE_STEPS, not_recorded};
use super::sampling::is_sampled;
use fair_coins::unjudged;

pub use lag::{Lags, LayerLag};
pub use options::CandidatesOptions;
pub use parameters::{ParameterCandidate, TensorParameters};
pub use sums::{LcaSum, SumTest};
use tensors::ProbeSeries;
pub use tensors::{Freeze, FreezeTensor, Overfitting, OverfittingTensor, RunPortion};
pub use units::{LayerUnits, UnitCandidate, UnitProblem};

/// What to act on, each with its numbers and the reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Candidates {
    /// The folders of the runs.
    pub runs: Vec<String>,
    /// The greatest corrected p-value of a candidate.
    pub alpha: f64,
    /// Whether the signs that are counted below, of units and parameters, are those of estimates from
    /// samples in any run: noise draws them towards one half, and exact zeros are of the samples.
    pub of_estimates: bool,
    /// Tensors that hurt over the run.
    pub freeze: Freeze,
    /// Tensors that help training and hurt validation; `None` without a validation probe.
    pub overfitting: Option<Overfitting>,
    /// Layers that learn later than the rest of the network.
    pub lags: Lags,
    /// Units that are dead or hardly ever help, by layer and run; empty if units were not
    /// recorded.
    pub units: Vec<LayerUnits>,
    /// Units of which too few steps tell anything, in words; `None` if there are none.
    pub units_unjudged: Option<String>,
    /// Parameters that never did anything or hardly ever helped, by tensor and run; empty if
    /// totals were not recorded.
    pub parameters: Vec<TensorParameters>,
    /// Parameters of which too few steps tell anything, in words; `None` if there are none.
    pub parameters_unjudged: Option<String>,
}

/// Returns what to act on in a run, or in several runs of one model.
///
/// - *Freeze*: tensors whose LCA summed over the run is positive, tested by [`SumTest`] over the
///   runs, or over the steps of a single one, with Holm's correction for the number of tensors.
/// - *Over-fitting*: tensors with negative LCA on the training probe and positive LCA on the
///   validation probe, over the run and over its second half. Both must hold, so the greater
///   p-value counts (intersection-union test); Holm's correction for tensors and spans.
/// - *Lags*: cross-correlation of a layer's LCA with that of the other layers, each with its
///   running median of 51 steps taken off and scaled to a mean square of one, in up to 20 parts
///   of 50 steps or more; a layer lags if the greatest correlation is at a positive lag in more
///   parts than chance allows. Lags are in observed steps. Of a sampled probe they are not told: the
///   layers share the noise of every step's sample, which correlates them at no lag.
/// - *Units* and *parameters*: those whose LCA is exactly zero (dead) are told from those that hardly
///   ever help, of 20 steps or more with an LCA that is not zero. How many of the latter fair
///   coins would give is beside them; steps are not really independent, so somewhat more of them
///   is normal.
///
/// Steps at which a tensor's LCA is missing or not finite are left out.
///
/// # Errors
///
/// [`LcaError::Setting`] without a run, if one is given twice, if an option can't work, or if the
/// runs have different tensors; [`LcaError::NotRecorded`] if a run has no finite step yet; and the
/// errors of [`Scan`](crate::Scan) if a table can't be read.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::Run;
/// use burn_lca::analysis::{candidates, candidates::CandidatesOptions};
///
/// let runs = [Run::open(folder.path())?];
/// let found = candidates(&runs, &CandidatesOptions::default())?;
/// for tensor in found.freeze.tensors.iter().filter(|tensor| tensor.candidate) {
///     println!("{}: {}", tensor.tensor, tensor.reason);
/// }
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn candidates(runs: &[Run], options: &CandidatesOptions) -> Result<Candidates, LcaError> {
    options.check()?;
    require_alike("candidates", runs)?;
    let read = |probe: fn(&Run) -> Option<&str>| -> Result<ProbeSeries, LcaError> {
        let mut series = ProbeSeries {
            lca: Vec::new(),
            errors: Vec::new(),
        };
        for run in runs {
            let lca = tensors::read(run, probe(run))?;
            series
                .errors
                .push(tensors::read_errors(run, probe(run), &lca)?);
            series.lca.push(lca);
        }
        Ok(series)
    };
    let training = read(|run| Some(main_probe(run)))?;
    for (run, table) in runs.iter().zip(&training.lca) {
        if table.iterations.is_empty() {
            let probe = main_probe(run);
            let problem = format!("has no finite steps of probe {probe} in table tensors");
            return Err(not_recorded(run, problem, NO_FINITE_STEPS));
        }
    }
    let validation = read(validation_probe)?;
    let validated = validation
        .lca
        .iter()
        .all(|table| !table.iterations.is_empty());
    let of_estimates = runs.iter().any(|run| is_sampled(run, main_probe(run)));
    let layers: Vec<_> = runs.iter().map(lag::read).collect::<Result<_, _>>()?;
    let mut units = Vec::new();
    let mut parameters = Vec::new();
    for (number, run) in runs.iter().enumerate() {
        units.extend(units::units(run, number, options)?);
        parameters.extend(parameters::parameters(run, number, options)?);
    }
    let of_units = |count: fn(&LayerUnits) -> usize| units.iter().map(count).sum::<usize>() as u64;
    let of_parameters =
        |count: fn(&TensorParameters) -> u64| parameters.iter().map(count).sum::<u64>();
    Ok(Candidates {
        units_unjudged: unjudged(
            of_units(|layer| layer.unjudged),
            of_units(|layer| layer.units),
            "units",
        ),
        parameters_unjudged: unjudged(
            of_parameters(|tensor| tensor.unjudged),
            of_parameters(|tensor| tensor.parameters),
            "parameters",
        ),
        runs: runs
            .iter()
            .map(|run| run.folder().display().to_string())
            .collect(),
        alpha: options.alpha,
        of_estimates,
        freeze: tensors::freeze(&training, options),
        overfitting: validated.then(|| tensors::overfitting(&training, &validation, options)),
        lags: if of_estimates {
            lag::unknown_of_samples()
        } else {
            lag::lags(&layers, options)
        },
        units,
        parameters,
    })
}
