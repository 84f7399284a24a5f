//! Losses whose allocation is known by hand.
//!
//! L(θ) = mean(x) · θ₀ᵃ · θ₁ᵇ over the examples x = 1, 2, 6, whose mean is 3. The probe is cut
//! into two chunks of one and two examples, so chunks that were weighed alike would show.

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::InMemDataset;
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use burn::train::InferenceStep;
use burn::train::metric::ItemLazy;
use burn_lca::{Integrator, Lca, LcaObserver, MeanLoss, Probe, StepAllocation};

use crate::scaffold::{assert_close, device, start};

/// f32 sums of a few numbers of size one to ten.
const ROUNDING: f64 = 1e-5;

#[derive(Module, Debug)]
pub struct Monomial {
    theta: Param<Tensor<1>>,
    a: usize,
    b: usize,
}

/// An output type that the user defines.
pub struct Loss(pub Tensor<1>);

impl ItemLazy for Loss {
    fn sync(self) -> Result<Self, burn::backend::ExecutionError> {
        Ok(self)
    }
}

impl MeanLoss for Loss {
    fn mean_loss(&self) -> Tensor<1> {
        self.0.clone()
    }
}

impl Monomial {
    pub fn new(a: usize, b: usize, theta: [f32; 2]) -> Self {
        let theta = Tensor::from_floats(theta, &device()).require_grad();
        let theta = Param::from_tensor(theta);
        Self { theta, a, b }
    }

    /// The same model at another point.
    pub fn at(&self, theta: [f32; 2]) -> Self {
        let theta = self
            .theta
            .clone()
            .map(|old| Tensor::from_floats(theta, &old.device()).require_grad());
        Self { theta, ..*self }
    }
}

impl InferenceStep for Monomial {
    type Input = Tensor<1>;
    type Output = Loss;

    fn step(&self, x: Tensor<1>) -> Loss {
        let theta = |k: usize| self.theta.val().narrow(0, k, 1);
        let factors = (0..self.a + self.b).map(|k| theta(usize::from(k >= self.a)));
        Loss(factors.fold(x.mean(), |product, factor| product * factor))
    }
}

/// L = mean(x) · a·b of two parameters, each on its own.
#[derive(Module, Debug)]
pub struct Dot {
    pub a: Param<Tensor<1>>,
    pub b: Param<Tensor<1>>,
}

impl InferenceStep for Dot {
    type Input = Tensor<1>;
    type Output = Loss;

    fn step(&self, x: Tensor<1>) -> Loss {
        Loss(x.mean() * (self.a.val() * self.b.val()).sum())
    }
}

pub struct Numbers;

impl Batcher<f32, Tensor<1>> for Numbers {
    fn batch(&self, items: Vec<f32>, device: &Device) -> Tensor<1> {
        Tensor::from_floats(items.as_slice(), device)
    }
}

pub fn probe(examples: &[f32]) -> Probe<f32, Tensor<1>> {
    Probe::new(InMemDataset::new(examples.to_vec()), Numbers).chunk_size(2)
}

pub fn observe(model: &Monomial, integrator: Integrator) -> LcaObserver<Monomial> {
    start(
        Lca::new(probe(&[1.0, 2.0, 6.0])).integrator(integrator),
        model,
    )
}

/// The allocation of one step.
fn step(
    exponents: (usize, usize),
    [from, to]: [[f32; 2]; 2],
    integrator: Integrator,
) -> StepAllocation {
    let model = Monomial::new(exponents.0, exponents.1, from);
    observe(&model, integrator).observe(&model.at(to)).unwrap()
}

#[track_caller]
fn assert_parameters(step: &StepAllocation, expected: [f64; 2], residual: f64) {
    let lca = step.parameter("theta").unwrap();
    for (&actual, expected) in lca.iter().zip(expected) {
        assert_close(actual.into(), expected, ROUNDING);
    }
    assert_close(step.lca(), expected[0] + expected[1], ROUNDING);
    assert_close(step.residual(), residual, ROUNDING);
}

/// The step of all cases but the last: θ₀ = 1 + α/2, θ₁ = 2 − α.
const STEP: [[f32; 2]; 2] = [[1.0, 2.0], [1.5, 1.0]];

/// L = 3 θ₀: the gradient is (3, 0) everywhere, so LCA = (3 · 0.5, 0), and every rule is exact.
#[test]
fn every_rule_is_exact_on_a_linear_loss() {
    for splits in [0, 1, 2, 4] {
        let step = step((1, 0), STEP, Integrator::fixed(splits));
        assert_parameters(&step, [1.5, 0.0], 0.0);
        assert_eq!(step.probe().tally().zero, 1, "θ₁ is in no loss");
    }
}

/// L = 3 θ₀ θ₁ from 6 to 4.5. The gradient 3 (θ₁, θ₀) is linear in α, so its mean is its middle:
/// LCA₀ = 3 · ½ · 1.5 = 2.25, LCA₁ = 3 · (−1) · 1.25 = −3.75.
#[test]
fn the_trapezoid_is_exact_by_parameter_on_a_quadratic_loss() {
    for splits in [1, 2, 4] {
        let step = step((1, 1), STEP, Integrator::fixed(splits));
        assert_parameters(&step, [2.25, -3.75], 0.0);
        assert_close(step.loss_before(), 6.0, ROUNDING);
        assert_close(step.loss_after(), 4.5, ROUNDING);
        let tally = step.probe().tally();
        assert_eq!((tally.helping, tally.hurting, tally.zero), (1, 1, 0));
        assert_close(tally.lca_helping, -3.75, ROUNDING);
    }
}

/// The same with the gradient at the start alone: LCA₀ = 3 · ½ · 2 = 3, LCA₁ = 3 · (−1) · 1 = −3.
/// What is missed is the mixed term 3 Δ₀ Δ₁ = −1.5.
#[test]
fn the_first_order_misses_the_mixed_term_of_a_quadratic_loss() {
    let step = step((1, 1), STEP, Integrator::fixed(0));
    assert_parameters(&step, [3.0, -3.0], -1.5);
    assert_eq!((step.splits(), step.probe().sweeps()), (0, 1));
}

/// L = 3 θ₀² θ₁ from 6 to 6.75.
///
/// LCA₀ = 3 · ½ ∫ 2 (1 + α/2)(2 − α) = 3 ∫ 2 − α²/2 = 3 (2 − 1/6) = 5.5
/// LCA₁ = −3 ∫ (1 + α/2)² = −3 (1 + 1/2 + 1/12) = −4.75
#[test]
fn simpson_is_exact_by_parameter_on_a_cubic_loss() {
    for splits in [2, 4] {
        assert_parameters(
            &step((2, 1), STEP, Integrator::fixed(splits)),
            [5.5, -4.75],
            0.0,
        );
    }
}

/// The same with the ends alone: LCA₀ = 3 · ½ · (4 + 3)/2 = 5.25, LCA₁ = −3 (1 + 2.25)/2 = −4.875.
///
/// The trapezoid overshoots by f″/12, with f = dL/dα of L = 3 (2 + α − α²/2 − α³/4), so
/// f″ = −4.5 and the residual is 4.5/12 = 0.375.
#[test]
fn the_trapezoid_errs_by_its_known_term_on_a_cubic_loss() {
    assert_parameters(
        &step((2, 1), STEP, Integrator::fixed(1)),
        [5.25, -4.875],
        4.5 / 12.0,
    );
}

/// L = 3 θ₀² θ₁² from 12 to 6.75, whose gradient is cubic, which Simpson integrates exactly.
///
/// LCA₀ = 3 ∫ (1 + α/2)(2 − α)² = 3 ∫ 4 − 2α − α² + α³/2 = 3 (4 − 1 − 1/3 + 1/8) = 8.375
/// LCA₁ = −6 ∫ (1 + α/2)²(2 − α) = −6 ∫ 2 + α − α²/2 − α³/4 = −6 (2 + 1/2 − 1/6 − 1/16) = −13.625
#[test]
fn simpson_is_exact_by_parameter_on_a_quartic_loss() {
    for splits in [2, 4, 8] {
        assert_parameters(
            &step((2, 2), STEP, Integrator::fixed(splits)),
            [8.375, -13.625],
            0.0,
        );
    }
}

/// L = 3 θ₀⁵ from 0 to 3: the gradient along the step is f = 15 α⁴, the first that Simpson
/// misses: by f⁗/(180 n⁴) = 360/(180 n⁴) = 2/n⁴ over n intervals. Four splits miss 1/16 of what
/// two do. The trapezoid gives 15/2, the first order 0.
#[test]
fn simpson_errs_by_its_known_term_on_a_quintic_loss() {
    let lca = |splits| step((5, 0), [[0.0, 7.0], [1.0, 7.0]], Integrator::fixed(splits));
    assert_parameters(&lca(0), [0.0, 0.0], 3.0);
    assert_parameters(&lca(1), [7.5, 0.0], -4.5);
    assert_parameters(&lca(2), [3.125, 0.0], -1.0 / 8.0);
    assert_parameters(&lca(4), [3.0 + 2.0 / 256.0, 0.0], -1.0 / 128.0);
    assert_parameters(&lca(8), [3.0 + 2.0 / 4096.0, 0.0], -1.0 / 2048.0);
}

/// The gradient at the end of one step is the start of the next, and iterations count on.
/// L = 3 θ₀ θ₁: from (1, 2) to (1.5, 1) as above, on to (1.5, 3): LCA₁ = 3 · 2 · 1.5 = 9.
#[test]
fn a_step_begins_where_the_last_one_ended() {
    let model = Monomial::new(1, 1, STEP[0]);
    let mut lca = observe(&model, Integrator::fixed(1));
    let first = lca.observe(&model.at(STEP[1])).unwrap();
    let second = lca.observe(&model.at([1.5, 3.0])).unwrap();
    let still = lca.observe(&model.at([1.5, 3.0])).unwrap();

    assert_parameters(&second, [0.0, 9.0], 0.0);
    assert_eq!(first.loss_after(), second.loss_before());
    assert_parameters(&still, [0.0, 0.0], 0.0);
    assert_eq!(still.probe().tally().zero, 2);
    let iterations = [&first, &second, &still].map(|step| step.iteration());
    assert_eq!(iterations, [0, 1, 2]);
    lca.finish().unwrap();
}

/// A step that is not observed is part of the next one: the segment is the straight line from
/// (1, 2) to (1.5, 3). L = 3 θ₀ θ₁: LCA₀ = 3 · ½ · 2.5 = 3.75, LCA₁ = 3 · 1 · 1.25 = 3.75.
#[test]
fn several_optimizer_steps_are_allocated_as_one_straight_line() {
    let model = Monomial::new(1, 1, STEP[0]);
    let mut lca = observe(&model, Integrator::fixed(1));
    let _unobserved = model.at(STEP[1]);
    let step = lca.observe(&model.at([1.5, 3.0])).unwrap();
    assert_parameters(&step, [3.75, 3.75], 0.0);
}
