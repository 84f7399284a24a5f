//! How a run is recorded: the folder, the tables, the part files.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::LcaError;

use super::info::{RecordInfo, RunInfo};
use super::selection::ParameterSelection;

/// Steps between two records of the units in the standard preset.
const UNITS_EVERY: usize = 10;
/// Steps that one histogram counts.
const HISTOGRAM_WINDOW: usize = 100;
/// Binary digits of the values that the full preset records, of 23: at most 5 bytes per row.
const FULL_BITS: u32 = 10;
/// How long rows wait before they are in a part file: what a killed process loses.
const PART_AGE: Duration = Duration::from_secs(5);
/// Rows of a full part: 20 to 40 MB of `parameters`.
const PART_ROWS: usize = 4_000_000;

/// Where and how a run is recorded.
///
/// A run is a folder with a `run.json` and one sub-folder of Parquet files per table; see
/// `docs/schema.md`. Nothing is touched before training starts.
///
/// ```
/// # use burn_lca::{ParameterSelection, Recorder};
/// let recorder = Recorder::new("artifacts/lca")
///     .overwrite()
///     .units_every(1)
///     .parameters(ParameterSelection::all().tensors("*.bias"));
/// ```
#[derive(Debug, Clone)]
#[must_use = "a recorder does nothing until it is given to `LcaMetric::record` or `Lca::record`"]
pub struct Recorder {
    pub(super) folder: PathBuf,
    pub(super) existing: Existing,
    preset: &'static str,
    /// Steps between two records of the units; `None` leaves the table out.
    pub(crate) units_every: Option<usize>,
    /// Steps of one histogram; `None` leaves the table out.
    pub(crate) histogram_window: Option<usize>,
    /// Whether `parameter_totals` is recorded.
    pub(crate) totals: bool,
    /// What goes into `parameters`; `None` leaves the table out.
    pub(crate) parameters: Option<ParameterSelection>,
    pub(super) part_age: Duration,
    pub(super) part_rows: usize,
}

/// What to do if the folder already holds a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    Refuse,
    Overwrite,
    Resume,
}

impl Recorder {
    /// Returns a recorder of the standard tables into a folder, which is created if need be.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            existing: Existing::Refuse,
            preset: "",
            units_every: None,
            histogram_window: None,
            totals: false,
            parameters: None,
            part_age: PART_AGE,
            part_rows: PART_ROWS,
        }
        .standard()
    }

    /// Replaces a run that the folder already holds. Files that are not part of it are kept.
    pub fn overwrite(mut self) -> Self {
        self.existing = Existing::Overwrite;
        self
    }

    /// Continues the run that the folder holds, or begins one if it holds none.
    ///
    /// Rows of steps after the checkpoint that training resumes from are replaced.
    pub fn resume(mut self) -> Self {
        self.existing = Existing::Resume;
        self
    }

    /// Records only `steps`, `tensors` and `classes`.
    pub fn economy(mut self) -> Self {
        self.preset = "economy";
        self.units_every = None;
        self.histogram_window = None;
        self.totals = false;
        self.parameters = None;
        self
    }

    /// Records also `units` at every tenth step, `histograms` and `parameter_totals`: the default.
    pub fn standard(mut self) -> Self {
        self = self.economy();
        self.preset = "standard";
        self.units_every = Some(UNITS_EVERY);
        self.histogram_window = Some(HISTOGRAM_WINDOW);
        self.totals = true;
        self
    }

    /// Records everything: units and every parameter at every step.
    ///
    /// The values of `parameters` are rounded to 10 binary digits (3 decimal ones), which keeps
    /// the table at or below 5 bytes per row; see [`ParameterSelection::mantissa_bits`]. Add
    /// `.parameters(ParameterSelection::all())` to keep every bit. Other tables are not rounded.
    pub fn full(mut self) -> Self {
        self = self.standard();
        self.preset = "full";
        self.units_every = Some(1);
        self.parameters = Some(ParameterSelection::all().mantissa_bits(FULL_BITS));
        self
    }

    /// Records `units` at every n-th step; where steps are measured in segments or one in several,
    /// about as often.
    pub fn units_every(mut self, steps: usize) -> Self {
        self.units_every = Some(steps);
        self
    }

    /// Records single parameters: those, and at the steps, that the selection says.
    pub fn parameters(mut self, selection: ParameterSelection) -> Self {
        self.parameters = Some(selection);
        self
    }

    /// Records one histogram per tensor for every this many steps: 100 in [`Self::standard`].
    pub fn histogram_window(mut self, steps: usize) -> Self {
        self.histogram_window = Some(steps);
        self
    }

    /// Sets how long a row may wait before it is written to disk, and so what a killed process
    /// loses: 5 seconds by default.
    pub fn part_age(mut self, age: Duration) -> Self {
        self.part_age = age;
        self
    }

    /// Sets after how many rows a part file is closed even if it is not due: 4 million by default.
    pub fn part_rows(mut self, rows: usize) -> Self {
        self.part_rows = rows;
        self
    }

    /// Returns whether the units of a row are to be recorded that begins at an iteration, where the
    /// next one begins at `next`.
    pub(crate) fn wants_units(&self, iteration: u64, next: u64) -> bool {
        self.units_every
            .is_some_and(|steps| iteration.next_multiple_of(steps as u64) < next)
    }

    /// Checks the settings against the model described.
    pub(super) fn check(&self, info: &RunInfo) -> Result<(), LcaError> {
        let zero = [
            ("Recorder::units_every", self.units_every == Some(0)),
            (
                "Recorder::histogram_window",
                self.histogram_window == Some(0),
            ),
            ("Recorder::part_rows", self.part_rows == 0),
        ];
        if let Some((setting, _)) = zero.into_iter().find(|(_, zero)| *zero) {
            return Err(LcaError::setting(setting, "is 0", "give at least 1"));
        }
        match &self.parameters {
            Some(selection) => selection.check(info.tensors.iter().map(|tensor| &*tensor.path)),
            None => Ok(()),
        }
    }

    /// Returns the settings as `run.json` keeps them.
    pub(super) fn info(&self) -> RecordInfo {
        RecordInfo {
            preset: self.preset.into(),
            units_every: self.units_every,
            histogram_window: self.histogram_window,
            totals: self.totals,
            parameters: self.parameters.clone(),
        }
    }
}
