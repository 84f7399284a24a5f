//! One pass over the probe: the loss and its gradient, by class.

use std::time::{Duration, Instant};

use burn::tensor::Tensor;

use super::chunks::Chunks;
use super::eval_model::EvalModel;
use super::loss::{MeanLoss, Measurable};
use crate::error::LcaError;
use crate::parameters::{TensorKind, Values, sum_dtype};

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
        let model = self.at(values);
        let step = step.filter(|_| chunks.sampler.is_some());
        let mut halves = step.map(|step| self.halves(chunks.rows.len(), step));
        let mut losses = Vec::with_capacity(chunks.chunks.len());
        let mut reached = false;
        let mut rows: Vec<Vec<Option<Tensor<1>>>> =
            vec![vec![None; self.layout.tensors.len()]; chunks.rows.len()];
        for chunk in chunks.iter() {
            let (chunk, batch) = chunk?;
            let loss = model.step(batch).mean_loss();
            losses.push(loss.clone().without_autodiff().reshape([1]));
            if !loss.is_tracked() {
                continue;
            }
            let mut gradients = loss.mul_scalar(chunks.share(chunk)).backward();
            let taken = self.layout.gradients(&model, &mut gradients);
            if let Some(halves) = &mut halves {
                halves.add(chunk.row, chunk.contrast, &taken);
            }
            for (sum, gradient) in rows[chunk.row].iter_mut().zip(taken) {
                let Some(gradient) = gradient else { continue };
                reached = true;
                *sum = Some(match sum.take() {
                    None => gradient,
                    Some(sum) => sum + gradient,
                });
            }
        }
        let mut tensors = self.stack(rows, values);
        self.add_running_statistics(values, &mut tensors);
        Ok(Sweep {
            gradient: Gradient {
                tensors,
                halves: halves.map(Halves::stack),
            },
            chunk_losses: Tensor::cat(losses, 0),
            reached,
        })
    }

    fn halves<'a>(&self, rows: usize, step: &'a Values) -> Halves<'a> {
        let device = self.device().clone().without_autodiff();
        let zero = Tensor::<1>::zeros([1], &device).cast(sum_dtype(&device));
        let tensors = &self.layout.tensors;
        let counted = tensors.iter().enumerate().map(|(index, info)| {
            let counted = match info.kind {
                TensorKind::Tied(first) => first,
                _ => index,
            };
            let trainable = tensors[counted].kind == TensorKind::Trainable;
            trainable.then(|| (counted, &step.0[counted]))
        });
        Halves {
            steps: counted.collect(),
            sums: vec![vec![zero; self.layout.tensors.len()]; rows],
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

/// Half the difference between the halves of a sample, as their chunks come.
struct Halves<'a> {
    /// By tensor of the layout, the parameter that it counts for and that one's step; `None` for
    /// what is not trainable.
    steps: Vec<Option<(usize, &'a Tensor<1>)>>,
    /// By row and tensor, each of shape [1].
    sums: Vec<Vec<Tensor<1>>>,
}

impl Halves<'_> {
    fn add(&mut self, row: usize, contrast: f64, gradients: &[Option<Tensor<1>>]) {
        for (step, gradient) in self.steps.iter().zip(gradients) {
            if let (Some((tensor, step)), Some(gradient)) = (step, gradient) {
                let sum = &mut self.sums[row][*tensor];
                let product = (gradient.clone() * (*step).clone()).sum();
                *sum = sum.clone() + product.cast(sum.dtype()).mul_scalar(contrast);
            }
        }
    }

    fn stack(self) -> Tensor<2> {
        let rows = self.sums.into_iter();
        let rows = rows.map(|sums| Tensor::cat(sums, 0).unsqueeze::<2>());
        Tensor::cat(rows.collect(), 0)
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
