//! Where something other than the parameters moves the loss.

use std::cell::{Cell, RefCell};

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::train::{InferenceStep, RegressionOutput};
use burn_lca::{Integrator, Lca, StepAllocation};

use crate::by_hand::probe;
use crate::scaffold::{assert_close, device, start};

thread_local! {
    /// What the model keeps where no visitor sees it.
    static HIDDEN: Cell<f32> = const { Cell::new(0.0) };
    static LOGGED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// L = θ² + a hidden number, with a gradient that is too steep by a factor.
#[derive(Module, Debug)]
struct Parabola {
    theta: Param<Tensor<1>>,
    steepness: f64,
}

impl Parabola {
    fn new(steepness: f64) -> Self {
        let theta = Tensor::from_floats([1.0], &device()).require_grad();
        Self {
            theta: Param::from_tensor(theta),
            steepness,
        }
    }

    fn at(&self, theta: f32) -> Self {
        let moved = |old: Tensor<1>| Tensor::from_floats([theta], &old.device()).require_grad();
        Self {
            theta: self.theta.clone().map(moved),
            steepness: self.steepness,
        }
    }
}

impl InferenceStep for Parabola {
    type Input = Tensor<1>;
    type Output = RegressionOutput;

    fn step(&self, x: Tensor<1>) -> RegressionOutput {
        let square = self.theta.val().square();
        let loss = square.clone() * self.steepness + square.detach() * (1.0 - self.steepness);
        let output = x.unsqueeze::<2>();
        RegressionOutput::new(loss + f64::from(HIDDEN.get()), output.clone(), output)
    }
}

struct Memory;

impl log::Log for Memory {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        LOGGED.with_borrow_mut(|logged| logged.push(record.args().to_string()));
    }
    fn flush(&self) {}
}

/// The allocation of steps to these parameters, with the hidden number at each, and how often the
/// log said that something else moved the loss.
fn observe(steepness: f64, steps: &[(f32, f32)]) -> (Vec<StepAllocation>, usize) {
    let _ = log::set_logger(&Memory);
    log::set_max_level(log::LevelFilter::Warn);
    let model = Parabola::new(steepness);
    let mut lca = start(
        Lca::new(probe(&[1.0, 2.0])).integrator(Integrator::adaptive()),
        &model,
    );
    let steps = steps.iter().map(|&(theta, hidden)| {
        HIDDEN.set(hidden);
        lca.observe(&model.at(theta)).unwrap()
    });
    let steps = steps.collect();
    let said = |message: &&String| message.contains("something other than the parameters");
    let said = LOGGED.with_borrow(|logged| logged.iter().filter(said).count());
    (steps, said)
}

#[test]
fn hidden_state_that_moves_the_loss_costs_few_sweeps_and_is_named_once() {
    let (steps, said) = observe(1.0, &[(0.9, 0.0), (0.8, 0.5), (0.7, 0.5), (0.6, 0.0)]);
    for (step, hidden) in steps.iter().zip([0.0, 0.5, 0.0, -0.5]) {
        assert_close(step.residual(), hidden, 1e-5);
        assert_eq!(step.probe().is_capped(), hidden != 0.0);
        // Four for the estimate, and one to see that the loss at the start is another one now.
        assert_eq!(step.probe().sweeps(), if hidden == 0.0 { 1 } else { 5 });
    }
    assert_close(steps[1].lca(), 0.64 - 0.81, 1e-5);
    assert_eq!(said, 1);
}

#[test]
fn a_gradient_that_is_not_that_of_the_loss_costs_few_sweeps_and_is_named_once() {
    let (steps, said) = observe(2.0, &[(0.9, 0.0), (0.8, 0.0)]);
    for step in steps {
        assert_close(step.lca(), 2.0 * step.loss_change(), 1e-5);
        assert!(step.probe().is_capped());
        assert_eq!(step.probe().sweeps(), 4);
    }
    assert_eq!(said, 1);
}
