//! A data loader as the examples of a probe.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use burn::data::dataloader::DataLoader;
use burn::tensor::Device;

use super::blocks::Blocks;
use super::examples::{Examples, Subset};
use crate::error::LcaError;

/// The examples of a data loader, read through its slices: in the order of what it loads from,
/// however it shuffles.
pub(crate) struct LoaderExamples<B> {
    loader: Arc<dyn DataLoader<B>>,
    /// Where the loader puts its batches.
    device: Device,
    blocks: Blocks,
    seed: u64,
}

impl<B> LoaderExamples<B> {
    /// Samples as many examples as a batch of a loader has, of at least one. The loader puts its
    /// batches on `device`.
    pub fn new(loader: Arc<dyn DataLoader<B>>, device: Device, batch: usize, seed: u64) -> Self {
        Self {
            blocks: Blocks::new(loader.num_items(), batch),
            loader,
            device,
            seed,
        }
    }
}

impl<B> fmt::Debug for LoaderExamples<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoaderExamples")
            .field("blocks", &self.blocks)
            .finish_non_exhaustive()
    }
}

impl<B> Examples<B> for LoaderExamples<B> {
    fn check(&self) -> Result<(), LcaError> {
        Ok(())
    }

    fn len(&self) -> usize {
        self.loader.num_items()
    }

    fn chunk_size(&self) -> Option<usize> {
        Some(self.blocks.size())
    }

    fn subset(&self) -> Option<Subset> {
        None
    }

    fn sample(&self) -> Option<Subset> {
        Some(Subset {
            examples: self.blocks.sampled(),
            seed: self.seed,
        })
    }

    fn cached(&self) -> usize {
        usize::MAX
    }

    fn blocks(&self) -> Option<Blocks> {
        Some(self.blocks)
    }

    fn class_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn labels(&self) -> Result<Option<Vec<usize>>, String> {
        Ok(None)
    }

    /// Makes the batch of a block.
    fn batch(&self, indices: &[usize], device: &Device) -> Result<B, String> {
        let (start, end) = match indices {
            [] => (0, 0),
            [first, ..] => (*first, first + indices.len()),
        };
        // Nothing but training on several devices slices a loader: one of the user's own may have
        // left it out.
        let slice = catch_unwind(AssertUnwindSafe(|| {
            let slice = self.loader.slice(start, end);
            if *device == self.device {
                slice
            } else {
                slice.to_device(device)
            }
        }));
        let refused = |problem: &str| {
            format!(
                "samples are drawn through the `slice` of the learner's loader, which {problem} \
                 where it is asked for the {} examples from {start} on; measure on every batch \
                 with `LcaMetric::whole`, or give the metric a probe",
                end - start
            )
        };
        let slice = slice.map_err(|_| refused("panics"))?;
        let mut batches = slice.iter();
        let batch = batches.next().ok_or_else(|| refused("has nothing"))?;
        let batch = batch.map_err(|error| error.to_string())?;
        let read = batches.progress().items_processed;
        if read != end - start || batches.next().is_some() {
            return Err(refused("gives others, or them in several batches,"));
        }
        Ok(batch)
    }
}

#[cfg(test)]
mod tests {
    use burn::data::dataloader::{DataLoaderBuilder, DataLoaderIterator};

    use super::*;
    use crate::probe::Plan;
    use crate::probe::plan::tests::{Indices, items};

    const EXAMPLES: usize = 2000;
    const BATCH: usize = 64;

    fn loader(workers: usize, shuffle: Option<u64>) -> Arc<dyn DataLoader<Vec<usize>>> {
        let builder = DataLoaderBuilder::new(Indices)
            .batch_size(BATCH)
            .num_workers(workers);
        let builder = match shuffle {
            Some(seed) => builder.shuffle(seed),
            None => builder,
        };
        builder.build(items(&[0; EXAMPLES]))
    }

    /// The samples of the first steps, of a fork of a loader.
    fn samples(training: &Arc<dyn DataLoader<Vec<usize>>>, steps: u64) -> Vec<Vec<usize>> {
        let device = Device::default();
        let examples = LoaderExamples::new(training.to_device(&device), device.clone(), BATCH, 0);
        let plan = Plan::new("training", &examples).unwrap();
        let size = examples.chunk_size().unwrap();
        let mut chunks = plan
            .cut(Box::new(examples), size, std::slice::from_ref(&device))
            .unwrap();
        (0..steps)
            .map(|iteration| {
                chunks.draw(iteration).unwrap();
                let blocks = chunks.iter().flat_map(|chunk| {
                    let (_, mut block) = chunk.unwrap();
                    // The loader shuffles what it is asked for.
                    block.sort_unstable();
                    block
                });
                blocks.collect()
            })
            .collect()
    }

    #[test]
    fn samples_of_a_loader_are_the_same_whatever_the_order_of_training() {
        let expected = samples(&loader(0, None), 50);
        for sample in &expected {
            assert!(sample.len() <= BATCH && sample.len() >= BATCH - 4);
        }
        for workers in [0, 1, 3] {
            for shuffle in [None, Some(1), Some(2)] {
                let training = loader(workers, shuffle);
                // As far as it may be into its epochs.
                let begun = training.iter().take(2).count();
                assert!(begun == 2 && samples(&training, 50) == expected);
            }
        }
    }

    /// A loader that cannot be sliced.
    struct Unsliced(Arc<dyn DataLoader<Vec<usize>>>, bool);

    impl DataLoader<Vec<usize>> for Unsliced {
        fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<Vec<usize>> + 'a> {
            self.0.iter()
        }

        fn num_items(&self) -> usize {
            self.0.num_items()
        }

        fn to_device(&self, device: &Device) -> Arc<dyn DataLoader<Vec<usize>>> {
            self.0.to_device(device)
        }

        fn slice(&self, _: usize, _: usize) -> Arc<dyn DataLoader<Vec<usize>>> {
            assert!(!self.1, "not implemented");
            self.0.clone()
        }
    }

    #[test]
    fn a_loader_that_cannot_be_sliced_is_refused_with_the_ways_out() {
        for (panics, what) in [(true, "panics"), (false, "gives others")] {
            let unsliced = Arc::new(Unsliced(loader(0, None), panics));
            let examples = LoaderExamples::new(unsliced, Device::default(), BATCH, 0);
            let plan = Plan::new("training", &examples).unwrap();
            let refused = plan.cut(Box::new(examples), 16, &[Device::default()]).err();
            let refused = refused.unwrap().to_string();
            for word in ["`slice`", what, "LcaMetric::whole", "probe"] {
                assert!(refused.contains(word), "{refused}");
            }
        }
    }

    /// A batch of 64 and a sample of 64 of 2,000 share 2.05 examples where they are independent, and
    /// 64 where one is the other. Where both are of four blocks of 16, of 125, the number varies by
    /// 16 · √(4 · 4/125) = 5.7, and the mean of 1,000 by 0.18.
    #[test]
    fn the_sample_of_a_step_has_nothing_to_do_with_its_batch() {
        for (workers, shuffle) in [(0, None), (0, Some(1)), (1, Some(1)), (3, Some(1))] {
            let training = loader(workers, shuffle);
            let samples = samples(&training, 1000);
            let epochs = (0..).flat_map(|_| training.iter().collect::<Vec<_>>());
            let shared = epochs.zip(&samples).map(|(batch, sample)| {
                let batch = batch.unwrap();
                sample.iter().filter(|k| batch.contains(k)).count()
            });
            let mean = shared.sum::<usize>() as f64 / samples.len() as f64;
            assert!((mean - 2.05).abs() < 0.8, "{workers} {shuffle:?}: {mean}");
        }
    }
}
