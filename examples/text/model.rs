//! A small transformer that tells the next character.

use burn::module::Module;
use burn::nn::attention::generate_autoregressive_mask;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::transformer::{
    TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput,
};
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor};
use burn::train::{InferenceStep, SequenceOutput, TrainOutput, TrainStep};

use crate::play::{LENGTH, TextBatch};

const WIDTH: usize = 32;
const HEADS: usize = 4;
const BLOCKS: usize = 2;

/// Embeddings, two blocks of attention and MLP, and a linear layer to the characters.
#[derive(Module, Debug)]
pub struct CharTransformer {
    characters: Embedding,
    positions: Embedding,
    transformer: TransformerEncoder,
    output: Linear,
}

impl CharTransformer {
    pub fn new(alphabet: usize, device: &Device) -> Self {
        Self {
            characters: EmbeddingConfig::new(alphabet, WIDTH).init(device),
            positions: EmbeddingConfig::new(LENGTH, WIDTH).init(device),
            transformer: TransformerEncoderConfig::new(WIDTH, 4 * WIDTH, HEADS, BLOCKS)
                .with_norm_first(true)
                .init(device),
            output: LinearConfig::new(WIDTH, alphabet).init(device),
        }
    }

    fn tell(&self, batch: TextBatch) -> SequenceOutput {
        let [windows, length] = batch.seen.dims();
        let device = batch.seen.device();
        let positions = Tensor::<1, Int>::arange(0..length as i64, &device).unsqueeze::<2>();
        let embedded = self.characters.forward(batch.seen) + self.positions.forward(positions);
        let mask = generate_autoregressive_mask(windows, length, &device);
        let input = TransformerEncoderInput::new(embedded).mask_attn(mask);
        let logits = self.output.forward(self.transformer.forward(input));
        let loss = CrossEntropyLossConfig::new().init(&device).forward(
            logits.clone().flatten::<2>(0, 1),
            batch.next.clone().flatten::<1>(0, 1),
        );
        SequenceOutput::new(loss, logits, None, batch.next)
    }
}

impl TrainStep for CharTransformer {
    type Input = TextBatch;
    type Output = SequenceOutput;

    fn step(&self, batch: TextBatch) -> TrainOutput<SequenceOutput> {
        let output = self.tell(batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for CharTransformer {
    type Input = TextBatch;
    type Output = SequenceOutput;

    fn step(&self, batch: TextBatch) -> SequenceOutput {
        self.tell(batch)
    }
}
