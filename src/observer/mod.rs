//! θ_t and θ_{t+1} in, the allocation of the step out.

mod measurement;
mod recording;
mod start;

use std::fmt::{self, Display};

use burn::module::Module;
use burn::train::InferenceStep;

use crate::LcaError;
use crate::accumulation::ObservedStep;
use crate::allocation::StepAllocation;
use crate::parameters::{TensorKind, Values, is_initialized};
use crate::probe::{BatchNormMode, Examples, MeanLoss, Probe, Twin};
use crate::quadrature::Integrator;
use crate::record::{Recorder, RunState};

use measurement::{Measurement, Segment};
use recording::Recording;
pub(crate) use start::{MainProbe, Resume};

/// Loss change allocation for a training loop of one's own.
///
/// ```
/// # use burn::data::{dataset::InMemDataset, dataloader::batcher::Batcher};
/// # use burn::module::Module;
/// # use burn::nn::{Linear, LinearConfig, loss::{MseLoss, Reduction}};
/// # use burn::optim::{GradientsParams, SgdConfig};
/// # use burn::tensor::{Device, Tensor};
/// # use burn::train::{InferenceStep, RegressionOutput};
/// use burn_lca::prelude::*;
/// # #[derive(Module, Debug)] struct Model { linear: Linear }
/// # #[derive(Clone, Debug)] struct Batch { x: Tensor<2>, y: Tensor<2> }
/// # struct MyBatcher;
/// # impl Batcher<f32, Batch> for MyBatcher {
/// #     fn batch(&self, items: Vec<f32>, device: &Device) -> Batch {
/// #         let x = Tensor::<1>::from_floats(items.as_slice(), device).reshape([-1, 1]);
/// #         Batch { y: x.clone() * 3.0 + 1.0, x }
/// #     }
/// # }
/// # impl InferenceStep for Model {
/// #     type Input = Batch;
/// #     type Output = RegressionOutput;
/// #     fn step(&self, batch: Batch) -> RegressionOutput {
/// #         let output = self.linear.forward(batch.x);
/// #         let loss = MseLoss::new().forward(output.clone(), batch.y.clone(), Reduction::Mean);
/// #         RegressionOutput::new(loss, output, batch.y)
/// #     }
/// # }
/// # let device = Device::flex().autodiff();
/// # let mut model = Model { linear: LinearConfig::new(1, 1).init(&device) };
/// # let mut optimizer = SgdConfig::new().init();
/// # let lr = 0.1;
/// # let dataset = || InMemDataset::new(vec![0.0, 0.5, 1.0, 1.5]);
/// # let batches = vec![MyBatcher.batch(vec![0.0, 1.5], &device); 3];
///
/// let probe = Probe::new(dataset(), MyBatcher);
/// let mut lca = Lca::new(probe).start(&model)?;
/// for batch in batches {
///     let loss = model.step(batch).loss;
///     let grads = GradientsParams::from_grads(loss.backward(), &model);
///     model = optimizer.step(lr, model, grads);
///     let step: StepAllocation = lca.observe(&model)?;
///     println!("{:+.3e} residual {:+.1e}", step.lca(), step.residual());
/// }
/// lca.finish()?;
/// # Ok::<(), LcaError>(())
/// ```
pub struct Lca<B> {
    probe: Box<dyn Examples<B>>,
    settings: Settings<B>,
}

/// What can be set beside the main probe, on a learner and in a loop of one's own alike.
pub(crate) struct Settings<B> {
    pub validation: Option<Box<dyn Examples<B>>>,
    pub integrator: Integrator,
    pub batch_norm: Option<BatchNormMode>,
    pub recorder: Option<Recorder>,
}

impl<B> fmt::Debug for Settings<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("validation", &self.validation)
            .field("integrator", &self.integrator)
            .field("batch_norm", &self.batch_norm)
            .field("recorder", &self.recorder)
            .finish()
    }
}

impl<B> Default for Settings<B> {
    fn default() -> Self {
        Self {
            validation: None,
            integrator: Integrator::default(),
            batch_norm: None,
            recorder: None,
        }
    }
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
    /// Returns loss change allocation over a probe, with the default settings: adaptive
    /// quadrature, no validation probe, nothing recorded.
    pub fn new<I: 'static>(probe: Probe<I, B>) -> Self {
        Self {
            probe: Box::new(probe),
            settings: Settings::default(),
        }
    }

    /// Adds a second probe, measured along the same steps.
    pub fn validation<I: 'static>(mut self, probe: Probe<I, B>) -> Self {
        self.settings.validation = Some(Box::new(probe));
        self
    }

    /// Sets how finely the gradient is integrated along a step.
    pub fn integrator(mut self, integrator: Integrator) -> Self {
        self.settings.integrator = integrator;
        self
    }

    /// Sets which statistics batch normalization uses while the loss is measured.
    pub fn batch_norm(mut self, mode: BatchNormMode) -> Self {
        self.settings.batch_norm = Some(mode);
        self
    }

    /// Records the run as Parquet files.
    pub fn record(mut self, recorder: Recorder) -> Self {
        self.settings.recorder = Some(recorder);
        self
    }

    /// Starts observing at the model's present parameters.
    ///
    /// # Errors
    ///
    /// Settings that can't work, a loss that is not a mean over examples, a model without
    /// trainable parameters, a folder that can't be written. Where the model has parameters that
    /// Burn has not drawn yet, they are left alone, and all this is checked at the first
    /// [`observe`](LcaObserver::observe).
    pub fn start<M>(self, model: &M) -> Result<LcaObserver<M>, LcaError>
    where
        M: Module + Display + InferenceStep<Input = B>,
        M::Output: MeanLoss,
    {
        let mut observer = LcaObserver {
            state: State::Waiting(Box::new(Waiting {
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
pub struct LcaObserver<M: InferenceStep> {
    state: State<M>,
    epoch: u32,
    learning_rate: Option<f64>,
}

enum State<M: InferenceStep> {
    Waiting(Box<Waiting<M>>),
    Started(Box<Observer<M>>),
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
            State::Started(observer) => Some(observer.iteration),
            State::Waiting(_) | State::Failed => None,
        };
        f.debug_struct("LcaObserver")
            .field("next_iteration", &next_iteration)
            .field("epoch", &self.epoch)
            .field("learning_rate", &self.learning_rate)
            .finish_non_exhaustive()
    }
}

impl<M> LcaObserver<M>
where
    M: Module + Display + InferenceStep,
    M::Input: Clone + 'static,
    M::Output: MeanLoss,
{
    /// Returns what the optimizer step did that led from the last observed parameters to these.
    ///
    /// Call it after every optimizer step. After several, their joint effect is allocated, as of
    /// one step.
    ///
    /// # Errors
    ///
    /// A model with other tensors than at the start, a device that fails, and at the first call
    /// what [`Lca::start`] names. A disk that fails stops the recording, and is the error of
    /// [`finish`](Self::finish).
    pub fn observe(&mut self, model: &M) -> Result<StepAllocation, LcaError> {
        let (epoch, learning_rate) = (self.epoch, self.learning_rate);
        self.started()?.observe(model, epoch, learning_rate)
    }

    /// Sets the epoch, from 1, that the coming steps are recorded with.
    pub fn set_epoch(&mut self, epoch: u32) {
        self.epoch = epoch;
    }

    /// Sets the learning rate that the coming steps are recorded with.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = Some(learning_rate);
    }

    /// Ends the observation, and the recording if there is one.
    ///
    /// # Errors
    ///
    /// A disk that failed while the run was recorded.
    pub fn finish(self) -> Result<(), LcaError> {
        match self.state {
            State::Started(observer) => observer.finish(RunState::Finished),
            State::Waiting(_) | State::Failed => Ok(()),
        }
    }

    fn started(&mut self) -> Result<&mut Observer<M>, LcaError> {
        if let State::Waiting(_) = self.state
            && let State::Waiting(waiting) = std::mem::replace(&mut self.state, State::Failed)
        {
            let Waiting { model, lca } = *waiting;
            let observer = Observer::start(
                &model,
                MainProbe::given(lca.probe),
                lca.settings,
                Resume::AfterLastStep,
            )?;
            self.state = State::Started(Box::new(observer));
        }
        match &mut self.state {
            State::Started(observer) => Ok(observer),
            State::Waiting(_) | State::Failed => Err(LcaError::NothingToMeasure {
                problem: "the observation failed to start".to_owned(),
                remedy: "mend what the first error named and start again",
            }),
        }
    }
}

/// The engine: measures every step it is shown, and hands the numbers to the record.
pub(crate) struct Observer<M: InferenceStep> {
    twin: Twin<M>,
    integrator: Integrator,
    main: Measurement<M::Input>,
    validation: Option<Measurement<M::Input>>,
    here: Values,
    iteration: u64,
    recording: Option<Recording>,
}

impl<M> Observer<M>
where
    M: Module + Display + InferenceStep,
    M::Input: Clone,
    M::Output: MeanLoss,
{
    /// Allocates the loss change from the last observed parameters to the model's present ones.
    pub fn observe(
        &mut self,
        model: &M,
        epoch: u32,
        learning_rate: Option<f64>,
    ) -> Result<StepAllocation, LcaError> {
        let after = self.twin.read(model)?;
        let segment = Segment {
            step: after.minus(&self.here),
            before: std::mem::replace(&mut self.here, after.clone()),
            after,
        };
        let measure = |measurement: &mut Measurement<_>| {
            measurement.observe(&self.twin, &self.integrator, &segment)
        };
        let step = StepAllocation {
            iteration: self.iteration,
            epoch,
            learning_rate,
            probe: measure(&mut self.main)?,
            validation: self.validation.as_mut().map(measure).transpose()?,
        };
        self.iteration += 1;
        if let Some(recording) = &mut self.recording {
            recording.add(&ObservedStep {
                allocation: &step,
                step: &segment.step,
                after: &segment.after,
            })?;
        }
        Ok(step)
    }

    /// Makes durable what was recorded of an epoch, before a checkpoint of it is written.
    pub fn end_epoch(&mut self, epoch: u32) -> Result<(), LcaError> {
        match &mut self.recording {
            Some(recording) => recording.end_epoch(epoch, self.iteration),
            None => Ok(()),
        }
    }

    /// Paths of all parameters.
    pub fn paths(&self) -> Vec<&str> {
        let tensors = self.twin.layout.tensors.iter();
        tensors
            .filter(|tensor| tensor.kind != TensorKind::Buffer)
            .map(|tensor| &*tensor.path)
            .collect()
    }

    /// Number of classes of the main probe.
    pub fn classes(&self) -> usize {
        self.main.chunks.class_names.len()
    }

    /// What stopped the recording, if something did.
    pub fn recording_failure(&self) -> Option<String> {
        self.recording.as_ref()?.failure()
    }

    /// Ends the recording, if there is one.
    pub fn finish(self, state: RunState) -> Result<(), LcaError> {
        self.recording
            .map_or(Ok(()), |recording| recording.finish(state))
    }
}
