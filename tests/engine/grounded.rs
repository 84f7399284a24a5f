//! Real training on the digits: what the parameters are said to have done to the loss is what
//! happened to it, measured without the crate.

use std::fmt::Display;

use burn::module::Module;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{AdamConfig, AdamWConfig, ModuleOptimizer, RmsPropConfig, SgdConfig};
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};
use burn_lca::{Integrator, Lca, ProbeAllocation};
use rstest::rstest;

use crate::digits::{Digit, DigitBatch, DigitNet};
use crate::scaffold::{
    DirectLoss, by_class, minibatch, net, start, steps, train, training, validation,
};

/// How far a residual may be off: absolutely, plus a share of the loss change.
#[derive(Clone, Copy)]
struct Tolerance {
    absolute: f64,
    relative: f64,
    /// By how much a class may miss more than the whole, whose classes' errors partly cancel.
    class: f64,
}

/// The default integrator's, plus rounding.
const DEFAULT: Tolerance = Tolerance {
    absolute: 1e-4 + ROUNDING,
    relative: 1e-2,
    class: 10.0,
};

/// Sixteen splits: far below the 1 % that the planted fault is off by. What is missed is not the
/// rounding but the kinks of relu, over which Simpson's rule gains nothing on the trapezoid.
const FINE: Tolerance = Tolerance {
    absolute: 2.0 * ROUNDING,
    relative: 2e-3,
    class: 10.0,
};

const SPLITS: u16 = 16;

/// Mean losses of size one in f32: a few units in the last place.
const ROUNDING: f64 = 2e-6;

impl Tolerance {
    fn of(self, change: f64) -> f64 {
        self.absolute + self.relative * change.abs()
    }
}

/// Checks a probe's numbers against losses measured without the crate.
fn check(
    probe: &ProbeAllocation,
    before: &DirectLoss,
    after: &DirectLoss,
    tolerance: Tolerance,
) -> Result<(), String> {
    let near = |what: &str, actual: f64, expected: f64, tolerance: f64| {
        if (actual - expected).abs() <= tolerance {
            return Ok(());
        }
        Err(format!(
            "{} {what}: {actual:e} is off {expected:e} by more than {tolerance:e}",
            probe.name()
        ))
    };
    near("loss before", probe.loss_before(), before.total, ROUNDING)?;
    near("loss after", probe.loss_after(), after.total, ROUNDING)?;
    let change = after.total - before.total;
    let bound = tolerance.of(change);
    near("sum of LCA", probe.lca(), change, bound)?;
    near(
        "residual",
        probe.residual(),
        change - probe.lca(),
        2.0 * ROUNDING,
    )?;
    let tensors = probe.tensors().iter().map(|tensor| tensor.lca()).sum();
    near("sum over tensors", tensors, probe.lca(), 1e-12)?;

    if probe.classes().len() != before.classes.len() {
        return Err("not all classes are there".to_owned());
    }
    for class in probe.classes() {
        let measured = class.measured().ok_or("a class without examples")?;
        let (before, after) = (before.classes[class.class()], after.classes[class.class()]);
        near("class loss before", measured.loss_before, before, ROUNDING)?;
        near("class loss after", measured.loss_after, after, ROUNDING)?;
        let bound = tolerance.class * bound.max(tolerance.of(after - before));
        near("class LCA", measured.lca, after - before, bound)?;
        let residual = after - before - measured.lca;
        near(
            "class residual",
            measured.residual,
            residual,
            2.0 * ROUNDING,
        )?;
    }
    Ok(())
}

/// A way to train.
#[derive(Clone, Copy, Debug)]
enum Training {
    Sgd,
    Momentum,
    Adam,
    RmsProp,
    AdamW,
}

impl Training {
    /// The optimizer and its learning rate.
    fn optimizer(self) -> (ModuleOptimizer, f64) {
        match self {
            Self::Sgd => (SgdConfig::new().init(), 0.1),
            Self::Momentum => {
                let momentum = MomentumConfig::new().with_dampening(0.0);
                (SgdConfig::new().with_momentum(Some(momentum)).init(), 0.03)
            }
            Self::Adam => (AdamConfig::new().init(), 2e-3),
            Self::RmsProp => (RmsPropConfig::new().init(), 3e-4),
            Self::AdamW => (AdamWConfig::new().with_weight_decay(0.1).init(), 2e-3),
        }
    }
}

/// What the observer is shown after each step.
#[derive(Clone, Copy, PartialEq)]
enum Shown {
    /// The model after the step, as it should be.
    Present,
    /// A planted fault: the model from before the step.
    Stale,
}

/// Trains for some steps with whole training and validation sets as probes, and checks each.
fn run<M>(
    mut model: M,
    training_with: Training,
    integrator: Integrator,
    tolerance: Tolerance,
    shown: Shown,
    count: usize,
) -> Result<(), String>
where
    M: Module + Display + TrainStep<Input = DigitBatch>,
    M: InferenceStep<Input = DigitBatch, Output = ClassificationOutput>,
{
    let (mut optimizer, rate) = training_with.optimizer();
    let lca = Lca::new(by_class(training()))
        .validation(by_class(validation()))
        .integrator(integrator);
    let mut lca = start(lca, &model);
    let direct = |model: &M| -> [DirectLoss; 2] {
        [training(), validation()].map(|digits: &[Digit]| DirectLoss::of(model, digits))
    };
    let mut before = direct(&model);
    let mut change = 0.0;
    for step in 0..count {
        let stale = model.clone();
        model = train(model, &mut optimizer, rate, minibatch(step));
        let observed = match shown {
            Shown::Present => &model,
            Shown::Stale => &stale,
        };
        let allocation = lca.observe(observed).unwrap();
        let after = direct(&model);
        let probes = [allocation.probe(), allocation.validation().unwrap()];
        for ((probe, before), after) in probes.into_iter().zip(&before).zip(&after) {
            if probe.is_capped() {
                return Err(format!("step {step} is capped"));
            }
            check(probe, before, after, tolerance).map_err(|e| format!("step {step}: {e}"))?;
        }
        change += after[0].total - before[0].total;
        before = after;
    }
    // A network that doesn't move would be grounded, too.
    if change < -0.02 {
        Ok(())
    } else {
        Err(format!("training changed the loss by {change}"))
    }
}

#[rstest]
#[case::sgd(Training::Sgd)]
#[case::momentum(Training::Momentum)]
#[case::adam(Training::Adam)]
#[case::rmsprop(Training::RmsProp)]
#[case::adamw(Training::AdamW)]
fn every_step_is_grounded_within_the_default_tolerance(#[case] training: Training) {
    let adaptive = Integrator::adaptive();
    run(
        net(),
        training,
        adaptive,
        DEFAULT,
        Shown::Present,
        steps(20, 3),
    )
    .unwrap();
}

#[rstest]
#[case::sgd(Training::Sgd)]
#[case::momentum(Training::Momentum)]
#[case::adam(Training::Adam)]
#[case::rmsprop(Training::RmsProp)]
#[case::adamw(Training::AdamW)]
fn every_step_is_grounded_to_two_thousandths_with_sixteen_splits(#[case] training: Training) {
    let fine = Integrator::fixed(SPLITS);
    run(net(), training, fine, FINE, Shown::Present, steps(5, 3)).unwrap();
}

/// A planted fault: the loss is right, and its gradient 1 % too steep.
#[derive(Module, Debug)]
struct Steep {
    net: DigitNet,
}

impl TrainStep for Steep {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> TrainOutput<ClassificationOutput> {
        let output = InferenceStep::step(&self.net, batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for Steep {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> ClassificationOutput {
        let mut output = InferenceStep::step(&self.net, batch);
        output.loss = output.loss.clone() * 1.01 - output.loss.detach() * 0.01;
        output
    }
}

#[test]
fn a_gradient_that_is_off_by_one_percent_is_found_out() {
    let steep = Steep { net: net() };
    let fine = Integrator::fixed(SPLITS);
    let error = run(steep, Training::Sgd, fine, FINE, Shown::Present, 2).unwrap_err();
    assert!(error.contains("sum of LCA"), "{error}");
}

#[test]
fn parameters_of_a_step_before_are_found_out() {
    let fine = Integrator::fixed(SPLITS);
    let error = run(net(), Training::Sgd, fine, FINE, Shown::Stale, 2).unwrap_err();
    assert!(error.contains("loss after"), "{error}");
}

/// The stale losses alone would give the fault away. So does the sum, compared with the true
/// loss change at the default tolerance.
#[test]
fn the_sum_of_a_stale_step_is_not_the_loss_change() {
    let model = net();
    let (mut optimizer, rate) = Training::Momentum.optimizer();
    let mut lca = start(Lca::new(by_class(training())), &model);
    let mut models = vec![model];
    for step in 0..2 {
        let last = models[step].clone();
        models.push(train(last, &mut optimizer, rate, minibatch(step)));
    }
    let stale = lca.observe(&models[1]).unwrap();
    let losses = [1, 2].map(|k: usize| DirectLoss::of(&models[k], training()).total);
    let change = losses[1] - losses[0];
    assert!((stale.lca() - change).abs() > DEFAULT.of(change));
}
