//! Whether the intervals of sampled probes hold what they promise, on real training; and whether
//! that would show if samples were drawn wrongly.

#[path = "../../examples/shared/digits.rs"]
#[allow(dead_code, reason = "the examples use the rest")]
mod digits;

use burn::data::dataloader::DataLoaderBuilder;
use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::{Dataset, InMemDataset};
use burn::module::{Module, ModuleMapper, Param};
use burn::optim::SgdConfig;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor, TensorData};
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::measurement::Measurement;
use crate::allocation::ProbeAllocation;
use crate::parameters::{Motion, Segment, Values};
use crate::probe::{EvalModel, Examples, LoaderExamples, Measurable, Plan, Probe, Weighted};
use crate::quadrature::Integrator;
use digits::{Digit, DigitBatch, DigitBatcher, DigitNet, load};

const STEPS: usize = 40;
const MINIBATCH: usize = 96;
const SAMPLE: usize = 60;

/// A training whose every point is known, and the model to measure it on.
struct Training<M> {
    digits: Vec<Digit>,
    eval_model: EvalModel<M>,
    points: Vec<Values>,
}

/// A network that learns from digits, and is measured on them.
trait Learns: Measurable + InferenceStep<Input = DigitBatch> + TrainStep<Input = DigitBatch> {}

impl<M> Learns for M where
    M: Measurable + InferenceStep<Input = DigitBatch> + TrainStep<Input = DigitBatch>
{
}

/// The network with a loss in which a digit k weighs 1 + k².
#[derive(Module, Debug)]
struct WeightedNet {
    net: DigitNet,
}

impl InferenceStep for WeightedNet {
    type Input = DigitBatch;
    type Output = Weighted<ClassificationOutput>;

    fn step(&self, batch: DigitBatch) -> Weighted<ClassificationOutput> {
        let mut output = InferenceStep::step(&self.net, batch);
        let labels = output.targets.clone();
        let weights = labels.clone().float().square() + 1.0;
        let of_each = log_softmax(output.output.clone(), 1)
            .gather(1, labels.unsqueeze_dim(1))
            .neg()
            .flatten::<1>(0, 1);
        let weight = weights.clone().sum();
        output.loss = (of_each * weights).sum() / weight.clone();
        Weighted::new(output, weight)
    }
}

impl TrainStep for WeightedNet {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> TrainOutput<ClassificationOutput> {
        TrainStep::step(&self.net, batch)
    }
}

impl<M: Learns> Training<M> {
    fn run(classes: bool, net: impl FnOnce(&Device) -> M) -> Self {
        let device = Device::flex().autodiff();
        let (training, _) = load();
        let digits: Vec<Digit> = (0..Dataset::<Digit>::len(&*training))
            .map(|index| training.get(index).unwrap())
            .collect();
        let mut model = net(&device).map(&mut Fill(ChaCha8Rng::seed_from_u64(2)));
        let mut optimizer = SgdConfig::new().init();
        let eval_model = EvalModel::of(&model, None, classes).unwrap();
        let mut points = vec![eval_model.read(&model).unwrap()];
        for step in 0..STEPS {
            let batch = DigitBatcher.batch(minibatch(&digits, step), &device);
            let grads = TrainStep::step(&model, batch).grads;
            model = optimizer.step(0.1, model, grads);
            points.push(eval_model.read(&model).unwrap());
        }
        Self {
            digits,
            eval_model,
            points,
        }
    }

    fn measurement(
        &self,
        examples: impl Examples<DigitBatch> + 'static,
    ) -> Measurement<DigitBatch> {
        let plan = Plan::new("training", &examples).unwrap();
        let size = examples.chunk_size().unwrap_or(2048);
        let chunks = plan.cut(
            Box::new(examples),
            size,
            std::slice::from_ref(self.eval_model.device()),
        );
        let (mut chunks, start) = (chunks.unwrap(), &self.points[0]);
        self.eval_model.weigh(start, &mut chunks).unwrap();
        Measurement::start(&self.eval_model, start, chunks).unwrap()
    }

    fn segment(&self, step: usize) -> Segment {
        let [before, after] = [step, step + 1].map(|point| self.points[point].clone());
        Segment {
            step: after.minus(&before),
            motion: vec![Motion::Free; before.0.len()],
            decay: None,
            before,
            after,
        }
    }

    /// Observes a step, with what `between` does between the sweeps at its ends.
    fn observe(
        &self,
        measurement: &mut Measurement<DigitBatch>,
        [step, iteration]: [usize; 2],
        between: impl Fn(&mut Measurement<DigitBatch>),
    ) -> ProbeAllocation {
        let segment = self.segment(step);
        let (model, integrator) = (&self.eval_model, Integrator::fixed(1));
        let begun = measurement.begin(model, iteration as u64, &segment, true);
        begun.unwrap();
        between(measurement);
        let path = measurement.path(model, &integrator, &segment);
        let outcome = path.integrate().unwrap();
        measurement.conclude(model, &segment, outcome)
    }
}

fn minibatch(digits: &[Digit], step: usize) -> Vec<Digit> {
    let turn = (step * MINIBATCH..).take(MINIBATCH);
    turn.map(|k| digits[k % digits.len()].clone()).collect()
}

/// Weights that depend on nothing but their seed.
struct Fill(ChaCha8Rng);

impl ModuleMapper for Fill {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let shape: [usize; D] = param.lazy_shape().dims();
        let size = if D == 1 {
            0.1
        } else {
            (3.0 / shape[0] as f32).sqrt()
        };
        let mut unit = || (self.0.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0;
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| size * unit()).collect();
        let data = TensorData::new(values, shape);
        let value = Tensor::from_data(data, &param.lazy_device());
        Param::initialized(param.id, value.detach().require_grad())
    }
}

/// How samples are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Drawn {
    Rightly,
    /// The same sample for all steps.
    Once,
    /// Another one at the end of a step than at its start.
    Twice,
    /// From the examples that the step was trained on.
    FromTheMinibatch,
}

/// Sums over a run: LCA with its variance, by what it is of; and how far it is from grounded.
#[derive(Default)]
struct Sums {
    lca: Vec<f64>,
    variance: Vec<f64>,
    residual: f64,
    change: f64,
}

impl Sums {
    fn add(&mut self, probe: &ProbeAllocation) {
        let tensors = probe.tensors().iter();
        let by_class = tensors.clone().flat_map(|tensor| tensor.by_class());
        let classes = probe.classes().iter().filter_map(|class| class.measured());
        let found = [(probe.lca(), probe.standard_error())]
            .into_iter()
            .chain(tensors.map(|tensor| (tensor.lca(), tensor.standard_error())))
            .chain(by_class.map(|class| (class.lca(), class.standard_error())))
            .chain(classes.map(|class| (class.lca, class.standard_error)));
        for (index, (lca, error)) in found.enumerate() {
            if self.lca.len() <= index {
                self.lca.push(0.0);
                self.variance.push(0.0);
            }
            self.lca[index] += lca;
            self.variance[index] += error.unwrap_or(0.0).powi(2);
        }
        self.residual += probe.residual().abs();
        self.change += probe.loss_change();
    }
}

/// How estimates from samples compare with the whole.
#[derive(Debug)]
struct Scores {
    count: f64,
    /// The share of nominal 95 % intervals that hold the exact value.
    held: f64,
    mean: f64,
    /// The mean of z².
    square: f64,
    /// The sum of squared errors over that of the variances that samples claim: 1 where these are
    /// unbiased, however few steps make up most of them.
    variance: f64,
    /// The share of the loss change that is missed.
    missed: f64,
}

impl Scores {
    /// Says what is wrong with the intervals.
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.count < 200.0 || !(0.90..=0.99).contains(&self.held) {
            faults.push(format!("{} of {} intervals hold", self.held, self.count));
        }
        // Over few steps that matter z² is heavy-tailed, as Student's t.
        if !(0.7..=1.6).contains(&self.square) {
            faults.push(format!("the mean of z² is {}", self.square));
        }
        faults.extend(self.bias());
        faults
    }

    /// Says what is biased, which intervals that hold too seldom need not be.
    fn bias(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.mean.is_nan() || self.mean.abs() > 0.3 {
            faults.push(format!("the mean z is {}", self.mean));
        }
        if self.missed.is_nan() || self.missed > 0.05 {
            faults.push(format!(
                "{} of the loss change is not explained",
                self.missed
            ));
        }
        faults
    }
}

/// Measures a training on samples again and again, and says what is wrong with the intervals.
fn faults<M: Learns>(
    training: &Training<M>,
    probe: impl Fn(Vec<Digit>) -> Probe<Digit, DigitBatch>,
    drawn: Drawn,
    repeats: u64,
) -> Vec<String> {
    let sampled = |seed| training.measurement(probe(training.digits.clone()).sampled(SAMPLE, seed));
    scores(training, &probe, sampled, drawn, repeats).faults()
}

/// Measures a training on any samples again and again, and compares them with the whole.
fn scores<M: Learns>(
    training: &Training<M>,
    probe: impl Fn(Vec<Digit>) -> Probe<Digit, DigitBatch>,
    sampled: impl Fn(u64) -> Measurement<DigitBatch>,
    drawn: Drawn,
    repeats: u64,
) -> Scores {
    let whole = || probe(training.digits.clone());
    let mut exact = Sums::default();
    let mut measurement = training.measurement(whole());
    for step in 0..STEPS {
        exact.add(&training.observe(&mut measurement, [step, step], |_| {}));
    }

    let (mut scores, mut residual) = (Vec::new(), 0.0);
    let (mut errors, mut variances) = (0.0, 0.0);
    for seed in 0..repeats {
        let mut sums = Sums::default();
        let mut measurement = sampled(seed);
        for step in 0..STEPS {
            if drawn == Drawn::FromTheMinibatch {
                let trained = probe(minibatch(&training.digits, step));
                measurement = training.measurement(trained.sampled(SAMPLE, seed));
            }
            let iteration = if drawn == Drawn::Once { 0 } else { step };
            let between = |measurement: &mut Measurement<DigitBatch>| {
                if drawn == Drawn::Twice {
                    let other = (STEPS + step) as u64;
                    measurement.chunks.draw(other).unwrap();
                }
            };
            sums.add(&training.observe(&mut measurement, [step, iteration], between));
        }
        residual += sums.residual;
        for ((lca, variance), exact) in sums.lca.iter().zip(&sums.variance).zip(&exact.lca) {
            scores.push((lca - exact) / variance.sqrt());
            errors += (lca - exact).powi(2);
            variances += variance;
        }
    }

    let count = scores.len() as f64;
    let scores = Scores {
        count,
        held: scores.iter().filter(|score| score.abs() < 1.96).count() as f64 / count,
        mean: scores.iter().sum::<f64>() / count,
        square: scores.iter().map(|score| score * score).sum::<f64>() / count,
        variance: errors / variances,
        missed: residual / repeats as f64 / exact.change.abs(),
    };
    println!("{drawn:?}: {scores:?}");
    scores
}

fn all(digits: Vec<Digit>) -> Probe<Digit, DigitBatch> {
    Probe::new(InMemDataset::new(digits), DigitBatcher)
}

fn by_class(digits: Vec<Digit>) -> Probe<Digit, DigitBatch> {
    all(digits).classes(3, |digit| usize::from(digit.label) % 3)
}

#[test]
fn intervals_of_samples_hold_the_whole_as_often_as_they_say() {
    let found = faults(
        &Training::run(false, DigitNet::new),
        all,
        Drawn::Rightly,
        40,
    );
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn intervals_by_class_hold_the_whole_as_often_as_they_say() {
    let found = faults(
        &Training::run(true, DigitNet::new),
        by_class,
        Drawn::Rightly,
        12,
    );
    assert!(found.is_empty(), "{found:?}");
}

/// Within a class weights vary, and so do the shares of the classes in what a sample weighs.
#[test]
fn intervals_of_means_over_weights_hold_the_whole_as_often_as_they_say() {
    let net = |device: &Device| WeightedNet {
        net: DigitNet::new(device),
    };
    let found = faults(&Training::run(true, net), by_class, Drawn::Rightly, 12);
    assert!(found.is_empty(), "{found:?}");
}

/// Measures on blocks of a loader.
fn scores_of_blocks(training: &Training<DigitNet>) -> Scores {
    let loader = DataLoaderBuilder::new(DigitBatcher)
        .batch_size(MINIBATCH)
        .shuffle(1)
        .set_device(training.eval_model.device().clone())
        .build(InMemDataset::new(training.digits.clone()));
    let blocks = |seed| {
        training.measurement({
            let device = training.eval_model.device().clone();
            LoaderExamples::new(loader.clone(), device, MINIBATCH, seed)
        })
    };
    scores(training, all, blocks, Drawn::Rightly, 80)
}

#[test]
fn intervals_of_blocks_of_a_loader_hold_the_whole_as_often_as_they_say() {
    let found = scores_of_blocks(&Training::run(false, DigitNet::new)).faults();
    assert!(found.is_empty(), "{found:?}");
}

/// A block is of one digit then, so that a few steps make up most of the variance of the sum: its
/// estimate is right on average, but spreads too much for the 1.96 of many steps.
#[test]
fn blocks_of_sorted_examples_are_unbiased_and_so_is_their_variance() {
    let mut training = Training::run(false, DigitNet::new);
    training.digits.sort_by_key(|digit| digit.label);
    let scores = scores_of_blocks(&training);
    let bias = scores.bias();
    assert!(bias.is_empty(), "{bias:?}");
    assert!((0.6..1.6).contains(&scores.variance), "{scores:?}");
    assert!(scores.held > 0.75, "{scores:?}");
}

#[test]
fn intervals_of_samples_that_are_drawn_wrongly_do_not_pass() {
    let training = Training::run(false, DigitNet::new);
    for drawn in [Drawn::Once, Drawn::Twice, Drawn::FromTheMinibatch] {
        let found = faults(&training, all, drawn, 30);
        assert!(!found.is_empty(), "{drawn:?} passes");
    }
}
