//! What is refused before training starts, each with the setting's name.

use std::fmt::Display;

use burn::data::dataset::InMemDataset;
use burn::module::{Module, ModuleMapper, Param};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::{Distribution, Tensor};
use burn::train::{ClassificationOutput, InferenceStep};
use burn_lca::{BatchNormMode, Integrator, Lca, LcaError, MeanLoss, Probe};

use crate::digits::{Digit, DigitBatch, DigitBatcher, DigitNet};
use crate::norm_net::NormNet;
use crate::scaffold::{CLASSES, by_class, label, net, probe, randomness, start, training};

/// The message of the error that starting gives.
#[track_caller]
pub fn refusal<M>(lca: Lca<DigitBatch>, model: &M) -> String
where
    M: Module + Display + InferenceStep<Input = DigitBatch>,
    M::Output: MeanLoss,
{
    match lca.start(model) {
        Ok(_) => panic!("it was not refused"),
        Err(error) => error.to_string(),
    }
}

#[track_caller]
pub fn assert_names(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

/// A network with another loss than its own.
#[derive(Module, Debug)]
struct Other {
    net: DigitNet,
    loss: usize,
}

const CLASS_WEIGHTED: usize = 0;
const DETACHED: usize = 1;
const SUMMED: usize = 2;
const NOISY: usize = 3;

impl InferenceStep for Other {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> ClassificationOutput {
        let count = batch.labels.dims()[0] as f64;
        let mut output = InferenceStep::step(&self.net, batch);
        output.loss = match self.loss {
            CLASS_WEIGHTED => CrossEntropyLossConfig::new()
                .with_weights(Some((1..=CLASSES).map(|k| k as f32).collect()))
                .init(&output.output.device())
                .forward(output.output.clone(), output.targets.clone()),
            DETACHED => output.loss.detach(),
            SUMMED => output.loss * count,
            NOISY => {
                let noise = Distribution::Normal(0.0, 1e-3);
                output.loss.clone() + output.loss.random_like(noise)
            }
            other => panic!("no loss {other}"),
        };
        output
    }
}

fn other(loss: usize) -> Other {
    Other { net: net(), loss }
}

/// The weights are in the denominator of the mean, so the whole is not the mean of its parts:
/// with classes, and without.
#[test]
fn a_class_weighted_mean_is_refused_with_both_numbers() {
    for probe in [by_class(training()), probe(training())] {
        let message = refusal(Lca::new(probe), &other(CLASS_WEIGHTED));
        assert_names(
            &message,
            &["not a mean over examples", "64 examples", "`Weighted`"],
        );
    }
    match Lca::new(by_class(training())).start(&other(CLASS_WEIGHTED)) {
        Err(LcaError::NotMean { mixed, parts, .. }) => assert!((mixed - parts).abs() > 1e-4),
        _ => panic!("not refused as no mean"),
    }
}

#[test]
fn a_sum_over_the_examples_is_refused() {
    let message = refusal(Lca::new(probe(training())), &other(SUMMED));
    assert_names(&message, &["not a mean over examples"]);
}

/// The noise also spoils the mean: what is said first is where it comes from.
#[test]
fn a_forward_pass_that_draws_random_numbers_is_refused_as_such() {
    let _held = randomness();
    for lca in [
        Lca::new(by_class(training())),
        Lca::new(probe(training())),
        Lca::new(probe(&training()[..1])),
    ] {
        let message = refusal(lca, &other(NOISY));
        assert_names(&message, &["draws random numbers", "InferenceStep"]);
    }
}

#[test]
fn a_validation_probe_is_checked_like_the_main_one() {
    let lca = Lca::new(by_class(training())).validation(probe(&training()[..20]).chunk_size(0));
    assert_names(&refusal(lca, &net()), &["Probe::chunk_size"]);
    let names = by_class(training()).classes(9, label);
    let lca = Lca::new(probe(training())).validation(names);
    assert_names(&refusal(lca, &net()), &["Probe::classes"]);
}

#[test]
fn a_model_without_trainable_parameters_is_refused() {
    for frozen in [net().no_grad(), net().freeze()] {
        let message = refusal(Lca::new(by_class(training())), &frozen);
        assert_names(
            &message,
            &["no parameter that requires gradients", "unfreeze"],
        );
    }
}

#[test]
fn a_loss_that_is_detached_from_the_parameters_is_refused() {
    let message = refusal(Lca::new(by_class(training())), &other(DETACHED));
    assert_names(&message, &["reaches a parameter", "`training`", "detach"]);
}

#[test]
fn settings_that_cannot_work_are_refused_by_name() {
    let empty = || Probe::<Digit, DigitBatch>::new(InMemDataset::new(Vec::new()), DigitBatcher);
    let cases = [
        (by_class(training()).chunk_size(0), "Probe::chunk_size"),
        (empty(), "Probe::new: the probe has no examples"),
        (empty().classes(CLASSES, label), "Probe::new"),
        (probe(training()).classes(0, label), "Probe::classes"),
        (probe(training()).subset(0, 1), "Probe::subset"),
        (
            probe(&training()[..20]).subset(21, 1),
            "Probe::subset: 21 of 20",
        ),
        (
            probe(training()).class_names(["even", "odd"]),
            "Probe::class_names: there are names for classes, but no classes",
        ),
        (
            by_class(training()).class_names(["even", "odd"]),
            "Probe::class_names: there are 2 names for 10 classes",
        ),
    ];
    for (probe, name) in cases {
        assert_names(&refusal(Lca::new(probe), &net()), &[name]);
    }
}

#[test]
fn a_label_outside_the_classes_is_refused_with_its_example() {
    let example = training()
        .iter()
        .position(|digit| digit.label == 9)
        .unwrap();
    let message = refusal(Lca::new(probe(training()).classes(9, label)), &net());
    let first = format!("example {example} has class 9");
    assert_names(&message, &["Probe::classes", &first, "9 classes"]);
}

#[test]
fn chunk_statistics_together_with_classes_are_refused() {
    let lca = Lca::new(by_class(training())).batch_norm(BatchNormMode::Chunk);
    assert_names(&refusal(lca, &net()), &["BatchNormMode::Chunk", "class"]);
    let lca = Lca::new(probe(training()))
        .validation(by_class(training()))
        .batch_norm(BatchNormMode::Chunk);
    assert_names(&refusal(lca, &net()), &["BatchNormMode::Chunk"]);
}

/// The chunks of 65 examples have 32 and 33.
#[test]
fn a_chunk_of_one_example_has_no_statistics() {
    let model = NormNet::new([1e-5; 2]);
    let lca = Lca::new(probe(training()).chunk_size(1));
    assert_names(
        &refusal(lca, &model),
        &["`training`", "one example", "Running"],
    );
    let start = |probe| Lca::new(probe).start(&model).map(drop);
    start(probe(&training()[..65]).chunk_size(64)).unwrap();
    let lca = Lca::new(probe(training()).chunk_size(1)).batch_norm(BatchNormMode::Running);
    lca.start(&model).map(drop).unwrap();
}

#[test]
fn an_integrator_that_no_rule_has_is_refused() {
    let cases = [
        (Integrator::fixed(3), "3 equal splits"),
        (Integrator::fixed(64), "64 equal splits"),
        (Integrator::paper().budget(1), "Integrator::budget"),
        (
            Integrator::adaptive().tolerance(-1.0, 0.0),
            "Integrator::tolerance",
        ),
    ];
    for (integrator, name) in cases {
        let lca = Lca::new(by_class(training())).integrator(integrator);
        assert_names(&refusal(lca, &net()), &["Integrator", name]);
    }
}

/// Gives the last layer another class.
struct Widen;

impl ModuleMapper for Widen {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let tensor = param.base();
        let mut shape = tensor.dims();
        if shape[..] != [32, CLASSES] {
            return param;
        }
        shape[1] += 1;
        Param::from_tensor(Tensor::zeros(shape, &tensor.device()))
    }
}

#[test]
fn a_model_with_other_tensors_than_at_the_start_is_refused_and_the_old_one_goes_on() {
    let model = net();
    let mut lca = start(Lca::new(by_class(training())), &model);
    match lca.observe(&model.clone().map(&mut Widen)) {
        Err(LcaError::ModelChanged { problem, .. }) => {
            assert_names(&problem, &["fc3.weight", "[32, 10]", "[32, 11]"]);
        }
        _ => panic!("another model was taken for the same"),
    }
    let step = lca.observe(&model).unwrap();
    assert_eq!((step.iteration(), step.lca()), (0, 0.0));
}
