//! Every layer of burn-nn that has parameters, and models that are large in odd ways.

use burn::module::{Module, ModuleMapper, Param};
use burn::nn::attention::{
    CrossAttention, CrossAttentionConfig, MhaInput, MultiHeadAttention, MultiHeadAttentionConfig,
};
use burn::nn::conv::{
    Conv1d, Conv1dConfig, Conv2d, Conv2dConfig, Conv3d, Conv3dConfig, ConvTranspose1d,
    ConvTranspose1dConfig, ConvTranspose2d, ConvTranspose2dConfig, ConvTranspose3d,
    ConvTranspose3dConfig, DeformConv2d, DeformConv2dConfig,
};
use burn::nn::transformer::{
    PositionWiseFeedForward, PositionWiseFeedForwardConfig, TransformerDecoder,
    TransformerDecoderConfig, TransformerDecoderInput, TransformerEncoder,
    TransformerEncoderConfig, TransformerEncoderInput,
};
use burn::nn::{
    BatchNorm, BatchNormConfig, BiGru, BiGruConfig, BiLstm, BiLstmConfig, BiRnn, BiRnnConfig,
    Embedding, EmbeddingConfig, GroupNorm, GroupNormConfig, Gru, GruConfig, Initializer,
    InstanceNorm, InstanceNormConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig,
    LinearLayout, Lstm, LstmConfig, PRelu, PReluConfig, RmsNorm, RmsNormConfig, Rnn, RnnConfig,
    SwiGlu, SwiGluConfig,
};
use burn::tensor::{Int, Tensor};
use burn::train::{InferenceStep, RegressionOutput};
use burn_lca::{BatchNormMode, Integrator, Lca, Recorder, Run, StepAllocation, Table};

use crate::digits::{Digit, DigitBatch};
use crate::scaffold::{
    assert_close, batch, device, filled, host_values, moved, probe, start, training, values,
};

#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "there are few of them")]
enum Layer {
    Linear(Linear),
    Embedding(Embedding),
    PRelu(PRelu),
    SwiGlu(SwiGlu),
    Conv1d(Conv1d),
    Conv2d(Conv2d),
    Conv3d(Conv3d),
    ConvTranspose1d(ConvTranspose1d),
    ConvTranspose2d(ConvTranspose2d),
    ConvTranspose3d(ConvTranspose3d),
    DeformConv2d(DeformConv2d),
    BatchNorm(BatchNorm),
    LayerNorm(LayerNorm),
    RmsNorm(RmsNorm),
    GroupNorm(GroupNorm),
    InstanceNorm(InstanceNorm),
    Rnn(Rnn),
    BiRnn(BiRnn),
    Gru(Gru),
    BiGru(BiGru),
    Lstm(Lstm),
    BiLstm(BiLstm),
    MultiHeadAttention(MultiHeadAttention),
    CrossAttention(CrossAttention),
    FeedForward(PositionWiseFeedForward),
    Encoder(TransformerEncoder),
    Decoder(TransformerDecoder),
}

/// One layer of every kind, by name.
fn layers() -> Vec<(&'static str, Layer)> {
    let d = &device();
    let columns = LinearConfig::new(8, 5)
        .with_layout(LinearLayout::Col)
        .with_initializer(Initializer::Constant { value: 0.1 })
        .init(d);
    // Only Burn knows how such a weight is stored, so its value is made here.
    columns.weight.val();
    let groups = Conv2dConfig::new([2, 4], [3, 2]).with_groups(2);
    vec![
        ("Linear", Layer::Linear(LinearConfig::new(8, 5).init(d))),
        ("Linear by columns", Layer::Linear(columns)),
        (
            "Embedding",
            Layer::Embedding(EmbeddingConfig::new(20, 5).init(d)),
        ),
        (
            "PRelu",
            Layer::PRelu(PReluConfig::new().with_num_parameters(8).init(d)),
        ),
        (
            "SwiGlu",
            Layer::SwiGlu(SwiGluConfig::new(8, 5).with_bias(true).init(d)),
        ),
        ("Conv1d", Layer::Conv1d(Conv1dConfig::new(8, 4, 3).init(d))),
        ("Conv2d in groups", Layer::Conv2d(groups.init(d))),
        (
            "Conv3d",
            Layer::Conv3d(Conv3dConfig::new([1, 2], [2, 3, 2]).init(d)),
        ),
        (
            "ConvTranspose1d",
            Layer::ConvTranspose1d(ConvTranspose1dConfig::new([8, 4], 3).init(d)),
        ),
        (
            "ConvTranspose2d",
            Layer::ConvTranspose2d(ConvTranspose2dConfig::new([2, 3], [3, 2]).init(d)),
        ),
        (
            "ConvTranspose3d",
            Layer::ConvTranspose3d(ConvTranspose3dConfig::new([1, 2], [2, 3, 2]).init(d)),
        ),
        (
            "DeformConv2d",
            Layer::DeformConv2d(DeformConv2dConfig::new([1, 2], [3, 3]).init(d)),
        ),
        (
            "BatchNorm",
            Layer::BatchNorm(BatchNormConfig::new(8).init(d)),
        ),
        (
            "LayerNorm",
            Layer::LayerNorm(LayerNormConfig::new(8).init(d)),
        ),
        ("RmsNorm", Layer::RmsNorm(RmsNormConfig::new(8).init(d))),
        (
            "GroupNorm",
            Layer::GroupNorm(GroupNormConfig::new(2, 8).init(d)),
        ),
        (
            "InstanceNorm",
            Layer::InstanceNorm(InstanceNormConfig::new(8).init(d)),
        ),
        ("Rnn", Layer::Rnn(RnnConfig::new(8, 5, true).init(d))),
        ("BiRnn", Layer::BiRnn(BiRnnConfig::new(8, 5, true).init(d))),
        ("Gru", Layer::Gru(GruConfig::new(8, 5, true).init(d))),
        ("BiGru", Layer::BiGru(BiGruConfig::new(8, 5, true).init(d))),
        ("Lstm", Layer::Lstm(LstmConfig::new(8, 5, true).init(d))),
        (
            "BiLstm",
            Layer::BiLstm(BiLstmConfig::new(8, 5, true).init(d)),
        ),
        (
            "MultiHeadAttention",
            Layer::MultiHeadAttention(MultiHeadAttentionConfig::new(8, 2).init(d)),
        ),
        (
            "CrossAttention",
            Layer::CrossAttention(CrossAttentionConfig::new(8, 4, 2, 1, 4).init(d)),
        ),
        (
            "PositionWiseFeedForward",
            Layer::FeedForward(PositionWiseFeedForwardConfig::new(8, 6).init(d)),
        ),
        (
            "TransformerEncoder",
            Layer::Encoder(TransformerEncoderConfig::new(8, 6, 2, 2).init(d)),
        ),
        (
            "TransformerDecoder",
            Layer::Decoder(TransformerDecoderConfig::new(8, 6, 2, 1).init(d)),
        ),
    ]
}

impl Layer {
    /// The output for images of 64 pixels, shape [examples, features].
    fn forward(&self, images: Tensor<2>) -> Tensor<2> {
        let n = images.dims()[0];
        let rows = || images.clone().reshape([n, 8, 8]);
        let planes = || images.clone().reshape([n, 2, 8, 4]);
        let cubes = || images.clone().reshape([n, 1, 4, 4, 4]);
        match self {
            Self::Linear(layer) => layer.forward(rows()).flatten(1, 2),
            Self::Embedding(layer) => {
                let tokens: Tensor<2, Int> = (images.narrow(1, 16, 24) * 16.0).int();
                layer.forward(tokens).flatten(1, 2)
            }
            Self::PRelu(layer) => layer.forward(rows() - 0.5).flatten(1, 2),
            Self::SwiGlu(layer) => layer.forward(rows()).flatten(1, 2),
            Self::Conv1d(layer) => layer.forward(rows()).flatten(1, 2),
            Self::Conv2d(layer) => layer.forward(planes()).flatten(1, 3),
            Self::Conv3d(layer) => layer.forward(cubes()).flatten(1, 4),
            Self::ConvTranspose1d(layer) => layer.forward(rows()).flatten(1, 2),
            Self::ConvTranspose2d(layer) => layer.forward(planes()).flatten(1, 3),
            Self::ConvTranspose3d(layer) => layer.forward(cubes()).flatten(1, 4),
            Self::DeformConv2d(layer) => {
                let device = images.device();
                let offset = Tensor::full([n, 18, 6, 6], 0.3, &device);
                let mask = Tensor::full([n, 9, 6, 6], 0.8, &device);
                let images = images.reshape([n, 1, 8, 8]);
                layer.forward(images, offset, Some(mask)).flatten(1, 3)
            }
            Self::BatchNorm(layer) => layer.forward(rows()).flatten(1, 2),
            Self::LayerNorm(layer) => layer.forward(rows()).flatten(1, 2),
            Self::RmsNorm(layer) => layer.forward(rows()).flatten(1, 2),
            Self::GroupNorm(layer) => layer.forward(rows()).flatten(1, 2),
            Self::InstanceNorm(layer) => layer.forward(rows()).flatten(1, 2),
            Self::Rnn(layer) => layer.forward(rows(), None).0.flatten(1, 2),
            Self::BiRnn(layer) => layer.forward(rows(), None).0.flatten(1, 2),
            Self::Gru(layer) => layer.forward(rows(), None).flatten(1, 2),
            Self::BiGru(layer) => layer.forward(rows(), None).0.flatten(1, 2),
            Self::Lstm(layer) => layer.forward(rows(), None).0.flatten(1, 2),
            Self::BiLstm(layer) => layer.forward(rows(), None).0.flatten(1, 2),
            Self::MultiHeadAttention(layer) => layer
                .forward(MhaInput::self_attn(rows()))
                .context
                .flatten(1, 2),
            Self::CrossAttention(layer) => {
                let context = images.clone().reshape([n, 16, 4]);
                layer.forward(rows(), context, None).flatten(1, 2)
            }
            Self::FeedForward(layer) => layer.forward(rows()).flatten(1, 2),
            Self::Encoder(layer) => layer
                .forward(TransformerEncoderInput::new(rows()))
                .flatten(1, 2),
            Self::Decoder(layer) => {
                let memory = rows().flip([1]);
                layer
                    .forward(TransformerDecoderInput::new(rows(), memory))
                    .flatten(1, 2)
            }
        }
    }
}

/// The mean square of a layer's output less waves whose phase is the label's.
#[derive(Module, Debug)]
struct Net {
    layer: Layer,
}

impl InferenceStep for Net {
    type Input = DigitBatch;
    type Output = RegressionOutput;

    fn step(&self, batch: DigitBatch) -> RegressionOutput {
        let device = batch.images.device();
        let output = self.layer.forward(batch.images);
        let [n, features] = output.dims();
        let phases = batch.labels.float().reshape([n, 1]);
        let waves = Tensor::<1, Int>::arange(0..features as i64, &device).float();
        let targets = (waves.reshape([1, features]) + phases).sin();
        let loss = (output.clone() - targets.clone()).square().mean();
        RegressionOutput::new(loss, output, targets)
    }
}

fn digits() -> &'static [Digit] {
    &training()[..64]
}

/// The loss over all digits in one batch, without the crate.
fn direct(model: &Net) -> f64 {
    host_values(model.valid().step(batch(digits())).loss)[0].into()
}

fn observe(model: &Net, after: &Net, integrator: Integrator) -> StepAllocation {
    let lca = Lca::new(probe(digits()).chunk_size(24))
        .integrator(integrator)
        .batch_norm(BatchNormMode::Running);
    start(lca, model).observe(after).unwrap()
}

/// Adds to one element of one tensor.
struct Nudge<'a> {
    path: Vec<String>,
    tensor: &'a str,
    index: usize,
    by: f32,
}

impl ModuleMapper for Nudge<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }
    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.path.join(".") != self.tensor {
            return param;
        }
        param.map(|old| {
            let mut values = host_values(old.clone());
            values[self.index] += self.by;
            let nudged = Tensor::<1>::from_floats(values.as_slice(), &old.device());
            nudged.reshape(old.dims()).detach().require_grad()
        })
    }
}

/// ∂L/∂θ_i as a difference of losses.
fn slope(model: &Net, tensor: &str, index: usize) -> f64 {
    const H: f32 = 1e-2;
    let loss = |by| {
        let nudge = &mut Nudge {
            path: Vec::new(),
            tensor,
            index,
            by,
        };
        direct(&model.valid().train().map(nudge))
    };
    (loss(H) - loss(-H)) / f64::from(2.0 * H)
}

/// First order: LCA is the step times the gradient at its start, which a difference of losses
/// gives, too.
#[test]
fn every_layer_with_parameters_is_grounded_and_its_gradient_that_of_the_loss() {
    for (name, layer) in layers() {
        let model = filled(Net { layer });
        let after = moved(&model, 5, 0.1);
        let fine = Integrator::adaptive().tolerance(1e-5, 1e-3);
        let step = observe(&model, &after, fine);
        let change = direct(&after) - direct(&model);
        assert!(change.abs() > 1e-3, "{name}: {change}");
        let missed = (step.lca() - change).abs();
        assert!(
            missed <= 2e-5 + 1e-3 * change.abs(),
            "{name} misses {missed} of {change}"
        );
        assert!(!step.probe().is_capped(), "{name}");
        let parameters: usize = step.tensors().iter().map(|t| t.parameters()).sum();
        let (before, then) = (values(&model), values(&after));
        let buffers = before.keys().filter(|path| path.contains("running_"));
        let buffers: usize = buffers.map(|path| before[path].len()).sum();
        assert_eq!(parameters, model.num_params() - buffers, "{name}");

        let first = observe(&model, &after, Integrator::fixed(0));
        for tensor in first.tensors() {
            let path = tensor.path();
            let steps = before[path].iter().zip(&then[path]).map(|(a, b)| b - a);
            let lca = first.parameter(path).unwrap();
            let gradients = lca
                .iter()
                .zip(steps)
                .map(|(lca, step)| f64::from(lca / step));
            let (index, gradient) = gradients
                .enumerate()
                .max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))
                .unwrap();
            let expected = slope(&model, path, index);
            assert!(
                (gradient - expected).abs() <= 5e-5 + 0.01 * expected.abs(),
                "{name} {path}[{index}]: {gradient} and not {expected}"
            );
        }
    }
}

/// Modules within modules, down to a layer.
#[derive(Module, Debug)]
struct Nest {
    a_module_in_a_vector_of_modules_in_a_module: Vec<Nest>,
    linear: Option<Linear>,
}

/// Three hundred layers, and one whose path has more than three hundred characters.
#[derive(Module, Debug)]
struct Deep {
    norms: Vec<LayerNorm>,
    nest: Nest,
}

impl InferenceStep for Deep {
    type Input = DigitBatch;
    type Output = RegressionOutput;

    fn step(&self, batch: DigitBatch) -> RegressionOutput {
        let mut nest = &self.nest;
        while let Some(inner) = nest.a_module_in_a_vector_of_modules_in_a_module.first() {
            nest = inner;
        }
        let linear = nest.linear.as_ref().unwrap();
        let mut hidden = linear.forward(batch.images);
        for norm in &self.norms {
            hidden = hidden.clone() + norm.forward(hidden) * 0.01;
        }
        let output = hidden.tanh();
        let loss = (output.clone() - 0.5).square().mean();
        RegressionOutput::new(loss, output.clone(), output)
    }
}

#[test]
fn models_of_many_layers_and_of_long_names_are_measured_and_recorded() {
    const LAYERS: usize = 300;
    let linear = LinearConfig::new(64, 8).init(&device());
    let leaf = Nest {
        a_module_in_a_vector_of_modules_in_a_module: Vec::new(),
        linear: Some(linear),
    };
    let nest = (0..7).fold(leaf, |inner, _| Nest {
        a_module_in_a_vector_of_modules_in_a_module: vec![inner],
        linear: None,
    });
    let norms = (0..LAYERS).map(|_| LayerNormConfig::new(8).init(&device()));
    let model = filled(Deep {
        norms: norms.collect(),
        nest,
    });
    let after = moved(&model, 5, 0.02);
    let folder = tempfile::tempdir().unwrap();
    let lca = Lca::new(probe(digits())).record(Recorder::new(folder.path()));
    let mut lca = start(lca, &model);
    let step = lca.observe(&after).unwrap();
    lca.finish().unwrap();
    assert_eq!(step.tensors().len(), 2 * LAYERS + 2);
    let change = step.loss_change();
    assert!(change.abs() > 1e-3, "{change}");
    assert_close(step.lca(), change, 1e-4 + 0.01 * change.abs());

    let long = step.tensors().last().unwrap();
    assert!(long.path().len() > 300 && long.lca() != 0.0);
    let run = Run::open(folder.path()).unwrap();
    let rows = run
        .scan(Table::ParameterTotals)
        .tensor(long.path())
        .batches();
    let rows: usize = rows.unwrap().map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(rows, long.parameters());
}
