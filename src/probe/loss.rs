//! What a model must offer to be measured: an inference output with the mean loss of its batch.

use std::fmt::Display;

use burn::backend::ExecutionError;
use burn::module::Module;
use burn::tensor::Tensor;
use burn::train::metric::{
    AccuracyInput, Adaptor, BleuInput, CerInput, ConfusionStatsInput, HammingScoreInput, ItemLazy,
    LossInput, PerplexityInput, RougeLInput, TopKAccuracyInput, WerInput,
};
use burn::train::{
    ClassificationOutput, InferenceStep, MultiLabelClassificationOutput, RegressionOutput,
    SequenceOutput,
};

/// A model that can be measured.
pub(crate) trait Measurable:
    Module + Display + InferenceStep<Input: Clone, Output: MeanLoss>
{
}

impl<M> Measurable for M where M: Module + Display + InferenceStep<Input: Clone, Output: MeanLoss> {}

/// The mean loss of a batch, as a model's inference output has it.
///
/// Implemented for burn-train's output types, and for [`Weighted`], which says what a loss is a mean
/// over. For a type of your own:
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use burn_lca::MeanLoss;
///
/// struct MyOutput {
///     loss: Tensor<1>,
/// }
///
/// impl MeanLoss for MyOutput {
///     fn mean_loss(&self) -> Tensor<1> {
///         self.loss.clone()
///     }
/// }
///
/// let loss = Tensor::from_floats([0.5], &Device::flex());
/// let output = MyOutput { loss };
/// assert_eq!(output.mean_loss().into_scalar::<f32>(), 0.5);
/// ```
pub trait MeanLoss {
    /// Returns the loss averaged over the batch, shape `[1]`, still attached to the graph that
    /// computed it.
    fn mean_loss(&self) -> Tensor<1>;

    /// Returns what the loss is a mean over, shape `[1]`: the number of tokens or pixels that count,
    /// or the sum of the examples' weights. `None`, the default, is the number of examples.
    ///
    /// A probe is measured in chunks, and this is the weight of a chunk. It is read once, at the
    /// start: it may depend on the examples, not on the parameters. A batch without any weight has
    /// a weight of 0, and any loss.
    fn weight(&self) -> Option<Tensor<1>> {
        None
    }
}

macro_rules! mean_loss {
    ($($output:ty),+) => {$(
        impl MeanLoss for $output {
            fn mean_loss(&self) -> Tensor<1> {
                self.loss.clone()
            }
        }
    )+};
}

mean_loss!(
    ClassificationOutput,
    MultiLabelClassificationOutput,
    RegressionOutput
);

impl MeanLoss for SequenceOutput {
    fn mean_loss(&self) -> Tensor<1> {
        self.loss.clone()
    }

    /// The number of tokens: batches may be padded to different lengths. Where the loss leaves the
    /// padding out, wrap the output in [`Weighted`].
    fn weight(&self) -> Option<Tensor<1>> {
        let tokens = self.targets.shape().num_elements();
        Some(Tensor::from_floats([tokens as f32], &self.targets.device()))
    }
}

/// An inference output whose loss is a mean over something else than the examples of the batch.
///
/// Chunks of any size then add up to the same loss: a mean over the tokens that are no padding, over
/// the pixels that are labelled, over examples with weights of their own. Burn's metrics see the
/// output that is inside.
///
/// ```
/// use burn::nn::loss::CrossEntropyLossConfig;
/// use burn::tensor::{Int, Tensor};
/// use burn::train::SequenceOutput;
/// use burn_lca::Weighted;
///
/// const PADDING: usize = 0;
///
/// /// What `InferenceStep::step` returns, for logits of shape [batch, length, words].
/// fn output(logits: Tensor<3>, targets: Tensor<2, Int>) -> Weighted<SequenceOutput> {
///     let loss = CrossEntropyLossConfig::new()
///         .with_pad_tokens(Some(vec![PADDING]))
///         .init(&logits.device())
///         .forward(logits.clone().flatten(0, 1), targets.clone().flatten(0, 1));
///     let tokens = targets.clone().not_equal_elem(PADDING as i64).float().sum();
///     Weighted::new(SequenceOutput::new(loss, logits, None, targets), tokens)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Weighted<O> {
    /// The output.
    pub output: O,
    /// What its loss is a mean over, shape `[1]`, as of [`MeanLoss::weight`].
    pub weight: Tensor<1>,
}

impl<O> Weighted<O> {
    /// Returns an output whose loss is a mean over something of this weight.
    pub fn new(output: O, weight: Tensor<1>) -> Self {
        Self { output, weight }
    }
}

impl<O: MeanLoss> MeanLoss for Weighted<O> {
    fn mean_loss(&self) -> Tensor<1> {
        self.output.mean_loss()
    }

    fn weight(&self) -> Option<Tensor<1>> {
        Some(self.weight.clone())
    }
}

impl<O: ItemLazy> ItemLazy for Weighted<O> {
    fn sync(self) -> Result<Self, ExecutionError> {
        Ok(Self {
            output: self.output.sync()?,
            weight: self.weight.without_autodiff(),
        })
    }
}

/// Metrics see the output that is inside. One by one, since Burn has an adaptor of everything to
/// `()`.
macro_rules! adaptors {
    ($($input:ty),+) => {$(
        impl<O: Adaptor<$input>> Adaptor<$input> for Weighted<O> {
            fn adapt(&self) -> $input {
                self.output.adapt()
            }
        }
    )+};
}

adaptors!(
    AccuracyInput,
    BleuInput,
    CerInput,
    ConfusionStatsInput,
    HammingScoreInput,
    LossInput,
    PerplexityInput,
    RougeLInput,
    TopKAccuracyInput,
    WerInput
);
