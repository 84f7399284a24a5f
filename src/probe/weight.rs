//! What the losses of a probe's chunks are means over.

use burn::tensor::Transaction;

use super::chunks::Chunks;
use super::eval_model::EvalModel;
use super::loss::{MeanLoss, Measurable};
use crate::error::LcaError;
use crate::parameters::Values;

impl<M: Measurable> EvalModel<M> {
    /// Weighs the chunks of a probe, by one forward pass over them where the model's output says
    /// what its loss is a mean over. Otherwise they count with their examples.
    ///
    /// # Errors
    ///
    /// Weights that are no weights, or all zero; examples that can't be read.
    pub fn weigh(&self, values: &Values, chunks: &mut Chunks<M::Input>) -> Result<(), LcaError> {
        let main = self.device().clone().without_autodiff();
        let shards = chunks.shards.iter();
        let models: Vec<M> = shards
            .map(|shard| self.without_gradients(&shard.device, values))
            .collect();
        let mut reading = Transaction::default();
        for chunk in chunks.iter() {
            let (chunk, batch) = chunk?;
            let Some(weight) = models[chunk.shard].step(batch).weight() else {
                return Ok(());
            };
            let weight = weight.without_autodiff().to_device(&main);
            reading = reading.register(weight);
        }
        let data = reading.try_execute().map_err(LcaError::device)?;
        let weights = data.iter().map(|data| data.iter::<f64>().sum());
        let weights: Vec<f64> = weights.collect();
        if let Some(weight) = weights.iter().find(|w| !w.is_finite() || **w < 0.0) {
            return Err(LcaError::setting(
                "MeanLoss::weight",
                format!("a chunk of probe `{}` has weight {weight}", chunks.name),
                "return the number of tokens or pixels that count, or the sum of weights of at \
                 least 0",
            ));
        }
        if weights.iter().all(|&weight| weight == 0.0) {
            return Err(LcaError::setting(
                "MeanLoss::weight",
                format!("all examples of probe `{}` weigh 0", chunks.name),
                "give it examples that count in the loss",
            ));
        }
        chunks.weigh(weights);
        Ok(())
    }
}
