//! The measured loss, and what LCA adds up to.

use serde::Serialize;

use crate::analysis::read::{NO_STEPS, each, require, stretches};
use crate::{LcaError, Run, Table};

/// The loss of a probe over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LossCurve {
    /// The probe.
    pub probe: String,
    /// The loss before the first observed step.
    pub start: f64,
    /// The observed steps, ascending.
    pub points: Vec<LossPoint>,
    /// Steps whose loss or LCA is not finite.
    pub not_finite: usize,
}

/// An observed step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LossPoint {
    /// The step.
    pub iteration: u64,
    /// The measured loss after it.
    pub loss: f64,
    /// `start` + Σ LCA up to and with this step, and the share of moving buffers where there is
    /// one; steps that are not finite add nothing.
    pub explained: f64,
    /// The step's loss change less its LCA and its buffers' share.
    pub residual: f64,
}

/// Returns the loss of every probe, in the order in which they were recorded.
///
/// Fails if no step was observed, or a file can't be read.
pub fn loss_curves(run: &Run) -> Result<Vec<LossCurve>, LcaError> {
    require(run, Table::Steps, NO_STEPS)?;
    let mut curves: Vec<LossCurve> = Vec::new();
    let names = [
        "iteration",
        "probe",
        "loss_before",
        "loss_after",
        "lca",
        "buffers",
        "residual",
    ];
    each(run, Table::Steps, &names, |columns| {
        let iteration = columns.u64("iteration")?;
        let (before, after) = (columns.f64("loss_before")?, columns.f64("loss_after")?);
        let (lca, residual) = (columns.f64("lca")?, columns.f64("residual")?);
        let buffers: Vec<Option<f64>> = columns.f64_or_null("buffers")?.iter().collect();
        for (probe, rows) in stretches(columns.text("probe")?) {
            let known = curves.iter().position(|curve| curve.probe == probe);
            let place = known.unwrap_or_else(|| {
                curves.push(LossCurve {
                    probe: probe.into(),
                    start: before[rows.start],
                    points: Vec::new(),
                    not_finite: 0,
                });
                curves.len() - 1
            });
            let curve = &mut curves[place];
            for row in rows {
                let change = lca[row] + buffers[row].unwrap_or(0.0);
                let known = change.is_finite() && after[row].is_finite();
                curve.not_finite += usize::from(!known);
                let so_far = curve
                    .points
                    .last()
                    .map_or(curve.start, |last| last.explained);
                curve.points.push(LossPoint {
                    iteration: iteration[row],
                    loss: after[row],
                    explained: so_far + if known { change } else { 0.0 },
                    residual: residual[row],
                });
            }
        }
        Ok(())
    })?;
    Ok(curves)
}
