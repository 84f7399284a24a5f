//! The share of weight decay in a step's LCA.

use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::module::{Module, ParamGroup};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::{
    AdafactorConfig, AdamWConfig, AdanConfig, LionConfig, ModuleOptimizer, MuonConfig, SgdConfig,
};
use burn::train::TrainStep;
use burn_lca::{Integrator, Lca, StepAllocation, WeightDecay};
use rstest::rstest;

use crate::by_hand::{self, Monomial};
use crate::scaffold::{assert_close, by_class, minibatch, net, start, training, values};

const RATE: f64 = 0.02;
const DECAY: f64 = 0.3;

/// L = 3 θ₀ θ₁ from (1, 2) to (1.5, 1), at a rate of 0.5 and λ = 0.2: the decay's part of the step is
/// −0.1 · (1, 2). The mean gradient is that in the middle, 3 (1.5, 1.25), so that the share of decay
/// is −0.1 · 4.5 − 0.2 · 3.75 = −1.2, of −1.5 in all.
#[test]
fn the_share_of_decay_is_its_motion_times_the_mean_gradient() {
    let model = Monomial::new(1, 1, [1.0, 2.0]);
    let lca = Lca::new(by_hand::probe(&[1.0, 2.0, 6.0]));
    let lca = lca.integrator(Integrator::fixed(1)).weight_decay(0.2);
    let mut lca = start(lca, &model);
    lca.set_learning_rate(0.5);
    let step = lca.observe(&model.at([1.5, 1.0])).unwrap();
    assert_close(step.lca(), -1.5, 1e-5);
    assert_close(step.probe().lca_decay().unwrap(), -1.2, 1e-5);
    // From (1.5, 1) to (1.5, 1): nothing was decayed, as nothing moved.
    let still = lca.observe(&model.at([1.5, 1.0])).unwrap();
    assert_eq!(still.probe().lca_decay(), Some(0.0));
}

fn decay() -> Option<WeightDecayConfig> {
    Some(WeightDecayConfig::new(DECAY as f32))
}

fn adamw(decay: f64) -> ModuleOptimizer {
    AdamWConfig::new().with_weight_decay(decay as f32).init()
}

fn lion(decay: f64) -> ModuleOptimizer {
    LionConfig::new().with_weight_decay(decay as f32).init()
}

fn adafactor(decay: f64) -> ModuleOptimizer {
    AdafactorConfig::new()
        .with_weight_decay(decay as f32)
        .init()
}

fn adan(decay: f64) -> ModuleOptimizer {
    let adan = AdanConfig::new().with_no_prox(true);
    adan.with_weight_decay(decay as f32).init()
}

fn sgd(factor: f64) -> ModuleOptimizer {
    SgdConfig::new()
        .with_weight_decay(decay().filter(|_| factor != 0.0))
        .init()
}

/// Muon takes matrices only.
fn muon(factor: f64) -> ModuleOptimizer {
    let muon = MuonConfig::new().with_weight_decay(decay().filter(|_| factor != 0.0));
    adamw(factor).with_group(ParamGroup::from_predicate("weight"), muon.build(), None)
}

/// Where the same optimizer would have gone without decay says what decay moved, and LCA over the
/// step is the mean gradient.
#[rstest]
#[case::adamw(adamw)]
#[case::lion(lion)]
#[case::adafactor(adafactor)]
#[case::adan(adan)]
#[case::sgd(sgd)]
#[case::muon(muon)]
fn the_share_of_decay_is_that_of_where_the_optimizer_would_not_have_gone_without(
    #[case] optimizer: fn(f64) -> ModuleOptimizer,
) {
    let mut model = net();
    let [mut with, mut without] = [DECAY, 0.0].map(optimizer);
    // A group with a rate of its own, as Burn's learner may have.
    let mut rates =
        ModuleLrScheduler::new(RATE).with_group(ParamGroup::from_predicate("fc2"), RATE / 4.0);
    let mut lca = start(Lca::new(by_class(training())).weight_decay(DECAY), &model);
    for iteration in 0..2 {
        let rate = rates.step();
        lca.set_learning_rate(rate.clone());
        let grads = || TrainStep::step(&model, minibatch(iteration)).grads;
        let undecayed = without.step(rate.clone(), model.clone(), grads());
        let after = with.step(rate, model.clone(), grads());
        let step = lca.observe(&after).unwrap();
        let [before, undecayed, decayed] = [&model, &undecayed, &after].map(values);
        for tensor in step.tensors() {
            let path = tensor.path();
            let places = before[path]
                .iter()
                .zip(&undecayed[path])
                .zip(&decayed[path]);
            let shares = step.parameter(path).unwrap();
            let terms = places.zip(&shares).map(|(((before, without), with), lca)| {
                let [before, without, with] = [before, without, with].map(|&x| f64::from(x));
                // Of the few that did not move there is no gradient to be had.
                let moved = (with != before).then_some(f64::from(*lca) / (with - before));
                (with - without) * moved.unwrap_or(0.0)
            });
            let terms: Vec<f64> = terms.collect();
            let size: f64 = terms.iter().map(|term| term.abs()).sum();
            let share = tensor.lca_decay().unwrap();
            assert!(size > 0.0, "{path}");
            assert_close(share, terms.iter().sum(), 2e-3 * size);
        }
        assert_adds_up(&step);
        model = after;
    }
}

/// Of tensors to the whole, and Σ_c (N_c/N) of classes to the tensor.
#[track_caller]
fn assert_adds_up(step: &StepAllocation) {
    let whole: f64 = step.tensors().iter().filter_map(|t| t.lca_decay()).sum();
    assert_close(step.probe().lca_decay().unwrap(), whole, 1e-12);
    for tensor in step.tensors() {
        let classes = tensor.by_class().iter().zip(step.classes());
        let of_class = classes.map(|(share, class)| {
            let part = class.examples() as f64 / training().len() as f64;
            assert_eq!(share.class(), class.class());
            part * share.lca_decay().unwrap()
        });
        let share = tensor.lca_decay().unwrap();
        assert_close(of_class.sum(), share, 1e-5 * share.abs() + 1e-9);
    }
}

#[test]
fn what_no_optimizer_moved_is_not_decayed_and_a_group_has_a_factor_of_its_own() {
    let mut model = net();
    model = model.freeze_group(ParamGroup::from_predicate("fc1"));
    let bias = ParamGroup::from_predicate("bias");
    let decay = WeightDecay::new(DECAY).with_group(bias.clone(), 0.0);
    let undecayed = AdamWConfig::new().with_weight_decay(0.0).build();
    let mut optimizer = adamw(DECAY).with_group(bias, undecayed, None);
    let mut lca = start(Lca::new(by_class(training())).weight_decay(decay), &model);
    lca.set_learning_rate(RATE);
    let grads = TrainStep::step(&model, minibatch(0)).grads;
    let step = lca.observe(&optimizer.step(RATE, model, grads)).unwrap();
    for tensor in step.tensors() {
        let decays = !tensor.is_frozen() && tensor.path().ends_with("weight");
        assert_eq!(tensor.lca_decay() != Some(0.0), decays, "{tensor:?}");
    }
}

#[test]
fn decay_is_not_told_unless_asked_for() {
    let model = Monomial::new(1, 1, [1.0, 2.0]);
    let step = by_hand::observe(&model, Integrator::fixed(1)).observe(&model.at([1.5, 1.0]));
    let step = step.unwrap();
    assert_eq!(step.probe().lca_decay(), None);
    assert_eq!(step.tensors()[0].lca_decay(), None);
}

/// The third step is measured as if all were; of two steps as one, what decayed is not known.
#[test]
fn decay_is_that_of_the_measured_step_and_refused_over_several() {
    let points = [[1.5, 1.0], [1.25, 1.5], [1.0, 0.5]];
    let model = Monomial::new(1, 1, [1.0, 2.0]);
    let lca = || Lca::new(by_hand::probe(&[1.0, 2.0, 6.0])).weight_decay(0.2);
    let [mut each, mut some] = [lca(), lca().one_in(2)].map(|lca| start(lca, &model));
    let mut shares = [Vec::new(), Vec::new()];
    for (rate, point) in [0.5, 0.25, 0.125].into_iter().zip(points) {
        let after = model.at(point);
        for (lca, shares) in [&mut each, &mut some].into_iter().zip(&mut shares) {
            lca.set_learning_rate(rate);
            let step = lca.step(&after).unwrap();
            shares.extend(step.map(|step| (step.iteration(), step.probe().lca_decay())));
        }
    }
    let [each, some] = shares;
    assert_eq!(some, [each[0], each[2]]);
    let refused = lca().every(2).start(&model).expect_err("a refusal");
    assert!(refused.to_string().contains("`one_in`"), "{refused}");
}

#[test]
fn decay_without_a_learning_rate_or_by_no_factor_is_refused() {
    let model = Monomial::new(1, 1, [1.0, 2.0]);
    let lca = |factor: f64| Lca::new(by_hand::probe(&[1.0, 2.0])).weight_decay(factor);
    let error = start(lca(0.1), &model).observe(&model.at([1.5, 1.0]));
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("`LcaObserver::set_learning_rate`"),
        "{error}"
    );
    for factor in [-0.1, f64::NAN, f64::INFINITY] {
        let error = lca(factor).start(&model).expect_err("a refusal");
        assert!(error.to_string().starts_with("weight_decay: "), "{error}");
    }
}
