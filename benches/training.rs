//! What a training takes that is measured on samples, next to the same training without.
//!
//! `cargo bench --bench training` trains a learner with and without LCA, in turn, and prints the
//! ratio of the two times: measured on samples as large as a batch, by the trapezoid, recorded as
//! Parquet in the standard way. The last case is `LcaMetric::new()` and nothing else. With a name,
//! `cargo bench --bench training -- LeNet`, only the cases of that network are run.

#[path = "../examples/shared/digits.rs"]
mod digits;
mod shared;

use std::sync::Arc;
use std::time::{Duration, Instant};

use burn::data::dataloader::DataLoaderBuilder;
use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::{Dataset, InMemDataset};
use burn::optim::SgdConfig;
use burn::optim::momentum::MomentumConfig;
use burn::tensor::Device;
use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::MetricDefinition;
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};
use burn::train::{
    InferenceStep, Learner, LearnerModel, LearnerSummary, MetricRegistration, SupervisedTraining,
    TrainOutput, TrainStep,
};
use burn_lca::prelude::*;
use burn_lca::{TrainingData, UserProbe};

use shared::{Batch, CLASSES, FullyConnected, Item, ItemBatcher, LeNet};

/// Pairs of trainings whose ratio is taken.
const PAIRS: usize = 5;

macro_rules! train_step {
    ($($model:ty),+) => {$(
        impl TrainStep for $model {
            type Input = Batch;
            type Output = burn::train::ClassificationOutput;

            fn step(&self, batch: Batch) -> TrainOutput<burn::train::ClassificationOutput> {
                let output = InferenceStep::step(self, batch);
                TrainOutput::new(self, output.loss.backward(), output)
            }
        }
    )+};
}

train_step!(FullyConnected, LeNet);

/// Shows nothing.
struct Silent;

impl MetricsRendererTraining for Silent {
    fn update_train(&mut self, _: MetricState) {}
    fn update_valid(&mut self, _: MetricState) {}
    fn on_train_end(
        &mut self,
        _: Option<LearnerSummary>,
    ) -> Result<(), Box<dyn std::error::Error>> {
        Ok(())
    }
}

impl MetricsRenderer for Silent {
    fn manual_close(&mut self) {}
    fn register_metric(&mut self, _: MetricDefinition) {}
}

impl TrainingProgressLogger for Silent {
    fn start(&mut self, _: usize, _: usize, _: Option<usize>, _: Option<&str>) {}
    fn update_epoch(&mut self, _: usize) {}
    fn start_split(&mut self, _: &str, _: usize) {}
    fn update_split(&mut self, _: usize) {}
    fn end_split(&mut self) {}
    fn end(&mut self) {}
    fn log_event_training(&mut self, _: String) {}
}

impl MetricsRendererEvaluation for Silent {
    fn update_test(&mut self, _: EvaluationName, _: MetricState) {}
}

impl EvaluationProgressLogger for Silent {
    fn start_global_progress(&mut self, _: usize) {}
    fn start_test(&mut self, _: &str, _: usize) {}
    fn update_test_progress(&mut self, _: usize) {}
    fn end_test(&mut self) {}
    fn end_global_progress(&mut self) {}
    fn log_event_evaluation(&mut self, _: String) {}
}

/// A training whose every part is made anew for each run.
struct Case<I, M, Bt> {
    name: &'static str,
    dataset: Arc<InMemDataset<I>>,
    batcher: Bt,
    batch: usize,
    epochs: usize,
    model: fn(&Device) -> M,
}

impl<I, M, B, Bt> Case<I, M, Bt>
where
    I: Clone + Send + Sync + std::fmt::Debug + 'static,
    B: Clone + Send + std::fmt::Debug + 'static,
    M: LearnerModel + TrainStep<Input = B> + InferenceStep<Input = B>,
    Bt: Batcher<I, B> + Clone + 'static,
{
    /// Trains, and returns how long that took, and how long until the first step was measured.
    fn train<S>(&self, metric: Option<LcaMetric<B, S>>) -> (Duration, Option<Duration>)
    where
        B: 'static,
        LcaMetric<B, S>: MetricRegistration<M>,
    {
        let device = Device::flex().autodiff();
        device.seed(1);
        let model = (self.model)(&device);
        let loader = |dataset| {
            DataLoaderBuilder::new(self.batcher.clone())
                .batch_size(self.batch)
                .shuffle(1)
                .build(dataset)
        };
        let first = self.dataset.get(0).expect("in memory");
        let validation = Arc::new(InMemDataset::new(vec![first; 2]));
        let folder = tempfile::tempdir().expect("a temporary folder");
        let seen = std::rc::Rc::new(std::cell::Cell::new(None));
        let start = Instant::now();
        let training = SupervisedTraining::new(
            folder.path(),
            loader(self.dataset.clone()),
            loader(validation),
        )
        .num_epochs(self.epochs)
        .renderer(Box::new(Silent))
        .with_application_logger(None);
        let training = match metric {
            None => training,
            Some(metric) => {
                let seen = seen.clone();
                training.metric(metric.on_step(move |_| {
                    seen.set(seen.get().or(Some(start.elapsed())));
                }))
            }
        };
        let momentum = MomentumConfig::new().with_momentum(0.9);
        let optimizer = SgdConfig::new().with_momentum(Some(momentum)).init();
        let result = training.launch(Learner::new(model, optimizer, 0.01));
        assert!(result.error.is_none(), "{:?}", result.error);
        (start.elapsed(), seen.get())
    }

    fn compare<S>(&self, how: &str, metric: impl Fn() -> LcaMetric<B, S>)
    where
        LcaMetric<B, S>: MetricRegistration<M>,
    {
        let mut first_step = Duration::ZERO;
        let mut ratios: Vec<f64> = (0..PAIRS)
            .map(|_| {
                let (plain, _) = self.train::<S>(None);
                let (observed, first) = self.train(Some(metric()));
                first_step = first_step.max(first.unwrap_or_default());
                observed.as_secs_f64() / plain.as_secs_f64()
            })
            .collect();
        ratios.sort_by(f64::total_cmp);
        println!(
            "{}, batches of {}, {how}: {:.2} times the plain training (median of {PAIRS} pairs; \
             {:.2} to {:.2}), first step after {:.1} s",
            self.name,
            self.batch,
            ratios[PAIRS / 2],
            ratios[0],
            ratios[PAIRS - 1],
            first_step.as_secs_f64(),
        );
    }

    /// Measured on samples of the dataset: alone, and recorded.
    fn on_samples(&self)
    where
        LcaMetric<B, UserProbe<B>>: MetricRegistration<M>,
    {
        let metric = || {
            let probe = Probe::new(self.dataset.clone(), self.batcher.clone());
            let metric = LcaMetric::new().probe(probe.sampled(self.batch, 1));
            metric.integrator(Integrator::fixed(1))
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let recorder = || Recorder::new(folder.path()).overwrite();
        self.compare("samples of as many, nothing recorded", metric);
        self.compare("samples of as many, economy record", || {
            metric().record(recorder().economy())
        });
        self.compare("samples of as many, standard record", || {
            metric().record(recorder())
        });
    }

    /// With the one line.
    fn without_settings(&self)
    where
        LcaMetric<B, TrainingData>: MetricRegistration<M>,
    {
        self.compare("without settings", LcaMetric::<B, TrainingData>::new);
    }
}

fn main() {
    let items = |count| {
        let item = |k| Item::new(k as u32, k % CLASSES);
        Arc::new(InMemDataset::new((0..count).map(item).collect()))
    };
    let name = std::env::args().skip(1).find(|name| !name.starts_with('-'));
    let is_run = |case: &str| name.as_ref().is_none_or(|name| name == case);
    let digits = Case {
        name: "digits",
        dataset: digits::load().0,
        batcher: digits::DigitBatcher,
        batch: 32,
        epochs: 20,
        model: digits::DigitNet::new,
    };
    let fully_connected = Case {
        name: "MNIST-FC",
        dataset: items(10_000),
        batcher: ItemBatcher,
        batch: 250,
        epochs: 5,
        model: FullyConnected::new,
    };
    let lenet = Case {
        name: "LeNet",
        dataset: items(10_240),
        batcher: ItemBatcher,
        batch: 256,
        epochs: 1,
        model: LeNet::new,
    };
    if is_run(digits.name) {
        digits.on_samples();
    }
    if is_run(fully_connected.name) {
        fully_connected.on_samples();
    }
    if is_run(lenet.name) {
        lenet.on_samples();
        lenet.without_settings();
    }
}
