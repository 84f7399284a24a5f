//! The main probe and all other settings, the same for a learner and for a loop that the user
//! writes.

use std::fmt;

use crate::probe::{BatchNormMode, Chunks, Examples};
use crate::quadrature::Integrator;
use crate::record::Recorder;

/// Where the main probe's examples come from.
pub(crate) enum MainProbe<B> {
    /// What the user gave.
    Given(Box<dyn Examples<B>>),
    /// The learner's own batches.
    Batches(Chunks<B>),
}

/// What can be set beside the main probe.
pub(crate) struct Settings<B> {
    pub validation: Option<Box<dyn Examples<B>>>,
    pub integrator: Integrator,
    pub batch_norm: Option<BatchNormMode>,
    pub recorder: Option<Recorder>,
}

impl<B> fmt::Debug for Settings<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("validation", &self.validation)
            .field("integrator", &self.integrator)
            .field("batch_norm", &self.batch_norm)
            .field("recorder", &self.recorder)
            .finish()
    }
}

impl<B> Default for Settings<B> {
    fn default() -> Self {
        Self {
            validation: None,
            integrator: Integrator::default(),
            batch_norm: None,
            recorder: None,
        }
    }
}
