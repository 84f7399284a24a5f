//! One pass over the probe: the loss and its gradient, by class.

use std::time::{Duration, Instant};

use burn::tensor::Tensor;

use super::chunks::Chunks;
use super::eval_model::EvalModel;
use super::loss::{MeanLoss, Measurable};
use crate::error::LcaError;
use crate::parameters::Values;

/// The gradient of a probe's mean loss at one point, and the losses that it belongs to.
#[derive(Clone)]
pub(crate) struct Sweep {
    /// By tensor of the layout, shape [rows, elements]: the share of each row in the gradient,
    /// so that the column sums are the gradient of the mean loss. `None` for what has no
    /// gradient: frozen tensors, and buffers that nothing is known of.
    pub gradient: Vec<Option<Tensor<2>>>,
    /// Mean loss of each chunk, on the device.
    pub chunk_losses: Tensor<1>,
    /// Whether the loss of any chunk depends on any parameter.
    pub reached: bool,
}

impl<M: Measurable> EvalModel<M> {
    /// Sweeps a probe at a point of parameter space. Nothing is read back.
    pub fn sweep(&self, values: &Values, chunks: &Chunks<M::Input>) -> Sweep {
        let model = self.at(values);
        let mut losses = Vec::with_capacity(chunks.chunks.len());
        let mut reached = false;
        let mut rows: Vec<Vec<Option<Tensor<1>>>> =
            vec![vec![None; self.layout.tensors.len()]; chunks.rows.len()];
        for chunk in &chunks.chunks {
            let loss = model.step(chunk.batch.clone()).mean_loss();
            losses.push(loss.clone().without_autodiff().reshape([1]));
            if !loss.is_tracked() {
                continue;
            }
            let mut gradients = loss.mul_scalar(chunks.share(chunk)).backward();
            let taken = self.layout.gradients(&model, &mut gradients);
            for (sum, gradient) in rows[chunk.row].iter_mut().zip(taken) {
                let Some(gradient) = gradient else { continue };
                reached = true;
                *sum = Some(match sum.take() {
                    None => gradient,
                    Some(sum) => sum + gradient,
                });
            }
        }
        let mut gradient = self.stack(rows, values);
        self.add_running_statistics(values, &mut gradient);
        Sweep {
            gradient,
            chunk_losses: Tensor::cat(losses, 0),
            reached,
        }
    }

    /// Turns the rows' flat gradients into one matrix a tensor.
    fn stack(
        &self,
        mut rows: Vec<Vec<Option<Tensor<1>>>>,
        values: &Values,
    ) -> Vec<Option<Tensor<2>>> {
        let device = self.device().clone().without_autodiff();
        let zeros =
            |tensor: usize, len| Tensor::zeros([1, len], (&device, values.0[tensor].dtype()));
        (0..self.layout.tensors.len())
            .map(|tensor| {
                self.is_leaf(tensor).then(|| {
                    let len = self.layout.tensors[tensor].len;
                    let parts = rows
                        .iter_mut()
                        .map(|row| match row[tensor].take() {
                            Some(gradient) => gradient.reshape([1, len]),
                            // A tensor that this row's forward pass doesn't use.
                            None => zeros(tensor, len),
                        })
                        .collect::<Vec<_>>();
                    match <[Tensor<2>; 1]>::try_from(parts) {
                        Ok([only]) => only,
                        Err(parts) => Tensor::cat(parts, 0),
                    }
                })
            })
            .collect()
    }

    /// The gradients with respect to a batch normalization's running statistics.
    ///
    /// With y = γ·(x − μ)/√(v + ε) + β, summed over all that a channel normalizes,
    ///
    /// ```text
    /// ∂L/∂β = Σ ∂L/∂y        ∂L/∂γ = Σ ∂L/∂y · (x − μ)/√(v + ε)
    /// ∂L/∂μ = −γ/√(v + ε) · ∂L/∂β
    /// ∂L/∂v = −γ/(2(v + ε)) · ∂L/∂γ
    /// ```
    ///
    /// so they cost nothing beside a sweep.
    fn add_running_statistics(&self, values: &Values, gradient: &mut [Option<Tensor<2>>]) {
        for statistic in &self.statistics {
            let (Some(by_gamma), Some(by_beta)) =
                (&gradient[statistic.gamma], &gradient[statistic.beta])
            else {
                continue;
            };
            let gamma = values.0[statistic.gamma].clone();
            let variance = values.0[statistic.variance]
                .clone()
                .add_scalar(statistic.epsilon);
            let by_mean = by_beta.clone()
                * (gamma.clone() / variance.clone().sqrt())
                    .neg()
                    .unsqueeze::<2>();
            let by_variance =
                by_gamma.clone() * (gamma / variance).mul_scalar(-0.5).unsqueeze::<2>();
            gradient[statistic.mean] = Some(by_mean);
            gradient[statistic.variance] = Some(by_variance);
        }
    }
}

/// Seconds that one forward and backward pass over a batch takes, the better of two after a
/// warm-up.
pub(crate) fn time_chunk<M: Measurable>(
    eval_model: &EvalModel<M>,
    values: &Values,
    batch: &M::Input,
) -> Result<Duration, LcaError> {
    let model = eval_model.at(values);
    let device = eval_model.device().clone().without_autodiff();
    let mut best = Duration::MAX;
    for run in 0..3 {
        let start = Instant::now();
        let loss = model.step(batch.clone()).mean_loss();
        if loss.is_tracked() {
            let mut gradients = loss.backward();
            drop(eval_model.layout.gradients(&model, &mut gradients));
        }
        device.sync().map_err(LcaError::device)?;
        if run > 0 {
            best = best.min(start.elapsed());
        }
    }
    Ok(best)
}
