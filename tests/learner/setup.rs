//! One small training, with what a test wants to be different, and what came of it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::module::Module;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{ModuleOptimizer, SgdConfig};
use burn::tensor::Device;
use burn::train::metric::{AccuracyMetric, LossMetric, NumericEntry};
use burn::train::{Interruption, Learner, SupervisedTraining, TrainingError};
use burn_lca::{LcaError, Run, StepAllocation, Table};
use tempfile::TempDir;

use crate::data::{Digits, loader, training, validation};
use crate::net::{Net, NetConfig, Used, bits};
use crate::screen::Screen;
use crate::shared;

/// The random numbers of a device are the whole process's.
static RANDOM: Mutex<()> = Mutex::new(());

pub const SEED: u64 = 42;

/// Held by whatever draws from the device's random numbers.
pub fn random_numbers() -> MutexGuard<'static, ()> {
    RANDOM.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The device to train and measure on.
pub fn device() -> Device {
    shared::device().autodiff()
}

/// What is trained, and how.
pub struct Setup {
    pub net: NetConfig,
    pub frozen: bool,
    pub device: Device,
    pub digits: Digits,
    pub workers: usize,
    pub shuffle: bool,
    pub epochs: usize,
    pub optimizer: ModuleOptimizer,
    pub schedule: ModuleLrScheduler,
    pub screen: Screen,
    pub folder: Rc<TempDir>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            net: NetConfig::default(),
            frozen: false,
            device: device(),
            digits: training(),
            workers: 0,
            shuffle: true,
            epochs: 2,
            optimizer: SgdConfig::new()
                .with_momentum(Some(MomentumConfig::new()))
                .init(),
            schedule: ModuleLrScheduler::new(0.1),
            screen: Screen::default(),
            folder: Rc::new(tempfile::tempdir().unwrap()),
        }
    }
}

/// What came of a training.
pub struct Outcome {
    /// Parameters and running statistics, bit by bit.
    pub weights: Vec<(String, Vec<u32>)>,
    pub used: Used,
    pub error: Option<Arc<TrainingError>>,
    pub interrupted: Option<Interruption>,
    pub screen: Screen,
    pub folder: Rc<TempDir>,
}

impl Setup {
    /// The run folder of recordings.
    pub fn run_folder(&self) -> PathBuf {
        self.folder.path().join("lca")
    }

    /// Makes the network that training would start with, and holds on to the random numbers.
    pub fn start(&self) -> (Net, MutexGuard<'static, ()>) {
        let random = random_numbers();
        self.device.seed(SEED);
        let net = self.net.init(&self.device);
        let net = if self.frozen { net.no_grad() } else { net };
        (net, random)
    }

    /// Trains as Burn does by default.
    pub fn train_plainly(self) -> Outcome {
        self.train(|training| training)
    }

    /// Trains with what is added to Burn's training.
    pub fn train(
        self,
        add: impl FnOnce(SupervisedTraining<Net>) -> SupervisedTraining<Net>,
    ) -> Outcome {
        let (net, _random) = self.start();
        let log = net.log.clone();
        let loaders = [
            loader(self.digits, self.workers, self.shuffle.then_some(SEED)),
            loader(validation(), self.workers, None),
        ];
        let [loader, validation_loader] = loaders;
        let training = SupervisedTraining::new(self.folder.path(), loader, validation_loader)
            .metrics((AccuracyMetric::new(), LossMetric::new()))
            .num_epochs(self.epochs)
            .renderer(Box::new(self.screen.clone()))
            .with_application_logger(None);
        let result = add(training).launch(Learner::new(net, self.optimizer, self.schedule));
        Outcome {
            weights: bits(&result.model),
            used: log.used(),
            error: result.error,
            interrupted: result.interrupted,
            screen: self.screen,
            folder: self.folder,
        }
    }
}

impl Outcome {
    /// The lines of one of Burn's metric log files.
    pub fn log(&self, split: &str, epoch: usize, metric: &str) -> Vec<String> {
        let file = self.folder.path().join(split);
        let file = file.join(format!("epoch-{epoch}/{metric}.log"));
        let text = fs::read_to_string(file).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The values of a metric by training item, from Burn's metric log files.
    pub fn logged(&self, metric: &str) -> Vec<f64> {
        (1..)
            .map(|epoch| self.log("train", epoch, metric))
            .take_while(|lines| !lines.is_empty())
            .flatten()
            .map(|line| NumericEntry::deserialize(&line).unwrap())
            .filter(|entry| !matches!(entry, NumericEntry::Final(_)))
            .map(|entry| entry.current())
            .collect()
    }

    /// The metric log files that a training writes with and without LCA.
    pub fn metrics(&self) -> BTreeMap<String, Vec<String>> {
        let mut logs = BTreeMap::new();
        for split in ["train", "valid"] {
            for metric in ["Loss", "Accuracy"] {
                for epoch in 1..=9 {
                    let lines = self.log(split, epoch, metric);
                    if !lines.is_empty() {
                        logs.insert(format!("{split}/{epoch}/{metric}"), lines);
                    }
                }
            }
        }
        logs
    }

    /// Fails unless the training went exactly as another one.
    pub fn assert_same_training(&self, other: &Self) {
        let same = self.used.batches == other.used.batches;
        assert!(same, "order of the data");
        assert!(!self.metrics().is_empty());
        assert_eq!(self.metrics(), other.metrics());
        for ((path, values), (_, others)) in self.weights.iter().zip(&other.weights) {
            assert_eq!(values, others, "{path}");
        }
        assert_eq!(self.weights.len(), other.weights.len());
    }

    /// The error of this crate that training ended with.
    pub fn lca_error(&self) -> &LcaError {
        let error = self.error.as_ref().expect("an error");
        LcaError::of(error).unwrap_or_else(|| panic!("not an error of LCA: {error}"))
    }

    /// Fails if training or measuring ended with an error, or was interrupted.
    pub fn assert_fine(&self) {
        if let Some(error) = &self.error {
            panic!("{error}");
        }
        assert_eq!(self.interrupted, None);
    }

    pub fn run(&self) -> Run {
        Run::open(self.folder.path().join("lca")).unwrap()
    }
}

/// The steps that a training was seen to take.
#[derive(Clone, Default)]
pub struct Steps(Rc<RefCell<Vec<StepAllocation>>>);

impl Steps {
    /// What `LcaMetric::on_step` is given.
    pub fn collect(&self) -> impl FnMut(&StepAllocation) + 'static {
        let steps = self.0.clone();
        move |step| steps.borrow_mut().push(step.clone())
    }

    pub fn take(&self) -> Vec<StepAllocation> {
        self.0.take()
    }
}

/// All of a step's sums, bit by bit, to compare with those of another.
pub fn sums(step: &StepAllocation) -> (u64, Vec<u64>) {
    let mut sums = vec![
        step.loss_before(),
        step.loss_after(),
        step.lca(),
        step.residual(),
        step.standard_error().unwrap_or(0.0),
        step.learning_rate().unwrap_or(f64::NAN),
    ];
    for tensor in step.tensors() {
        sums.extend([tensor.lca(), tensor.step_norm(), tensor.gradient_norm()]);
        sums.extend(tensor.by_class().iter().map(|class| class.lca()));
    }
    for class in step.classes().iter().filter_map(|class| class.measured()) {
        sums.extend([
            class.loss_before,
            class.loss_after,
            class.lca,
            class.residual,
        ]);
    }
    (
        step.iteration(),
        sums.into_iter().map(f64::to_bits).collect(),
    )
}

/// The values of one column of a table, in the order of its rows; without those that are null.
pub fn column(run: &Run, table: Table, name: &str) -> Vec<f64> {
    let mut values = Vec::new();
    for batch in run.scan(table).columns([name]).batches().unwrap() {
        let column = cast(batch.unwrap().column(0), &DataType::Float64).unwrap();
        values.extend(column.as_primitive::<Float64Type>().iter().flatten());
    }
    values
}
