//! When the quadrature is refined, and when it stops.

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::SgdConfig;
use burn::tensor::Tensor;
use burn::train::{InferenceStep, RegressionOutput};
use burn_lca::{Integrator, Lca, StepAllocation};

use crate::by_hand::{Monomial, observe, probe};
use crate::digits::DigitBatch;
use crate::scaffold::{
    assert_close, by_class, device, minibatch, net, probe as digits_probe, start, steps, thorough,
    train, training, validation,
};

/// L = 3 θ₀⁵ from 0 to 3, which n splits miss by 2/n⁴ (see `by_hand`):
/// 4.5, 1/8, 1/128, 1/2048, 1/32768 at 1, 2, 4, 8, 16 splits.
fn quintic(integrator: Integrator) -> StepAllocation {
    let model = Monomial::new(5, 0, [0.0, 1.0]);
    observe(&model, integrator)
        .observe(&model.at([1.0, 1.0]))
        .unwrap()
}

#[test]
fn the_climb_ends_at_the_first_rule_within_tolerance() {
    for (absolute, splits) in [(5.0, 1), (0.2, 2), (0.01, 4), (1e-3, 8), (1e-4, 16)] {
        let step = quintic(Integrator::adaptive().tolerance(absolute, 0.0));
        assert_eq!(step.splits(), splits, "tolerance {absolute}");
        assert!(step.residual().abs() <= absolute && !step.probe().is_capped());
        // All rungs below share their gradients: the finest rule's are all that it took.
        assert_eq!(step.probe().sweeps(), splits);
    }
}

/// 1/8 is within 5 % of the loss change of 3, which is 0.15, and not within 4 %, which is 0.12.
#[test]
fn the_relative_tolerance_is_a_share_of_the_loss_change() {
    let splits = |relative| quintic(Integrator::adaptive().tolerance(0.0, relative)).splits();
    assert_eq!((splits(0.05), splits(0.04)), (2, 4));
}

#[test]
fn a_step_that_misses_the_tolerance_at_the_cap_is_flagged_and_still_allocated() {
    for (cap, residual) in [(1, -4.5), (2, -1.0 / 8.0), (4, -1.0 / 128.0)] {
        let step = quintic(Integrator::adaptive().tolerance(1e-4, 0.0).cap(cap));
        assert!(step.probe().is_capped(), "cap {cap}");
        assert_eq!((step.splits(), step.probe().sweeps()), (cap, cap));
        assert_close(step.residual(), residual, 1e-5);
    }
}

#[test]
fn a_fixed_rule_never_climbs_and_is_never_flagged() {
    for (splits, sweeps) in [(0, 1), (1, 1), (2, 2), (4, 4), (32, 32)] {
        let step = quintic(Integrator::fixed(splits));
        assert_eq!((step.splits(), step.probe().sweeps()), (splits, sweeps));
        assert!(!step.probe().is_capped());
    }
}

/// The step is linear: nothing is missed, and the rule starts at Simpson all the same. On the
/// quintic, 0.001 takes 8 splits.
#[test]
fn the_papers_rule_starts_with_simpson_and_climbs_to_a_thousandth() {
    let model = Monomial::new(1, 0, [0.0, 1.0]);
    let step = observe(&model, Integrator::paper())
        .observe(&model.at([1.0, 1.0]))
        .unwrap();
    assert_eq!((step.splits(), step.probe().sweeps()), (2, 2));
    assert_eq!(quintic(Integrator::paper()).splits(), 8);
}

/// Main probe of mean 3e-4, validation of mean 3: they miss 2e-4/n⁴ and 2/n⁴.
#[test]
fn each_probe_climbs_as_far_as_its_own_residual_asks() {
    let model = Monomial::new(5, 0, [0.0, 1.0]);
    let lca = Lca::new(probe(&[3e-4; 3]))
        .validation(probe(&[3.0; 3]))
        .integrator(Integrator::adaptive().tolerance(1e-3, 0.0));
    let step = start(lca, &model).observe(&model.at([1.0, 1.0])).unwrap();
    let validation = step.validation().unwrap();
    assert_eq!((step.splits(), validation.splits()), (1, 8));
    assert_eq!((step.probe().sweeps(), validation.sweeps()), (1, 8));
}

/// Small steps of plain SGD are nearly straight: the default stays at the trapezoid. At a rate
/// of 3 they leap across the landscape: the climb is needed, and a cap of 2 is not enough for all.
#[test]
fn small_real_steps_stay_at_the_trapezoid_and_large_ones_climb() {
    let run = |rate, integrator| -> Vec<StepAllocation> {
        let mut model = net();
        let mut optimizer = SgdConfig::new().init();
        let lca = Lca::new(by_class(training())).integrator(integrator);
        let mut lca = start(lca, &model);
        (0..steps(6, 3))
            .map(|step| {
                model = train(model.clone(), &mut optimizer, rate, minibatch(step));
                lca.observe(&model).unwrap()
            })
            .collect()
    };
    for step in run(0.01, Integrator::adaptive()) {
        assert_eq!((step.splits(), step.probe().sweeps()), (1, 1));
    }
    let tolerance = |step: &StepAllocation| 1e-4 + 1e-2 * step.loss_change().abs();
    let climbed = run(3.0, Integrator::adaptive());
    assert!(climbed.iter().any(|step| step.splits() > 2));
    for step in &climbed {
        assert!(step.probe().is_capped() || step.residual().abs() <= tolerance(step));
        assert!(!step.probe().is_capped() || step.splits() == 32);
    }
    let capped = run(3.0, Integrator::adaptive().cap(2));
    assert!(capped.iter().any(|step| step.probe().is_capped()));
    for step in &capped {
        let missed = step.residual().abs() > tolerance(step);
        assert_eq!(step.probe().is_capped(), missed);
        assert!(step.splits() <= 2 && step.probe().sweeps() == step.splits());
    }
}

/// The model with one weight of its last bias replaced.
fn poisoned<M: Module>(model: &M, value: f32) -> M {
    struct Poison(f32);
    impl ModuleMapper for Poison {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            match param.base().dims()[0] == 10 && D == 1 {
                false => param,
                true => param.map(|old| (old.detach() * self.0).detach().require_grad()),
            }
        }
    }
    model.valid().train().map(&mut Poison(value))
}

#[test]
fn a_loss_that_is_not_finite_ends_the_climb_and_observing_goes_on() {
    for poison in [f32::NAN, f32::INFINITY] {
        let model = net();
        let tight = Integrator::adaptive().tolerance(0.0, 0.0);
        let lca = Lca::new(by_class(training()))
            .validation(by_class(validation()))
            .integrator(tight.clone().cap(2));
        let mut lca = start(lca, &model);

        let sick = lca.observe(&poisoned(&model, poison)).unwrap();
        let healing = lca.observe(&model).unwrap();
        let healthy = lca.observe(&poisoned(&model, 0.5)).unwrap();
        for step in [&sick, &healing] {
            for probe in [step.probe(), step.validation().unwrap()] {
                assert!(!probe.is_finite() && !probe.is_capped());
                assert_eq!((probe.splits(), probe.sweeps()), (1, 1));
            }
        }
        assert!(sick.loss_before().is_finite() && !sick.loss_after().is_finite());
        assert!(!healing.loss_before().is_finite() && healing.loss_after().is_finite());
        // Nothing is within a tolerance of zero.
        assert!(healthy.probe().is_finite() && healthy.probe().is_capped());
        assert_close(healthy.lca(), healthy.loss_change(), 1e-3);
        assert_eq!(healthy.iteration(), 2);
    }
}

/// L = Σ √θ²: finite at zero, where the chain rule gives ∞ · 0.
#[derive(Module, Debug)]
struct Root {
    theta: Param<Tensor<1>>,
}

impl InferenceStep for Root {
    type Input = DigitBatch;
    type Output = RegressionOutput;

    fn step(&self, batch: DigitBatch) -> RegressionOutput {
        let loss = self.theta.val().square().sqrt().sum().reshape([1]);
        RegressionOutput::new(loss, batch.images.clone(), batch.images)
    }
}

#[test]
fn a_gradient_that_is_not_a_number_is_not_passed_over() {
    let at = |theta: [f32; 2]| Tensor::from_floats(theta, &device()).require_grad();
    let model = Root {
        theta: Param::from_tensor(at([0.0, 1.0])),
    };
    let loss = model.theta.val().square().sqrt().sum();
    let gradient = model.theta.grad(&loss.backward()).unwrap();
    if !gradient.into_data().iter::<f32>().any(f32::is_nan) {
        // A shader may take infinities and NaN for numbers; the CPU may not.
        assert!(!thorough());
        return;
    }
    let other = Root {
        theta: model.theta.clone().map(|_| at([1.0, 2.0])),
    };
    let lca = Lca::new(digits_probe(training()));
    let step = start(lca, &model).observe(&other).unwrap();
    assert_close(step.loss_change(), 2.0, 1e-5);
    assert!(step.parameter("theta").unwrap()[0].is_nan());
    assert!(!step.probe().is_finite() && step.lca().is_nan());
    assert_eq!((step.splits(), step.probe().is_capped()), (1, false));
}
