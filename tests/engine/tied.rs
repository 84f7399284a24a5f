//! One `Param` in two modules.

use burn::module::Param;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::Tensor;
use burn::train::InferenceStep;
use burn_lca::{Integrator, Lca, LcaObserver, Recorder, Run, StepAllocation, Table};

use crate::by_hand::{Dot, probe};
use crate::scaffold::{assert_close, device, host_values, start};

impl Dot {
    fn new(values: [f32; 2]) -> Self {
        let a = Param::from_tensor(Tensor::from_floats(values, &device()));
        Self { b: a.clone(), a }
    }

    /// The same parameter with other values, at both of its places.
    fn at(&self, values: [f32; 2]) -> Self {
        let moved = |old: Tensor<1>| Tensor::from_floats(values, &old.device()).require_grad();
        let a = self.a.clone().map(moved);
        Self { b: a.clone(), a }
    }
}

fn observe(model: &Dot) -> LcaObserver<Dot> {
    let lca = Lca::new(probe(&[1.0, 2.0, 6.0])).integrator(Integrator::fixed(1));
    start(lca, model)
}

fn tied_to(step: &StepAllocation) -> [Option<&str>; 2] {
    [0, 1].map(|k: usize| step.tensors()[k].tied_to())
}

/// L = 3 θ·θ: the gradient is 6 θ, so from (1, 2) to (1.5, 1) LCA is 6 · ½ · 1.25 = 3.75 and
/// 6 · (−1) · 1.5 = −9.
#[test]
fn a_parameter_in_two_places_has_one_allocation_under_both_names() {
    let folder = tempfile::tempdir().unwrap();
    let model = Dot::new([1.0, 2.0]);
    let lca = Lca::new(probe(&[1.0, 2.0, 6.0]))
        .integrator(Integrator::fixed(1))
        .record(Recorder::new(folder.path()));
    let mut lca = start(lca, &model);
    let step = lca.observe(&model.at([1.5, 1.0])).unwrap();
    lca.finish().unwrap();

    assert_eq!(tied_to(&step), [None, Some("a")]);
    for path in ["a", "b"] {
        let parameters = step.parameter(path).unwrap();
        assert_close(parameters[0].into(), 3.75, 1e-5);
        assert_close(parameters[1].into(), -9.0, 1e-5);
    }
    assert_close(step.lca(), -5.25, 1e-5);
    assert_close(step.residual(), 0.0, 1e-5);
    let [a, b] = step.tensors() else { panic!() };
    assert_close(a.lca(), -5.25, 1e-5);
    assert_eq!((b.lca(), b.helping() + b.hurting() + b.zero()), (0.0, 0));
    let tally = step.probe().tally();
    assert_eq!((tally.helping, tally.hurting, tally.zero), (1, 1, 0));

    let run = Run::open(folder.path()).unwrap();
    let info: Vec<_> = run
        .info()
        .tensors
        .iter()
        .map(|t| t.tied_to.as_deref())
        .collect();
    assert_eq!(info, [None, Some("a")]);
    for (path, rows) in [("a", 2), ("b", 0)] {
        let batches = run.scan(Table::ParameterTotals).tensor(path).batches();
        let count: usize = batches
            .unwrap()
            .map(|batch| batch.unwrap().num_rows())
            .sum();
        assert_eq!(count, rows);
    }
}

/// Burn's optimizer moves the first place, by the gradients of both, and leaves the second: from
/// θ = (1, 2) at a rate of 1/24, by 6 θ/24 to (0.75, 1.5). L = 3 a·b is linear in a: LCA of a is
/// 3 · (−0.25 · 1 − 0.5 · 2) = −3.75.
#[test]
fn a_parameter_that_has_become_two_is_allocated_as_two() {
    let mut model = Dot::new([1.0, 2.0]);
    let mut optimizer = SgdConfig::new().init();
    let mut lca = observe(&model);
    let mut steps = Vec::new();
    for _ in 0..2 {
        let x = Tensor::from_floats([3.0], &device());
        let grads = GradientsParams::from_grads(model.step(x).0.backward(), &model);
        model = optimizer.step(1.0 / 24.0, model, grads);
        steps.push(lca.observe(&model).unwrap());
    }
    assert_ne!(host_values(model.a.val()), host_values(model.b.val()));
    assert_eq!(tied_to(&steps[0]), [None, None]);
    assert_close(steps[0].tensors()[0].lca(), -3.75, 1e-5);
    assert_eq!(steps[0].probe().sweeps(), 1, "the gradients were there");
    for step in &steps {
        assert_close(step.residual(), 0.0, 1e-5);
        assert!(step.loss_change().abs() > 1.0);
    }
    // A new observation finds two parameters that have the same id.
    let apart = observe(&model).observe(&model).unwrap();
    assert_eq!(tied_to(&apart), [None, None]);
}

/// L = x̄ θ·θ over two of the examples 1, 2, 6: LCA is proportional to x̄, so with halves a and b
/// se is √(1 − 2/3) · |a − b|/(a + b) of it. Both places are in the halves, and counted once.
#[test]
fn a_parameter_in_two_places_has_one_error_on_samples() {
    let model = Dot::new([1.0, 2.0]);
    let probe = probe(&[1.0, 2.0, 6.0]).sampled(2, 1);
    let mut lca = start(Lca::new(probe).integrator(Integrator::fixed(1)), &model);
    let step = lca.observe(&model.at([1.5, 1.0])).unwrap();
    // L = 5 x̄ before the step.
    let sum = 2.0 * step.loss_before() / 5.0;
    let difference = match sum.round() {
        3.0 => 1.0,
        7.0 => 5.0,
        8.0 => 4.0,
        other => panic!("no pair adds up to {other}"),
    };
    let error = (1.0_f64 / 3.0).sqrt() * difference / sum * step.lca().abs();
    assert_close(step.standard_error().unwrap(), error, 1e-5);
    assert_close(step.tensors()[0].standard_error().unwrap(), error, 1e-5);
}
