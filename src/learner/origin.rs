//! Where the main probe of a learner comes from: its own training data, or the user.

use std::fmt;

use burn::data::dataset::DatasetError;
use burn::tensor::Device;
use burn::train::{InferenceStep, LearnerModel, TrainLoader, TrainStep};

use crate::error::LcaError;
use crate::observer::MainProbe;
use crate::probe::{Chunks, Examples, LoaderExamples, Room};

/// Training data of at most this many examples...
const SMALL: usize = 1024;

/// ...in at most this many batches is swept whole.
const FEW_BATCHES: usize = 32;

/// Sweeps of a sample that a step takes at least, one at each end.
const SWEEPS_OF_A_SAMPLE: usize = 2;

/// Samples of the loader depend on nothing but the iteration.
const SEED: u64 = 0;

/// Marks an [`LcaMetric`](crate::LcaMetric) that measures on the learner's own training data.
#[derive(Debug)]
#[non_exhaustive]
pub struct TrainingData {
    /// Whether all of it is swept, however much it is.
    pub(super) whole: bool,
}

/// Marks an [`LcaMetric`](crate::LcaMetric) that measures on a probe that the user gave with
/// [`LcaMetric::probe`](crate::LcaMetric::probe).
pub struct UserProbe<B>(pub(super) Box<dyn Examples<B>>);

impl<B> fmt::Debug for UserProbe<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UserProbe").field(&self.0).finish()
    }
}

/// The main probe of a learner, and what is known of the learner's loader.
pub(super) struct LearnerProbe<B> {
    pub probe: MainProbe<B>,
    /// Examples in the first batch.
    pub batch: Option<usize>,
    /// Batches in an epoch.
    pub batches: Option<usize>,
    /// What was chosen where nothing was set, and how to choose otherwise.
    pub choice: Option<&'static str>,
}

/// Makes the main probe of a learner.
pub(super) trait ProbeOrigin<M: LearnerModel>: 'static {
    /// Makes the probe. `loader` is a fork of the learner's own, which the loop doesn't read, and
    /// puts its batches on `device`.
    fn into_probe(
        self,
        loader: &TrainLoader<M>,
        device: &Device,
    ) -> Result<LearnerProbe<<M as InferenceStep>::Input>, LcaError>;
}

const SAMPLED: &str = "Sampled, as the training data is large; for all of it \
                       `LcaMetric::whole`, for another probe `LcaMetric::probe`";

const WHOLE: &str = "Whole, as the training data is small; for samples `LcaMetric::probe` with \
                     `Probe::sampled`";

impl<M: LearnerModel> ProbeOrigin<M> for UserProbe<<M as InferenceStep>::Input> {
    fn into_probe(
        self,
        _loader: &TrainLoader<M>,
        _device: &Device,
    ) -> Result<LearnerProbe<<M as InferenceStep>::Input>, LcaError> {
        Ok(LearnerProbe {
            probe: MainProbe::Given(self.0),
            batch: None,
            batches: None,
            choice: None,
        })
    }
}

impl<M> ProbeOrigin<M> for TrainingData
where
    M: LearnerModel + TrainStep<Input = <M as InferenceStep>::Input>,
{
    fn into_probe(
        self,
        loader: &TrainLoader<M>,
        device: &Device,
    ) -> Result<LearnerProbe<<M as InferenceStep>::Input>, LcaError> {
        let room = Room::new(device);
        let mut batches = Vec::new();
        let mut iterator = loader.iter();
        let mut seen = 0;
        while let Some(batch) = iterator.next() {
            let batch = batch.map_err(unreadable)?;
            // The loader counts examples, over all of its workers.
            let processed = iterator.progress().items_processed;
            let first = batches.is_empty();
            if first && !self.whole && !is_swept_whole(loader.num_items(), processed) {
                let examples = LoaderExamples::new(loader.clone(), device.clone(), processed, SEED);
                return Ok(LearnerProbe {
                    probe: MainProbe::Given(Box::new(examples)),
                    batch: Some(processed),
                    batches: None,
                    choice: Some(SAMPLED),
                });
            }
            batches.push((batch, processed - seen));
            seen = processed;
            room.check(device, [seen, loader.num_items()])?;
        }
        Ok(LearnerProbe {
            batch: batches.first().map(|(_, examples)| *examples),
            batches: Some(batches.len()),
            choice: (!self.whole).then_some(WHOLE),
            probe: Chunks::from_batches("training", batches, device, room.taken(device))
                .map(|chunks| MainProbe::Batches(Box::new(chunks)))?,
        })
    }
}

/// Whether training data is swept whole where nothing is set: if it is small, or if samples of the
/// size of a batch would cost as much.
fn is_swept_whole(examples: usize, batch: usize) -> bool {
    let small = examples <= SMALL && examples <= FEW_BATCHES * batch;
    small || examples <= SWEEPS_OF_A_SAMPLE * batch
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_data_is_swept_whole_where_that_is_quick() {
        for (examples, batch) in [(500, 25), (1024, 32), (200, 32), (6000, 3000), (7, 7)] {
            assert!(is_swept_whole(examples, batch), "{examples} {batch}");
        }
        for (examples, batch) in [
            (1025, 64),
            (1000, 16),
            (513, 1),
            (60_000, 256),
            (6001, 3000),
        ] {
            assert!(!is_swept_whole(examples, batch), "{examples} {batch}");
        }
    }
}
