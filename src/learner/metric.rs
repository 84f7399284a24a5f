//! What is measured on a learner, and which series the dashboard shows.

use std::fmt;

use burn::tensor::Device;
use burn::train::ExecutionStrategy;

use super::execution::Execution;
use super::origin::{TrainingData, UserProbe};
use super::series::StepSeries;
use crate::allocation::StepAllocation;
use crate::observer::{Settings, WeightDecay};
use crate::probe::{BatchNormMode, Probe};
use crate::quadrature::Integrator;
use crate::record::{ObservedInfo, Recorder};

/// Loss change allocation as a metric of a Burn learner.
///
/// With no settings the probe is the learner's own training data, all of it or fresh samples
/// ([`new`](Self::new)), and the dashboard shows the LCA of each step, the percentage of parameters
/// that helped, the residual, and what measuring costs:
///
/// ```no_run
#[doc = include_str!("../doc_setup.md")]
/// use burn_lca::prelude::*;
///
/// let training = SupervisedTraining::new("artifacts", loader(), loader())
///     .metrics((LossMetric::new(),))
///     .metric(LcaMetric::new())
///     .num_epochs(3)
///     .summary();
/// let result = training.launch(Learner::new(model, optimizer, lr));
/// ```
///
/// Burn's own `.metrics(LcaMetric::new())` does the same, but not in a tuple with other metrics.
///
/// Settings are added on the metric, and are checked before the first step of the training:
///
/// ```no_run
#[doc = include_str!("../doc_setup.md")]
/// use burn_lca::prelude::*;
///
/// let metric = LcaMetric::new()
///     .probe(Probe::new(dataset(), MyBatcher).classes(2, |&x: &f32| usize::from(x > 0.5)))
///     .integrator(Integrator::adaptive().tolerance(1e-5, 0.0))
///     .layer("linear") // one more series in the dashboard
///     .class(1) // and another
///     .on_step(|step| println!("{}: {:+.3e}", step.iteration(), step.lca()))
///     .record(Recorder::new("artifacts/lca"));
/// # SupervisedTraining::<Model>::new("artifacts", loader(), loader()).metric(metric);
/// ```
///
/// `B` is what the model's `InferenceStep` takes, `S` where the probe comes from.
#[must_use = "the metric measures nothing until a training has it"]
pub struct LcaMetric<B, S = TrainingData> {
    pub(super) origin: S,
    pub(super) settings: Settings<B>,
    pub(super) execution: Execution,
    pub(super) on_step: Option<OnStep>,
    pub(super) series: Vec<StepSeries>,
}

pub(super) type OnStep = Box<dyn FnMut(&StepAllocation)>;

impl<B, S: fmt::Debug> fmt::Debug for LcaMetric<B, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LcaMetric")
            .field("origin", &self.origin)
            .field("settings", &self.settings)
            .field("execution", &self.execution)
            .field("series", &self.series)
            .finish_non_exhaustive()
    }
}

impl<B: 'static> LcaMetric<B, TrainingData> {
    /// Returns the metric with default settings: it measures on the learner's own training data
    /// with [`Integrator::adaptive`], and records nothing.
    ///
    /// Up to 1,024 examples in up to 32 batches are swept whole at every step, and so is what two
    /// batches hold. Of more data, every step is measured on a fresh sample of about as many
    /// examples as a batch has, whatever its own batch: measuring takes about twice the time of
    /// training. Hard steps are integrated more finely where the residual is above a tenth of the
    /// loss change, in place of a hundredth, which samples can't tell. LCA is then an unbiased estimate with a standard error, as of
    /// [`Probe::sampled`]; what is drawn is a few blocks of successive examples of the loader, in
    /// two halves. `docs/method.md` says what that means.
    #[expect(
        clippy::new_without_default,
        reason = "a default for one of the two kinds of origin would leave the type ambiguous"
    )]
    pub fn new() -> Self {
        Self {
            origin: TrainingData { whole: false },
            settings: Settings::default(),
            execution: Execution(None),
            on_step: None,
            series: vec![StepSeries::Lca, StepSeries::Helping, StepSeries::Residual],
        }
    }

    /// Returns the metric measured on every batch of the learner's own training data, whatever that
    /// costs: an epoch of the loader is read before the first step and kept on the device, and every
    /// step takes a sweep of it all.
    pub fn whole(mut self) -> Self {
        self.origin.whole = true;
        self
    }
}

impl<B: 'static, S> LcaMetric<B, S> {
    /// Returns the metric with a probe in place of the learner's own training batches: in larger
    /// chunks, by class, or a subset.
    pub fn probe<I: 'static>(self, probe: Probe<I, B>) -> LcaMetric<B, UserProbe<B>> {
        LcaMetric {
            origin: UserProbe(Box::new(probe)),
            settings: self.settings,
            execution: self.execution,
            on_step: self.on_step,
            series: self.series,
        }
    }

    /// Returns the metric with a second probe, measured along the same steps: which parameters
    /// help training and hurt validation? Its LCA is shown too.
    pub fn validation<I: 'static>(mut self, probe: Probe<I, B>) -> Self {
        self.settings.validation = Some(Box::new(probe));
        self.series.push(StepSeries::Validation);
        self
    }

    /// Returns the metric with another rule for how finely the gradient is integrated along a
    /// step.
    pub fn integrator(mut self, integrator: Integrator) -> Self {
        self.settings.integrator = Some(integrator);
        self
    }

    /// Returns the metric with other statistics for batch normalization while the loss is
    /// measured.
    pub fn batch_norm(mut self, mode: BatchNormMode) -> Self {
        self.settings.batch_norm = Some(mode);
        self
    }

    /// Returns the metric with so many threads that sweep at a time on each device, every one a chunk
    /// of its own. Without it, the number that is fastest is found by trying: up to all cores on a
    /// CPU, one on a GPU. LCA does not depend on it, to the last bit; memory grows by the forward
    /// pass of a chunk and two copies of the gradient for each.
    pub fn workers(mut self, count: usize) -> Self {
        self.settings.workers.count = Some(count);
        self
    }

    /// Returns the metric with several devices to sweep on, each of which keeps its part of the
    /// probes and has a copy of the model: for every sweep the parameters go there, and the sums by
    /// class come back. The device that trains takes part if it is named. LCA does not depend on
    /// it, to the last bit where the devices compute alike. What trains where is another matter:
    /// that is
    /// [`strategy`](Self::strategy).
    pub fn devices(mut self, devices: impl IntoIterator<Item = Device>) -> Self {
        self.settings.workers.devices = devices.into_iter().collect();
        self
    }

    /// Returns the metric with so many optimizer steps in a row measured as one, which costs the
    /// sweeps of one step: the loss change over all of them is allocated along the straight line
    /// from their start to their end, and the sum is still grounded. What the parameters did between
    /// is not seen. The last segment of an epoch is shorter where the steps don't divide: a
    /// training that is resumed from there has the same segments. It replaces
    /// [`one_in`](Self::one_in).
    pub fn every(mut self, steps: usize) -> Self {
        self.settings.observed = ObservedInfo::segments(steps as u64);
        self
    }

    /// Returns the metric with one optimizer step in so many measured: iterations 0, `steps`,
    /// 2 · `steps` and so on, exactly as if all were. Sums over the run then leave the other steps
    /// out. It replaces [`every`](Self::every).
    ///
    /// Of a probe that is not sampled, a measured step costs one sweep more, at its start.
    pub fn one_in(mut self, steps: usize) -> Self {
        self.settings.observed = ObservedInfo::one_in(steps as u64);
        self
    }

    /// Returns the metric with the optimizer's weight decay, so that its share of the loss change
    /// is told apart: a factor such as `0.01`, or one by parameter group. [`WeightDecay`] says for
    /// which optimizers that is exact.
    pub fn weight_decay(mut self, decay: impl Into<WeightDecay>) -> Self {
        self.settings.weight_decay = Some(decay.into());
        self
    }

    /// Returns the metric with a record of the run, as Parquet files.
    pub fn record(mut self, recorder: Recorder) -> Self {
        self.settings.recorder = Some(recorder);
        self
    }

    /// Returns the metric with one more series in the dashboard: the LCA of one layer, that is of
    /// all tensors whose path is `path` or below it, such as `fc1` or `fc1.weight`.
    pub fn layer(mut self, path: impl Into<String>) -> Self {
        self.series.push(StepSeries::Layer(path.into()));
        self
    }

    /// Returns the metric with one more series in the dashboard: the LCA of one class of the probe,
    /// by its index.
    pub fn class(mut self, class: usize) -> Self {
        self.series.push(StepSeries::Class(class));
        self
    }

    /// Returns the metric with a function that is called with every observed step or segment, on the training
    /// thread, which waits for it.
    pub fn on_step(mut self, function: impl FnMut(&StepAllocation) + 'static) -> Self {
        self.on_step = Some(Box::new(function));
        self
    }

    /// Returns the metric for a training that runs elsewhere than on the device that the model was
    /// made on: the metric replaces the strategy of the training, so it has to be told.
    ///
    /// ```no_run
    #[doc = include_str!("../doc_setup.md")]
    /// use burn::train::{ExecutionStrategy, MultiDeviceOptim};
    /// use burn_lca::prelude::*;
    ///
    /// let devices = vec![Device::flex(), Device::flex()]; // two threads of one CPU
    /// let strategy = ExecutionStrategy::multi(devices, MultiDeviceOptim::OptimMainDevice);
    /// let metric = LcaMetric::new().strategy(strategy);
    /// # SupervisedTraining::<Model>::new("artifacts", loader(), loader()).metric(metric);
    /// ```
    ///
    /// With `ExecutionStrategy::MultiDevice` training is that of Burn on these devices, observed at
    /// every optimizer step; what is swept where is another matter ([`devices`](Self::devices)).
    /// Distributed data parallel training is refused before it starts: the backward passes of a sweep
    /// would count as part of its collective gradient.
    pub fn strategy(mut self, strategy: ExecutionStrategy) -> Self {
        self.execution = Execution(Some(strategy));
        self
    }

    /// The metric without what it says of where to train.
    pub(super) fn without_execution(mut self) -> (Execution, Self) {
        let execution = std::mem::replace(&mut self.execution, Execution(None));
        (execution, self)
    }
}
