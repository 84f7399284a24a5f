//! Whether a model's loss can be measured in chunks: whether it is the same twice, and the mean over
//! its parts. Without that neither chunks nor classes add up.

use burn::tensor::Tensor;

use super::chunks::Chunks;
use super::eval_model::EvalModel;
use super::examples::Examples;
use super::loss::{MeanLoss, Measurable};
use super::plan::Plan;
use crate::error::LcaError;
use crate::parameters::Values;

/// Examples in a mixed batch.
const EXAMPLES: usize = 64;

/// Mixed batches. What spoils a mean may be rare, such as padding: one example in a hundred is
/// missed by all of them once in ten thousand times.
const BATCHES: usize = 16;

/// What rounding explains, relative to the loss: other batch sizes sum in another order.
const TOLERANCE: f64 = 1e-4;

/// The same in half precision, which resolves a thousandth.
const HALF_TOLERANCE: f64 = 2e-2;

/// What rounding explains where the same is summed again: some devices have no fixed order.
const REPEATED: f64 = 1e-5;

/// The same in half precision.
const HALF_REPEATED: f64 = 5e-3;

/// Examples in a part of the first batch, where no classes tell the parts apart. Small parts make a
/// weighted mean stand out; in a batch of one, a model may squeeze the batch dimension away.
const PART: usize = 2;

/// The same in the other batches, which look for examples that differ.
const LATER_PART: usize = 8;

/// Loss of a batch, and what it is a mean over.
#[derive(Clone, Copy)]
struct Mean {
    loss: f64,
    weight: f64,
    /// Whether one of them is in half precision.
    half: bool,
}

impl Mean {
    /// What rounding explains, relative to the number.
    fn tolerance(self) -> f64 {
        if self.half { HALF_TOLERANCE } else { TOLERANCE }
    }
}

/// Compares the loss of mixed batches with itself, and with the mean over its parts: of one class
/// each, or small ones without classes. What they weigh must add up, too.
pub(crate) fn check_loss<M: Measurable>(
    eval_model: &EvalModel<M>,
    values: &Values,
    plan: &Plan,
    examples: &dyn Examples<M::Input>,
) -> Result<(), LcaError> {
    let model = eval_model.without_gradients(eval_model.device(), values);
    let read = |part: &[(usize, usize)]| {
        let indices: Vec<usize> = part.iter().map(|&(example, _)| example).collect();
        plan.batch(examples, &indices, eval_model.device())
    };
    let mean_of = |batch: M::Input, examples: usize| -> Result<Mean, LcaError> {
        let output = model.step(batch);
        let loss = output.mean_loss().without_autodiff();
        let weight = output.weight().map(Tensor::without_autodiff);
        Ok(Mean {
            half: is_half(&loss) || weight.as_ref().is_some_and(is_half),
            loss: number(loss)?,
            weight: match weight {
                Some(weight) => number(weight)?,
                None => examples as f64,
            },
        })
    };

    let spread = plan.spread(EXAMPLES * BATCHES);
    // Batches that are spread over the plan, each in its order, so that a class is a run of it.
    let batches = spread.len().div_ceil(EXAMPLES);
    for k in 0..batches {
        let batch: Vec<_> = spread.iter().skip(k).step_by(batches).copied().collect();
        let inputs = read(&batch)?;
        let mixed = mean_of(inputs.clone(), batch.len())?;
        if k == 0 {
            let again = mean_of(inputs, batch.len())?.loss;
            check_repeated(mixed.loss, again, mixed.half)?;
            let reread = mean_of(read(&batch)?, batch.len())?.loss;
            if !is_repeated(mixed.loss, reread, mixed.half) {
                return Err(LcaError::setting(
                    "Probe::new",
                    format!(
                        "the examples are others when they are read again: their loss is {} the \
                         first time, and {reread} the second",
                        mixed.loss
                    ),
                    "give it a dataset and a batcher that neither resample nor augment",
                ));
            }
            // Statistics of a part are not those of the batch.
            if batch.len() < 2 || eval_model.depends_on_chunks() {
                return Ok(());
            }
        }
        let mut sum = 0.0;
        let mut weight = 0.0;
        for part in parts(&batch, if k == 0 { PART } else { LATER_PART }) {
            let part = mean_of(read(part)?, part.len())?;
            if part.weight != 0.0 {
                sum += part.loss * part.weight;
                weight += part.weight;
            }
        }
        if (mixed.weight - weight).abs() > mixed.tolerance() * mixed.weight.abs().max(weight.abs())
        {
            return Err(LcaError::setting(
                "MeanLoss::weight",
                format!(
                    "a batch of {} examples weighs {}, and its parts {weight} together",
                    batch.len(),
                    mixed.weight
                ),
                "return a sum over the examples of the batch, such as the number of tokens or \
                 pixels that count",
            ));
        }
        if weight == 0.0 {
            continue;
        }
        let mean = sum / weight;
        // A loss that is not finite is a matter of the model, and is recorded as such.
        if (mixed.loss - mean).abs() > mixed.tolerance() * mixed.loss.abs().max(1e-3) {
            return Err(LcaError::NotMean {
                mixed: mixed.loss,
                parts: mean,
                examples: batch.len(),
            });
        }
    }
    Ok(())
}

/// Compares the loss of a chunk with itself, where batches are given and can't be taken apart.
pub(crate) fn check_repeats<M: Measurable>(
    eval_model: &EvalModel<M>,
    values: &Values,
    chunks: &Chunks<M::Input>,
) -> Result<(), LcaError> {
    let model = eval_model.without_gradients(eval_model.device(), values);
    let Some(chunk) = chunks.iter().next() else {
        return Ok(());
    };
    let (_, batch) = chunk?;
    let loss = || model.step(batch.clone()).mean_loss().without_autodiff();
    let [first, second] = [loss(), loss()];
    let half = is_half(&first);
    check_repeated(number(first)?, number(second)?, half)
}

fn check_repeated(first: f64, second: f64, half: bool) -> Result<(), LcaError> {
    if is_repeated(first, second, half) {
        Ok(())
    } else {
        Err(LcaError::Random { first, second })
    }
}

/// Whether two losses are the same but for rounding; one that is not a number is the model's matter.
fn is_repeated(first: f64, second: f64, half: bool) -> bool {
    let tolerance = if half { HALF_REPEATED } else { REPEATED };
    let differs = (first - second).abs() > tolerance * first.abs();
    !differs
}

/// The runs of one class, or parts of `size` examples where there is but one; the last may be larger.
fn parts(batch: &[(usize, usize)], size: usize) -> Vec<&[(usize, usize)]> {
    let runs: Vec<_> = batch.chunk_by(|(_, a), (_, b)| a == b).collect();
    if runs.len() > 1 {
        return runs;
    }
    let (equal, odd) = batch.split_at((batch.len() / size).saturating_sub(1) * size);
    equal.chunks(size).chain([odd]).collect()
}

fn is_half(loss: &Tensor<1>) -> bool {
    loss.dtype().size() < 4
}

fn number(value: Tensor<1>) -> Result<f64, LcaError> {
    let data = value.try_into_data().map_err(LcaError::device)?;
    Ok(data.iter::<f64>().next().unwrap_or(f64::NAN))
}
