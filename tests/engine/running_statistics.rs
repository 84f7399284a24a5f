//! Batch normalization on its running statistics, which move between steps and take their share
//! of the loss change.

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::SgdConfig;
use burn::tensor::Tensor;
use burn::train::InferenceStep;
use burn_lca::{BatchNormMode, Integrator, Lca, StepAllocation};
use rstest::rstest;

use crate::host::{Kind, Point, Statistics, share};
use crate::norm_net::NormNet;
use crate::scaffold::{
    assert_close, batch, by_class, host_values, minibatch, probe, start, steps, train, training,
    values,
};

const DEFAULT: [f64; 2] = [1e-5, 1e-5];
const LARGE: [f64; 2] = [1e-2, 1e-1];

/// Scale and shift of both normalizations stop learning; their statistics go on moving.
fn freeze_scale_and_shift(model: NormNet) -> NormNet {
    struct Freeze(bool);
    impl ModuleMapper for Freeze {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.0 = ["gamma", "beta"].contains(&name);
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.0 = false;
        }
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if self.0 {
                param.set_require_grad(false)
            } else {
                param
            }
        }
    }
    model.map(&mut Freeze(false))
}

/// Trains, with the models before and after each step on the host.
fn run(
    mut model: NormNet,
    epsilons: [f64; 2],
    lca: Lca<crate::digits::DigitBatch>,
) -> Vec<([Point; 2], StepAllocation)> {
    let mut optimizer = SgdConfig::new().init();
    let mut lca = start(lca, &model);
    let mut before = Point::of(&model, epsilons);
    (0..steps(4, 2))
        .map(|step| {
            model = train(model.clone(), &mut optimizer, 0.1, minibatch(step));
            let allocation = lca.observe(&model).unwrap();
            let after = Point::of(&model, epsilons);
            (
                [std::mem::replace(&mut before, after.clone()), after],
                allocation,
            )
        })
        .collect()
}

/// Σ LCA + share of buffers = ΔL, and each of the two is what differences of the loss say.
#[rstest]
#[case::default_epsilon(DEFAULT, false)]
#[case::large_epsilons(LARGE, false)]
#[case::frozen_scale_and_shift(LARGE, true)]
fn the_share_of_moving_buffers_is_reported_apart(#[case] epsilons: [f64; 2], #[case] frozen: bool) {
    let mut model = NormNet::new(epsilons);
    if frozen {
        model = freeze_scale_and_shift(model);
    }
    let lca = Lca::new(by_class(training())).integrator(Integrator::fixed(2));
    for ([before, after], step) in run(model, epsilons, lca) {
        let losses = [&before, &after].map(|point| point.loss(training(), Statistics::Running));
        assert_close(step.loss_before(), losses[0], 2e-6);
        assert_close(step.loss_after(), losses[1], 2e-6);

        let buffers = step.probe().buffers().expect("running statistics");
        let residual = step.loss_change() - step.lca() - buffers;
        assert_close(step.residual(), residual, 1e-12);
        // Simpson misses little of a step, and the buffers make much of it.
        assert!(buffers.abs() > 1e-3, "{buffers}");
        assert!(
            residual.abs() < 0.02 * buffers.abs(),
            "{residual} {buffers}"
        );

        let expected = share(Kind::Buffers, [&before, &after], training());
        assert_close(buffers, expected, 1e-3 * expected.abs() + 1e-6);
        let expected = share(Kind::Parameters, [&before, &after], training());
        assert_close(step.lca(), expected, 1e-3 * expected.abs() + 1e-6);
        for tensor in step.tensors() {
            let is_frozen = frozen && tensor.path().contains("norm");
            assert_eq!(tensor.is_frozen(), is_frozen, "{}", tensor.path());
            assert!(!is_frozen || tensor.lca() == 0.0);
        }
    }
}

/// Every class has its own share, which is not reported, but is not part of the residual either.
#[test]
fn the_classes_of_a_batch_norm_network_are_grounded_too() {
    let model = NormNet::new(LARGE);
    let lca = Lca::new(by_class(training())).integrator(Integrator::fixed(4));
    for (_, step) in run(model, LARGE, lca) {
        assert_eq!(step.classes().len(), crate::scaffold::CLASSES);
        for class in step.classes() {
            let measured = class.measured().unwrap();
            let change = measured.loss_after - measured.loss_before;
            // Here, too, the buffers' share is much larger than what is missed.
            let unexplained = change - measured.lca;
            assert!(unexplained.abs() > 2.0 * measured.residual.abs());
            assert_close(measured.residual, 0.0, 2e-2 * change.abs() + 1e-3);
        }
    }
}

/// Without classes only on request; and then it is the same loss.
#[test]
fn running_statistics_can_be_asked_for_without_classes() {
    let with_classes = Lca::new(by_class(training())).integrator(Integrator::fixed(2));
    let on_request = Lca::new(probe(training()))
        .batch_norm(BatchNormMode::Running)
        .integrator(Integrator::fixed(2));
    let steps = [with_classes, on_request].map(|lca| run(NormNet::new(LARGE), LARGE, lca));
    for ((_, a), (_, b)) in steps[0].iter().zip(&steps[1]) {
        assert_close(a.loss_after(), b.loss_after(), 2e-6);
        assert_close(a.lca(), b.lca(), 1e-4 * a.lca().abs() + 1e-6);
        let buffers = [a, b].map(|step| step.probe().buffers().unwrap());
        assert_close(buffers[0], buffers[1], 1e-4 * buffers[0].abs() + 1e-6);
    }
}

#[test]
fn the_loss_on_running_statistics_is_that_of_the_validated_model() {
    let mut model = NormNet::new(DEFAULT);
    let mut optimizer = SgdConfig::new().init();
    let mut lca = start(Lca::new(by_class(training())), &model);
    for step in 0..2 {
        model = train(model, &mut optimizer, 0.1, minibatch(step));
        let allocation = lca.observe(&model).unwrap();
        let direct = InferenceStep::step(&model.valid(), batch(training())).loss;
        assert_close(allocation.loss_after(), host_values(direct)[0].into(), 5e-6);
    }
}

/// A network without batch normalization has no buffers to report.
#[test]
fn the_share_of_buffers_is_none_where_there_are_none() {
    let model = crate::scaffold::net();
    let mut lca = start(Lca::new(by_class(training())), &model);
    let step = lca.observe(&model).unwrap();
    assert_eq!(step.probe().buffers(), None);
}

/// Observing neither moves the live statistics nor makes the next training step see others.
#[rstest]
#[case::running(BatchNormMode::Running)]
#[case::chunk(BatchNormMode::Chunk)]
fn observing_leaves_the_live_statistics_alone_bit_for_bit(#[case] mode: BatchNormMode) {
    let train_some = |observed: bool| {
        let mut model = NormNet::new(DEFAULT);
        let mut optimizer = SgdConfig::new().init();
        let lca = Lca::new(probe(training())).batch_norm(mode);
        let mut lca = observed.then(|| start(lca, &model));
        for step in 0..steps(4, 2) {
            model = train(model, &mut optimizer, 0.1, minibatch(step));
            if let Some(lca) = &mut lca {
                let before = values(&model.valid());
                lca.observe(&model).unwrap();
                assert_eq!(bits(&values(&model.valid())), bits(&before));
            }
        }
        values(&model.valid())
    };
    let (observed, plain) = (train_some(true), train_some(false));
    assert!(plain["z_norm.running_mean"].iter().all(|&mean| mean != 0.0));
    if crate::scaffold::thorough() {
        assert_eq!(bits(&observed), bits(&plain));
    }
}

fn bits(values: &std::collections::BTreeMap<String, Vec<f32>>) -> Vec<Vec<u32>> {
    let bits = |values: &Vec<f32>| values.iter().map(|value| value.to_bits()).collect();
    values.values().map(bits).collect()
}
