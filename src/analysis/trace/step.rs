//! A parameter at a step.

use serde::Serialize;

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
