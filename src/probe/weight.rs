//! What the losses of a probe's chunks are means over.

use burn::tensor::Transaction;

use super::chunks::Chunks;
use super::elsewhere::on_device;
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
        let model = |device| {
            on_device(device, self.device(), || {
                self.without_gradients(device, values)
            })
        };
        let models = shards.map(|shard| model(&shard.device));
        let models: Vec<M> = models.collect::<Result<_, _>>()?;
        let mut reading = Transaction::default();
        for chunk in chunks.iter() {
            let (chunk, batch) = chunk?;
            let weight = || {
                let weight = models[chunk.shard].step(batch).weight();
                weight.map(|weight| weight.without_autodiff().to_device(&main))
            };
            let device = &chunks.shards[chunk.shard].device;
            let Some(weight) = on_device(device, self.device(), weight)? else {
                return Ok(());
            };
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
