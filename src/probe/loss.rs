//! What a model must offer to be measured: an inference output with the mean loss of its batch.

use std::fmt::Display;

use burn::module::Module;
use burn::tensor::Tensor;
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
/// Implemented for burn-train's output types. For a type of your own:
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
    /// Returns the loss averaged over the examples of the batch, shape `[1]`, still attached to
    /// the graph that computed it.
    fn mean_loss(&self) -> Tensor<1>;
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
    RegressionOutput,
    SequenceOutput
);
