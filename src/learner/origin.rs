//! Where the main probe of a learner comes from: its own training data, or the user.

use std::fmt;

use burn::data::dataset::DatasetError;
use burn::train::{InferenceStep, LearnerModel, TrainLoader, TrainStep};

use crate::error::LcaError;
use crate::observer::MainProbe;
use crate::probe::{Chunks, Examples};

/// Marks an [`LcaMetric`](crate::LcaMetric) that measures on the learner's own training data.
#[derive(Debug)]
#[non_exhaustive]
pub struct TrainingData;

/// Marks an [`LcaMetric`](crate::LcaMetric) that measures on a probe that the user gave with
/// [`LcaMetric::probe`](crate::LcaMetric::probe).
pub struct UserProbe<B>(pub(super) Box<dyn Examples<B>>);

impl<B> fmt::Debug for UserProbe<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UserProbe").field(&self.0).finish()
    }
}

/// Makes the main probe of a learner.
pub(super) trait ProbeOrigin<M: LearnerModel>: 'static {
    /// Makes the probe. `loader` is a fork of the learner's own, which the loop doesn't read.
    fn into_probe(
        self,
        loader: &TrainLoader<M>,
    ) -> Result<MainProbe<<M as InferenceStep>::Input>, LcaError>;
}

impl<M: LearnerModel> ProbeOrigin<M> for UserProbe<<M as InferenceStep>::Input> {
    fn into_probe(
        self,
        _loader: &TrainLoader<M>,
    ) -> Result<MainProbe<<M as InferenceStep>::Input>, LcaError> {
        Ok(MainProbe::Given(self.0))
    }
}

impl<M> ProbeOrigin<M> for TrainingData
where
    M: LearnerModel + TrainStep<Input = <M as InferenceStep>::Input>,
{
    fn into_probe(
        self,
        loader: &TrainLoader<M>,
    ) -> Result<MainProbe<<M as InferenceStep>::Input>, LcaError> {
        let mut batches = Vec::new();
        let mut iterator = loader.iter();
        let mut seen = 0;
        while let Some(batch) = iterator.next() {
            let batch = batch.map_err(unreadable)?;
            // The loader counts examples, over all of its workers.
            let processed = iterator.progress().items_processed;
            batches.push((batch, processed - seen));
            seen = processed;
        }
        Chunks::from_batches("training", batches).map(MainProbe::Batches)
    }
}

/// Returns the number of batches in an epoch of a learner's loader.
pub(super) fn count_batches<M: LearnerModel>(loader: &TrainLoader<M>) -> Result<usize, LcaError> {
    loader.iter().try_fold(0, |count, batch| {
        batch.map_err(unreadable).map(|_| count + 1)
    })
}

/// An error of the learner's loader.
fn unreadable(error: DatasetError) -> LcaError {
    LcaError::Examples {
        probe: "training".to_owned(),
        problem: error.to_string(),
    }
}
