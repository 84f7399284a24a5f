//! Trains one setting, and records it.

use std::error::Error;
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use burn::data::dataloader::DataLoaderBuilder;
use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::{Dataset, InMemDataset};
use burn::lr_scheduler::module_lr_scheduler::{ModuleLearningRate, ModuleLrScheduler};
use burn::module::{Module, ParamGroup};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, ModuleOptimizer, RmsPropConfig, SgdConfig};
use burn::tensor::Device;
use burn::train::{ClassificationOutput, InferenceStep, TrainStep};
use burn_lca::ParameterSelection;
use burn_lca::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data::{CLASSES, ImageBatcher};
use crate::models::{Fc, LeNet};
use crate::network::ResNet;
use crate::networks::{AllCnn, Vgg};
use crate::photos::{COLOURS, PhotoBatch, PhotoBatcher};
use crate::setting::{Measured, Network, Optimizer, PhotoSize, Setting};
use crate::source::Source;

/// Parameters of each tensor that are recorded one by one.
const RECORDED: usize = 50;
/// Images of a pass that only computes the loss.
const EVALUATION_BATCH: usize = 250;

/// What is left of a run beside its record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// From the first step to the last.
    pub seconds: f64,
    /// Loss over all training images after the last step, in inference mode.
    pub training_loss: f64,
    /// The same over the validation images.
    pub validation_loss: f64,
}

/// Where and with what a setting is trained.
pub struct Trainer<'a> {
    pub setting: &'a Setting,
    pub source: &'a Source,
    pub device: Device,
    /// The folder of the record, which is replaced.
    pub record: &'a Path,
    /// Images swept at once where batch normalization takes their statistics.
    pub chunk: usize,
}

impl Trainer<'_> {
    /// Trains, and tells `progress` of each step.
    pub fn train(&self, progress: &mut dyn FnMut(usize)) -> Result<Outcome, Box<dyn Error>> {
        let device = self.device.clone().autodiff();
        device.seed(self.setting.seed);
        let images = self.setting.images;
        match self.setting.network {
            Network::Fc => {
                let mnist = self.source.mnist(images)?;
                let data = Data::new(mnist.training, mnist.validation, |image| image.label);
                self.run(Fc::new(&device), data, ImageBatcher, progress)
            }
            Network::LeNet => {
                let mnist = self.source.mnist(images)?;
                let data = Data::new(mnist.training, mnist.validation, |image| image.label);
                self.run(LeNet::new(&device), data, ImageBatcher, progress)
            }
            Network::ResNet(size) => {
                let model = ResNet::new([COLOURS, CLASSES], size.width, &device);
                self.run_photos(model, size, progress)
            }
            Network::AllCnn(size) => {
                let model = AllCnn::new([COLOURS, CLASSES], size.width, &device);
                self.run_photos(model, size, progress)
            }
            Network::Vgg(size) => {
                let model = Vgg::new([COLOURS, CLASSES], size.width, &device);
                self.run_photos(model, size, progress)
            }
        }
    }

    fn run_photos<M>(
        &self,
        model: M,
        size: PhotoSize,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Outcome, Box<dyn Error>>
    where
        M: Module
            + Display
            + TrainStep<Input = PhotoBatch, Output = ClassificationOutput>
            + InferenceStep<Input = PhotoBatch, Output = ClassificationOutput>,
    {
        let cifar = self.source.cifar(self.setting.images, size.side)?;
        let data = Data::new(cifar.training, cifar.validation, |photo| photo.label);
        self.run(model, data, PhotoBatcher { side: size.side }, progress)
    }

    fn run<M, I, B, T>(
        &self,
        mut model: M,
        data: Data<I>,
        batcher: T,
        progress: &mut dyn FnMut(usize),
    ) -> Result<Outcome, Box<dyn Error>>
    where
        M: Module
            + Display
            + TrainStep<Input = B, Output = ClassificationOutput>
            + InferenceStep<Input = B, Output = ClassificationOutput>,
        I: Clone + Send + Sync + std::fmt::Debug + 'static,
        B: Clone + Send + std::fmt::Debug + 'static,
        T: Batcher<I, B> + Clone + 'static,
    {
        let setting = self.setting;
        let device = self.device.clone().autodiff();
        let loader = DataLoaderBuilder::new(batcher.clone())
            .batch_size(setting.batch)
            .shuffle(setting.seed)
            .set_device(device)
            .build(data.training.clone());
        let mut optimizer = optimizer(setting);
        let mut lca = match setting.probe {
            Measured::Nothing => None,
            Measured::Whole | Measured::Sample(_) => Some(self.lca(&data, &batcher).start(&model)?),
        };
        let start = Instant::now();
        let mut step = 0;
        let mut epoch = 0;
        while step < setting.steps {
            epoch += 1;
            for batch in loader.iter().take(setting.steps - step) {
                let rate = rate(setting, step);
                let grads = TrainStep::step(&model, batch?).grads;
                model = optimizer.step(rate.clone(), model, grads);
                if let Some(lca) = &mut lca {
                    lca.set_epoch(epoch);
                    lca.set_learning_rate(rate);
                    lca.observe(&model)?;
                }
                step += 1;
                progress(step);
            }
        }
        if let Some(lca) = lca {
            lca.finish()?;
        }
        let seconds = start.elapsed().as_secs_f64();
        let model = model.valid();
        Ok(Outcome {
            seconds,
            training_loss: self.loss(&model, data.training, &batcher)?,
            validation_loss: self.loss(&model, data.validation, &batcher)?,
        })
    }

    /// Returns how the setting is measured and recorded.
    fn lca<I, B, T>(&self, data: &Data<I>, batcher: &T) -> Lca<B>
    where
        I: Clone + Send + Sync + std::fmt::Debug + 'static,
        B: Clone + Send + 'static,
        T: Batcher<I, B> + Clone + 'static,
    {
        let setting = self.setting;
        let probe = |images: &Arc<InMemDataset<I>>| {
            let mut probe = Probe::new(images.clone(), batcher.clone());
            if setting.classes {
                let class = data.class;
                probe = probe.classes(CLASSES, move |image| class(image).into());
            }
            // Batch normalization takes the statistics of a chunk.
            if let Network::ResNet(_) | Network::Vgg(_) = setting.network {
                probe = probe.chunk_size(self.chunk);
            }
            match setting.probe {
                Measured::Sample(images) => probe.sampled(images, setting.seed),
                Measured::Nothing | Measured::Whole => probe,
            }
        };
        let recorder = Recorder::new(self.record)
            .overwrite()
            .parameters(ParameterSelection::all().random_indices(RECORDED, 0));
        let integrator = match setting.network {
            // Its loss bends so much along a step that a hundredth of the change takes ten sweeps.
            Network::ResNet(_) | Network::Vgg(_) => Integrator::adaptive().tolerance(1e-4, 0.1),
            Network::Fc | Network::LeNet | Network::AllCnn(_) => Integrator::adaptive(),
        };
        let lca = Lca::new(probe(&data.training)).record(recorder);
        let lca = lca.integrator(integrator);
        if setting.validation {
            lca.validation(probe(&data.validation))
        } else {
            lca
        }
    }

    /// Returns the mean loss over some images.
    fn loss<M, I, B, T>(
        &self,
        model: &M,
        images: Arc<InMemDataset<I>>,
        batcher: &T,
    ) -> Result<f64, Box<dyn Error>>
    where
        M: InferenceStep<Input = B, Output = ClassificationOutput>,
        I: Clone + Send + Sync + std::fmt::Debug + 'static,
        B: Clone + Send + std::fmt::Debug + 'static,
        T: Batcher<I, B> + Clone + 'static,
    {
        let count = images.len();
        let loader = DataLoaderBuilder::new(batcher.clone())
            .batch_size(EVALUATION_BATCH)
            .set_device(self.device.clone())
            .build(images);
        let mut sum = 0.0;
        for batch in loader.iter() {
            let output = model.step(batch?);
            let [images] = output.targets.dims();
            sum += output.loss.into_scalar::<f64>() * images as f64;
        }
        Ok(sum / count as f64)
    }
}

/// Images, and which class they are of.
struct Data<I> {
    training: Arc<InMemDataset<I>>,
    validation: Arc<InMemDataset<I>>,
    class: fn(&I) -> u8,
}

impl<I> Data<I> {
    fn new(
        training: Arc<InMemDataset<I>>,
        validation: Arc<InMemDataset<I>>,
        class: fn(&I) -> u8,
    ) -> Self {
        Self {
            training,
            validation,
            class,
        }
    }
}

/// Returns the optimizer, with one of its own for a layer that is an exception.
fn optimizer(setting: &Setting) -> ModuleOptimizer {
    let optimizer = match setting.optimizer {
        Optimizer::Sgd => sgd(setting.momentum).init(),
        Optimizer::Rmsprop => RmsPropConfig::new().with_momentum(0.0).init(),
        Optimizer::Adam => AdamConfig::new().init(),
    };
    let exception = setting.exception.as_ref();
    match exception.and_then(|exception| Some((exception.layer, exception.momentum?))) {
        Some((layer, momentum)) => optimizer.with_group(group(layer), sgd(momentum).build(), None),
        None => optimizer,
    }
}

/// Returns SGD that moves along v ← momentum·v + gradient.
fn sgd(momentum: f64) -> SgdConfig {
    let config = MomentumConfig::new().with_momentum(momentum);
    let config = config.with_dampening(0.0);
    SgdConfig::new().with_momentum((momentum > 0.0).then_some(config))
}

fn rate(setting: &Setting, step: usize) -> ModuleLearningRate {
    let rate = setting.rate_at(step);
    let scheduler = ModuleLrScheduler::new(rate);
    let mut scheduler = match &setting.exception {
        Some(exception) => scheduler.with_group(group(exception.layer), rate * exception.rate),
        None => scheduler,
    };
    scheduler.step()
}

/// Returns the parameters right in a layer.
fn group(layer: &str) -> ParamGroup {
    ParamGroup::from_predicate(format!("{layer}."))
}
