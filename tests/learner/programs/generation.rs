//! Sequences whose next token is to be told: an autoregressive transformer whose loss leaves the
//! padding out.

use burn::data::dataloader::DataLoaderBuilder;
use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::InMemDataset;
use burn::module::Module;
use burn::nn::attention::{generate_autoregressive_mask, generate_padding_mask};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::transformer::{
    TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput,
};
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::optim::AdamWConfig;
use burn::tensor::{Bool, Device, Int, Tensor};
use burn::train::metric::{Adaptor, LossInput};
use burn::train::{
    ClassificationOutput, InferenceStep, Learner, LearnerModel, TrainOutput, TrainStep,
};
use burn_lca::prelude::*;

use super::{assert_learned, train};
use crate::setup::{SEED, device, random_numbers};

const PADDING: usize = 0;
const TOKENS: usize = 12;
const LONGEST: usize = 10;
const WIDTH: usize = 16;

/// Tokens from 1 on, each two more than the one before.
fn sequences() -> InMemDataset<Vec<usize>> {
    let sequence = |k: usize| {
        let places = 0..3 + k % (LONGEST - 3);
        places
            .map(|place| 1 + (k + 2 * place) % (TOKENS - 1))
            .collect()
    };
    InMemDataset::new((0..120).map(sequence).collect())
}

#[derive(Clone, Debug)]
struct Batch {
    tokens: Tensor<2, Int>,
    targets: Tensor<2, Int>,
    mask_pad: Tensor<2, Bool>,
}

#[derive(Clone, Debug)]
struct SequenceBatcher;

impl Batcher<Vec<usize>, Batch> for SequenceBatcher {
    fn batch(&self, sequences: Vec<Vec<usize>>, device: &Device) -> Batch {
        let mask = generate_padding_mask(PADDING, sequences, Some(LONGEST), device);
        let [batch_size, length] = mask.tensor.dims();
        let all = 0..batch_size;
        Batch {
            tokens: mask.tensor.clone().slice([all.clone(), 0..length - 1]),
            targets: mask.tensor.slice([all.clone(), 1..length]),
            mask_pad: mask.mask.slice([all, 0..length - 1]),
        }
    }
}

#[derive(Module, Debug)]
struct Model {
    transformer: TransformerEncoder,
    embedding_token: Embedding,
    embedding_pos: Embedding,
    output: Linear,
}

impl Model {
    fn new(device: &Device) -> Self {
        Self {
            transformer: TransformerEncoderConfig::new(WIDTH, 32, 2, 1)
                .with_norm_first(true)
                .init(device),
            embedding_token: EmbeddingConfig::new(TOKENS, WIDTH).init(device),
            embedding_pos: EmbeddingConfig::new(LONGEST, WIDTH).init(device),
            output: LinearConfig::new(WIDTH, TOKENS).init(device),
        }
    }

    fn forward_training(&self, item: Batch) -> ClassificationOutput {
        let [batch_size, seq_length] = item.tokens.dims();
        let device = &item.tokens.device();
        let index_positions = Tensor::<1, Int>::arange(0..seq_length as i64, device)
            .reshape([1, seq_length])
            .repeat_dim(0, batch_size);
        let embedding_positions = self.embedding_pos.forward(index_positions);
        let embedding_tokens = self.embedding_token.forward(item.tokens);
        let embedding = (embedding_positions + embedding_tokens) / 2;
        let mask_attn = generate_autoregressive_mask(batch_size, seq_length, device);
        let input = TransformerEncoderInput::new(embedding)
            .mask_pad(item.mask_pad)
            .mask_attn(mask_attn);
        let output = self.output.forward(self.transformer.forward(input));
        let output_flatten = output.reshape([batch_size * seq_length, TOKENS]);
        let targets_flatten = item.targets.reshape([batch_size * seq_length]);
        let loss = CrossEntropyLossConfig::new()
            .with_pad_tokens(Some(vec![PADDING]))
            .init(device)
            .forward(output_flatten.clone(), targets_flatten.clone());
        ClassificationOutput {
            loss,
            output: output_flatten,
            targets: targets_flatten,
        }
    }
}

impl TrainStep for Model {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, item: Batch) -> TrainOutput<ClassificationOutput> {
        let item = self.forward_training(item);
        TrainOutput::new(self, item.loss.backward(), item)
    }
}

impl InferenceStep for Model {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, item: Batch) -> ClassificationOutput {
        self.forward_training(item)
    }
}

/// The model whose output says over how many tokens its loss is a mean.
#[derive(Module, Debug)]
struct Counted {
    model: Model,
}

impl InferenceStep for Counted {
    type Input = Batch;
    type Output = Weighted<ClassificationOutput>;

    fn step(&self, item: Batch) -> Weighted<ClassificationOutput> {
        let output = self.model.forward_training(item);
        let tokens = output.targets.clone().not_equal_elem(PADDING as i64);
        Weighted::new(output, tokens.float().sum())
    }
}

impl TrainStep for Counted {
    type Input = Batch;
    type Output = Weighted<ClassificationOutput>;

    fn step(&self, item: Batch) -> TrainOutput<Weighted<ClassificationOutput>> {
        let item = InferenceStep::step(self, item);
        TrainOutput::new(self, item.output.loss.backward(), item)
    }
}

fn steps<M>(model: M) -> Vec<StepAllocation>
where
    M: LearnerModel
        + TrainStep<Input = Batch, Output: Adaptor<LossInput>>
        + InferenceStep<Input = Batch, Output: Adaptor<LossInput> + MeanLoss>,
{
    let loader = || {
        DataLoaderBuilder::new(SequenceBatcher)
            .batch_size(20)
            .shuffle(1)
            .build(sequences())
    };
    let optimizer = AdamWConfig::new().with_weight_decay(0.01).init();
    train(
        Learner::new(model, optimizer, 0.02),
        [loader(), loader()],
        3,
        2,
    )
}

#[test]
fn a_generator_that_leaves_padding_out_adds_up_and_over_a_probe_where_it_counts_its_tokens() {
    let (_random, device) = (random_numbers(), device());
    device.seed(SEED);
    let model = || Model::new(&device);
    // In the learner's own batches, as they are.
    assert_learned(&steps(model()), 3 * 3);
    assert_learned(&steps(Counted { model: model() }), 3 * 3);

    // Chunks of a probe have other numbers of tokens than the batches they are compared with.
    let probe = || Probe::new(sequences(), SequenceBatcher).chunk_size(32);
    let model = model();
    let batch = SequenceBatcher.batch(vec![vec![1, 2, 3]], &device);
    drop(InferenceStep::step(&model, batch));
    let refused = Lca::new(probe()).start(&model).expect_err("a refusal");
    assert!(refused.to_string().contains("`Weighted`"), "{refused}");
    assert!(Lca::new(probe()).start(&Counted { model }).is_ok());
}
