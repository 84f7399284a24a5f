//! A probe that is ready to be swept: its chunks, with their batches and what they weigh.

use std::sync::Arc;

use burn::tensor::Device;

use super::batches::{Batches, Source};
use super::examples::Examples;
use super::plan::{Chunk, Plan, Row, even_parts};
use super::sampler::Sampler;
use super::shard::{self, Shard};
use crate::error::LcaError;

/// A probe that is ready to be swept.
pub(crate) struct Chunks<B> {
    pub name: String,
    pub examples: usize,
    /// What the loss is a mean over, by default as many examples.
    pub weight: f64,
    /// Whether the model's output says what its loss is a mean over.
    pub weighted: bool,
    pub chunk_size: usize,
    pub rows: Vec<Row>,
    /// Names of all classes, those without examples included; empty without classes.
    pub class_names: Vec<String>,
    pub row_of_class: Vec<Option<usize>>,
    /// What a random part of the examples was drawn with.
    pub subset_seed: Option<u64>,
    /// Whether the examples are those of the learner's loader.
    pub from_loader: bool,
    /// Bytes that the batches that are kept take, where that is known.
    pub kept: Option<u64>,
    /// What draws the chunks of every step; `None` where they are all examples.
    pub sampler: Option<Box<Sampler<B>>>,
    /// Those of a row follow each other.
    pub chunks: Vec<Chunk>,
    /// Threads that sweep at a time, on each device.
    pub workers: usize,
    /// By device.
    pub(super) shards: Vec<Shard<B>>,
}

impl Plan {
    /// Makes all chunks, each of one class and of at most `chunk_size` examples, for some devices;
    /// of a probe that is sampled those of the first step.
    pub fn cut<B: Send + 'static>(
        self,
        examples: Box<dyn Examples<B>>,
        chunk_size: usize,
        devices: &[Device],
    ) -> Result<Chunks<B>, LcaError> {
        let source = Arc::new(Source {
            probe: self.name().to_owned(),
            examples,
        });
        let mut chunks = Vec::new();
        let mut parts: Vec<Box<[usize]>> = Vec::new();
        if self.sample_seed.is_none() {
            for (row, (_, group)) in self.groups().enumerate() {
                for part in even_parts(group, chunk_size) {
                    chunks.push(Chunk::new(row, part.len(), 0.0, 1.0));
                    parts.push(part.into());
                }
            }
        }
        let mut cut = Chunks {
            name: self.name().to_owned(),
            examples: self.examples(),
            weight: self.examples() as f64,
            weighted: false,
            chunk_size,
            rows: self.rows.clone(),
            class_names: self.class_names.clone(),
            row_of_class: self.row_of_class.clone(),
            subset_seed: self.subset_seed,
            from_loader: source.examples.blocks().is_some(),
            kept: None,
            sampler: None,
            workers: 1,
            shards: shard::deal(&source, &mut chunks, parts, devices, true)?,
            chunks,
        };
        if let Some(seed) = self.sample_seed {
            let (sampler, sample) = Sampler::start(seed, self, chunk_size, source, devices)?;
            cut.sampler = Some(Box::new(sampler));
            (cut.chunks, cut.shards) = (sample.chunks, sample.shards);
        }
        cut.kept = cut.shards.iter().map(|shard| shard.kept).sum();
        Ok(cut)
    }
}

impl<B> Chunks<B> {
    /// The devices that sweep.
    pub fn devices(&self) -> impl Iterator<Item = &Device> {
        self.shards.iter().map(|shard| &shard.device)
    }

    /// Takes the batches of a loader as they are on a device, which take so many bytes: the whole is
    /// one row, a batch is a chunk.
    pub fn from_batches(
        name: &str,
        batches: impl IntoIterator<Item = (B, usize)>,
        device: &Device,
        kept: Option<u64>,
    ) -> Result<Self, LcaError> {
        let (batches, mut chunks): (Vec<B>, Vec<Chunk>) = batches
            .into_iter()
            .map(|(batch, examples)| (batch, Chunk::new(0, examples, 0.0, 1.0)))
            .unzip();
        let examples = chunks.iter().map(|chunk| chunk.examples).sum();
        if examples == 0 {
            return Err(LcaError::setting(
                "LcaMetric::probe",
                "the training data loader has no examples to measure on",
                "give the learner a loader with data, or the metric a probe",
            ));
        }
        shard::join(&mut chunks);
        Ok(Self {
            name: name.to_owned(),
            examples,
            weight: examples as f64,
            weighted: false,
            chunk_size: chunks.iter().map(|chunk| chunk.examples).max().unwrap_or(0),
            rows: vec![Row {
                class: None,
                examples,
                swept: examples,
                weight: examples as f64,
            }],
            class_names: Vec::new(),
            row_of_class: Vec::new(),
            subset_seed: None,
            from_loader: true,
            kept,
            sampler: None,
            chunks,
            workers: 1,
            shards: vec![Shard {
                device: device.clone(),
                batches: Batches::Cached(batches.into()),
                kept,
            }],
        })
    }

    /// Threads that have something to do in a sweep, on each device.
    pub fn threads(&self) -> usize {
        self.workers.min(self.chunks.len())
    }

    /// Whether samples are drawn in blocks.
    pub fn is_in_blocks(&self) -> bool {
        self.from_loader && self.sampler.is_some()
    }

    /// Half the difference between the halves of a sample in what they weigh, by row, as shares of
    /// the whole; 0 where examples weigh alike.
    pub fn weight_contrasts(&self) -> Vec<f64> {
        let mut contrasts = vec![0.0; self.rows.len()];
        for chunk in &self.chunks {
            contrasts[chunk.row] += chunk.contrast * self.share(chunk);
        }
        contrasts
    }

    /// Replaces the weight of every chunk, and leaves out those of no weight, whose mean is none.
    pub fn weigh(&mut self, weights: impl IntoIterator<Item = f64>) {
        self.weighted = true;
        self.rows.iter_mut().for_each(|row| row.weight = 0.0);
        for (chunk, weight) in self.chunks.iter_mut().zip(weights) {
            let row = &mut self.rows[chunk.row];
            chunk.weight = weight * chunk.stands_for;
            row.weight += chunk.weight;
        }
        self.weight = self.rows.iter().map(|row| row.weight).sum();
        if self.chunks.iter().any(|chunk| chunk.weight <= 0.0) {
            for (index, shard) in self.shards.iter_mut().enumerate() {
                let own = self.chunks.iter().filter(|chunk| chunk.shard == index);
                let counts: Vec<bool> = own.map(|chunk| chunk.weight > 0.0).collect();
                shard.batches.retain(&counts);
            }
            self.chunks.retain(|chunk| chunk.weight > 0.0);
        }
    }

    /// The share of a chunk in the mean over the probe.
    pub fn share(&self, chunk: &Chunk) -> f64 {
        chunk.weight / self.weight
    }

    /// W/W_row by row: from a row's share in the mean over the probe to the row's own mean.
    pub fn scales(&self) -> Vec<f64> {
        self.rows
            .iter()
            .map(|row| self.weight / row.weight)
            .collect()
    }
}

impl<B: Clone + Send + 'static> Chunks<B> {
    /// One pass over the chunks with their batches, until the first error.
    pub fn iter(&self) -> impl Iterator<Item = Result<(&Chunk, B), LcaError>> {
        let passes: Vec<_> = self.shards.iter().map(|s| s.batches.pass()).collect();
        self.chunks.iter().map_while(move |chunk| {
            let next = passes[chunk.shard].next()?;
            Some(next.map(|(_, batch)| (chunk, batch)))
        })
    }
}

impl<B: Send + 'static> Chunks<B> {
    /// Replaces the chunks of a probe that is sampled by those of a step.
    pub fn draw(&mut self, iteration: u64) -> Result<(), LcaError> {
        if let Some(sampler) = &mut self.sampler
            && let Some(sample) = sampler.draw(iteration)?
        {
            (self.chunks, self.shards) = (sample.chunks, sample.shards);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::plan::tests::classed;

    #[test]
    fn chunks_hold_one_class_each_and_every_example_once() {
        let probe = classed(&[2, 0, 2, 2, 0, 2, 2], 4);
        let plan = Plan::new("training", &probe).unwrap();
        let chunks = plan.cut(Box::new(probe), 2, &[Device::default()]);
        let chunks = chunks.unwrap();

        let cut: Vec<_> = chunks.iter().map(|chunk| chunk.unwrap().1).collect();
        assert_eq!(cut, [vec![1, 4], vec![0], vec![2, 3], vec![5, 6]]);
        let weights: f64 = chunks.chunks.iter().map(|c| chunks.share(c)).sum();
        assert!((weights - 1.0).abs() < 1e-15);
        // Classes 1 and 3 have no examples, and no row to divide by.
        assert_eq!(chunks.row_of_class, [Some(0), None, Some(1), None]);
    }
}
