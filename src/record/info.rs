//! `run.json`: what is needed to read the numbers of a run.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::error::LcaError;

use super::schema::SCHEMA_VERSION;
use super::selection::ParameterSelection;

/// What a run is about, as kept in `run.json` and in every part file's metadata.
///
/// Fields that an older version did not write have their default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunInfo {
    /// The version of tables and `run.json`.
    pub schema_version: u32,
    /// The version of burn-lca that wrote the run.
    pub crate_version: String,
    /// What became of the run.
    #[serde(flatten)]
    pub state: RunState,
    /// When the run began, in seconds since 1970-01-01 UTC.
    pub created: u64,
    /// When this was last written, in seconds since 1970-01-01 UTC.
    pub updated: u64,
    /// The model as Burn prints it.
    pub model: String,
    /// The tensors with parameters, in the model's order.
    pub tensors: Vec<TensorInfo>,
    /// The paths of floating-point tensors that are not parameters, such as running means.
    pub buffers: Vec<String>,
    /// The probes, the training probe first.
    pub probes: Vec<ProbeInfo>,
    /// How the integral along a step is computed.
    pub integrator: IntegratorInfo,
    /// Which statistics batch normalization used while measuring; `None` if the model has none.
    pub batch_norm: Option<String>,
    /// The device that measured.
    pub device: String,
    /// The seeds in use, by purpose.
    pub seeds: BTreeMap<String, u64>,
    /// The settings of the recorder.
    pub record: RecordInfo,
    /// The first iteration that was trained since the run was begun or last resumed.
    pub first_iteration: u64,
    /// The first iteration that `parameter_totals` counts: 0, unless the recording began later
    /// or the run was resumed where its totals were not known.
    pub totals_from: u64,
    /// The ends of the epochs that are complete.
    pub epochs: Vec<EpochInfo>,
    /// Counts over the whole run, once it has ended.
    pub totals: Option<RunTotals>,
}

/// What became of a run, as its writer saw it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", content = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunState {
    /// Training is going on, or its process was killed.
    #[default]
    Running,
    /// Training came to its end.
    Finished,
    /// Training was stopped before its end.
    Interrupted,
    /// Training or the recording of it failed, with what went wrong.
    Failed(String),
}

/// A tensor with parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TensorInfo {
    /// Where the tensor is in the model, such as `fc1.weight`.
    pub path: String,
    /// Its shape; an index in the tables counts its elements in row-major order.
    pub shape: Vec<usize>,
    /// How many parameters it has.
    pub parameters: u64,
    /// The axis that counts units; `None` if the tensor is one unit.
    pub unit_axis: Option<usize>,
    /// How many units (neurons or channels) it has.
    pub units: usize,
    /// Whether it was trained, or moved otherwise, at any step so far; a frozen tensor's LCA is zero.
    pub trainable: bool,
    /// The path of the parameter that it is another place of, and that everything is counted at.
    pub tied_to: Option<String>,
}

/// A set of labelled examples whose mean loss is split.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ProbeInfo {
    /// The name in the tables' column `probe`.
    pub name: String,
    /// How many examples it has.
    pub examples: u64,
    /// What its loss is a mean over: as many examples, unless the model's output says otherwise.
    pub weight: f64,
    /// The most examples of one chunk.
    pub chunk_size: usize,
    /// How many chunks one sweep has.
    pub chunks: usize,
    /// The classes of the examples; empty if LCA is not split by class.
    pub classes: Vec<ClassInfo>,
}

/// A class of a probe's examples.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ClassInfo {
    /// The number in the tables' column `class`.
    pub index: i32,
    /// What the class is called.
    pub name: String,
    /// How many examples of the probe are of it.
    pub examples: u64,
}

/// How the integral along a step is computed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct IntegratorInfo {
    /// The kind of rule: `adaptive`, `fixed` or `paper`.
    pub mode: String,
    /// The residual that is always accepted.
    pub absolute: f64,
    /// The residual that is accepted, as a fraction of the loss change.
    pub relative: f64,
    /// The equal splits that a step begins with.
    pub start: u16,
    /// The most sweeps that a step takes, of each probe.
    pub budget: u16,
}

/// What is recorded: the settings of [`crate::Recorder`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RecordInfo {
    /// The preset that the other settings began from.
    pub preset: String,
    /// Steps between two records of the units; `None` without that table.
    pub units_every: Option<usize>,
    /// Steps that one histogram covers; `None` without that table.
    pub histogram_window: Option<usize>,
    /// Whether `parameter_totals` is recorded.
    pub totals: bool,
    /// What `parameters` holds; `None` without that table.
    pub parameters: Option<ParameterSelection>,
}

/// The end of an epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EpochInfo {
    /// The epoch that ended.
    pub epoch: u32,
    /// The first iteration after it.
    pub next_iteration: u64,
}

/// Counts over a whole run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunTotals {
    /// Observed steps.
    pub steps: u64,
    /// Steps at which a probe's residual stayed above the tolerance.
    pub capped: u64,
    /// Steps of which a probe's loss or LCA was not finite.
    pub not_finite: u64,
    /// Rows by table.
    pub rows: BTreeMap<String, u64>,
}

impl Default for RunInfo {
    fn default() -> Self {
        let now = now();
        Self {
            schema_version: SCHEMA_VERSION,
            crate_version: env!("CARGO_PKG_VERSION").into(),
            state: RunState::Running,
            created: now,
            updated: now,
            model: String::new(),
            tensors: Vec::new(),
            buffers: Vec::new(),
            probes: Vec::new(),
            integrator: IntegratorInfo::default(),
            batch_norm: None,
            device: String::new(),
            seeds: BTreeMap::new(),
            record: RecordInfo::default(),
            first_iteration: 0,
            totals_from: 0,
            epochs: Vec::new(),
            totals: None,
        }
    }
}

impl RunInfo {
    /// Parses the text of a `run.json`.
    ///
    /// The version is checked first: what a newer version means by its fields is unknown.
    pub(super) fn parse(text: &str, path: &Path) -> Result<Self, LcaError> {
        #[derive(Deserialize)]
        struct Version {
            schema_version: u32,
        }
        let damaged = |error: serde_json::Error| LcaError::Damaged {
            path: path.to_owned(),
            problem: error.to_string(),
            remedy: "restore it from a copy; the tables beside it can still be read as plain \
                     Parquet files"
                .into(),
        };
        let version: Version = serde_json::from_str(text).map_err(damaged)?;
        if version.schema_version > SCHEMA_VERSION {
            return Err(LcaError::NewerSchema {
                path: path.to_owned(),
                found: version.schema_version,
                known: SCHEMA_VERSION,
            });
        }
        serde_json::from_str(text).map_err(damaged)
    }
}

/// Returns the seconds since 1970-01-01 UTC; 0 on a clock that is set before that.
pub(super) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<RunInfo, LcaError> {
        RunInfo::parse(text, Path::new("lca/run.json"))
    }

    #[test]
    fn info_survives_the_round_trip_in_every_state() {
        for state in [
            RunState::Running,
            RunState::Finished,
            RunState::Interrupted,
            RunState::Failed("disk full".into()),
        ] {
            let info = RunInfo {
                state,
                first_iteration: 7,
                ..RunInfo::default()
            };
            assert_eq!(parse(&serde_json::to_string(&info).unwrap()).unwrap(), info);
        }
    }

    #[test]
    fn the_state_is_a_plain_word_and_unknown_fields_are_passed_over() {
        let info = parse(r#"{"schema_version": 1, "state": "failed", "reason": "x", "new": [1]}"#);
        assert_eq!(info.unwrap().state, RunState::Failed("x".into()));
    }

    #[test]
    fn a_newer_schema_and_a_broken_file_are_errors_that_name_it() {
        let newer = parse(r#"{"schema_version": 999, "state": {"unheard": "of"}}"#).unwrap_err();
        assert!(
            matches!(newer, LcaError::NewerSchema { found: 999, .. }),
            "{newer}"
        );
        for text in ["", "{", "{}", "[]", "null"] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains("run.json"), "{error}");
        }
    }
}
