//! The next number of a sequence by an LSTM, in a loop of one's own.

use burn::data::dataloader::DataLoaderBuilder;
use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::InMemDataset;
use burn::grad_clipping::GradientClippingConfig;
use burn::module::Module;
use burn::nn::loss::{MseLoss, Reduction};
use burn::nn::{Linear, LinearConfig, Lstm, LstmConfig};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Tensor, TensorData};
use burn::train::{InferenceStep, RegressionOutput};
use burn_lca::prelude::*;

use super::assert_learned;
use crate::setup::{SEED, device, random_numbers};

const LENGTH: usize = 6;

type Sequence = [f32; LENGTH + 1];

/// Each number is half of the sum of the two before.
fn sequences() -> Vec<Sequence> {
    let sequence = |k: usize| {
        let mut sequence = [
            (k % 7) as f32 / 7.0,
            (k % 11) as f32 / 11.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
        ];
        for place in 2..sequence.len() {
            sequence[place] = (sequence[place - 2] + sequence[place - 1]) / 2.0;
        }
        sequence
    };
    (0..77).map(sequence).collect()
}

#[derive(Clone, Debug)]
struct Batch {
    sequences: Tensor<3>,
    targets: Tensor<2>,
}

#[derive(Clone, Debug)]
struct SequenceBatcher;

impl Batcher<Sequence, Batch> for SequenceBatcher {
    fn batch(&self, items: Vec<Sequence>, device: &Device) -> Batch {
        let seen: Vec<f32> = items
            .iter()
            .flat_map(|item| &item[..LENGTH])
            .copied()
            .collect();
        let targets: Vec<f32> = items.iter().map(|item| item[LENGTH]).collect();
        let count = items.len();
        Batch {
            sequences: Tensor::from_data(TensorData::new(seen, [count, LENGTH, 1]), device),
            targets: Tensor::from_data(TensorData::new(targets, [count, 1]), device),
        }
    }
}

#[derive(Module, Debug)]
struct LstmNetwork {
    lstm: Lstm,
    output: Linear,
}

impl LstmNetwork {
    fn forward(&self, sequences: Tensor<3>) -> Tensor<2> {
        let (hidden, _) = self.lstm.forward(sequences, None);
        let last = hidden.narrow(1, LENGTH - 1, 1).squeeze_dim(1);
        self.output.forward(last)
    }
}

/// What a loop of one's own has in itself is to be said once for LCA.
impl InferenceStep for LstmNetwork {
    type Input = Batch;
    type Output = RegressionOutput;

    fn step(&self, batch: Batch) -> RegressionOutput {
        let output = self.forward(batch.sequences);
        let loss = MseLoss::new().forward(output.clone(), batch.targets.clone(), Reduction::Mean);
        RegressionOutput::new(loss, output, batch.targets)
    }
}

#[test]
fn an_lstm_in_a_loop_of_ones_own_adds_up() {
    let (_random, device) = (random_numbers(), device());
    device.seed(SEED);
    let mut model = LstmNetwork {
        lstm: LstmConfig::new(1, 8, true).init(&device),
        output: LinearConfig::new(8, 1).init(&device),
    };
    let mut optimizer = AdamConfig::new()
        .with_grad_clipping(Some(GradientClippingConfig::Norm(1.0)))
        .init();
    let loader = DataLoaderBuilder::new(SequenceBatcher)
        .batch_size(16)
        .shuffle(1)
        .set_device(device.clone())
        .build(InMemDataset::new(sequences()));
    let probe = Probe::new(InMemDataset::new(sequences()), SequenceBatcher);
    let mut lca = Lca::new(probe).start(&model).unwrap();
    let mut steps = Vec::new();
    for _ in 0..4 {
        for batch in loader.iter() {
            let batch = batch.unwrap();
            let output = model.forward(batch.sequences);
            let loss = MseLoss::new().forward(output, batch.targets, Reduction::Mean);
            let grads = GradientsParams::from_grads(loss.backward(), &model);
            model = optimizer.step(0.02, model, grads);
            steps.push(lca.observe(&model).unwrap());
        }
    }
    lca.finish().unwrap();
    assert_learned(&steps, 4 * 5);
}
