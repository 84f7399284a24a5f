//! Burn draws a parameter's initial value at its first use. Observing must not draw it earlier.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::optim::SgdConfig;
use burn::tensor::activation::relu;
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};
use burn_lca::{Lca, StepAllocation};

use crate::digits::DigitBatch;
use crate::scaffold::{
    DirectLoss, assert_close, by_class, device, minibatch, randomness, start, train, training,
    values,
};

/// The last layer is the first field: reading fields in order draws in another order than use.
#[derive(Module, Debug)]
struct Backwards {
    last: Linear,
    dropout: Dropout,
    first: Linear,
}

impl Backwards {
    fn new() -> Self {
        let device = &device();
        Self {
            last: LinearConfig::new(32, 10).init(device),
            dropout: DropoutConfig::new(0.3).init(),
            first: LinearConfig::new(64, 32).init(device),
        }
    }
}

impl InferenceStep for Backwards {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> ClassificationOutput {
        let hidden = relu(self.first.forward(batch.images));
        let logits = self.last.forward(self.dropout.forward(hidden));
        let loss = CrossEntropyLossConfig::new()
            .init(&logits.device())
            .forward(logits.clone(), batch.labels.clone());
        ClassificationOutput::new(loss, logits, batch.labels)
    }
}

impl TrainStep for Backwards {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> TrainOutput<ClassificationOutput> {
        let output = InferenceStep::step(self, batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

type Weights = BTreeMap<String, Vec<f32>>;

/// Trains three steps from a seed; what was observed comes with the loss at the first weights.
fn train_from_seed(observed: bool) -> (Weights, Vec<StepAllocation>, f64) {
    let _held = randomness();
    let mut model = Backwards::new();
    let initial = model.clone();
    let mut lca = observed.then(|| start(Lca::new(by_class(training())), &model));
    let mut optimizer = SgdConfig::new().init();
    let mut allocations = Vec::new();
    for step in 0..3 {
        model = train(model, &mut optimizer, 0.1, minibatch(step));
        if let Some(lca) = &mut lca {
            allocations.push(lca.observe(&model).unwrap());
        }
    }
    let loss = DirectLoss::of(&initial, training()).total;
    (values(&model), allocations, loss)
}

#[test]
fn observing_from_before_the_first_use_leaves_the_random_numbers_alone_bit_for_bit() {
    let (plain, _, _) = train_from_seed(false);
    let (observed, allocations, first_loss) = train_from_seed(true);
    for (path, plain) in &plain {
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        if crate::scaffold::thorough() {
            assert_eq!(bits(&observed[path]), bits(plain), "{path}");
        } else {
            // Kernels that are chosen by timing may round otherwise.
            crate::scaffold::assert_same(&observed[path], plain, 1e-5);
        }
    }
    // The first step starts at the weights that training drew.
    assert_close(allocations[0].loss_before(), first_loss, 2e-6);
    for step in &allocations {
        assert_close(
            step.lca(),
            step.loss_change(),
            1e-4 + 1e-2 * step.loss_change().abs(),
        );
    }
}
