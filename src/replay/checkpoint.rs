//! The weights that a training had at some point.

use std::error::Error;
use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use burn::module::Module;

use crate::error::LcaError;

/// The weights of a model after some optimizer steps, as a training saved them.
///
/// [`Lca::replay`](crate::Lca::replay) measures from one to the next.
pub struct Checkpoint<M> {
    pub(super) step: u64,
    pub(super) epoch: u32,
    weights: Weights<M>,
}

/// Where the weights come from.
enum Weights<M> {
    /// What Burn's `Module::save_file` and its checkpointers write.
    File(PathBuf),
    Loader(Loader<M>),
}

type Loader<M> = Box<dyn FnOnce(M) -> Result<M, Box<dyn Error + Send + Sync>>>;

impl<M> fmt::Debug for Checkpoint<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkpoint")
            .field("step", &self.step)
            .field("epoch", &self.epoch)
            .field("weights", &self.to_string())
            .finish()
    }
}

/// What messages call it.
impl<M> fmt::Display for Checkpoint<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.weights {
            Weights::File(path) => path.display().fmt(f),
            Weights::Loader(_) => write!(f, "the weights after {} steps", self.step),
        }
    }
}

impl<M> Checkpoint<M> {
    /// Returns the weights in a burnpack file, as Burn's `Module::save_file` and its checkpointers
    /// write it, saved after so many optimizer steps of the training: 0 at its start.
    pub fn new(file: impl Into<PathBuf>, steps: u64) -> Self {
        Self::of(Weights::File(file.into()), steps)
    }

    /// Returns the weights that a function loads, for files of any other format; the model that it
    /// is given has the weights of the checkpoint before.
    ///
    /// ```
    #[doc = include_str!("../doc_setup.md")]
    /// use burn_lca::prelude::*;
    ///
    /// let first = model.clone();
    /// # model = trained(model);
    /// let last = model.clone();
    /// let checkpoints = [
    ///     Checkpoint::from_fn(0, |_| Ok(first)),
    ///     Checkpoint::from_fn(3, |_| Ok(last)),
    /// ];
    /// let lca = Lca::new(Probe::new(dataset(), MyBatcher));
    /// lca.replay(model, checkpoints, |step| println!("{:+.3e}", step.lca()))?;
    /// # Ok::<(), LcaError>(())
    /// ```
    pub fn from_fn(
        steps: u64,
        load: impl FnOnce(M) -> Result<M, Box<dyn Error + Send + Sync>> + 'static,
    ) -> Self {
        Self::of(Weights::Loader(Box::new(load)), steps)
    }

    fn of(weights: Weights<M>, step: u64) -> Self {
        Self {
            step,
            epoch: 0,
            weights,
        }
    }

    /// Returns the checkpoint with the epoch, from 1, that the steps before it are recorded with.
    #[must_use]
    pub fn epoch(mut self, epoch: u32) -> Self {
        self.epoch = epoch;
        self
    }

    /// Returns the checkpoints of a learner, by epoch, from the folder `checkpoint` in its artifacts:
    /// `model-1.bpk`, `model-2.bpk` and so on, each `steps_per_epoch` optimizer steps after the one
    /// before.
    ///
    /// Burn saves no weights at the start, and by default deletes all but the last two; give the
    /// training `KeepLastNCheckpoints` of all its epochs.
    ///
    /// # Errors
    ///
    /// A folder that can't be read, or that has no checkpoint, or not of all epochs between its
    /// first and its last.
    pub fn of_learner(
        folder: impl AsRef<Path>,
        steps_per_epoch: u64,
    ) -> Result<Vec<Self>, LcaError> {
        let folder = folder.as_ref();
        let unreadable = |source| LcaError::Disk {
            action: "reading",
            path: folder.to_owned(),
            source,
            remedy: "give the folder `checkpoint` in the artifacts of a training with \
                     `with_default_checkpointers`"
                .to_owned(),
        };
        let mut epochs = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            let epoch = name.to_str().and_then(|name| {
                let number = name.strip_prefix("model-")?.strip_suffix(".bpk")?;
                number.parse::<u32>().ok()
            });
            epochs.extend(epoch);
        }
        epochs.sort_unstable();
        let problem = match epochs.windows(2).find(|pair| pair[1] != pair[0] + 1) {
            Some(gap) => Some(format!(
                "there are weights of epochs {} and {}, and of none between",
                gap[0], gap[1]
            )),
            None if epochs.is_empty() => {
                Some("there are no weights of an epoch, such as model-1.bpk".to_owned())
            }
            None => None,
        };
        if let Some(problem) = problem {
            return Err(LcaError::NotRecorded {
                path: folder.to_owned(),
                problem,
                remedy:
                    "train with `with_checkpointing_strategy(KeepLastNCheckpoints::new(epochs))`, \
                         or name the files one by one with `Checkpoint::new`"
                        .to_owned(),
            });
        }
        let checkpoint = |epoch: u32| {
            let file = folder.join(format!("model-{epoch}.bpk"));
            Self::new(file, u64::from(epoch) * steps_per_epoch).epoch(epoch)
        };
        Ok(epochs.into_iter().map(checkpoint).collect())
    }

    /// Checks that its file can be opened.
    pub(super) fn check(&self) -> Result<(), LcaError> {
        let Weights::File(path) = &self.weights else {
            return Ok(());
        };
        File::open(path).map(drop).map_err(|source| LcaError::Disk {
            action: "reading",
            path: path.clone(),
            source,
            remedy: "give the files that the training saved".to_owned(),
        })
    }
}

impl<M: Module> Checkpoint<M> {
    /// Puts the weights into a model of the same structure.
    pub(super) fn load(self, model: M) -> Result<M, LcaError> {
        let name = self.to_string();
        match self.weights {
            Weights::File(path) => model
                .try_load_file(&path)
                .map_err(|error| LcaError::Damaged {
                    path,
                    problem: error.to_string(),
                    remedy:
                        "replay with a model of the structure that was trained, and give files as \
                         they were saved"
                            .to_owned(),
                }),
            Weights::Loader(load) => load(model).map_err(|error| {
                LcaError::setting(
                    "Checkpoint::from_fn",
                    format!("{name} can't be loaded: {error}"),
                    "correct what loads them",
                )
            }),
        }
    }
}
