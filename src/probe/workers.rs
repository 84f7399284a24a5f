//! Who sweeps: threads, on one device or several.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use burn::tensor::{Device, GradientCheckpointingStrategy};

use super::batches::Pass;
use super::eval_model::EvalModel;
use super::halves::Products;
use super::loss::{MeanLoss, Measurable};
use super::plan::Chunk;
use super::room::is_host;
use super::sums::{Part, Sums};
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

    /// The most threads that may sweep on a device: as many as the machine has cores where it is
    /// the machine itself, else one, which keeps it busy.
    pub fn most(&self, device: &Device) -> usize {
        self.count.unwrap_or_else(|| {
            let cores = || thread::available_parallelism().map_or(1, usize::from);
            if is_host(device) { cores() } else { 1 }
        })
    }
}

/// What one thread does of a sweep.
pub(super) struct Job<'a, M: Measurable> {
    pub model: M,
    pub layout: &'a Layout,
    /// The chunks of the sweep, what their weights add up to, and those that this pass is over.
    pub chunks: &'a [Chunk],
    pub weight: f64,
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
            let share = self.chunks[index].weight / self.weight;
            let loss = self.model.step(batch).mean_loss();
            let value = loss.clone().without_autodiff().reshape([1]);
            let gradients = if loss.is_tracked() {
                let mut gradients = loss.mul_scalar(share).backward();
                self.layout.gradients(&self.model, &mut gradients)
            } else {
                vec![None; self.layout.tensors.len()]
            };
            let products = self.products.as_ref().map(|it| it.of(&gradients));
            let part = Part {
                gradients,
                loss: value,
                products,
            };
            self.sums.add(index, part);
        }
        Ok(())
    }
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
                let loss = model.step(batch).mean_loss();
                if loss.is_tracked() {
                    let mut gradients = loss.backward();
                    drop(layout.gradients(&model, &mut gradients));
                }
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
