//! What the tests share: the data, models with known values, training steps, comparisons.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use burn::data::dataset::{Dataset, InMemDataset};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::ModuleOptimizer;
use burn::tensor::{Device, Tensor, TensorData};
use burn::train::{ClassificationOutput, InferenceStep, TrainStep};
use burn_lca::{Lca, LcaObserver, MeanLoss, Probe, StepAllocation};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::digits::{Digit, DigitBatch, DigitBatcher, DigitNet, load};
use crate::shared;

/// The device to train and measure on.
pub fn device() -> Device {
    shared::device().autodiff()
}

/// Whether the device takes all of the work. An emulated GPU compiles for seconds at every new
/// shape, so it gets fewer examples and steps.
pub fn thorough() -> bool {
    shared::device() == Device::flex()
}

/// One number for a device that takes all of the work, another for one that is slow.
pub fn steps(thoroughly: usize, quickly: usize) -> usize {
    if thorough() { thoroughly } else { quickly }
}

/// Held by whatever draws from the device's random numbers, which all threads share. They start
/// anew, so that a test draws the same every time.
pub fn randomness() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    let held = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    device().seed(11);
    held
}

/// Examples per class where the device is slow.
const FEW: usize = 32;

fn some_of(dataset: &InMemDataset<Digit>) -> Vec<Digit> {
    let mut count = [0; CLASSES];
    let digits = (0..Dataset::<Digit>::len(dataset)).map(|k| dataset.get(k).expect("in memory"));
    digits
        .filter(|digit| {
            let count = &mut count[usize::from(digit.label)];
            *count += 1;
            thorough() || *count <= FEW
        })
        .collect()
}

pub const CLASSES: usize = 10;

static DIGITS: LazyLock<[Vec<Digit>; 2]> = LazyLock::new(|| {
    let (training, validation) = load();
    [some_of(&training), some_of(&validation)]
});

/// The digits to train on: all, unless the device is slow.
pub fn training() -> &'static [Digit] {
    &DIGITS[0]
}

/// The digits to validate with.
pub fn validation() -> &'static [Digit] {
    &DIGITS[1]
}

/// A probe without classes. Its chunks are large enough that a class is one chunk.
pub fn probe(digits: &[Digit]) -> Probe<Digit, DigitBatch> {
    Probe::new(InMemDataset::new(digits.to_vec()), DigitBatcher).chunk_size(512)
}

/// A probe with ten classes.
pub fn by_class(digits: &[Digit]) -> Probe<Digit, DigitBatch> {
    probe(digits).classes(CLASSES, label)
}

pub fn label(digit: &Digit) -> usize {
    digit.label.into()
}

/// All of some digits in one batch.
pub fn batch(digits: &[Digit]) -> DigitBatch {
    use burn::data::dataloader::batcher::Batcher;
    DigitBatcher.batch(digits.to_vec(), &device())
}

const MINIBATCH: usize = 128;

/// The minibatch of a step: the training digits in turn.
pub fn minibatch(step: usize) -> DigitBatch {
    let digits = training();
    let start = step * MINIBATCH;
    let turn: Vec<_> = (start..start + MINIBATCH)
        .map(|k| digits[k % digits.len()].clone())
        .collect();
    batch(&turn)
}

/// A network whose weights are the same on every device.
pub fn net() -> DigitNet {
    filled(DigitNet::new(&device()))
}

pub fn start<M>(lca: Lca<M::Input>, model: &M) -> LcaObserver<M>
where
    M: Module + Display + InferenceStep,
    M::Input: Clone + 'static,
    M::Output: MeanLoss,
{
    lca.start(model).expect("a sound setting")
}

/// One optimizer step on one minibatch.
pub fn train<M>(model: M, optimizer: &mut ModuleOptimizer, rate: f64, batch: DigitBatch) -> M
where
    M: Module + TrainStep<Input = DigitBatch>,
{
    let output = TrainStep::step(&model, batch);
    optimizer.step(rate, model, output.grads)
}

/// Numbers in [−1, 1) that depend on nothing but their seed.
pub struct Numbers(ChaCha8Rng);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub fn next(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0
    }

    fn tensor<const D: usize>(&mut self, shape: [usize; D], device: &Device) -> Tensor<D> {
        let count = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|_| self.next()).collect();
        Tensor::from_data(TensorData::new(values, shape), device)
    }
}

/// Gives every parameter that Burn has not drawn yet a value, without drawing one: weights of
/// the size that keeps activations, small biases, batch-norm scales around one.
pub fn filled<M: Module>(model: M) -> M {
    struct Fill {
        numbers: Numbers,
        path: Vec<String>,
    }
    impl ModuleMapper for Fill {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
        }
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if param.is_initialized() {
                return param;
            }
            let shape: [usize; D] = param.lazy_shape().dims();
            let unit = self.numbers.tensor(shape, &param.lazy_device());
            let value = match self.path.last().map(String::as_str) {
                Some("gamma") => unit * 0.3 + 1.0,
                _ if D == 1 => unit * 0.1,
                _ => unit * (3.0 / shape[0] as f64).sqrt(),
            };
            Param::initialized(param.id, value.detach().require_grad())
        }
    }
    model.map(&mut Fill {
        numbers: Numbers::new(2),
        path: Vec::new(),
    })
}

/// The model with every parameter that requires gradients moved by up to `size`. Nothing is
/// shared with the model that is given.
pub fn moved<M: Module>(model: &M, seed: u64, size: f64) -> M {
    struct Move(Numbers, f64);
    impl ModuleMapper for Move {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if !param.base().is_require_grad() {
                return param;
            }
            param.map(|old| {
                let step = self.0.tensor(old.dims(), &old.device()) * self.1;
                (old.detach() + step).detach().require_grad()
            })
        }
    }
    model
        .valid()
        .train()
        .map(&mut Move(Numbers::new(seed), size))
}

/// A model's float tensors by path, buffers included.
pub fn values<M: Module>(model: &M) -> BTreeMap<String, Vec<f32>> {
    #[derive(Default)]
    struct Read {
        path: Vec<String>,
        values: BTreeMap<String, Vec<f32>>,
    }
    impl ModuleVisitor for Read {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let values = host_values(param.base());
            self.values.insert(self.path.join("."), values);
        }
    }
    let mut read = Read::default();
    model.visit(&mut read);
    read.values
}

pub fn host_values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter().collect()
}

/// Mean cross entropies measured without the crate: the model's own logits, the rest on the host
/// in f64.
#[derive(Debug, Clone)]
pub struct DirectLoss {
    pub total: f64,
    pub classes: [f64; CLASSES],
}

impl DirectLoss {
    pub fn of<M>(model: &M, digits: &[Digit]) -> Self
    where
        M: Module + InferenceStep<Input = DigitBatch, Output = ClassificationOutput>,
    {
        let logits = InferenceStep::step(&model.valid(), batch(digits)).output;
        let logits = host_values(logits);
        let mut count = [0.0; CLASSES];
        let mut sums = [0.0; CLASSES];
        for (digit, logits) in digits.iter().zip(logits.chunks(CLASSES)) {
            let logits: Vec<f64> = logits.iter().map(|&logit| logit.into()).collect();
            count[label(digit)] += 1.0;
            sums[label(digit)] += cross_entropy(&logits, label(digit));
        }
        Self {
            total: sums.iter().sum::<f64>() / digits.len() as f64,
            classes: std::array::from_fn(|class| sums[class] / count[class]),
        }
    }
}

/// ln Σ exp(z) − z_label
pub fn cross_entropy(logits: &[f64], label: usize) -> f64 {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|logit| (logit - largest).exp()).sum();
    largest + sum.ln() - logits[label]
}

/// Asserts that two numbers differ by no more than a tolerance; not a number is never close.
#[track_caller]
pub fn assert_close(actual: f64, expected: f64, tolerance: f64) {
    assert!(
        (actual - expected).abs() <= tolerance,
        "{actual:e} is not {expected:e}: off by {:e}, more than {tolerance:e}",
        actual - expected
    );
}

/// Asserts that two lists are the same up to a share of their size: Σ|a − b| ≤ share · Σ|b|.
#[track_caller]
pub fn assert_same(actual: &[f32], expected: &[f32], share: f64) {
    assert_eq!(actual.len(), expected.len());
    let sum = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>();
    let size = sum(&mut expected.iter().map(|&b| f64::from(b).abs()));
    let pairs = actual.iter().zip(expected);
    let difference = sum(&mut pairs.map(|(&a, &b)| (f64::from(a) - f64::from(b)).abs()));
    assert!(
        difference <= share * size,
        "off by {difference:e} of {size:e}, more than {share:e} of it"
    );
}

/// All numbers of a step but the time that it took.
pub fn numbers(step: &StepAllocation) -> Vec<u64> {
    let mut numbers = Vec::new();
    for probe in std::iter::once(step.probe()).chain(step.validation()) {
        numbers.extend([u64::from(probe.splits()), u64::from(probe.sweeps())]);
        let sums = [
            probe.loss_before(),
            probe.loss_after(),
            probe.lca(),
            probe.residual(),
        ];
        numbers.extend(sums.map(f64::to_bits));
        numbers.extend(probe.standard_error().map(f64::to_bits));
        for class in probe.classes().iter().filter_map(|class| class.measured()) {
            numbers.extend([class.loss_after, class.lca, class.residual].map(f64::to_bits));
        }
        for tensor in probe.tensors() {
            numbers.extend([tensor.lca(), tensor.gradient_norm()].map(f64::to_bits));
            let values = probe.parameter(tensor.path()).unwrap();
            numbers.extend(values.iter().map(|value| u64::from(value.to_bits())));
        }
    }
    numbers
}
