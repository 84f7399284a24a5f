//! Sums of the table `steps`, of which several analyses tell a part.

use std::ops::RangeInclusive;

use arrow::array::Array;
use serde::Serialize;

use crate::error::LcaError;
use crate::record::{Run, Table};

use super::read::{Columns, NO_STEPS, each, not_recorded, require, stretches};
use super::sampling::{add_variance, margin};
use super::stats::HelpingCounts;

/// Whether LCA adds up to the loss change of one probe.
///
/// Sums are over the steps whose loss and LCA are finite.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Reconciliation {
    /// The probe.
    pub probe: String,
    /// Observed steps.
    pub steps: u64,
    /// Optimizer steps that these are about.
    pub optimizer_steps: u64,
    /// Optimizer steps between the first and the last of these that were not observed. What they did
    /// is in no sum.
    pub unobserved: u64,
    /// The loss before the first observed step.
    pub loss_before: f64,
    /// The loss after the last observed step.
    pub loss_after: f64,
    /// `loss_after` − `loss_before`, as measured. Of a probe that is sampled, or where steps are
    /// `unobserved`, it is the sum of the changes of the observed steps, so that LCA still has to add
    /// up to it.
    pub loss_change: f64,
    /// Sum of LCA over all parameters and steps.
    pub lca: f64,
    /// Standard error of `lca`; `None` unless the probe is sampled.
    pub standard_error: Option<f64>,
    /// Half the width of the 95 % confidence interval of `lca` that goes with `standard_error`.
    pub margin: Option<f64>,
    /// The part of `lca` that is due to weight decay; `None` unless it is recorded of all steps.
    pub lca_decay: Option<f64>,
    /// Sum over all steps of what moving running statistics account for; `None` if none moved.
    pub buffers: Option<f64>,
    /// `loss_change` − `lca` − `buffers`: what nothing accounts for.
    pub difference: f64,
    /// |`difference`| / |`loss_change`|; `None` if one is not finite, or the loss did not change.
    pub relative_difference: Option<f64>,
    /// The residual of one step that is furthest from zero, and where.
    pub worst_residual: Option<Residual>,
    /// Steps whose residual stayed above the tolerance.
    pub capped: u64,
    /// Steps whose loss or LCA is not finite.
    pub not_finite: u64,
}

/// The residual of a step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Residual {
    /// The step, the last one of several that were measured as one.
    pub iteration: u64,
    /// The step's loss change less its LCA and its buffers' share.
    pub residual: f64,
}

/// The loss at one end of the record.
#[derive(Debug, Clone, Copy)]
struct End {
    iteration: u64,
    loss: f64,
}

/// Sums over the rows of one probe.
#[derive(Debug)]
pub(super) struct StepSums {
    pub(super) probe: String,
    pub(super) steps: u64,
    pub(super) optimizer_steps: u64,
    first: End,
    last: End,
    lca: f64,
    /// Sum of the squares of the standard errors, where the probe is sampled.
    variance: Option<f64>,
    /// Sum of the shares of weight decay, and at how many steps these are known.
    decay: (f64, u64),
    /// Sum of the loss changes.
    changes: f64,
    buffers: Option<f64>,
    worst: Option<Residual>,
    capped: u64,
    not_finite: u64,
    pub(super) counts: HelpingCounts,
    /// How many parameters were counted at the steps that are in `lca`.
    finite: u64,
    pub(super) lca_helping: f64,
    pub(super) lca_hurting: f64,
    pub(super) sweeps: u64,
    pub(super) seconds: f64,
}

/// Returns the sums of every probe, in the order in which they were recorded; never none.
pub(super) fn step_sums(run: &Run) -> Result<Vec<StepSums>, LcaError> {
    require(run, Table::Steps, NO_STEPS)?;
    let mut probes: Vec<StepSums> = Vec::new();
    each(run, Table::Steps, &StepSums::COLUMNS, |columns| {
        for (name, rows) in stretches(columns.text("probe")?) {
            let known = probes.iter().position(|probe| probe.probe == name);
            let index = known.unwrap_or_else(|| {
                probes.push(StepSums::new(name));
                probes.len() - 1
            });
            for row in rows {
                probes[index].add(columns, row)?;
            }
        }
        Ok(())
    })?;
    if probes.is_empty() {
        return Err(not_recorded(run, "has no observed step".into(), NO_STEPS));
    }
    Ok(probes)
}

/// Returns the iterations from the first to the last that a run was observed at; `None` before there
/// are any.
///
/// # Errors
///
/// Those of [`Scan`](crate::Scan) if the table of steps can't be read.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::{Run, analysis};
///
/// let run = Run::open(folder.path())?.between(10..20);
/// assert_eq!(analysis::iterations(&run)?, Some(10..=19));
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn iterations(run: &Run) -> Result<Option<RangeInclusive<u64>>, LcaError> {
    let mut known: Option<RangeInclusive<u64>> = None;
    each(run, Table::Steps, &["iteration", "span"], |columns| {
        let step = columns.steps()?;
        for row in 0..columns.rows() {
            let (first, last) = step(row);
            let (least, most) = known
                .take()
                .map_or((first, last), RangeInclusive::into_inner);
            known = Some(least.min(first)..=most.max(last));
        }
        Ok(())
    })?;
    Ok(known)
}

impl StepSums {
    const COLUMNS: [&str; 18] = [
        "iteration",
        "span",
        "probe",
        "loss_before",
        "loss_after",
        "lca",
        "lca_se",
        "lca_decay",
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

    fn new(probe: &str) -> Self {
        let end = End {
            iteration: 0,
            loss: f64::NAN,
        };
        Self {
            probe: probe.into(),
            steps: 0,
            optimizer_steps: 0,
            first: end,
            last: end,
            lca: 0.0,
            variance: None,
            decay: (0.0, 0),
            changes: 0.0,
            buffers: None,
            worst: None,
            capped: 0,
            not_finite: 0,
            counts: HelpingCounts::default(),
            finite: 0,
            lca_helping: 0.0,
            lca_hurting: 0.0,
            sweeps: 0,
            seconds: 0.0,
        }
    }

    fn add(&mut self, columns: &Columns, row: usize) -> Result<(), LcaError> {
        let (first, last) = columns.steps()?(row);
        let (before, after) = (
            columns.f64("loss_before")?[row],
            columns.f64("loss_after")?[row],
        );
        if self.steps == 0 || first < self.first.iteration {
            self.first = End {
                iteration: first,
                loss: before,
            };
        }
        if self.steps == 0 || last >= self.last.iteration {
            self.last = End {
                iteration: last,
                loss: after,
            };
        }
        self.steps += 1;
        self.optimizer_steps += last - first + 1;
        self.sweeps += u64::from(columns.u16("sweeps")?[row]);
        self.seconds += columns.f64("probe_seconds")?[row];
        self.capped += u64::from(columns.bool("capped")?.value(row));
        let counts = HelpingCounts {
            helping: columns.u64("helping")?[row],
            hurting: columns.u64("hurting")?[row],
            zero: columns.u64("zero")?[row],
        };
        self.counts += counts;
        let lca = columns.f64("lca")?[row];
        let buffers = columns.f64_or_null("buffers")?;
        let buffers = buffers.is_valid(row).then(|| buffers.value(row));
        if !after.is_finite() || !(lca + buffers.unwrap_or(0.0)).is_finite() {
            self.not_finite += 1;
            return Ok(());
        }
        self.lca += lca;
        self.changes += after - before;
        add_variance(&mut self.variance, columns.f64_or_null("lca_se")?, row);
        let decay = columns.f64_or_null("lca_decay")?;
        if decay.is_valid(row) {
            self.decay.0 += decay.value(row);
            self.decay.1 += 1;
        }
        self.finite += counts.all();
        self.lca_helping += columns.f64("lca_helping")?[row];
        self.lca_hurting += columns.f64("lca_hurting")?[row];
        if let Some(buffers) = buffers {
            *self.buffers.get_or_insert(0.0) += buffers;
        }
        let residual = columns.f64("residual")?[row];
        let worst = self.worst.map_or(0.0, |worst| worst.residual.abs());
        if residual.is_finite() && (self.worst.is_none() || residual.abs() > worst) {
            self.worst = Some(Residual {
                iteration: last,
                residual,
            });
        }
        Ok(())
    }

    pub(super) fn first_iteration(&self) -> u64 {
        self.first.iteration
    }

    pub(super) fn last_iteration(&self) -> u64 {
        self.last.iteration
    }

    /// Returns the mean LCA of a parameter at a step, zeros included, over the finite steps.
    pub(super) fn mean(&self) -> Option<f64> {
        (self.finite > 0).then(|| self.lca / self.finite as f64)
    }

    /// Returns how many optimizer steps were not observed between the first and the last that were.
    pub(super) fn unobserved(&self) -> u64 {
        let all = (self.last.iteration - self.first.iteration).saturating_add(1);
        all.saturating_sub(self.optimizer_steps)
    }

    /// Returns whether any step was measured on a sample.
    pub(super) fn is_sampled(&self) -> bool {
        self.variance.is_some()
    }

    pub(super) fn reconciliation(&self) -> Reconciliation {
        // Between samples, and over steps that were not observed, the loss changes by itself.
        let loss_change = if self.is_sampled() || self.unobserved() > 0 {
            self.changes
        } else {
            self.last.loss - self.first.loss
        };
        let standard_error = self.variance.map(f64::sqrt);
        let (decay, decayed) = self.decay;
        let difference = loss_change - self.lca - self.buffers.unwrap_or(0.0);
        let relative = (difference / loss_change).abs();
        Reconciliation {
            probe: self.probe.clone(),
            steps: self.steps,
            optimizer_steps: self.optimizer_steps,
            unobserved: self.unobserved(),
            loss_before: self.first.loss,
            loss_after: self.last.loss,
            loss_change,
            lca: self.lca,
            standard_error,
            margin: standard_error.map(margin),
            lca_decay: (decayed > 0 && decayed == self.steps - self.not_finite).then_some(decay),
            buffers: self.buffers,
            difference,
            relative_difference: Some(relative).filter(|relative| relative.is_finite()),
            worst_residual: self.worst,
            capped: self.capped,
            not_finite: self.not_finite,
        }
    }
}
