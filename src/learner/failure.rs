//! How an error of this crate becomes the error of a training, and how it is found there.

use burn::data::dataset::DatasetError;
use burn::train::{Interrupter, TrainingError};

use crate::error::LcaError;

/// Ends the training with an error of this crate. Of Burn's kinds of error, the one for data is
/// the one that can carry another error.
pub(super) fn fail(interrupter: &Interrupter, error: LcaError) {
    interrupter.fail(TrainingError::Dataset(DatasetError::new(error)));
}

impl LcaError {
    /// Returns the error of this crate that a training ended with; `None` if the training ended
    /// with an error of Burn.
    ///
    /// ```no_run
    /// # use burn::train::{LearnerModel, LearningResult};
    /// use burn_lca::LcaError;
    ///
    /// # fn report<M: LearnerModel>(result: LearningResult<M>) {
    /// if let Some(error) = &result.error {
    ///     match LcaError::of(error) {
    ///         Some(error) => eprintln!("the training was not measured to its end: {error}"),
    ///         None => eprintln!("the training failed: {error}"),
    ///     }
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn of(error: &TrainingError) -> Option<&Self> {
        let TrainingError::Dataset(error) = error else {
            return None;
        };
        std::error::Error::source(error)?.downcast_ref()
    }
}
