//! Steps that leap across the loss: what is missed of single steps must not add up over a run.

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::optim::AdamConfig;
use burn::tensor::activation::relu;
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};
use burn_lca::{Integrator, Lca};
use rstest::rstest;

use crate::digits::DigitBatch;
use crate::scaffold::{
    CLASSES, DirectLoss, device, minibatch, moved, probe, start, steps, thorough, train, training,
};

/// 64 → 25 → 25 → 10 on pixels of 0 to 255, as people write it who forget to scale them.
#[derive(Module, Debug)]
struct Unscaled {
    fc1: Linear,
    fc2: Linear,
    fc3: Linear,
    rectified: bool,
}

impl Unscaled {
    fn new(rectified: bool) -> Self {
        let layer = |from, to| {
            let config = LinearConfig::new(from, to).with_initializer(Initializer::Zeros);
            config.init(&device())
        };
        let zeros = Self {
            fc1: layer(64, 25),
            fc2: layer(25, 25),
            fc3: layer(25, CLASSES),
            rectified,
        };
        moved(&zeros, 5, 0.1)
    }
}

impl InferenceStep for Unscaled {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> ClassificationOutput {
        let activate = |hidden| {
            if self.rectified { relu(hidden) } else { hidden }
        };
        let hidden = activate(self.fc1.forward(batch.images * 255.0));
        let logits = self.fc3.forward(activate(self.fc2.forward(hidden)));
        let loss = CrossEntropyLossConfig::new()
            .init(&logits.device())
            .forward(logits.clone(), batch.labels.clone());
        ClassificationOutput::new(loss, logits, batch.labels)
    }
}

impl TrainStep for Unscaled {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> TrainOutput<ClassificationOutput> {
        let output = InferenceStep::step(self, batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

/// A run of steps.
struct Sums {
    change: f64,
    lca: f64,
    sweeps: usize,
}

impl Sums {
    /// What the sum of LCA misses, as a share of the loss change.
    fn missed(&self) -> f64 {
        (self.lca - self.change).abs() / self.change.abs()
    }
}

fn run(rectified: bool, integrator: Integrator) -> Sums {
    let mut model = Unscaled::new(rectified);
    let mut optimizer = AdamConfig::new().init();
    let before = DirectLoss::of(&model, training()).total;
    let mut lca = start(Lca::new(probe(training())).integrator(integrator), &model);
    let (mut sum, mut sweeps) = (0.0, 0);
    for step in 0..steps(30, 5) {
        model = train(model, &mut optimizer, 0.1, minibatch(step));
        let step = lca.observe(&model).unwrap();
        sum += step.lca();
        sweeps += usize::from(step.probe().sweeps());
    }
    Sums {
        change: DirectLoss::of(&model, training()).total - before,
        lca: sum,
        sweeps,
    }
}

/// Against doubling all intervals, up to 32, at the same tolerance. In 30 steps the loss of the
/// linear network shoots up to 2,000, and that of the other one to 200 and back to 2.3. From eight
/// other initial weights, doubling took 740 to 880 sweeps for the linear one and missed 1.5 to 13 %
/// of the loss change, bisecting 420 to 470 and 0.04 to 0.7 %; for the other one 150 to 440 sweeps
/// and 0.2 to 240 %, and 90 to 190 sweeps and 0.2 to 2.5 %. The linear one's sweeps depend on the
/// order in which a processor adds, too: of seven orders, one took 497.
#[rstest]
#[case::linear(false, 0.01)]
#[case::rectified(true, 0.03)]
fn steps_that_leap_across_the_loss_add_up_over_the_run_in_fewer_sweeps(
    #[case] rectified: bool,
    #[case] share: f64,
) {
    let bisected = run(rectified, Integrator::adaptive());
    let (missed, sweeps) = (bisected.missed(), bisected.sweeps);
    assert!(missed <= share, "{missed} of {}", bisected.change);
    if !thorough() {
        return;
    }
    let doubling = Integrator::paper().start(1).tolerance(1e-4, 1e-2);
    let doubled = run(rectified, doubling);
    assert!(doubled.missed() > share, "{}", doubled.missed());
    assert!(4 * sweeps <= 3 * doubled.sweeps, "{sweeps} sweeps");
    assert!(
        sweeps <= if rectified { 120 } else { 560 },
        "{sweeps} sweeps"
    );
}
