//! The crate's one error type.

use std::path::PathBuf;

/// Everything that can go wrong.
///
/// Messages start in lower case, name the setting, tensor or file, and end with what to do about
/// it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LcaError {
    /// Returned when a setting can't work, before anything is computed with it.
    #[error("{setting}: {problem}; {remedy}")]
    #[non_exhaustive]
    Setting {
        /// The setting as the user writes it, such as `Probe::chunk_size`.
        setting: &'static str,
        /// What is wrong with it, with the offending values.
        problem: String,
        /// What to do.
        remedy: String,
    },

    /// Returned when a model's loss on a batch is not the mean of its loss on the examples, so
    /// that losses and gradients of chunks don't add up to those of the whole.
    #[error(
        "the loss is not a mean over examples: {mixed} on a batch of {examples} examples, but \
         {parts} as the mean over its parts; measure with a loss that averages per-example \
         losses (no terms across the batch), or, where it is a mean over tokens, pixels or weighted \
         examples, say over how much: wrap the output of `InferenceStep` in `Weighted`"
    )]
    #[non_exhaustive]
    NotMean {
        /// The loss of the batch.
        mixed: f64,
        /// The mean of the losses of its parts, weighted by their number of examples.
        parts: f64,
        /// Number of examples in the batch.
        examples: usize,
    },

    /// Returned when a model's loss on the same examples at the same parameters is another one the
    /// second time, so that no change of it can be split.
    #[error(
        "the forward pass of `InferenceStep` draws random numbers: the loss at the same parameters \
         on the same examples is {first} once, and {second} the next time; let it draw none \
         outside of training, as Burn's `Dropout` and `GaussianNoise` do"
    )]
    #[non_exhaustive]
    Random {
        /// The first loss.
        first: f64,
        /// The second.
        second: f64,
    },

    /// Returned when there is nothing to allocate the loss to.
    #[error("{problem}; {remedy}")]
    #[non_exhaustive]
    NothingToMeasure {
        /// What is missing.
        problem: String,
        /// What to do.
        remedy: &'static str,
    },

    /// Returned when the model that is observed has other tensors than the one at the start.
    #[error(
        "the model changed during training: {problem}; start a new observation \
             of the changed model"
    )]
    #[non_exhaustive]
    ModelChanged {
        /// The first difference.
        problem: String,
    },

    /// Returned when the probe's examples can't be read.
    #[error("can't read the examples of probe `{probe}`: {problem}; check the dataset")]
    #[non_exhaustive]
    Examples {
        /// Name of the probe.
        probe: String,
        /// What the dataset or the loader said.
        problem: String,
    },

    /// Returned when the LCA of a parameter is asked for that the model doesn't have.
    #[error("the model has no parameter at `{path}`; use one of {}", known.join(", "))]
    #[non_exhaustive]
    UnknownParameter {
        /// The path that was asked for.
        path: String,
        /// The paths that there are.
        known: Vec<String>,
    },

    /// Returned when the device fails to compute or to return a result.
    #[error("the device failed while measuring: {0}; free device memory or lower the chunk size")]
    Device(String),

    /// Returned when a device that training does not run on fails while it measures.
    #[non_exhaustive]
    #[error(
        "measuring on {device} failed: {problem}; training goes on without it; see that the device \
         can be reached, or leave it out of `devices`"
    )]
    OtherDevice {
        /// The device.
        device: String,
        /// What Burn said.
        problem: String,
    },

    /// Returned when a file or folder of a run can't be written, read or locked.
    #[error("{action} {}: {source}; {remedy}", path.display())]
    #[non_exhaustive]
    Disk {
        /// What was being done, such as "writing".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
        /// What to do.
        remedy: String,
    },

    /// Returned when another process is writing the run.
    #[error(
        "{} is being written by {holder}; wait until it ends, stop it, or record into another \
         folder",
        path.display()
    )]
    #[non_exhaustive]
    Locked {
        /// The run's folder.
        path: PathBuf,
        /// The process and host that hold the lock.
        holder: String,
    },

    /// Returned when a folder that is to be read holds no run.
    #[error(
        "{} holds no run: it has no run.json; give the folder that was passed to `Recorder::new`",
        path.display()
    )]
    #[non_exhaustive]
    NoRun {
        /// The folder.
        path: PathBuf,
    },

    /// Returned when a run was written by a newer version of this crate.
    #[error(
        "{} has schema version {found}, but this version of burn-lca reads versions up to \
         {known}; update burn-lca",
        path.display()
    )]
    #[non_exhaustive]
    NewerSchema {
        /// The file that says so.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version that can be read.
        known: u32,
    },

    /// Returned when a run has not recorded what an analysis needs, or not yet.
    #[error("{}: {problem}; {remedy}", path.display())]
    #[non_exhaustive]
    NotRecorded {
        /// The run's folder.
        path: PathBuf,
        /// What is missing.
        problem: String,
        /// What to do.
        remedy: String,
    },

    /// Returned when a file of a run is damaged, or does not belong to the run.
    #[error("{}: {problem}; {remedy}", path.display())]
    #[non_exhaustive]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// What to do.
        remedy: String,
    },

    /// Returned when a figure, page or film can't be drawn though its settings are right.
    #[error("drawing failed: {0}; try another format or a smaller size")]
    Render(String),

    /// Returned when this crate contradicts itself, which is a bug.
    #[error("internal error: {0}; this is a bug in burn-lca, please report it with this message")]
    Internal(String),
}

impl LcaError {
    /// Returns a failure to draw a figure, page or film that is no fault of the settings.
    #[cfg(feature = "report")]
    pub(crate) fn render(problem: impl Into<String>) -> Self {
        Self::Render(problem.into())
    }

    /// Returns a fault of this crate.
    pub(crate) fn internal(problem: impl Into<String>) -> Self {
        Self::Internal(problem.into())
    }

    /// Returns what a device reports as an error of this crate.
    #[cfg(feature = "train")]
    pub(crate) fn device(error: impl std::fmt::Display) -> Self {
        Self::Device(error.to_string())
    }

    /// Returns the error of a setting that can't work; `setting` as the user writes it.
    pub(crate) fn setting(
        setting: &'static str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Setting {
            setting,
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }
}
