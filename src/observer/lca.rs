//! The engine in a training loop that the user writes.

use std::fmt::{self, Display};

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::tensor::Device;
use burn::train::InferenceStep;

use super::decay::WeightDecay;
use super::engine::Engine;
use super::settings::{MainProbe, Settings};
use super::start::Resume;
use crate::allocation::StepAllocation;
use crate::error::LcaError;
use crate::parameters::is_initialized;
use crate::probe::{BatchNormMode, Examples, MeanLoss, Probe};
use crate::quadrature::Integrator;
use crate::record::{ObservedInfo, Recorder, RunState};

/// Loss change allocation for your own training loop.
///
/// It takes the same settings as [`LcaMetric`](crate::LcaMetric) does for a learner. Settings are
/// checked, and measuring begins, with [`start`](Self::start).
///
/// ```
#[doc = include_str!("../doc_setup.md")]
/// use burn_lca::prelude::*;
///
/// let probe = Probe::new(dataset(), MyBatcher); // any Dataset and Batcher
/// let mut lca = Lca::new(probe).start(&model)?;
/// for batch in batches {
///     let grads = TrainStep::step(&model, batch).grads;
///     model = optimizer.step(lr, model, grads);
///     let step: StepAllocation = lca.observe(&model)?;
///     println!("{:+.3e} residual {:+.1e}", step.lca(), step.residual());
/// }
/// lca.finish()?;
/// # Ok::<(), LcaError>(())
/// ```
#[must_use = "`Lca` measures nothing before `start`"]
pub struct Lca<B> {
    pub(crate) probe: Box<dyn Examples<B>>,
    pub(crate) settings: Settings<B>,
}

impl<B> fmt::Debug for Lca<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lca")
            .field("probe", &self.probe)
            .field("settings", &self.settings)
            .finish()
    }
}

impl<B: Clone + 'static> Lca<B> {
    /// Returns loss change allocation over a probe with the default settings:
    /// [`Integrator::adaptive`], no validation probe, nothing recorded.
    pub fn new<I: 'static>(probe: Probe<I, B>) -> Self {
        Self {
            probe: Box::new(probe),
            settings: Settings::default(),
        }
    }

    /// Returns `self` with a second probe, measured along the same steps.
    pub fn validation<I: 'static>(mut self, probe: Probe<I, B>) -> Self {
        self.settings.validation = Some(Box::new(probe));
        self
    }

    /// Returns `self` with another rule for how finely the gradient is integrated along a step.
    pub fn integrator(mut self, integrator: Integrator) -> Self {
        self.settings.integrator = Some(integrator);
        self
    }

    /// Returns `self` with other statistics for batch normalization while the loss is measured.
    pub fn batch_norm(mut self, mode: BatchNormMode) -> Self {
        self.settings.batch_norm = Some(mode);
        self
    }

    /// Returns `self` with the optimizer's weight decay, so that its share of the loss change is told
    /// apart: a factor such as `0.01`, or one by parameter group. [`WeightDecay`] says for which
    /// optimizers that is exact. [`observe`](LcaObserver::observe) then needs every optimizer step,
    /// and its learning rate: call [`set_learning_rate`](LcaObserver::set_learning_rate) before it.
    pub fn weight_decay(mut self, decay: impl Into<WeightDecay>) -> Self {
        self.settings.weight_decay = Some(decay.into());
        self
    }

    /// Returns `self` with a record of the run, as Parquet files.
    pub fn record(mut self, recorder: Recorder) -> Self {
        self.settings.recorder = Some(recorder);
        self
    }

    /// Returns `self` with so many threads that sweep at a time on each device, every one a chunk of
    /// its own. Without it, the number that is fastest is found by trying: up to all cores on a CPU,
    /// one on a GPU. LCA does not depend on it, to the last bit; memory grows by the forward pass of
    /// a chunk and two copies of the gradient for each.
    pub fn workers(mut self, count: usize) -> Self {
        self.settings.workers.count = Some(count);
        self
    }

    /// Returns `self` with several devices to sweep on, each of which keeps its part of the probes
    /// and has a copy of the model: for every sweep the parameters go there, and the sums by class
    /// come back. The model's own device takes part if it is named. LCA does not depend on it, to
    /// the last bit where the devices compute alike.
    pub fn devices(mut self, devices: impl IntoIterator<Item = Device>) -> Self {
        self.settings.workers.devices = devices.into_iter().collect();
        self
    }

    /// Returns `self` with so many optimizer steps in a row measured as one, which costs the sweeps
    /// of one step: the loss change over all of them is allocated along the straight line from
    /// their start to their end, and the sum is still grounded. What the parameters did between is
    /// not seen. It replaces [`one_in`](Self::one_in).
    ///
    /// Call [`step`](LcaObserver::step) after every optimizer step, and
    /// [`end_segment`](LcaObserver::end_segment) where a segment has to end early.
    pub fn every(mut self, steps: usize) -> Self {
        self.settings.observed = ObservedInfo::segments(steps as u64);
        self
    }

    /// Returns `self` with one optimizer step in so many measured: iterations 0, `steps`,
    /// 2 · `steps` and so on, exactly as if all were. Sums over the run then leave the other steps
    /// out. It replaces [`every`](Self::every).
    ///
    /// Call [`step`](LcaObserver::step) after every optimizer step. Of a probe that is not sampled, a
    /// measured step costs one sweep more, at its start.
    pub fn one_in(mut self, steps: usize) -> Self {
        self.settings.observed = ObservedInfo::one_in(steps as u64);
        self
    }

    /// Returns an observer that starts at the model's present parameters.
    ///
    /// Burn draws the initial value of a parameter at its first use. If the model has parameters
    /// that are not drawn yet, they are left alone so that training draws the same numbers as
    /// without this crate, and the observer starts at the first
    /// [`observe`](LcaObserver::observe), which then returns the errors.
    ///
    /// # Errors
    ///
    /// Settings that can't work, a loss that is not the mean that it is said to be or draws random
    /// numbers, a model without trainable parameters, examples that can't be read, a device that
    /// fails, a folder that can't be written.
    pub fn start<M>(self, model: &M) -> Result<LcaObserver<M>, LcaError>
    where
        M: Module + Display + InferenceStep<Input = B, Output: MeanLoss>,
    {
        let mut observer = LcaObserver {
            state: ObserverState::Waiting(Box::new(Waiting {
                model: model.clone(),
                lca: self,
            })),
            epoch: 0,
            learning_rate: None,
        };
        if is_initialized(model) {
            observer.started()?;
        }
        Ok(observer)
    }
}

/// A running observation of a training loop; made by [`Lca::start`].
///
/// ```
#[doc = include_str!("../doc_setup.md")]
/// use burn_lca::prelude::*;
///
/// let mut lca = Lca::new(Probe::new(dataset(), MyBatcher)).start(&model)?;
/// for epoch in 1..=2 {
///     lca.set_epoch(epoch);
///     lca.set_learning_rate(lr);
///     for batch in batches.clone() {
///         let grads = TrainStep::step(&model, batch).grads;
///         model = optimizer.step(lr, model, grads);
///         let step = lca.observe(&model)?;
///         assert_eq!((step.epoch(), step.learning_rate()), (epoch, Some(lr)));
///     }
/// }
/// lca.finish()?;
/// # Ok::<(), LcaError>(())
/// ```
#[must_use = "call `observe` after every optimizer step"]
pub struct LcaObserver<M: InferenceStep> {
    state: ObserverState<M>,
    epoch: u32,
    learning_rate: Option<ModuleLearningRate>,
}

enum ObserverState<M: InferenceStep> {
    Waiting(Box<Waiting<M>>),
    Started(Box<Engine<M>>),
    /// Starting failed; the error has been returned.
    Failed,
}

/// An observation that reads its first parameters once training has drawn them: the clone
/// shares them with the model.
struct Waiting<M: InferenceStep> {
    model: M,
    lca: Lca<M::Input>,
}

impl<M: InferenceStep> fmt::Debug for LcaObserver<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let next_iteration = match &self.state {
            ObserverState::Started(engine) => Some(engine.iteration),
            ObserverState::Waiting(_) | ObserverState::Failed => None,
        };
        f.debug_struct("LcaObserver")
            .field("next_iteration", &next_iteration)
            .field("epoch", &self.epoch)
            .field(
                "learning_rate",
                &self.learning_rate.as_ref().map(ModuleLearningRate::base),
            )
            .finish_non_exhaustive()
    }
}

impl<M> LcaObserver<M>
where
    M: Module + Display + InferenceStep<Input: Clone, Output: MeanLoss>,
{
    /// Returns the allocation of the step that led from the last observed parameters to these.
    ///
    /// Call it after every optimizer step. If several steps were taken since the last call, their
    /// joint effect is allocated along the straight line from the first point to the last, and
    /// counts as one step; [`Lca::every`] counts them.
    ///
    /// # Errors
    ///
    /// [`LcaError::Setting`] with [`Lca::every`] or [`Lca::one_in`], by which there are steps to
    /// return nothing of: call [`step`](Self::step). A model with other tensors than at the start, a
    /// device that fails, no learning rate where the share of weight decay is asked for, and at the
    /// first call the errors of [`Lca::start`] where it could not start yet. A disk that fails stops
    /// the recording, as [`recording_failure`](Self::recording_failure) says, and is the error of
    /// [`finish`](Self::finish).
    pub fn observe(&mut self, model: &M) -> Result<StepAllocation, LcaError> {
        let (epoch, learning_rate) = (self.epoch, self.learning_rate.clone());
        let engine = self.started()?;
        if !engine.measures_every_step() {
            return Err(LcaError::setting(
                "Lca::every, Lca::one_in",
                "`observe` measures every step",
                "call `step`, which returns `None` of steps at which nothing is measured",
            ));
        }
        engine.observe(model, epoch, learning_rate)
    }

    /// Counts an optimizer step, and returns what was measured: of the step, or of the segment that
    /// ends with it; `None` where nothing was, by [`Lca::every`] or [`Lca::one_in`].
    ///
    /// Call it after every optimizer step.
    ///
    /// ```
    #[doc = include_str!("../doc_setup.md")]
    /// use burn_lca::prelude::*;
    ///
    /// let mut lca = Lca::new(Probe::new(dataset(), MyBatcher)).every(4).start(&model)?;
    /// let mut seen = Vec::new();
    /// for batch in batches.iter().cycle().take(10).cloned() {
    ///     let grads = TrainStep::step(&model, batch).grads;
    ///     model = optimizer.step(lr, model, grads);
    ///     seen.extend(lca.step(&model)?.map(|step| (step.iteration(), step.span())));
    /// }
    /// seen.extend(lca.end_segment(&model)?.map(|step| (step.iteration(), step.span())));
    /// assert_eq!(seen, [(0, 4), (4, 4), (8, 2)]);
    /// lca.finish()?;
    /// # Ok::<(), LcaError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`observe`](Self::observe), but for the setting.
    pub fn step(&mut self, model: &M) -> Result<Option<StepAllocation>, LcaError> {
        let (epoch, learning_rate) = (self.epoch, self.learning_rate.clone());
        self.started()?.step(model, epoch, learning_rate, false)
    }

    /// Measures the steps since the last segment as one that is shorter; `None` if there are none, or
    /// without [`Lca::every`].
    ///
    /// Call it at the end of the training, so that the sum is grounded on the whole loss change, and
    /// before a checkpoint is written that the training may be resumed from.
    ///
    /// # Errors
    ///
    /// Those of [`step`](Self::step).
    pub fn end_segment(&mut self, model: &M) -> Result<Option<StepAllocation>, LcaError> {
        self.started()?.end_segment(model)
    }

    /// Sets the epoch, from 1, that the coming steps are recorded with.
    pub fn set_epoch(&mut self, epoch: u32) {
        self.epoch = epoch;
    }

    /// Sets the learning rate that the coming steps are recorded with: what the optimizer's `step`
    /// is given, a number or one by parameter group. Of groups, the base is recorded.
    pub fn set_learning_rate(&mut self, learning_rate: impl Into<ModuleLearningRate>) {
        self.learning_rate = Some(learning_rate.into());
    }

    /// Returns why the recording stopped, if it did: a disk that fails does not end the training.
    #[must_use]
    pub fn recording_failure(&self) -> Option<String> {
        match &self.state {
            ObserverState::Started(engine) => engine.recording_failure(),
            ObserverState::Waiting(_) | ObserverState::Failed => None,
        }
    }

    /// Ends the observation, and the recording if there is one. Steps of a segment that is not
    /// complete are not measured any more; see [`end_segment`](Self::end_segment).
    ///
    /// # Errors
    ///
    /// A disk that failed while the run was recorded.
    pub fn finish(self) -> Result<(), LcaError> {
        match self.state {
            ObserverState::Started(engine) => {
                let left = engine.unmeasured();
                if left > 0 {
                    log::warn!(
                        "LCA: the last {left} steps are not measured; call `end_segment` before \
                         `finish`"
                    );
                }
                engine.finish(RunState::Finished)
            }
            ObserverState::Waiting(_) | ObserverState::Failed => Ok(()),
        }
    }

    fn started(&mut self) -> Result<&mut Engine<M>, LcaError> {
        if let ObserverState::Waiting(_) = self.state
            && let ObserverState::Waiting(waiting) =
                std::mem::replace(&mut self.state, ObserverState::Failed)
        {
            let Waiting { model, lca } = *waiting;
            let engine = Engine::start(
                &model,
                MainProbe::Given(lca.probe),
                lca.settings,
                Resume::AfterLastStep,
            )?;
            log::info!("LCA: {}", engine.cost().said(None));
            self.state = ObserverState::Started(Box::new(engine));
        }
        match &mut self.state {
            ObserverState::Started(engine) => Ok(engine),
            ObserverState::Waiting(_) | ObserverState::Failed => Err(LcaError::NothingToMeasure {
                problem: "the observation failed to start".to_owned(),
                remedy: "correct what its error named, and start again",
            }),
        }
    }
}
