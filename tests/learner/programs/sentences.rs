//! Sentences of all lengths that are of two kinds: a transformer that leaves the padding out, and
//! gradients that are accumulated.

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataloader::{DataLoader, DataLoaderBuilder};
use burn::data::dataset::InMemDataset;
use burn::data::dataset::transform::{SamplerDataset, SamplerDatasetOptions};
use burn::lr_scheduler::noam::NoamLrSchedulerConfig;
use burn::module::Module;
use burn::nn::attention::generate_padding_mask;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::transformer::{
    TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput,
};
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::optim::AdamConfig;
use burn::optim::decay::WeightDecayConfig;
use burn::tensor::{Bool, Device, Int, Tensor};
use burn::train::{ClassificationOutput, InferenceStep, Learner, TrainOutput, TrainStep};
use std::sync::Arc;

use super::{assert_learned, train};
use crate::setup::{SEED, device, random_numbers};

const PADDING: usize = 0;
const WORDS: usize = 20;
const LONGEST: usize = 9;
const WIDTH: usize = 16;
const DRAWN: usize = 96;

/// Words from 1 on, and whether more of them are even than odd.
#[derive(Clone, Debug)]
struct Sentence {
    words: Vec<usize>,
    kind: usize,
}

fn sentences() -> InMemDataset<Sentence> {
    let sentence = |k: usize| {
        let words =
            (0..2 + k % (LONGEST - 1)).map(|place| 1 + (7 * k + 5 * place * place) % (WORDS - 1));
        let words: Vec<usize> = words.collect();
        let even = words.iter().filter(|word| *word % 2 == 0).count();
        Sentence {
            kind: usize::from(2 * even > words.len()),
            words,
        }
    };
    InMemDataset::new((0..200).map(sentence).collect())
}

#[derive(Clone, Debug)]
struct Batch {
    tokens: Tensor<2, Int>,
    labels: Tensor<1, Int>,
    mask_pad: Tensor<2, Bool>,
}

#[derive(Clone, Debug)]
struct SentenceBatcher;

impl Batcher<Sentence, Batch> for SentenceBatcher {
    fn batch(&self, sentences: Vec<Sentence>, device: &Device) -> Batch {
        let labels: Vec<i32> = sentences
            .iter()
            .map(|sentence| sentence.kind as i32)
            .collect();
        let words = sentences.into_iter().map(|sentence| sentence.words);
        let mask = generate_padding_mask(PADDING, words.collect(), Some(LONGEST), device);
        Batch {
            tokens: mask.tensor,
            labels: Tensor::from_ints(labels.as_slice(), device),
            mask_pad: mask.mask,
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
    fn forward(&self, item: Batch) -> ClassificationOutput {
        let [batch_size, seq_length] = item.tokens.dims();
        let device = &item.tokens.device();
        let index_positions = Tensor::<1, Int>::arange(0..seq_length as i64, device)
            .reshape([1, seq_length])
            .repeat_dim(0, batch_size);
        let embedding_positions = self.embedding_pos.forward(index_positions);
        let embedding_tokens = self.embedding_token.forward(item.tokens);
        let embedding = (embedding_positions + embedding_tokens) / 2;
        let encoded = self
            .transformer
            .forward(TransformerEncoderInput::new(embedding).mask_pad(item.mask_pad));
        let output = self.output.forward(encoded);
        let output = output.slice([0..batch_size, 0..1]).reshape([batch_size, 2]);
        let loss = CrossEntropyLossConfig::new()
            .init(device)
            .forward(output.clone(), item.labels.clone());
        ClassificationOutput {
            loss,
            output,
            targets: item.labels,
        }
    }
}

impl TrainStep for Model {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, item: Batch) -> TrainOutput<ClassificationOutput> {
        let item = self.forward(item);
        TrainOutput::new(self, item.loss.backward(), item)
    }
}

impl InferenceStep for Model {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, item: Batch) -> ClassificationOutput {
        self.forward(item)
    }
}

#[test]
fn a_classifier_of_padded_sentences_adds_up() {
    let drawn = || {
        let options = SamplerDatasetOptions::default().with_fixed_size(DRAWN);
        options.with_seed(SEED)
    };
    let loader = || -> Arc<dyn DataLoader<Batch>> {
        DataLoaderBuilder::new(SentenceBatcher)
            .batch_size(16)
            .num_workers(1)
            .build(SamplerDataset::new(sentences(), drawn()))
    };
    let (_random, device) = (random_numbers(), device());
    device.seed(SEED);
    let model = Model {
        transformer: TransformerEncoderConfig::new(WIDTH, 32, 2, 2)
            .with_norm_first(true)
            .with_quiet_softmax(true)
            .init(&device),
        embedding_token: EmbeddingConfig::new(WORDS, WIDTH).init(&device),
        embedding_pos: EmbeddingConfig::new(LONGEST, WIDTH).init(&device),
        output: LinearConfig::new(WIDTH, 2).init(&device),
    };
    let optimizer = AdamConfig::new().with_weight_decay(Some(WeightDecayConfig::new(5e-5)));
    let schedule = NoamLrSchedulerConfig::new(0.5)
        .with_warmup_steps(10)
        .with_model_size(WIDTH)
        .init()
        .unwrap();
    let learner = Learner::new(model, optimizer.init(), schedule);
    let steps = train(learner, [loader(), loader()], 6, 2);
    assert_learned(&steps, 6 * 3);
}
