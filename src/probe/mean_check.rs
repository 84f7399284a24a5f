//! Whether a model's loss on a batch is the mean over the batch's examples, without which
//! neither chunks nor classes add up.

use super::chunks::Plan;
use super::eval_model::EvalModel;
use super::examples::Examples;
use super::loss::{MeanLoss, Measurable};
use crate::error::LcaError;
use crate::parameters::Values;

/// Examples in the mixed batch.
const EXAMPLES: usize = 64;

/// What rounding explains, relative to the loss: other batch sizes sum in another order.
const TOLERANCE: f64 = 1e-4;

/// The same in half precision, which resolves a thousandth.
const HALF_TOLERANCE: f64 = 2e-2;

/// Examples in a part where no classes tell the parts apart. Small parts make a weighted mean
/// stand out; in a batch of one, a model may squeeze the batch dimension away.
const PART: usize = 2;

/// Compares the loss of a mixed batch with the mean over its parts: of one class each, or pairs
/// without classes.
pub(crate) fn check_mean<M: Measurable>(
    eval_model: &EvalModel<M>,
    values: &Values,
    plan: &Plan,
    examples: &dyn Examples<M::Input>,
) -> Result<(), LcaError> {
    if eval_model.depends_on_chunks() {
        return Ok(());
    }
    let spread = plan.spread(EXAMPLES);
    if spread.len() < 2 {
        return Ok(());
    }
    let model = eval_model.at(values);
    let mut half = false;
    let mut loss_of = |part: &[usize]| -> Result<f64, LcaError> {
        let batch = plan.batch(examples, part, eval_model.device())?;
        let loss = model.step(batch).mean_loss().without_autodiff();
        half |= loss.dtype().size() < 4;
        let data = loss.try_into_data().map_err(LcaError::device)?;
        Ok(data.iter::<f64>().next().unwrap_or(f64::NAN))
    };

    let all: Vec<usize> = spread.iter().map(|&(example, _)| example).collect();
    let mixed = loss_of(&all)?;
    let parts: Vec<&[usize]> = if plan.rows().len() > 1 {
        // The spread is in the plan's order, so a class is a run of it.
        let mut rest = &*all;
        spread
            .chunk_by(|(_, a), (_, b)| a == b)
            .map(|run| {
                let (part, tail) = rest.split_at(run.len());
                rest = tail;
                part
            })
            .collect()
    } else {
        let (pairs, odd) = all.split_at((all.len() / PART).saturating_sub(1) * PART);
        pairs.chunks(PART).chain([odd]).collect()
    };
    let mut mean = 0.0;
    for part in parts {
        mean += loss_of(part)? * part.len() as f64 / all.len() as f64;
    }

    let tolerance = if half { HALF_TOLERANCE } else { TOLERANCE };
    // A loss that is not finite is a matter of the model, and is recorded as such.
    if (mixed - mean).abs() > tolerance * mixed.abs().max(1e-3) {
        return Err(LcaError::NotMean {
            mixed,
            parts: mean,
            examples: all.len(),
        });
    }
    Ok(())
}
