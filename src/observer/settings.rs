//! The main probe and all other settings, the same for a learner and for a loop that the user
//! writes.

use std::fmt;

use super::decay::WeightDecay;
use crate::error::LcaError;
use crate::probe::{BatchNormMode, Chunks, Examples, Workers};
use crate::quadrature::Integrator;
use crate::record::{ObservedInfo, Recorder};

/// Where the main probe's examples come from.
pub(crate) enum MainProbe<B> {
    /// What the user gave.
    Given(Box<dyn Examples<B>>),
    /// The learner's own batches.
    Batches(Box<Chunks<B>>),
}

/// What can be set beside the main probe.
pub(crate) struct Settings<B> {
    pub validation: Option<Box<dyn Examples<B>>>,
    /// `None` is the default, which depends on what is measured.
    pub integrator: Option<Integrator>,
    pub batch_norm: Option<BatchNormMode>,
    pub weight_decay: Option<WeightDecay>,
    pub recorder: Option<Recorder>,
    /// What sweeps.
    pub workers: Workers,
    /// Which optimizer steps are measured.
    pub observed: ObservedInfo,
}

impl<B> Settings<B> {
    /// Checks what needs no model.
    pub fn check(&self) -> Result<(), LcaError> {
        if self.observed.period == 0 {
            return Err(LcaError::setting(
                "every, one_in",
                "0 steps are none",
                "give 1 for every step, or more",
            ));
        }
        if let Some(decay) = &self.weight_decay {
            decay.validate()?;
            if self.observed.span > 1 {
                return Err(LcaError::setting(
                    "weight_decay",
                    "over several steps that are measured as one, what decayed is not known",
                    "measure single steps: with `one_in` instead of `every`",
                ));
            }
        }
        self.workers.check()?;
        self.integrator
            .as_ref()
            .map_or(Ok(()), Integrator::validate)
    }
}

impl<B> fmt::Debug for Settings<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("validation", &self.validation)
            .field("integrator", &self.integrator)
            .field("batch_norm", &self.batch_norm)
            .field("weight_decay", &self.weight_decay)
            .field("recorder", &self.recorder)
            .field("workers", &self.workers)
            .field("observed", &self.observed)
            .finish()
    }
}

impl<B> Default for Settings<B> {
    fn default() -> Self {
        Self {
            validation: None,
            integrator: None,
            batch_norm: None,
            weight_decay: None,
            recorder: None,
            workers: Workers::default(),
            observed: ObservedInfo::default(),
        }
    }
}
