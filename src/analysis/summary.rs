//! What a run did, in short: is it grounded, did it help, where did it hurt, what did it cost.

use serde::Serialize;

use crate::error::LcaError;
use crate::record::{Run, RunStatus};

use super::distribution::{LcaQuantiles, lca_quantiles};
use super::layers::layers_of_run;
use super::stats::HelpingCounts;
use super::steps::{Reconciliation, StepSums, step_sums};

/// The probabilities whose quantiles a summary has.
const PROBABILITIES: [f64; 7] = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];

/// What a run did, in short.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Observed steps.
    pub steps: u64,
    /// Optimizer steps that these are about.
    pub optimizer_steps: u64,
    /// The first observed iteration.
    pub first_iteration: u64,
    /// The last observed iteration.
    pub last_iteration: u64,
    /// Parameters of the model.
    pub parameters: u64,
    /// Whether LCA adds up to the loss change, for every probe.
    pub reconciliation: Vec<Reconciliation>,
    /// Who helped, for every probe.
    pub helping: Vec<ProbeHelping>,
    /// Quantiles of LCA over all parameters and steps of the training probe, those of
    /// [`distribution`](super::distribution()); `None` if no values were recorded.
    pub quantiles: Option<LcaQuantiles>,
    /// Layers whose LCA on the training probe is positive over the run, worst first.
    pub hurting_layers: Vec<LayerHarm>,
    /// What measuring cost.
    pub cost: Cost,
}

/// Who helped on one probe, counted over all parameters and all observed steps.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ProbeHelping {
    /// The probe.
    pub probe: String,
    /// Whether the signs are those of estimates from samples, which noise draws towards one half.
    pub of_estimates: bool,
    /// How often a parameter's LCA was negative, positive and exactly zero.
    #[serde(flatten)]
    pub counts: HelpingCounts,
    /// Sum of the negative LCA.
    pub lca_helping: f64,
    /// Sum of the positive LCA.
    pub lca_hurting: f64,
    /// Mean LCA of a parameter at an observed step, zeros included; `None` if no step is finite.
    pub mean: Option<f64>,
}

/// A layer that hurt over the run as a whole.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LayerHarm {
    /// The layer.
    pub layer: String,
    /// Its LCA, summed over the run.
    pub lca: f64,
    /// Standard error of `lca`; `None` unless the probe is sampled.
    pub standard_error: Option<f64>,
    /// Half the width of the 95 % confidence interval of `lca` that goes with `standard_error`.
    pub margin: Option<f64>,
    /// The fraction of the steps at which its LCA was positive.
    pub fraction_hurting_steps: f64,
}

/// What measuring cost, over all probes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Cost {
    /// Gradients of a whole probe that were computed.
    pub sweeps: u64,
    /// Seconds spent on measuring.
    pub probe_seconds: f64,
    /// Seconds from the beginning of the run to its end; `None` unless it was recorded in one
    /// go and has ended.
    pub wall_seconds: Option<f64>,
    /// `probe_seconds` / `wall_seconds`; `None` where that is not known or 0.
    pub fraction_of_time: Option<f64>,
}

/// Returns what a run did, in short.
///
/// The mean of LCA is exact; its quantiles are as exact as what was recorded, see
/// [`ValueSource`](super::distribution::ValueSource). A layer counts as hurting if its LCA,
/// summed over the run, is positive; with one run no test can tell that from chance.
///
/// # Errors
///
/// [`LcaError::NotRecorded`] if no step was observed, or none is on disk yet, and the errors of
/// [`Scan`](crate::Scan) if a table can't be read.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::{Run, analysis::summary};
///
/// let run = Run::open(folder.path())?;
/// let found = summary(&run)?;
/// let training = &found.reconciliation[0];
/// // LCA adds up to the loss change, but for what the quadrature missed.
/// assert!(training.difference.abs() < 0.02 * training.loss_change.abs());
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn summary(run: &Run) -> Result<Summary, LcaError> {
    Ok(Summary {
        quantiles: lca_quantiles(run, &PROBABILITIES)?,
        ..sums(run)?
    })
}

/// Returns the same but for the quantiles, which are read of every single value.
pub(crate) fn sums(run: &Run) -> Result<Summary, LcaError> {
    let probes = step_sums(run)?;
    let main = &probes[0];
    Ok(Summary {
        steps: main.steps,
        optimizer_steps: main.optimizer_steps,
        first_iteration: main.first_iteration(),
        last_iteration: main.last_iteration(),
        parameters: run
            .info()
            .tensors
            .iter()
            .fold(0, |sum, tensor| sum.saturating_add(tensor.parameters)),
        reconciliation: probes.iter().map(StepSums::reconciliation).collect(),
        helping: probes.iter().map(helping).collect(),
        quantiles: None,
        hurting_layers: hurting_layers(run, &main.probe)?,
        cost: cost(run, &probes),
    })
}

fn helping(probe: &StepSums) -> ProbeHelping {
    ProbeHelping {
        probe: probe.probe.clone(),
        of_estimates: probe.is_sampled(),
        counts: probe.counts,
        lca_helping: probe.lca_helping,
        lca_hurting: probe.lca_hurting,
        mean: probe.mean(),
    }
}

fn cost(run: &Run, probes: &[StepSums]) -> Cost {
    let info = run.info();
    let ended = !matches!(run.status(), RunStatus::Running | RunStatus::Killed);
    let wall_seconds = (ended && info.first_iteration == 0)
        .then(|| info.updated.saturating_sub(info.created) as f64)
        .filter(|seconds| *seconds > 0.0);
    let probe_seconds = probes.iter().map(|probe| probe.seconds).sum();
    Cost {
        sweeps: probes.iter().map(|probe| probe.sweeps).sum(),
        probe_seconds,
        wall_seconds,
        fraction_of_time: wall_seconds.map(|seconds| probe_seconds / seconds),
    }
}

fn hurting_layers(run: &Run, probe: &str) -> Result<Vec<LayerHarm>, LcaError> {
    let mut layers = layers_of_run(run, probe)?;
    layers.retain(|layer| layer.hurts);
    layers.sort_by(|a, b| b.lca.total_cmp(&a.lca));
    let harm = layers.into_iter().map(|layer| LayerHarm {
        layer: layer.name,
        lca: layer.lca,
        standard_error: layer.standard_error,
        margin: layer.margin,
        fraction_hurting_steps: layer.fraction_hurting_steps,
    });
    Ok(harm.collect())
}
