//! The measured loss over time, and what LCA adds up to.

use serde::Serialize;

use crate::error::LcaError;
use crate::record::{Run, Table};

use super::read::{each, stretches};
use super::series::finite_sum;
use super::stats::steps_per_window;
use super::steps::step_sums;

pub use super::steps::{Reconciliation, Residual};

/// The loss of a probe over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LossCurve {
    /// The probe.
    pub probe: String,
    /// The loss before the first observed step.
    pub start: f64,
    /// Whether LCA adds up to the loss change over the run.
    pub reconciliation: Reconciliation,
    /// How many observed steps a point stands for; the last one may stand for fewer.
    pub steps_per_window: usize,
    /// The curve, in order of iteration.
    pub points: Vec<LossPoint>,
}

/// A point of the curve: an observed step, or the last one of a window of steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LossPoint {
    /// The step, the last one of several that were measured as one or of the window.
    pub iteration: u64,
    /// The first of these.
    pub first_iteration: u64,
    /// The measured loss before it.
    pub before: f64,
    /// The measured loss after it.
    pub loss: f64,
    /// `loss` − `before`.
    pub change: f64,
    /// `start` + Σ LCA up to and with this step, and the share of moving buffers where there is
    /// one; steps that are not finite add nothing. After optimizer steps that were not observed it
    /// begins anew with the measured loss.
    pub explained: f64,
    /// The loss change less the LCA and the buffers' share, summed over the finite steps of the
    /// window; NaN without such.
    pub residual: f64,
}

impl LossCurve {
    /// Returns the curve in windows of steps, at most `most` of them: the loss at the end of each,
    /// and the sum of its residuals.
    #[must_use]
    pub fn in_windows(self, most: usize) -> Self {
        let steps = steps_per_window(self.points.len(), most);
        let points = self.points.chunks(steps).filter_map(|window| {
            let (first, last) = (window.first()?, window.last()?);
            let before = first.before;
            Some(LossPoint {
                before,
                first_iteration: first.first_iteration,
                change: last.loss - before,
                residual: finite_sum(window.iter().map(|point| point.residual)),
                ..*last
            })
        });
        Self {
            points: points.collect(),
            steps_per_window: self.steps_per_window * steps,
            ..self
        }
    }
}

/// Returns the loss of every probe, in the order in which they were recorded.
///
/// # Errors
///
/// [`LcaError::NotRecorded`] if no step was observed, and the errors of [`Scan`](crate::Scan) if
/// the table `steps` can't be read.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::{Run, analysis::loss_curves};
///
/// let run = Run::open(folder.path())?;
/// for curve in loss_curves(&run)? {
///     let last = curve.points.last().unwrap();
///     // LCA adds up to the measured loss.
///     assert!((last.explained - last.loss).abs() < 0.02 * curve.start);
/// }
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn loss_curves(run: &Run) -> Result<Vec<LossCurve>, LcaError> {
    let mut curves: Vec<LossCurve> = step_sums(run)?
        .into_iter()
        .map(|sums| {
            let reconciliation = sums.reconciliation();
            LossCurve {
                start: reconciliation.loss_before,
                reconciliation,
                probe: sums.probe,
                steps_per_window: 1,
                points: Vec::new(),
            }
        })
        .collect();
    let names = [
        "iteration",
        "span",
        "probe",
        "loss_before",
        "loss_after",
        "lca",
        "buffers",
        "residual",
    ];
    each(run, Table::Steps, &names, |columns| {
        let steps = columns.steps()?;
        let (loss, lca) = (columns.f64("loss_after")?, columns.f64("lca")?);
        let (start, residual) = (columns.f64("loss_before")?, columns.f64("residual")?);
        let buffers: Vec<Option<f64>> = columns.f64_or_null("buffers")?.iter().collect();
        for (probe, rows) in stretches(columns.text("probe")?) {
            let Some(curve) = curves.iter_mut().find(|curve| curve.probe == probe) else {
                continue;
            };
            for row in rows {
                let change = lca[row] + buffers[row].unwrap_or(0.0);
                let finite = change.is_finite() && loss[row].is_finite();
                let (first_iteration, iteration) = steps(row);
                let before = match curve.points.last() {
                    Some(last) if last.iteration.saturating_add(1) >= first_iteration => {
                        last.explained
                    }
                    Some(_) => start[row],
                    None => curve.start,
                };
                curve.points.push(LossPoint {
                    iteration,
                    first_iteration,
                    before: start[row],
                    loss: loss[row],
                    change: loss[row] - start[row],
                    explained: before + if finite { change } else { 0.0 },
                    residual: residual[row],
                });
            }
        }
        Ok(())
    })?;
    Ok(curves)
}
