//! Ways to train: what is split is always the loss of inference, whatever moved the parameters.

use burn::grad_clipping::GradientClippingConfig;
use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::module::{Module, ModuleVisitor, Param, ParamGroup};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::optim::{
    AdamWConfig, GradientsParams, LBFGSConfig, LineSearchFn, ModuleOptimizer, SgdConfig,
};
use burn::tensor::{Int, Tensor};
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};
use burn_lca::{Integrator, Lca, StepAllocation};

use crate::digits::{DigitBatch, DigitNet};
use crate::scaffold::{
    CLASSES, DirectLoss, assert_close, batch, by_class, device, filled, host_values, minibatch,
    net, probe, start, steps, train, training,
};

/// Asserts that the sum of LCA is the change of the loss that inference has on the digits.
#[track_caller]
fn assert_grounded<M>(step: &StepAllocation, before: &M, after: &M)
where
    M: Module + InferenceStep<Input = DigitBatch, Output = ClassificationOutput>,
{
    let [before, after] = [before, after].map(|model| DirectLoss::of(model, training()).total);
    assert_close(step.loss_change(), after - before, 4e-6);
    assert_close(
        step.lca(),
        after - before,
        1e-4 + 0.01 * (after - before).abs(),
    );
    assert!((after - before).abs() > 1e-4, "{}", after - before);
}

/// The first step of an optimizer at some rate, to the first order: LCA is the step times the
/// gradient at its start.
fn first_order(
    model: &DigitNet,
    mut optimizer: ModuleOptimizer,
    rate: ModuleLrScheduler,
) -> StepAllocation {
    let mut rate = rate;
    let lca = Lca::new(by_class(training())).integrator(Integrator::fixed(0));
    let mut lca = start(lca, model);
    let grads = TrainStep::step(model, minibatch(0)).grads;
    lca.observe(&optimizer.step(rate.step(), model.clone(), grads))
        .unwrap()
}

#[test]
fn layers_with_a_rate_of_their_own_have_lca_in_proportion() {
    let model = net();
    let rate = || ModuleLrScheduler::new(0.1);
    let slow = rate().with_group(ParamGroup::from_predicate("fc1"), 0.01);
    let sgd = || SgdConfig::new().init();
    let [all, some] = [rate(), slow].map(|rate| first_order(&model, sgd(), rate));
    for (all, some) in all.tensors().iter().zip(some.tensors()) {
        let factor = if some.path().starts_with("fc1") {
            0.1
        } else {
            1.0
        };
        assert!(all.lca() < 0.0);
        assert_close(some.lca(), factor * all.lca(), 1e-4 * all.lca().abs());
        assert_close(
            some.step_norm(),
            factor * all.step_norm(),
            1e-4 * all.step_norm(),
        );
    }
}

#[test]
fn clipped_gradients_move_and_are_allocated_as_far_as_they_are_clipped() {
    let clipping = GradientClippingConfig::Norm(0.01);
    let sgd = || SgdConfig::new().with_gradient_clipping(Some(clipping.clone()));
    let step = first_order(&net(), sgd().init(), ModuleLrScheduler::new(1.0));
    for tensor in step.tensors() {
        assert_close(tensor.step_norm(), 0.01, 1e-6);
    }
    let mut model = net();
    let mut optimizer = sgd().init();
    let mut lca = start(Lca::new(by_class(training())), &model);
    for iteration in 0..steps(4, 2) {
        let before = model.clone();
        model = train(model, &mut optimizer, 1.0, minibatch(iteration));
        assert_grounded(&lca.observe(&model).unwrap(), &before, &model);
    }
}

/// A loss that is scaled for the gradients' sake, by a power of two, and steps that are scaled
/// back: the training without it, bit for bit.
#[test]
fn a_scaled_training_loss_changes_nothing() {
    let run = |scale: f64| -> Vec<Vec<f32>> {
        let mut model = net();
        let mut optimizer = SgdConfig::new().init();
        let mut lca = start(Lca::new(by_class(training())), &model);
        let observed = (0..3).map(|iteration| {
            let loss = InferenceStep::step(&model, minibatch(iteration)).loss * scale;
            let grads = GradientsParams::from_grads(loss.backward(), &model);
            model = optimizer.step(0.125 / scale, model.clone(), grads);
            lca.observe(&model)
                .unwrap()
                .parameter("fc2.weight")
                .unwrap()
        });
        observed.collect()
    };
    assert_eq!(run(1.0), run(1024.0));
}

/// A network that trains on its loss and half of a large weight decay.
#[derive(Module, Debug)]
struct Decayed {
    net: DigitNet,
}

/// Σ θ²
fn squares<M: Module>(model: &M) -> Tensor<1> {
    struct Sum(Option<Tensor<1>>);
    impl ModuleVisitor for Sum {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let squares = param.val().square().sum();
            self.0 = Some(match self.0.take() {
                None => squares,
                Some(sum) => sum + squares,
            });
        }
    }
    let mut sum = Sum(None);
    model.visit(&mut sum);
    sum.0.unwrap()
}

impl TrainStep for Decayed {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> TrainOutput<ClassificationOutput> {
        let mut output = InferenceStep::step(&self.net, batch);
        output.loss = output.loss + squares(&self.net) * 0.5;
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for Decayed {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> ClassificationOutput {
        InferenceStep::step(&self.net, batch)
    }
}

#[test]
fn a_penalty_in_the_training_loss_alone_is_not_what_is_split() {
    let mut model = Decayed { net: net() };
    let mut optimizer = SgdConfig::new().init();
    let mut lca = start(Lca::new(by_class(training())), &model);
    let penalty = |model: &Decayed| f64::from(host_values(squares(&model.net))[0]) / 2.0;
    for iteration in 0..3 {
        let before = model.clone();
        model = train(model, &mut optimizer, 0.02, minibatch(iteration));
        let step = lca.observe(&model).unwrap();
        assert_grounded(&step, &before, &model);
        // The training loss falls by far more.
        assert!(penalty(&model) - penalty(&before) < -10.0 * step.loss_change().abs());
    }
}

/// The optimizer evaluates the loss itself, on the whole probe, and says what it came to.
#[test]
fn steps_of_lbfgs_are_allocated_as_a_whole() {
    let mut model = net();
    let mut optimizer = LBFGSConfig::new()
        .with_max_iter(4)
        .with_line_search_fn(LineSearchFn::StrongWolfe)
        .init();
    let mut lca = start(Lca::new(by_class(training())), &model);
    for _ in 0..3 {
        let before = model.clone();
        let (after, loss) = optimizer.step(1.0, model, |model: DigitNet| {
            let loss = InferenceStep::step(&model, batch(training())).loss;
            let value = f64::from(host_values(loss.clone())[0]);
            (value, GradientsParams::from_grads(loss.backward(), &model))
        });
        let step = lca.observe(&after).unwrap();
        assert_close(step.loss_after(), loss, 4e-6);
        assert_grounded(&step, &before, &after);
        assert!(!step.probe().is_capped());
        model = after;
    }
}

/// The grey levels of an image's middle as tokens of 0 to 16; three more are never seen.
#[derive(Module, Debug)]
struct Embedder {
    embedding: Embedding,
    linear: Linear,
}

const SEEN: usize = 17;
const WIDTH: usize = 4;

impl InferenceStep for Embedder {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> ClassificationOutput {
        let tokens: Tensor<2, Int> = (batch.images.narrow(1, 16, 32) * 16.0).int();
        let logits = self
            .linear
            .forward(self.embedding.forward(tokens).flatten(1, 2));
        let loss = CrossEntropyLossConfig::new()
            .init(&logits.device())
            .forward(logits.clone(), batch.labels.clone());
        ClassificationOutput::new(loss, logits, batch.labels)
    }
}

impl TrainStep for Embedder {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> TrainOutput<ClassificationOutput> {
        let output = InferenceStep::step(self, batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

/// With weight decay they move, and do nothing to the loss.
#[test]
fn rows_of_an_embedding_that_are_never_seen_have_no_lca() {
    let mut model: Embedder = filled(Embedder {
        embedding: EmbeddingConfig::new(SEEN + 3, WIDTH).init(&device()),
        linear: LinearConfig::new(32 * WIDTH, CLASSES).init(&device()),
    });
    let mut optimizer = AdamWConfig::new().with_weight_decay(0.1).init();
    let mut lca = start(Lca::new(probe(training())), &model);
    for iteration in 0..3 {
        let before = model.clone();
        model = train(model, &mut optimizer, 0.01, minibatch(iteration));
        let step = lca.observe(&model).unwrap();
        assert_grounded(&step, &before, &model);
        let unseen = |model: &Embedder| host_values(model.embedding.weight.val())[SEEN * WIDTH];
        assert_ne!(unseen(&model), unseen(&before));
        let rows = step.parameter("embedding.weight").unwrap();
        let (seen, unseen) = rows.split_at(SEEN * WIDTH);
        assert!(seen.iter().all(|&lca| lca != 0.0));
        assert_eq!(unseen, [0.0; 3 * WIDTH]);
    }
}
