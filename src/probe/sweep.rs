//! One pass over the probe: the loss and its gradient, by class.

use std::sync::Arc;

use burn::tensor::Tensor;

use super::batches::Pass;
use super::chunks::Chunks;
use super::elsewhere::on_device;
use super::eval_model::EvalModel;
use super::halves::{Products, halves};
use super::loss::Measurable;
use super::sums::Sums;
use super::workers::{Job, run_all};
use crate::error::LcaError;
use crate::parameters::Values;

/// The gradient of a probe's mean loss, or a weighted sum of several.
#[derive(Clone)]
pub(crate) struct Gradient {
    /// By tensor of the layout, shape [rows, elements]: the share of each row in the gradient,
    /// so that the column sums are the gradient of the mean loss. `None` for what has no
    /// gradient: frozen tensors, and buffers that nothing is known of.
    pub tensors: Vec<Option<Tensor<2>>>,
    /// Of a sample: half the difference between its halves in the products with the step, by row
    /// and tensor of the layout, shape [rows, tensors]; zero for what is not trainable.
    pub halves: Option<Tensor<2>>,
}

/// The gradient at one point, and the losses that it belongs to.
#[derive(Clone)]
pub(crate) struct Sweep {
    pub gradient: Gradient,
    /// Mean loss of each chunk, on the device.
    pub chunk_losses: Tensor<1>,
    /// Whether the loss of any chunk depends on any parameter.
    pub reached: bool,
}

impl<M: Measurable> EvalModel<M> {
    /// Sweeps a probe at a point of parameter space. Nothing is read back. Where the `step` is
    /// known, the halves of a sample are told apart along it.
    ///
    /// # Errors
    ///
    /// Examples that can't be read, where they are read for every sweep.
    pub fn sweep(
        &self,
        values: &Values,
        chunks: &Chunks<M::Input>,
        step: Option<&Values>,
    ) -> Result<Sweep, LcaError> {
        let step = step.filter(|_| chunks.sampler.is_some());
        let main = self.device().clone().without_autodiff();
        let sums = Sums::new(&chunks.chunks, chunks.rows.len(), main.clone());
        let passes: Vec<Pass<_>> = chunks.shards.iter().map(|s| s.batches.pass()).collect();
        let mut jobs = Vec::new();
        for (index, (shard, pass)) in chunks.shards.iter().zip(&passes).enumerate() {
            let chunks_of = chunks.chunks.iter().enumerate();
            let own = chunks_of.filter(|(_, chunk)| chunk.shard == index);
            let own: Arc<[usize]> = own.map(|(chunk, _)| chunk).collect();
            let device = &shard.device;
            let products = || step.map(|step| Products::new(&self.layout, step, device));
            let products = on_device(device, self.device(), products)?.map(Arc::new);
            for _ in 0..chunks.workers.min(own.len()) {
                let job = Job {
                    model: on_device(device, self.device(), || self.on(device, values))?,
                    layout: &self.layout,
                    chunks,
                    own: Arc::clone(&own),
                    pass,
                    products: products.clone(),
                    sums: &sums,
                };
                let own = self.device().clone();
                jobs.push(move || on_device(device, &own, || job.run()).flatten());
            }
        }
        run_all(jobs)?;
        drop(passes);

        let summed = sums.finish(self.layout.tensors.len());
        let reached = summed.rows.iter().flatten().any(Option::is_some);
        let halves = step.map(|_| halves(chunks, summed.products, &main));
        let mut tensors = self.stack(summed.rows, values);
        self.add_running_statistics(values, &mut tensors);
        Ok(Sweep {
            gradient: Gradient { tensors, halves },
            chunk_losses: Tensor::cat(summed.losses, 0),
            reached,
        })
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
