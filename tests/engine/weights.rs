//! Losses that are means over something else than examples: tokens that are no padding, examples
//! with weights.

use burn::data::dataset::InMemDataset;
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Int, Tensor};
use burn::train::metric::{AccuracyInput, Adaptor, LossInput, PerplexityInput};
use burn::train::{ClassificationOutput, InferenceStep, SequenceOutput};
use burn_lca::{Integrator, Lca, LcaError, Probe, StepAllocation, Weighted};
use rstest::rstest;

use crate::digits::{Digit, DigitBatch, DigitBatcher, DigitNet};
use crate::scaffold::{
    CLASSES, assert_close, batch, by_class, cross_entropy, device, filled, host_values, label,
    moved, net, start, training,
};

/// An image is a sequence of eight rows, each a token that is to tell the digit. Of a digit k, the
/// first ⌈8k/9⌉ rows are tokens, and the rest is padding: all of a zero is.
const ROWS: usize = 8;
const PADDING: usize = 0;

fn tokens(label: usize) -> usize {
    (label * ROWS).div_ceil(CLASSES - 1)
}

#[derive(Module, Debug)]
struct Rows {
    linear: Linear,
}

impl Rows {
    fn new() -> Self {
        filled(Self {
            linear: LinearConfig::new(ROWS, CLASSES + 1).init(&device()),
        })
    }

    /// Loss, logits and targets of a batch, in which a target of 0 is padding.
    fn output(&self, batch: DigitBatch) -> SequenceOutput {
        let count = batch.labels.dims()[0];
        let labels: Vec<i64> = batch.labels.to_data().iter().collect();
        let targets: Vec<i32> = labels
            .iter()
            .flat_map(|&label| {
                let of = move |row| {
                    if row < tokens(label as usize) {
                        label + 1
                    } else {
                        0
                    }
                };
                (0..ROWS).map(move |row| of(row) as i32)
            })
            .collect();
        let device = batch.images.device();
        let targets = Tensor::<1, Int>::from_ints(targets.as_slice(), &device);
        let logits = self
            .linear
            .forward(batch.images.reshape([count * ROWS, ROWS]));
        let loss = CrossEntropyLossConfig::new()
            .with_pad_tokens(Some(vec![PADDING]))
            .init(&device)
            .forward(logits.clone(), targets.clone());
        let logits = logits.reshape([count, ROWS, CLASSES + 1]);
        SequenceOutput::new(loss, logits, None, targets.reshape([count, ROWS]))
    }
}

/// The network whose output says how many tokens count.
#[derive(Module, Debug)]
struct Counted {
    rows: Rows,
}

impl InferenceStep for Counted {
    type Input = DigitBatch;
    type Output = Weighted<SequenceOutput>;

    fn step(&self, batch: DigitBatch) -> Weighted<SequenceOutput> {
        let output = self.rows.output(batch);
        let tokens = output.targets.clone().not_equal_elem(PADDING as i64);
        Weighted::new(output, tokens.float().sum())
    }
}

/// The same network with an output that doesn't.
#[derive(Module, Debug)]
struct Uncounted {
    rows: Rows,
}

impl InferenceStep for Uncounted {
    type Input = DigitBatch;
    type Output = SequenceOutput;

    fn step(&self, batch: DigitBatch) -> SequenceOutput {
        self.rows.output(batch)
    }
}

/// The mean over all tokens and over those of each class, on the host in f64.
fn direct(model: &Counted, digits: &[Digit]) -> (f64, [f64; CLASSES]) {
    let logits = host_values(model.rows.output(batch(digits)).logits);
    let (mut sums, mut counts) = ([0.0; CLASSES], [0.0; CLASSES]);
    for (digit, rows) in digits.iter().zip(logits.chunks(ROWS * (CLASSES + 1))) {
        let label = label(digit);
        for row in rows.chunks(CLASSES + 1).take(tokens(label)) {
            let row: Vec<f64> = row.iter().map(|&logit| logit.into()).collect();
            sums[label] += cross_entropy(&row, label + 1);
            counts[label] += 1.0;
        }
    }
    let total = sums.iter().sum::<f64>() / counts.iter().sum::<f64>();
    (
        total,
        std::array::from_fn(|class| sums[class] / counts[class]),
    )
}

fn probe(digits: &[Digit], chunk: usize) -> Probe<Digit, DigitBatch> {
    Probe::new(InMemDataset::new(digits.to_vec()), DigitBatcher).chunk_size(chunk)
}

/// With chunks of one, a zero has no tokens, and Burn's loss is not a number.
#[rstest]
#[case(1)]
#[case(7)]
#[case(64)]
#[case(2000)]
fn chunks_of_any_size_add_up_to_the_mean_over_tokens(#[case] chunk: usize) {
    let digits = &training()[..300];
    let model = Counted { rows: Rows::new() };
    let after = moved(&model, 5, 0.1);
    let measure = |probe| -> StepAllocation {
        let lca = Lca::new(probe).integrator(Integrator::fixed(4));
        start(lca, &model).observe(&after).unwrap()
    };
    let (before, classes_before) = direct(&model, digits);
    let (then, classes_then) = direct(&after, digits);
    let change = then - before;
    assert!(change.abs() > 1e-2);

    let whole = measure(probe(digits, chunk));
    let split = measure(probe(digits, chunk).classes(CLASSES, label));
    for step in [&whole, &split] {
        assert_close(step.loss_before(), before, 2e-6);
        assert_close(step.loss_after(), then, 2e-6);
        assert_close(step.lca(), change, 1e-3 * change.abs());
    }
    let lcas = [&whole, &split].map(|step| step.parameter("rows.linear.weight").unwrap());
    crate::scaffold::assert_same(&lcas[0], &lcas[1], 1e-5);

    let classes = split.probe().classes();
    assert!(classes[0].measured().is_none(), "a zero has no tokens");
    for class in &classes[1..] {
        let measured = class.measured().unwrap();
        let (before, after) = (classes_before[class.class()], classes_then[class.class()]);
        assert_close(measured.loss_before, before, 4e-6);
        assert_close(
            measured.lca,
            after - before,
            1e-3 * (after - before).abs() + 4e-6,
        );
    }
    let bias = &split.tensors()[1];
    assert_eq!(bias.by_class().len(), CLASSES - 1);
    // Σ_c (W_c/W) · LCA_c, W being tokens.
    let weight = |class: usize| {
        let of = |class| digits.iter().filter(move |d| label(d) == class).count() as f64;
        let all: f64 = (0..CLASSES).map(|k| of(k) * tokens(k) as f64).sum();
        of(class) * tokens(class) as f64 / all
    };
    let mean = bias.by_class().iter().map(|c| weight(c.class()) * c.lca());
    assert_close(mean.sum(), bias.lca(), 1e-6);
}

#[track_caller]
fn assert_no_mean(result: Result<burn_lca::LcaObserver<Uncounted>, LcaError>) {
    match result {
        Err(error @ LcaError::NotMean { .. }) => {
            assert!(error.to_string().contains("`Weighted`"), "{error}");
        }
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was not refused"),
    }
}

#[test]
fn a_mean_over_tokens_that_is_not_said_to_be_one_is_refused_even_where_padding_is_rare() {
    let model = Uncounted { rows: Rows::new() };
    assert_no_mean(Lca::new(probe(training(), 64)).start(&model));
    // Nines have no padding; every hundredth example is a four, half of which is padding.
    let of = |wanted| {
        training()
            .iter()
            .filter(move |digit| label(digit) == wanted)
    };
    let [nines, fours] = [of(9), of(4)].map(|digits| digits.cloned().collect::<Vec<_>>());
    let mut digits: Vec<Digit> = nines.iter().cycle().take(1000).cloned().collect();
    Lca::new(probe(&digits, 64))
        .start(&model)
        .map(drop)
        .unwrap();
    for k in 0..10 {
        digits[100 * k + 37] = fours[k].clone();
    }
    assert_no_mean(Lca::new(probe(&digits, 64)).start(&model));
}

/// A network whose loss weighs examples by class, and divides by the weights.
#[derive(Module, Debug)]
struct ClassWeighted {
    net: DigitNet,
    /// Multiplies the weight that the output says.
    factor: f64,
}

impl InferenceStep for ClassWeighted {
    type Input = DigitBatch;
    type Output = Weighted<ClassificationOutput>;

    fn step(&self, batch: DigitBatch) -> Weighted<ClassificationOutput> {
        let weights: Vec<f32> = (1..=CLASSES).map(|k| k as f32).collect();
        let mut output = InferenceStep::step(&self.net, batch);
        output.loss = CrossEntropyLossConfig::new()
            .with_weights(Some(weights))
            .init(&output.output.device())
            .forward(output.output.clone(), output.targets.clone());
        let weight = (output.targets.clone() + 1).float().sum() * self.factor;
        Weighted::new(output, weight)
    }
}

#[test]
fn a_class_weighted_mean_is_measured_where_the_output_says_its_weight() {
    let model = ClassWeighted {
        net: net(),
        factor: 1.0,
    };
    let after = moved(&model, 5, 0.02);
    let whole = |model: &ClassWeighted| -> f64 {
        host_values(model.step(batch(training())).output.loss)[0].into()
    };
    let lca = Lca::new(by_class(training())).integrator(Integrator::fixed(16));
    let step = start(lca, &model).observe(&after).unwrap();
    assert_close(step.loss_before(), whole(&model), 2e-6);
    assert_close(step.loss_after(), whole(&after), 2e-6);
    let change = step.loss_change();
    // Where units switch on or off along the step, sixteen splits miss parts of a hundredth on few
    // examples; equal weights would miss tenths.
    assert_close(step.lca(), change, 1e-2 * change.abs());
}

#[test]
fn weights_that_are_none_are_refused() {
    for factor in [-1.0, 0.0, f64::NAN] {
        let model = ClassWeighted { net: net(), factor };
        match Lca::new(by_class(training())).start(&model) {
            Err(error) => assert!(error.to_string().contains("MeanLoss::weight"), "{error}"),
            Ok(_) => panic!("{factor} was taken for a weight"),
        }
    }
}

/// A network whose output says a weight that is a function of the number of tokens and of examples.
#[derive(Module, Debug)]
struct Miscounted {
    rows: Rows,
    #[module(skip)]
    weight: fn(f32, f32) -> f32,
}

impl InferenceStep for Miscounted {
    type Input = DigitBatch;
    type Output = Weighted<SequenceOutput>;

    fn step(&self, batch: DigitBatch) -> Weighted<SequenceOutput> {
        let output = self.rows.output(batch);
        let [examples, _] = output.targets.dims();
        let tokens = output.targets.clone().not_equal_elem(PADDING as i64);
        let tokens = host_values(tokens.float().sum())[0];
        let weight = (self.weight)(tokens, examples as f32);
        let weight = Tensor::from_floats([weight], &output.loss.device());
        Weighted::new(output, weight)
    }
}

/// The mean number of tokens, and counts that only large batches have, or only small ones.
#[rstest]
#[case(|tokens, examples| tokens / examples)]
#[case(|tokens, examples| if examples < 64.0 { 0.0 } else { tokens })]
#[case(|tokens, examples| if examples < 64.0 { tokens } else { 0.0 })]
fn weights_that_do_not_add_up_over_the_parts_of_a_batch_are_refused(
    #[case] weight: fn(f32, f32) -> f32,
) {
    let rows = Rows::new();
    let model = Miscounted { rows, weight };
    match Lca::new(probe(training(), 64)).start(&model) {
        Err(error) => {
            let error = error.to_string();
            assert!(error.starts_with("MeanLoss::weight: a batch of"), "{error}");
        }
        Ok(_) => panic!("it was not refused"),
    }
}

#[test]
fn metrics_see_the_output_inside() {
    fn seen<O: Adaptor<LossInput> + Adaptor<AccuracyInput>>() {}
    seen::<Weighted<ClassificationOutput>>();
    fn read<O: Adaptor<PerplexityInput> + Adaptor<()>>() {}
    read::<Weighted<SequenceOutput>>();
}

/// The weights of all that were drawn are those of the whole.
#[test]
fn a_sample_of_all_examples_with_weights_is_the_whole() {
    let observe = |sampled: bool| {
        let model = Counted { rows: Rows::new() };
        let digits = InMemDataset::new(training().to_vec());
        let probe = Probe::new(digits, DigitBatcher).classes(CLASSES, label);
        let probe = probe.chunk_size(512);
        let lca = Lca::new(if sampled {
            probe.sampled(training().len(), 1)
        } else {
            probe
        });
        let lca = lca.integrator(Integrator::fixed(1));
        start(lca, &model).observe(&moved(&model, 5, 0.05)).unwrap()
    };
    let [sampled, whole] = [true, false].map(observe);
    assert_eq!(sampled.standard_error(), Some(0.0));
    assert_close(sampled.lca(), whole.lca(), 1e-5 * whole.lca().abs());
    for (sampled, whole) in sampled.classes().iter().zip(whole.classes()) {
        let [sampled, whole] = [sampled, whole].map(|class| class.measured());
        assert_eq!(sampled.is_some(), whole.is_some());
        if let (Some(sampled), Some(whole)) = (sampled, whole) {
            assert_close(sampled.lca, whole.lca, 2e-5 * whole.lca.abs().max(0.1));
            assert_eq!(sampled.standard_error, Some(0.0));
        }
    }
}
