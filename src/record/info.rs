//! What is needed to read the numbers of a run.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

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
    /// What no other run has; every part file carries it, too.
    pub run_id: String,
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
    /// Which optimizer steps are measured.
    pub observed: ObservedInfo,
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
    /// Rows by table: all of a run that has ended; before that, those that were on disk at the end
    /// of the last epoch.
    pub rows: BTreeMap<String, u64>,
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

impl RunInfo {
    /// Returns what every part says of the run: nothing that grows or changes while it is written.
    pub(super) fn description(&self) -> Self {
        Self {
            epochs: Vec::new(),
            rows: BTreeMap::new(),
            totals: None,
            ..self.clone()
        }
    }
}

impl TensorInfo {
    /// Returns what makes it the same tensor in another run: path and shape.
    pub(super) fn identity(&self) -> (&str, &[usize]) {
        (&self.path, &self.shape)
    }

    /// Describes a tensor of a shape, with units along an axis of it or as one unit.
    pub(crate) fn new(path: impl Into<String>, shape: &[usize], unit_axis: Option<usize>) -> Self {
        Self {
            path: path.into(),
            shape: shape.to_vec(),
            parameters: shape.iter().product::<usize>() as u64,
            unit_axis,
            units: unit_axis.map_or(1, |axis| shape[axis]),
            trainable: true,
            tied_to: None,
        }
    }
}

/// A set of labelled examples whose mean loss is split.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ProbeInfo {
    /// The name in the tables' column `probe`.
    pub name: String,
    /// How many examples it has, whether all of them are swept or a sample.
    pub examples: u64,
    /// Whether they are those of the learner's loader, for want of a probe.
    pub from_loader: bool,
    /// What is drawn of them at every step; `None` if all are swept.
    pub sample: Option<SampleInfo>,
    /// What its loss is a mean over: as many examples, unless the model's output says otherwise.
    pub weight: f64,
    /// The most examples of one chunk.
    pub chunk_size: usize,
    /// How many chunks one sweep has.
    pub chunks: usize,
    /// How many threads sweep them, on each device. The numbers do not depend on it.
    pub workers: usize,
    /// The devices that sweep them; empty if that is the model's alone.
    pub devices: Vec<String>,
    /// The classes of the examples; empty if LCA is not split by class.
    pub classes: Vec<ClassInfo>,
}

/// What is drawn of a probe's examples at every step. The seed is in [`RunInfo::seeds`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SampleInfo {
    /// How many examples at most.
    pub examples: u64,
    /// How they are drawn: `simple`, at random from all without replacement; `stratified`, likewise
    /// from each class; or `blocks`, two halves of evenly spaced blocks of successive examples,
    /// each from a random place on. The chunks of a sweep are these blocks.
    pub method: String,
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
    /// How many of these a sample has; `None` if all are swept.
    pub sampled: Option<u64>,
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

/// Which optimizer steps are measured: segments of some steps, so and so often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ObservedInfo {
    /// Optimizer steps that are measured as one; the segment at the end of an epoch or of the
    /// training may have fewer.
    pub span: u64,
    /// Optimizer steps from the start of one segment to that of the next: `span`, unless some steps
    /// are not measured.
    pub period: u64,
}

impl Default for ObservedInfo {
    /// Every step, for itself.
    fn default() -> Self {
        Self { span: 1, period: 1 }
    }
}

impl ObservedInfo {
    /// Segments of so many steps, one after the other.
    pub(crate) fn segments(steps: u64) -> Self {
        Self {
            span: steps,
            period: steps,
        }
    }

    /// Single steps, one in so many.
    pub(crate) fn one_in(steps: u64) -> Self {
        Self {
            span: 1,
            period: steps,
        }
    }

    /// Returns whether every step is measured for itself.
    #[must_use]
    pub fn is_every_step(&self) -> bool {
        *self == Self::default()
    }

    /// Returns whether there are steps that are not measured.
    #[must_use]
    pub fn leaves_out(&self) -> bool {
        self.span < self.period
    }

    /// Returns the iteration before which the next row begins, of a row that begins at one and spans
    /// so many steps.
    pub(crate) fn next(&self, iteration: u64, span: u64) -> u64 {
        iteration + if self.leaves_out() { self.period } else { span }
    }
}

impl fmt::Display for ObservedInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.span, self.period) {
            (1, 1) => f.write_str("every step"),
            (1, period) => write!(f, "one step in {period}"),
            (span, _) => write!(f, "segments of {span} steps"),
        }
    }
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunTotals {
    /// Observed steps, or segments of steps.
    pub steps: u64,
    /// Steps at which a probe's residual stayed above the tolerance.
    pub capped: u64,
    /// Steps of which a probe's loss or LCA was not finite.
    pub not_finite: u64,
    /// The iteration of the optimizer step after the last one, observed or not.
    pub next_iteration: u64,
}

impl Default for RunInfo {
    fn default() -> Self {
        let now = now();
        Self {
            schema_version: SCHEMA_VERSION,
            crate_version: env!("CARGO_PKG_VERSION").into(),
            run_id: String::new(),
            state: RunState::Running,
            created: now,
            updated: now,
            model: String::new(),
            tensors: Vec::new(),
            buffers: Vec::new(),
            probes: Vec::new(),
            integrator: IntegratorInfo::default(),
            observed: ObservedInfo::default(),
            batch_norm: None,
            device: String::new(),
            seeds: BTreeMap::new(),
            record: RecordInfo::default(),
            first_iteration: 0,
            totals_from: 0,
            epochs: Vec::new(),
            rows: BTreeMap::new(),
            totals: None,
        }
    }
}

/// Returns the seconds since 1970-01-01 UTC; 0 on a clock that is set before that.
pub(super) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Returns a word that no other run has.
pub(super) fn unique_id() -> String {
    // The system seeds every state differently; time and process make sure of it.
    let word = RandomState::new().hash_one((SystemTime::now(), std::process::id()));
    format!("{word:016x}")
}
