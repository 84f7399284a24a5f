//! What a run did, in short: is it grounded, did it help, where did it hurt, what did it cost.

mod quantiles;

use std::collections::BTreeMap;

use arrow::array::Array;
use serde::Serialize;

use crate::{LcaError, Run, RunStatus, Table};

use super::names::layer_of;
use super::read::{Columns, NO_STEPS, each, require, stretches};

pub use quantiles::Distribution;
use quantiles::distribution;

/// What a run did, in short.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Observed steps.
    pub steps: u64,
    /// The first observed iteration.
    pub first_iteration: u64,
    /// The last observed iteration.
    pub last_iteration: u64,
    /// Parameters of the model.
    pub parameters: u64,
    /// Whether LCA adds up to the loss change, for every probe.
    pub reconciliation: Vec<Reconciliation>,
    /// Who helped, for every probe.
    pub helping: Vec<Helping>,
    /// How LCA is distributed over all parameters and steps of the training probe; `None`
    /// unless histograms were recorded.
    pub distribution: Option<Distribution>,
    /// Layers whose LCA on the training probe is positive over the run, worst first.
    pub hurting_layers: Vec<LayerHarm>,
    /// What measuring cost.
    pub cost: Cost,
}

/// Whether LCA adds up to the loss change of one probe.
///
/// Sums are over the steps whose loss and LCA are finite.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reconciliation {
    /// The probe.
    pub probe: String,
    /// Observed steps.
    pub steps: u64,
    /// The loss before the first observed step.
    pub loss_before: f64,
    /// The loss after the last observed step.
    pub loss_after: f64,
    /// `loss_after` − `loss_before`, as measured.
    pub loss_change: f64,
    /// Sum of LCA over all parameters and steps.
    pub lca: f64,
    /// Sum over all steps of what moving running statistics account for; `None` if none moved.
    pub buffers: Option<f64>,
    /// `loss_change` − `lca` − `buffers`: what nothing accounts for.
    pub difference: f64,
    /// The residual of one step that is furthest from zero, and where.
    pub worst_residual: Option<Residual>,
    /// Steps that reached the most splits allowed with a residual above tolerance.
    pub capped: u64,
    /// Steps whose loss or LCA is not finite.
    pub not_finite: u64,
}

/// The residual of a step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Residual {
    /// The step.
    pub iteration: u64,
    /// Loss change minus LCA.
    pub residual: f64,
}

/// Who helped on one probe, counted over all parameters and all observed steps.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Helping {
    /// The probe.
    pub probe: String,
    /// How often a parameter's LCA was negative.
    pub helping: u64,
    /// How often it was positive.
    pub hurting: u64,
    /// How often it was exactly zero.
    pub zero: u64,
    /// 100 · helping / (helping + hurting + zero).
    pub percent_of_all: f64,
    /// 100 · helping / (helping + hurting).
    pub percent_of_nonzero: f64,
    /// Sum of the negative LCA.
    pub lca_helping: f64,
    /// Sum of the positive LCA.
    pub lca_hurting: f64,
    /// Mean LCA of a parameter at a step, zeros included.
    pub mean: f64,
}

/// A layer that hurt over the run as a whole.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerHarm {
    /// The layer.
    pub layer: String,
    /// Its LCA, summed over the run.
    pub lca: f64,
    /// The share of steps at which its LCA was positive, in percent.
    pub percent_hurting_steps: f64,
}

/// What measuring cost, over all probes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cost {
    /// Gradients of a whole probe that were computed.
    pub sweeps: u64,
    /// Seconds spent on measuring.
    pub probe_seconds: f64,
    /// Seconds from the beginning of the run to its end; `None` unless it was recorded in one
    /// go and has ended.
    pub wall_seconds: Option<f64>,
    /// `probe_seconds` as percent of `wall_seconds`; `None` where that is not known or 0.
    pub percent_of_time: Option<f64>,
}

/// Returns what a run did, in short.
///
/// The mean of LCA is exact; its quantiles come from `histograms`, whose bins are a factor of
/// 10^¼ wide. A layer counts as hurting if its LCA, summed over the run, is positive; with one
/// run no test can tell that from chance.
///
/// # Errors
///
/// [`LcaError::NotRecorded`] if no step was observed, or none is on disk yet.
pub fn summary(run: &Run) -> Result<Summary, LcaError> {
    require(run, Table::Steps, NO_STEPS)?;
    let mut probes: Vec<ProbeSums> = Vec::new();
    each(run, Table::Steps, &ProbeSums::COLUMNS, |columns| {
        let names = columns.text("probe")?;
        for (name, rows) in stretches(names) {
            let known = probes.iter().position(|probe| probe.name == name);
            let place = known.unwrap_or_else(|| {
                probes.push(ProbeSums::new(name));
                probes.len() - 1
            });
            for row in rows {
                probes[place].add(columns, row)?;
            }
        }
        Ok(())
    })?;
    let Some(main) = probes.first() else {
        return Err(LcaError::NotRecorded {
            path: run.folder().to_owned(),
            problem: "has no observed step".into(),
            remedy: "record a run that takes one".into(),
        });
    };
    Ok(Summary {
        steps: main.steps,
        first_iteration: main.first.iteration,
        last_iteration: main.last.iteration,
        parameters: run
            .info()
            .tensors
            .iter()
            .fold(0, |sum, tensor| sum.saturating_add(tensor.parameters)),
        reconciliation: probes.iter().map(ProbeSums::reconciliation).collect(),
        helping: probes.iter().map(ProbeSums::helping).collect(),
        distribution: distribution(run)?,
        hurting_layers: hurting_layers(run, &main.name)?,
        cost: cost(run, &probes),
    })
}

/// The loss at one end of the record.
#[derive(Debug, Clone, Copy)]
struct End {
    iteration: u64,
    loss: f64,
}

/// Sums over the rows of `steps` of one probe.
#[derive(Debug)]
struct ProbeSums {
    name: String,
    steps: u64,
    first: End,
    last: End,
    lca: f64,
    buffers: Option<f64>,
    worst: Option<Residual>,
    capped: u64,
    not_finite: u64,
    counts: [u64; 3],
    lca_helping: f64,
    lca_hurting: f64,
    sweeps: u64,
    seconds: f64,
}

impl ProbeSums {
    const COLUMNS: [&str; 15] = [
        "iteration",
        "probe",
        "loss_before",
        "loss_after",
        "lca",
        "residual",
        "buffers",
        "sweeps",
        "capped",
        "helping",
        "hurting",
        "zero",
        "lca_helping",
        "lca_hurting",
        "probe_seconds",
    ];

    fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            steps: 0,
            first: End {
                iteration: u64::MAX,
                loss: f64::NAN,
            },
            last: End {
                iteration: 0,
                loss: f64::NAN,
            },
            lca: 0.0,
            buffers: None,
            worst: None,
            capped: 0,
            not_finite: 0,
            counts: [0; 3],
            lca_helping: 0.0,
            lca_hurting: 0.0,
            sweeps: 0,
            seconds: 0.0,
        }
    }

    fn add(&mut self, columns: &Columns, row: usize) -> Result<(), LcaError> {
        let iteration = columns.u64("iteration")?[row];
        let (before, after) = (
            columns.f64("loss_before")?[row],
            columns.f64("loss_after")?[row],
        );
        let lca = columns.f64("lca")?[row];
        let residual = columns.f64("residual")?[row];
        if self.steps == 0 || iteration < self.first.iteration {
            self.first = End {
                iteration,
                loss: before,
            };
        }
        if self.steps == 0 || iteration >= self.last.iteration {
            self.last = End {
                iteration,
                loss: after,
            };
        }
        self.steps += 1;
        self.sweeps += u64::from(columns.u16("sweeps")?[row]);
        self.seconds += columns.f64("probe_seconds")?[row];
        self.capped += u64::from(columns.bool("capped")?.value(row));
        for (count, name) in self.counts.iter_mut().zip(["helping", "hurting", "zero"]) {
            *count += columns.u64(name)?[row];
        }
        if !after.is_finite() || !lca.is_finite() {
            self.not_finite += 1;
            return Ok(());
        }
        self.lca += lca;
        self.lca_helping += columns.f64("lca_helping")?[row];
        self.lca_hurting += columns.f64("lca_hurting")?[row];
        let buffers = columns.f64_or_null("buffers")?;
        if buffers.is_valid(row) {
            *self.buffers.get_or_insert(0.0) += buffers.value(row);
        }
        if residual.is_finite()
            && self
                .worst
                .is_none_or(|worst| residual.abs() > worst.residual.abs())
        {
            self.worst = Some(Residual {
                iteration,
                residual,
            });
        }
        Ok(())
    }

    fn reconciliation(&self) -> Reconciliation {
        let loss_change = self.last.loss - self.first.loss;
        Reconciliation {
            probe: self.name.clone(),
            steps: self.steps,
            loss_before: self.first.loss,
            loss_after: self.last.loss,
            loss_change,
            lca: self.lca,
            buffers: self.buffers,
            difference: loss_change - self.lca - self.buffers.unwrap_or(0.0),
            worst_residual: self.worst,
            capped: self.capped,
            not_finite: self.not_finite,
        }
    }

    fn helping(&self) -> Helping {
        let [helping, hurting, zero] = self.counts;
        let all = (helping + hurting + zero) as f64;
        Helping {
            probe: self.name.clone(),
            helping,
            hurting,
            zero,
            percent_of_all: 100.0 * helping as f64 / all,
            percent_of_nonzero: 100.0 * helping as f64 / (helping + hurting) as f64,
            lca_helping: self.lca_helping,
            lca_hurting: self.lca_hurting,
            mean: self.lca / all,
        }
    }
}

fn cost(run: &Run, probes: &[ProbeSums]) -> Cost {
    let info = run.info();
    let ended = !matches!(run.status(), RunStatus::Running | RunStatus::Killed);
    let wall_seconds = (ended && info.first_iteration == 0)
        .then(|| info.updated.saturating_sub(info.created) as f64);
    let probe_seconds = probes.iter().map(|probe| probe.seconds).sum();
    Cost {
        sweeps: probes.iter().map(|probe| probe.sweeps).sum(),
        probe_seconds,
        wall_seconds,
        percent_of_time: wall_seconds
            .filter(|seconds| *seconds > 0.0)
            .map(|seconds| 100.0 * probe_seconds / seconds),
    }
}

fn hurting_layers(run: &Run, probe: &str) -> Result<Vec<LayerHarm>, LcaError> {
    /// The LCA of a layer: over the run, and of the steps at which it was positive.
    #[derive(Default)]
    struct Sums {
        by_step: BTreeMap<u64, f64>,
    }
    let mut layers: BTreeMap<String, Sums> = BTreeMap::new();
    let names = ["iteration", "probe", "class", "tensor", "lca"];
    each(run, Table::Tensors, &names, |columns| {
        let (iterations, lca) = (columns.u64("iteration")?, columns.f64("lca")?);
        let (probes, tensors) = (columns.text("probe")?, columns.text("tensor")?);
        for (row, class) in columns.i32_or_null("class")?.iter().enumerate() {
            if class.is_none() && probes.value(row) == probe && lca[row].is_finite() {
                let layer = layer_of(tensors.value(row));
                if !layers.contains_key(layer) {
                    layers.insert(layer.into(), Sums::default());
                }
                if let Some(sums) = layers.get_mut(layer) {
                    *sums.by_step.entry(iterations[row]).or_default() += lca[row];
                }
            }
        }
        Ok(())
    })?;
    let harm = |(layer, sums): (String, Sums)| {
        let hurting = sums.by_step.values().filter(|lca| **lca > 0.0).count();
        LayerHarm {
            layer,
            lca: sums.by_step.values().sum(),
            percent_hurting_steps: 100.0 * hurting as f64 / sums.by_step.len() as f64,
        }
    };
    let mut layers: Vec<LayerHarm> = layers.into_iter().map(harm).collect();
    layers.retain(|layer| layer.lca > 0.0);
    layers.sort_by(|one, other| other.lca.total_cmp(&one.lca));
    Ok(layers)
}
