//! The chunks of a probe that is sampled: those of the next step are drawn while the present one is
//! measured and trained.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use burn::tensor::Device;

use super::batches::Source;
use super::plan::{Chunk, Plan, even_parts};
use super::sample::Draw;
use super::shard::{self, Shard};
use crate::error::LcaError;

/// Draws the chunks of every step.
pub(crate) struct Sampler<B> {
    pub seed: u64,
    draws: Arc<Draws<B>>,
    /// The step that was drawn last.
    last: u64,
    ahead: Option<Ahead<B>>,
}

/// What the chunks of a step are drawn from.
struct Draws<B> {
    seed: u64,
    plan: Plan,
    chunk_size: usize,
    source: Arc<Source<B>>,
    devices: Vec<Device>,
}

/// The chunks of one step.
pub(super) struct Sample<B> {
    pub chunks: Vec<Chunk>,
    pub shards: Vec<Shard<B>>,
}

/// A thread that draws the step that is expected next.
struct Ahead<B> {
    iteration: u64,
    thread: Option<JoinHandle<Result<Sample<B>, LcaError>>>,
}

impl<B> Sampler<B> {
    /// How samples are drawn, as a record says it.
    pub fn method(&self) -> &'static str {
        if self.draws.source.examples.blocks().is_some() {
            "blocks"
        } else if self.draws.plan.has_classes() {
            "stratified"
        } else {
            "simple"
        }
    }
}

impl<B: Send + 'static> Sampler<B> {
    /// Draws the sample of step 0, which there must be room for.
    pub(super) fn start(
        seed: u64,
        plan: Plan,
        chunk_size: usize,
        source: Arc<Source<B>>,
        devices: &[Device],
    ) -> Result<(Self, Sample<B>), LcaError> {
        let draws = Arc::new(Draws {
            seed,
            plan,
            chunk_size,
            source,
            devices: devices.to_vec(),
        });
        let sample = draws.sample(0, true)?;
        let sampler = Self {
            seed,
            ahead: Ahead::start(&draws, 1),
            draws,
            last: 0,
        };
        Ok((sampler, sample))
    }

    /// Draws the chunks of a step; `None` where they are those that were drawn last. They depend on
    /// the iteration alone, whether they were expected or not.
    pub(super) fn draw(&mut self, iteration: u64) -> Result<Option<Sample<B>>, LcaError> {
        if self.last == iteration {
            return Ok(None);
        }
        let expected = self
            .ahead
            .take()
            .filter(|ahead| ahead.iteration == iteration);
        let sample = match expected {
            Some(ahead) => ahead.join()?,
            None => self.draws.sample(iteration, false)?,
        };
        // Steps are as far apart as the last two.
        let stride = iteration.saturating_sub(self.last).max(1);
        self.last = iteration;
        self.ahead = Ahead::start(&self.draws, iteration + stride);
        Ok(Some(sample))
    }
}

impl<B> Draws<B> {
    /// Makes the chunks of one step, each of one class and of one half of its sample. Before training
    /// it is checked that there is room for them.
    fn sample(&self, iteration: u64, checked: bool) -> Result<Sample<B>, LcaError> {
        let mut draw = Draw::new(self.seed, iteration);
        let mut chunks = Vec::new();
        let mut parts: Vec<Box<[usize]>> = Vec::new();
        for (index, (row, class)) in self.plan.groups().enumerate() {
            let halves = match self.source.examples.blocks() {
                Some(blocks) => blocks.draw(&mut draw),
                None => draw.halves(class, row.swept).into(),
            };
            for half in halves {
                for part in even_parts(&half.examples, self.chunk_size) {
                    let (contrast, stands_for) = (half.contrast, half.stands_for);
                    chunks.push(Chunk::new(index, part.len(), contrast, stands_for));
                    parts.push(part.into());
                }
            }
        }
        Ok(Sample {
            shards: shard::deal(&self.source, &mut chunks, parts, &self.devices, checked)?,
            chunks,
        })
    }
}

impl<B: Send + 'static> Ahead<B> {
    /// Begins to draw a step. Where the system has no thread for it, it is drawn when it is asked
    /// for.
    fn start(draws: &Arc<Draws<B>>, iteration: u64) -> Option<Self> {
        let draws = Arc::clone(draws);
        let thread = thread::Builder::new().name("lca sample".to_owned());
        let thread = thread.spawn(move || draws.sample(iteration, false)).ok()?;
        Some(Self {
            iteration,
            thread: Some(thread),
        })
    }
}

impl<B> Ahead<B> {
    fn join(mut self) -> Result<Sample<B>, LcaError> {
        let sample = self.thread.take().map(JoinHandle::join);
        let ended_early = || Err(LcaError::internal("drawing a sample has ended early"));
        sample.and_then(Result::ok).unwrap_or_else(ended_early)
    }
}

impl<B> Drop for Ahead<B> {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
