//! Where the main probe of a learner comes from.

use burn::data::dataloader::Progress;
use burn::data::dataset::DatasetError;
use burn::train::{InferenceStep, LearnerModel, TrainLoader, TrainStep};

use crate::LcaError;
use crate::metric::{Given, TrainingData};
use crate::observer::MainProbe;
use crate::probe::Chunks;

/// Where the main probe of a learner comes from.
pub trait ProbeOrigin<M: LearnerModel> {
    /// Makes the probe. `loader` is a fork of the learner's own, which the loop doesn't read.
    fn into_probe(
        self,
        loader: &TrainLoader<M>,
    ) -> Result<MainProbe<<M as InferenceStep>::Input>, LcaError>;
}

impl<M: LearnerModel> ProbeOrigin<M> for Given<<M as InferenceStep>::Input> {
    fn into_probe(
        self,
        _loader: &TrainLoader<M>,
    ) -> Result<MainProbe<<M as InferenceStep>::Input>, LcaError> {
        Ok(MainProbe::given(self.0))
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
            // The loader counts items, over all of its workers.
            let Progress {
                items_processed, ..
            } = iterator.progress();
            batches.push((batch, items_processed - seen));
            seen = items_processed;
        }
        Chunks::from_batches("training", batches).map(MainProbe::batches)
    }
}

/// An error of the learner's loader.
pub(super) fn unreadable(error: DatasetError) -> LcaError {
    LcaError::Examples {
        probe: "training".to_owned(),
        problem: error.to_string(),
    }
}
