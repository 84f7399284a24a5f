//! How large chunks are, and how many threads sweep them, found by trying.

use std::time::Duration;

use crate::error::LcaError;
use crate::parameters::Values;
use crate::probe::{Chunks, EvalModel, Examples, Measurable, Plan, Workers, time};

/// The size that is tried first...
const FIRST: usize = 128;

/// ...then larger ones: matrix products want large chunks...
const LARGER: [usize; 3] = [512, 2048, 8192];

/// ...and smaller ones, which convolutions on a CPU want. Where a pass takes no time to speak of,
/// they are left alone, so that chance has no part in the choice.
const SMALLER: [usize; 3] = [64, 32, 16];
const SLOW: Duration = Duration::from_millis(20);

/// More memory, for a larger chunk or for one more thread, must be faster by this factor.
const WORTH_MORE_MEMORY: f64 = 0.97;

/// Where the loss depends on the chunk, its size must not depend on the machine.
const CHUNK_WITH_STATISTICS: usize = 256;

/// How a probe is swept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tuning {
    pub chunk_size: usize,
    pub workers: usize,
}

/// What is tried, and on what.
struct Trial<'a, M: Measurable> {
    eval_model: &'a EvalModel<M>,
    here: &'a Values,
    plan: &'a Plan,
    examples: &'a dyn Examples<M::Input>,
    counts: &'a [usize],
}

/// Finds out how a probe is swept fastest, where that is not set.
pub(super) fn tune<M: Measurable>(
    eval_model: &EvalModel<M>,
    here: &Values,
    plan: &Plan,
    examples: &dyn Examples<M::Input>,
    workers: &Workers,
) -> Result<Tuning, LcaError> {
    let counts = workers.counts(eval_model.device());
    let trial = Trial {
        eval_model,
        here,
        plan,
        examples,
        counts: &counts,
    };
    let set = examples.chunk_size();
    let set = set.or(eval_model
        .depends_on_chunks()
        .then_some(CHUNK_WITH_STATISTICS));
    let tuning = match set {
        Some(chunk_size) if counts.len() == 1 => Tuning {
            chunk_size,
            workers: counts[0],
        },
        Some(chunk_size) => trial.run(chunk_size)?.0,
        None => trial.fastest()?,
    };
    log::info!(
        "LCA: probe `{}` is swept in chunks of at most {} examples, {} at a time",
        plan.name(),
        tuning.chunk_size,
        tuning.workers
    );
    Ok(tuning)
}

/// Finds out how many threads sweep batches that are given fastest.
pub(super) fn tune_batches<M: Measurable>(
    eval_model: &EvalModel<M>,
    here: &Values,
    chunks: &Chunks<M::Input>,
    workers: &Workers,
) -> Result<usize, LcaError> {
    let counts = workers.counts(eval_model.device());
    let Some(first) = chunks.iter().next().filter(|_| counts.len() > 1) else {
        return Ok(counts[0]);
    };
    let (_, batch) = first?;
    let count = chunks.chunks.len();
    let seconds = |workers| time_of(eval_model, here, &batch, workers, count);
    Ok(fastest(&counts, seconds)?.0)
}

/// The number of threads that is fastest, with its seconds.
fn fastest(
    counts: &[usize],
    seconds: impl Fn(usize) -> Result<f64, LcaError>,
) -> Result<(usize, f64), LcaError> {
    let mut best = (1, f64::INFINITY);
    for &count in counts {
        let seconds = seconds(count)?;
        if seconds < best.1 * WORTH_MORE_MEMORY {
            best = (count, seconds);
        }
    }
    Ok(best)
}

/// Seconds that a sweep of so many chunks like this one takes.
fn time_of<M: Measurable>(
    eval_model: &EvalModel<M>,
    here: &Values,
    batch: &M::Input,
    workers: usize,
    chunks: usize,
) -> Result<f64, LcaError> {
    let at_a_time = workers.min(chunks).max(1);
    let spent = time(eval_model, here, batch, at_a_time)?;
    Ok(spent.as_secs_f64() * chunks.div_ceil(at_a_time) as f64)
}

impl<M: Measurable> Trial<'_, M> {
    /// Tries chunks of a size. Returns the best number of threads, the seconds that a sweep takes,
    /// and those of one round of chunks.
    fn run(&self, chunk_size: usize) -> Result<(Tuning, f64, f64), LcaError> {
        let largest = self.plan.largest_chunk();
        // Rows are cut evenly.
        let count = largest.div_ceil(largest.div_ceil(chunk_size).max(1));
        let spread = self.plan.spread(count);
        let indices: Vec<usize> = match self.examples.blocks() {
            // Only successive examples make a batch.
            Some(_) => (0..count).collect(),
            None => spread.iter().map(|&(example, _)| example).collect(),
        };
        let device = self.eval_model.device();
        let batch = self.plan.batch(self.examples, &indices, device)?;
        let chunks = self.plan.chunks(chunk_size);
        let seconds = |workers| time_of(self.eval_model, self.here, &batch, workers, chunks);
        let (workers, seconds) = fastest(self.counts, seconds)?;
        let tuning = Tuning {
            chunk_size,
            workers,
        };
        let rounds = chunks.div_ceil(workers.min(chunks).max(1)).max(1);
        Ok((tuning, seconds, seconds / rounds as f64))
    }

    /// Tries sizes as long as the time falls.
    fn fastest(&self) -> Result<Tuning, LcaError> {
        let (mut best, mut seconds, round) = self.run(FIRST)?;
        let largest = self.plan.largest_chunk();
        if round >= SLOW.as_secs_f64() {
            // Small chunks may be what makes more threads worth while.
            for size in SMALLER {
                let (tuning, smaller, _) = self.run(size)?;
                if smaller < seconds {
                    (best, seconds) = (tuning, smaller);
                }
            }
        }
        let larger = LARGER.iter().scan(FIRST, |last, &size| {
            (std::mem::replace(last, size) < largest).then_some(size)
        });
        for size in larger
            .take_while(|_| best.chunk_size >= FIRST)
            .collect::<Vec<_>>()
        {
            let (tuning, of_larger, _) = self.run(size)?;
            if of_larger > seconds * WORTH_MORE_MEMORY {
                break;
            }
            (best, seconds) = (tuning, of_larger);
        }
        Ok(best)
    }
}
