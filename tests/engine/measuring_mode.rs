//! What is off while a loss is measured: dropout, and batch statistics other than those asked for.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::optim::SgdConfig;
use burn::train::{ClassificationOutput, InferenceStep};
use burn_lca::{BatchNormMode, Integrator, Lca};

use crate::digits::{DigitBatch, DigitNet};
use crate::host::{Point, Statistics};
use crate::norm_net::NormNet;
use crate::scaffold::{
    DirectLoss, assert_close, assert_same, by_class, minibatch, moved, net, probe, randomness,
    start, steps, train, training,
};

/// Half of all pixels are dropped while training.
#[derive(Module, Debug)]
struct Dropping {
    dropout: Dropout,
    net: DigitNet,
}

impl InferenceStep for Dropping {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> ClassificationOutput {
        InferenceStep::step(
            &self.net,
            DigitBatch {
                images: self.dropout.forward(batch.images),
                ..batch
            },
        )
    }
}

#[test]
fn dropout_is_off_while_measuring_and_stays_on_in_training() {
    let _held = randomness();
    let model = Dropping {
        dropout: DropoutConfig::new(0.5).init(),
        net: net(),
    };
    let other = moved(&model, 5, 0.02);
    let mut lca = start(Lca::new(by_class(training())), &model);
    let pairs = [&other, &model, &other].map(|model| lca.observe(model).unwrap());

    let loss = |model: &Dropping| DirectLoss::of(&model.net, training()).total;
    assert_close(pairs[0].loss_before(), loss(&model), 2e-6);
    assert_close(pairs[0].loss_after(), loss(&other), 2e-6);
    // The same step twice gives the same numbers.
    assert_close(pairs[2].lca(), pairs[0].lca(), 1e-9);
    for path in ["net.fc1.weight", "net.fc3.bias"] {
        let [again, first] = [&pairs[2], &pairs[0]].map(|step| step.parameter(path).unwrap());
        assert_same(&again, &first, 1e-6);
    }

    // The live model still drops: two passes differ.
    let batch = || crate::scaffold::batch(training());
    let live = [(); 2].map(|()| {
        InferenceStep::step(&model, batch())
            .loss
            .into_scalar::<f32>()
    });
    assert_ne!(live[0], live[1]);
}

/// Without classes, the default: every chunk is normalized with its own mean and biased
/// variance, and the loss is the mean over the examples of all chunks.
#[test]
fn chunk_statistics_are_those_of_training() {
    const CHUNK: usize = 100;
    let epsilons = [1e-3, 1e-5];
    let digits = &training()[..3 * CHUNK];
    let mut model = NormNet::new(epsilons);
    let mut optimizer = SgdConfig::new().init();
    let lca = Lca::new(probe(digits).chunk_size(CHUNK)).integrator(Integrator::fixed(4));
    let mut lca = start(lca, &model);
    let by_hand = |model: &NormNet| -> f64 {
        let point = Point::of(model, epsilons);
        let chunks = digits.chunks(CHUNK);
        chunks
            .map(|chunk| point.loss(chunk, Statistics::Batch))
            .sum::<f64>()
            / 3.0
    };
    for step in 0..steps(4, 2) {
        let before = by_hand(&model);
        model = train(model, &mut optimizer, 0.1, minibatch(step));
        let allocation = lca.observe(&model).unwrap();
        let after = by_hand(&model);
        assert_close(allocation.loss_before(), before, 2e-6);
        assert_close(allocation.loss_after(), after, 2e-6);
        // The gradient passes through the statistics, too: nothing else moves the loss.
        assert_close(
            allocation.lca(),
            after - before,
            1e-3 * (after - before).abs() + 4e-6,
        );
        assert_eq!(allocation.probe().buffers(), None);

        let running = Point::of(&model, epsilons).loss(digits, Statistics::Running);
        assert!((running - after).abs() > 1e-3, "the two modes differ");
    }
}

/// The loss depends on how the probe is cut, so the cut is not left to the machine's timing.
#[test]
fn with_chunk_statistics_the_default_chunk_size_is_fixed() {
    use burn::data::dataset::InMemDataset;
    let model = NormNet::new([1e-5; 2]);
    let unset = || {
        let dataset = InMemDataset::new(training().to_vec());
        burn_lca::Probe::new(dataset, crate::digits::DigitBatcher)
    };
    let loss = |lca: Lca<DigitBatch>| {
        let step = start(lca, &model).observe(&model).unwrap();
        step.loss_before()
    };
    let default = loss(Lca::new(unset()));
    assert_close(loss(Lca::new(unset().chunk_size(256))), default, 1e-6);
    let asked = Lca::new(unset().chunk_size(50)).batch_norm(BatchNormMode::Chunk);
    assert!((loss(asked) - default).abs() > 1e-4);
}
