//! What is measured on a learner, and which series the dashboard shows.

use std::fmt;

use burn::tensor::Device;

use super::origin::{TrainingData, UserProbe};
use super::series::StepSeries;
use crate::allocation::StepAllocation;
use crate::observer::Settings;
use crate::probe::{BatchNormMode, Probe};
use crate::quadrature::Integrator;
use crate::record::Recorder;

/// Loss change allocation as a metric of a Burn learner.
///
/// With no settings the probe is the learner's own training data, in the learner's own batches,
/// and the dashboard shows the LCA of each step, the percentage of parameters that helped and
/// the residual:
///
/// ```no_run
/// # use burn::{module::Module, nn::{Linear, LinearConfig, loss::{MseLoss, Reduction}}};
/// # use burn::data::dataloader::{DataLoader, DataLoaderBuilder, batcher::Batcher};
/// # use burn::data::dataset::InMemDataset;
/// # use burn::optim::SgdConfig;
/// # use burn::tensor::{Device, Tensor};
/// # use burn::train::{InferenceStep, Learner, RegressionOutput, SupervisedTraining, TrainOutput, TrainStep, metric::LossMetric};
/// # #[derive(Module, Debug)] struct Model { linear: Linear }
/// # #[derive(Clone, Debug)] struct Batch { x: Tensor<2> }
/// # #[derive(Clone)] struct MyBatcher;
/// # impl Batcher<f32, Batch> for MyBatcher {
/// #     fn batch(&self, items: Vec<f32>, device: &Device) -> Batch {
/// #         Batch { x: Tensor::<1>::from_floats(items.as_slice(), device).reshape([-1, 1]) }
/// #     }
/// # }
/// # impl InferenceStep for Model {
/// #     type Input = Batch;
/// #     type Output = RegressionOutput;
/// #     fn step(&self, batch: Batch) -> RegressionOutput {
/// #         let output = self.linear.forward(batch.x.clone());
/// #         let loss = MseLoss::new().forward(output.clone(), batch.x.clone(), Reduction::Mean);
/// #         RegressionOutput::new(loss, output, batch.x)
/// #     }
/// # }
/// # impl TrainStep for Model {
/// #     type Input = Batch;
/// #     type Output = RegressionOutput;
/// #     fn step(&self, batch: Batch) -> TrainOutput<RegressionOutput> {
/// #         let output = InferenceStep::step(self, batch);
/// #         TrainOutput::new(self, output.loss.backward(), output)
/// #     }
/// # }
/// # let loader = || DataLoaderBuilder::new(MyBatcher).batch_size(2).build(InMemDataset::new(vec![0.0_f32; 8]));
/// # let (dataloader_train, dataloader_valid) = (loader(), loader());
/// # let model = Model { linear: LinearConfig::new(1, 1).init(&Device::flex().autodiff()) };
/// # let (optimizer, lr) = (SgdConfig::new().init(), 0.1);
/// use burn_lca::prelude::*;
///
/// let training = SupervisedTraining::new("artifacts", dataloader_train, dataloader_valid)
///     .metrics((LossMetric::new(),))
///     .metric(LcaMetric::new())
///     .num_epochs(3)
///     .summary();
/// let result = training.launch(Learner::new(model, optimizer, lr));
/// ```
///
/// `B` is what the model's `InferenceStep` takes, `S` where the probe comes from.
pub struct LcaMetric<B, S = TrainingData> {
    pub(super) origin: S,
    pub(super) settings: Settings<B>,
    pub(super) device: Option<Device>,
    pub(super) on_step: Option<OnStep>,
    pub(super) series: Vec<StepSeries>,
}

pub(super) type OnStep = Box<dyn FnMut(&StepAllocation)>;

impl<B, S: fmt::Debug> fmt::Debug for LcaMetric<B, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LcaMetric")
            .field("origin", &self.origin)
            .field("settings", &self.settings)
            .field("device", &self.device)
            .field("series", &self.series)
            .finish_non_exhaustive()
    }
}

impl<B: 'static> LcaMetric<B, TrainingData> {
    /// Returns the metric with default settings.
    #[expect(
        clippy::new_without_default,
        reason = "a default for one of the two kinds of origin would leave the type ambiguous"
    )]
    pub fn new() -> Self {
        Self {
            origin: TrainingData,
            settings: Settings::default(),
            device: None,
            on_step: None,
            series: vec![StepSeries::Lca, StepSeries::Helping, StepSeries::Residual],
        }
    }
}

impl<B: 'static, S> LcaMetric<B, S> {
    /// Measures on a probe in place of the learner's own training batches: larger chunks,
    /// classes, a subset.
    pub fn probe<I: 'static>(self, probe: Probe<I, B>) -> LcaMetric<B, UserProbe<B>> {
        LcaMetric {
            origin: UserProbe(Box::new(probe)),
            settings: self.settings,
            device: self.device,
            on_step: self.on_step,
            series: self.series,
        }
    }

    /// Adds a second probe, measured along the same steps: which parameters help training and
    /// hurt validation? Its LCA is shown too.
    pub fn validation<I: 'static>(mut self, probe: Probe<I, B>) -> Self {
        self.settings.validation = Some(Box::new(probe));
        self.series.push(StepSeries::Validation);
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

    /// Shows the LCA of one layer too: of all tensors whose path is `path` or below it, such as
    /// `fc1` or `fc1.weight`.
    pub fn layer(mut self, path: impl Into<String>) -> Self {
        self.series.push(StepSeries::Layer(path.into()));
        self
    }

    /// Shows the LCA of one class of the probe too.
    pub fn class(mut self, class: usize) -> Self {
        self.series.push(StepSeries::Class(class));
        self
    }

    /// Calls a function with every observed step, on the training thread.
    pub fn on_step(mut self, function: impl FnMut(&StepAllocation) + 'static) -> Self {
        self.on_step = Some(Box::new(function));
        self
    }

    /// Trains on another device than the one that the model was made on.
    pub fn device(mut self, device: Device) -> Self {
        self.device = Some(device);
        self
    }
}
