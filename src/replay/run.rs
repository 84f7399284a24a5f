//! From checkpoint to checkpoint.

use std::fmt::Display;

use burn::module::Module;
use burn::train::InferenceStep;

use super::checkpoint::Checkpoint;
use crate::allocation::StepAllocation;
use crate::error::LcaError;
use crate::observer::{Engine, Lca, MainProbe, Resume};
use crate::probe::MeanLoss;
use crate::record::{ObservedInfo, RunState};

impl<B: Clone + 'static> Lca<B> {
    /// Measures a training that is over, from the weights that it saved: the loss change between
    /// each two checkpoints, along the straight line between them.
    ///
    /// `model` has the structure that was trained; its weights don't matter. The first checkpoint is
    /// where measuring starts, and every other one ends a segment, which is allocated, handed to
    /// `on_step` and recorded as a step is, with the iteration of its first step and the number of
    /// steps that it spans. The sum is grounded on the loss change over all of them. What the
    /// weights did between two checkpoints is not seen; with a checkpoint of every step, the numbers
    /// are those of measuring while the model trained. A segment of many steps is curved, so the
    /// adaptive [`Integrator`](crate::Integrator) splits it more often, within its budget.
    ///
    /// ```
    #[doc = include_str!("../doc_setup.md")]
    /// use burn_lca::prelude::*;
    ///
    /// # let folder = tempfile::tempdir().expect("a temporary folder");
    /// # let [start, end] = ["start.bpk", "end.bpk"].map(|name| folder.path().join(name));
    /// model.clone().save_file(&start).expect("a folder that is there");
    /// for batch in batches {
    ///     let grads = TrainStep::step(&model, batch).grads;
    ///     model = optimizer.step(lr, model, grads);
    /// }
    /// # let steps = 2;
    /// model.clone().save_file(&end).expect("a folder that is there");
    ///
    /// // Later, in another program:
    /// let lca = Lca::new(Probe::new(dataset(), MyBatcher));
    /// let checkpoints = [Checkpoint::new(start, 0), Checkpoint::new(end, steps)];
    /// lca.replay(model, checkpoints, |step| {
    ///     println!("steps {}: LCA {:+.3e}", step.span(), step.lca());
    /// })?;
    /// # Ok::<(), LcaError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Fewer than two checkpoints, or some out of order; [`every`](Self::every) or
    /// [`one_in`](Self::one_in), since the checkpoints say where segments end; a file that is not
    /// there, damaged, or of another model, with its name and the tensor; the errors of
    /// [`start`](Self::start) and [`observe`](crate::LcaObserver::observe), and a disk that fails
    /// while the run is recorded.
    pub fn replay<M>(
        self,
        model: M,
        checkpoints: impl IntoIterator<Item = Checkpoint<M>>,
        mut on_step: impl FnMut(&StepAllocation),
    ) -> Result<(), LcaError>
    where
        M: Module + Display + InferenceStep<Input = B, Output: MeanLoss>,
    {
        let checkpoints: Vec<_> = checkpoints.into_iter().collect();
        let Self {
            probe,
            mut settings,
        } = self;
        if !settings.observed.is_every_step() {
            return Err(LcaError::setting(
                "Lca::every, Lca::one_in",
                "a replay measures from checkpoint to checkpoint",
                "leave it out, and give fewer checkpoints",
            ));
        }
        settings.observed = ObservedInfo::segments(longest_span(&checkpoints)?);
        // Before an hour is spent on those in front of it.
        for checkpoint in &checkpoints {
            checkpoint.check()?;
        }
        let mut checkpoints = checkpoints.into_iter();
        let Some(first) = checkpoints.next() else {
            return Err(too_few(0));
        };
        let (epoch, mut step) = (first.epoch, first.step);
        let mut model = first.load(model)?;
        let resume = Resume::AfterEpoch {
            epoch,
            iteration: step,
        };
        let mut engine = Engine::start(&model, MainProbe::Given(probe), settings, resume)?;
        if engine.iteration() != step {
            return Err(LcaError::setting(
                "Recorder::resume",
                format!(
                    "the record ends at iteration {}, and the first checkpoint is at {step}",
                    engine.iteration()
                ),
                "begin with the checkpoint that the record ends at, or record into another folder",
            ));
        }
        for checkpoint in checkpoints {
            let (epoch, steps) = (checkpoint.epoch, checkpoint.step - step);
            step = checkpoint.step;
            let measured = checkpoint.load(model).and_then(|model| {
                let allocation = engine.observe_segment(&model, steps, epoch, None)?;
                Ok((model, allocation))
            });
            match measured {
                Ok((loaded, allocation)) => {
                    on_step(&allocation);
                    model = loaded;
                }
                Err(error) => {
                    engine.finish(RunState::Failed(error.to_string()))?;
                    return Err(error);
                }
            }
        }
        engine.finish(RunState::Finished)
    }
}

/// The most steps between two checkpoints, after checking that they are in order.
fn longest_span<M>(checkpoints: &[Checkpoint<M>]) -> Result<u64, LcaError> {
    let mut longest = None;
    for pair in checkpoints.windows(2) {
        let [before, after] = pair else { continue };
        if after.step <= before.step {
            return Err(LcaError::setting(
                "Lca::replay",
                format!(
                    "{before} is of {} steps, and {after}, which follows, of {}",
                    before.step, after.step
                ),
                "give the checkpoints in the order of training, each with the number of optimizer \
                 steps before it",
            ));
        }
        longest = longest.max(Some(after.step - before.step));
    }
    longest.ok_or_else(|| too_few(checkpoints.len()))
}

fn too_few(checkpoints: usize) -> LcaError {
    LcaError::setting(
        "Lca::replay",
        format!("{checkpoints} checkpoints have nothing between them"),
        "give two at least; Burn saves none at the start of a training, `Module::save_file` does",
    )
}
