//! What is said where a run has not recorded what an answer needs.

use serde::Serialize;

/// For each thing that a run may lack: that it is not recorded, and how to record it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Missing {
    /// Totals of single parameters over the run.
    pub totals: &'static str,
    /// Single values of LCA, or counts of them.
    pub values: &'static str,
    /// Single parameters at single steps.
    pub parameters: &'static str,
    /// LCA of units.
    pub units: &'static str,
    /// LCA by class.
    pub classes: &'static str,
    /// A second probe.
    pub validation: &'static str,
}

/// What is said about each.
pub const MISSING: Missing = Missing {
    totals: "Totals of single parameters are not recorded, or not yet: `Recorder::standard()` and \
             `Recorder::full()` write them at the end of every epoch.",
    values: "Neither single parameters nor histograms are recorded: record with \
             `Recorder::standard()` or `Recorder::full()`.",
    parameters: "Single parameters at single steps are not recorded: record with \
                 `Recorder::full()`.",
    units: "Units are not recorded: record with `Recorder::standard()` or `Recorder::full()`.",
    classes: "LCA is not split by class: record with `Probe::classes`.",
    validation: "There is no validation probe: record one with `LcaMetric::validation`.",
};
