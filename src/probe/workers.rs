//! Who sweeps: threads, on one device or several.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use burn::tensor::{Device, GradientCheckpointingStrategy, Tensor};

use super::batches::Pass;
use super::chunks::Chunks;
use super::eval_model::EvalModel;
use super::halves::Products;
use super::loss::{MeanLoss, Measurable};
use super::room::is_host;
use super::sums::{Gradients, Part, Sums};
use crate::error::LcaError;
use crate::parameters::{Layout, Values};
use crate::threads::side_by_side;

/// Where a probe is swept, and by how many threads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Workers {
    /// Those to sweep on; none is the model's own.
    pub devices: Vec<Device>,
    /// Threads on each device; `None` is to be found out.
    pub count: Option<usize>,
}

impl Workers {
    /// Checks what needs no model.
    pub fn check(&self) -> Result<(), LcaError> {
        if self.count == Some(0) {
            return Err(LcaError::setting(
                "workers",
                "0 threads sweep nothing",
                "give 1 or more, or leave it out for the number that is fastest",
            ));
        }
        Ok(())
    }

    /// The devices that a model on `own` is measured on, with autodiff as the model's own has it.
    pub fn devices(&self, own: &Device) -> Vec<Device> {
        if self.devices.is_empty() {
            return vec![own.clone()];
        }
        let strategy = own.gradient_checkpointing_strategy();
        let devices = self.devices.iter().map(|device| {
            let device = device.clone().without_autodiff().autodiff();
            match strategy {
                Some(GradientCheckpointingStrategy::Balanced) => device.gradient_checkpointing(),
                _ => device,
            }
        });
        devices.collect()
    }

    /// The numbers of threads on each device to choose from, from few to many: up to the machine's
    /// cores where it is the machine itself that sweeps, else one, which keeps a device busy.
    pub fn counts(&self, own: &Device) -> Vec<usize> {
        if let Some(count) = self.count {
            return vec![count];
        }
        let devices = self.devices(own);
        let most = if devices.iter().all(is_host) {
            let cores = thread::available_parallelism().map_or(1, usize::from);
            (cores / devices.len()).max(1)
        } else {
            1
        };
        let halves = std::iter::successors(Some(most), |count| Some(count / 2));
        let mut counts: Vec<_> = halves.take_while(|&count| count > 0).collect();
        counts.reverse();
        counts
    }
}

/// What one thread does of a sweep.
pub(super) struct Job<'a, M: Measurable> {
    pub model: M,
    pub layout: &'a Layout,
    pub chunks: &'a Chunks<M::Input>,
    /// Those of the chunks that the pass is over.
    pub own: Arc<[usize]>,
    pub pass: &'a Pass<'a, M::Input>,
    /// Where halves are told apart, the products with the step.
    pub products: Option<Arc<Products>>,
    pub sums: &'a Sums,
}

impl<M: Measurable> Job<'_, M> {
    /// Takes chunks until there are none.
    pub fn run(self) -> Result<(), LcaError> {
        let _stop = StopOnPanic(self.sums);
        while !self.sums.is_stopped()
            && let Some(next) = self.pass.next()
        {
            let (place, batch) = next.inspect_err(|_| self.sums.stop())?;
            let index = self.own[place];
            let share = self.chunks.share(&self.chunks.chunks[index]);
            let (loss, gradients) = pass(&self.model, self.layout, batch, share);
            let products = self.products.as_ref().map(|it| it.of(&gradients));
            let part = Part {
                gradients,
                loss,
                products,
            };
            self.sums.add(index, part);
        }
        Ok(())
    }
}

/// One forward and backward pass over a batch: its mean loss, shape [1], and the gradients of a
/// share of it.
fn pass<M: Measurable>(
    model: &M,
    layout: &Layout,
    batch: M::Input,
    share: f64,
) -> (Tensor<1>, Gradients) {
    let loss = model.step(batch).mean_loss();
    let value = loss.clone().without_autodiff().reshape([1]);
    if !loss.is_tracked() {
        return (value, vec![None; layout.tensors.len()]);
    }
    let mut gradients = loss.mul_scalar(share).backward();
    (value, layout.gradients(model, &mut gradients))
}

/// Lets the other workers end early where one panics.
struct StopOnPanic<'a>(&'a Sums);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop();
        }
    }
}

/// Runs jobs side by side, and returns the first error. A panic of one goes on here.
pub(super) fn run_all<J>(jobs: Vec<J>) -> Result<(), LcaError>
where
    J: FnOnce() -> Result<(), LcaError> + Send,
{
    let done = side_by_side(jobs).map_err(|error| {
        LcaError::setting(
            "workers",
            format!("no thread could be started for a sweep: {error}"),
            "give 1, which needs no other thread",
        )
    })?;
    let done = done.into_iter();
    let done = done.map(|result| result.unwrap_or_else(|panic| resume_unwind(panic)));
    done.collect()
}

/// Beyond this, a time is long enough to be told from chance at once.
const LONG: Duration = Duration::from_millis(150);

/// How long some threads take, each for one forward and backward pass over a batch: the better of
/// two after a warm-up.
pub(crate) fn time<M: Measurable>(
    eval_model: &EvalModel<M>,
    values: &Values,
    batch: &M::Input,
    threads: usize,
) -> Result<Duration, LcaError> {
    let device = eval_model.device();
    let mut best = Duration::MAX;
    for run in 0..3 {
        let start = Instant::now();
        let jobs = (0..threads).map(|_| {
            let (model, batch) = (eval_model.on(device, values), batch.clone());
            let layout = &eval_model.layout;
            move || {
                drop(pass(&model, layout, batch, 1.0));
                Ok(())
            }
        });
        run_all(jobs.collect())?;
        let device = device.clone().without_autodiff();
        device.sync().map_err(LcaError::device)?;
        let spent = start.elapsed();
        if run > 0 || spent > LONG {
            best = best.min(spent);
        }
        if spent > LONG {
            break;
        }
    }
    Ok(best)
}
