//! What is read back of a gradient: its products with the step, summed, and losses.

use std::fmt::Display;

use burn::module::Module;
use burn::tensor::{Tensor, Transaction};

use crate::allocation::{HalfDifferences, Tallies, Tally, TensorTally};
use crate::error::LcaError;
use crate::parameters::{Segment, TensorKind};
use crate::probe::{Chunks, EvalModel, Gradient};

/// Mean losses of a probe, accumulated in f64.
#[derive(Debug, Clone)]
pub(super) struct Losses {
    pub total: f64,
    pub rows: Vec<f64>,
}

impl Losses {
    /// Reads the losses of a sweep's chunks.
    pub fn read<B>(chunks: &Chunks<B>, chunk_losses: &Tensor<1>) -> Result<Self, LcaError> {
        let data = read(Transaction::default().register(chunk_losses.clone()))?;
        Ok(Self::of(chunks, &data[0]))
    }

    fn of<B>(chunks: &Chunks<B>, losses: &[f64]) -> Self {
        let mut rows = vec![0.0; chunks.rows.len()];
        let mut total = 0.0;
        for (chunk, loss) in chunks.chunks.iter().zip(losses) {
            total += loss * chunk.weight;
            rows[chunk.row] += loss * chunk.weight;
        }
        for (sum, row) in rows.iter_mut().zip(&chunks.rows) {
            *sum /= row.weight;
        }
        Self {
            total: total / chunks.weight,
            rows,
        }
    }
}

/// The allocation that a gradient gives, and the losses at a point.
pub(super) struct Reading {
    pub tallies: Tallies,
    pub sums: Vec<TensorTally>,
    /// How far the halves of a sample differ; `None` where the probe is not sampled.
    pub halves: Option<HalfDifferences>,
    pub losses: Losses,
    /// Sum over the trainable tensors.
    pub lca: f64,
    /// The share of the buffers.
    pub buffers: f64,
}

impl Reading {
    /// Multiplies a gradient with the step, and waits for the sums and the losses. `start` is the
    /// gradient at the start of the step.
    pub fn of<M: Module + Display, B>(
        eval_model: &EvalModel<M>,
        chunks: &Chunks<B>,
        segment: &Segment,
        [gradient, start]: [&Gradient; 2],
        chunk_losses: &Tensor<1>,
    ) -> Result<Self, LcaError> {
        let [tensors, start] = [&*gradient.tensors, &*start.tensors];
        let tallies = Tallies::new(
            &eval_model.layout,
            tensors,
            start,
            &segment.step,
            segment.decay.as_ref(),
        );
        let mut transaction = Transaction::default()
            .register(tallies.sums.clone())
            .register(chunk_losses.clone());
        if let Some(halves) = &gradient.halves {
            transaction = transaction.register(halves.clone());
        }
        let data = read(transaction)?;
        let scales = chunks.scales();
        let sums = tallies.unpack(&data[0], &scales);
        let parameters = sums.iter().filter(|sum| {
            let kind = eval_model.layout.tensors[sum.tensor].kind;
            kind != TensorKind::Buffer
        });
        let parameters: Vec<&TensorTally> = parameters.collect();
        let halves = data.get(2).map(|products| {
            HalfDifferences::new(products, &chunks.weight_contrasts(), &scales, &parameters)
        });
        let (lca, buffers) = totals(eval_model, &sums, |sum| sum.total);
        Ok(Self {
            losses: Losses::of(chunks, &data[1]),
            lca: lca.lca(),
            buffers,
            halves,
            tallies,
            sums,
        })
    }

    /// The sum over everything that moves.
    pub fn sum(&self) -> f64 {
        self.lca + self.buffers
    }
}

/// Sums over the parameters, and the share of the buffers.
pub(super) fn totals<M: Module + Display>(
    eval_model: &EvalModel<M>,
    sums: &[TensorTally],
    pick: impl Fn(&TensorTally) -> Tally,
) -> (Tally, f64) {
    let mut lca = Tally::default();
    let mut buffers = 0.0;
    for sum in sums {
        match eval_model.layout.tensors[sum.tensor].kind {
            TensorKind::Buffer => buffers += pick(sum).lca(),
            _ => lca = lca + pick(sum),
        }
    }
    (lca, buffers)
}

/// Reads tensors back together, as f64.
fn read(transaction: Transaction) -> Result<Vec<Vec<f64>>, LcaError> {
    Ok(transaction
        .try_execute()
        .map_err(LcaError::device)?
        .into_iter()
        .map(|data| data.iter::<f64>().collect())
        .collect())
}
