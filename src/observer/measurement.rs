//! One probe along the steps: where its gradient is known, and how far a step changed its loss.

use std::fmt::Display;
use std::time::Instant;

use burn::module::Module;
use burn::tensor::{Tensor, Transaction};
use burn::train::InferenceStep;

use crate::LcaError;
use crate::allocation::{
    ClassAllocation, ClassLoss, ProbeAllocation, Tallies, Tally, TensorAllocation,
    TensorClassAllocation, TensorTally,
};
use crate::parameters::{Segment, TensorKind, Values};
use crate::probe::{Chunks, EvalModel, MeanLoss, Sweep};
use crate::quadrature::{Integrator, Verdict, midpoints};

/// A probe with its gradient at the point that training has reached.
pub(super) struct Measurement<B> {
    pub chunks: Chunks<B>,
    here: Sweep,
    losses: Losses,
}

/// Mean losses of a probe, accumulated in f64.
#[derive(Debug, Clone)]
struct Losses {
    total: f64,
    rows: Vec<f64>,
}

type Gradient = Vec<Option<Tensor<2>>>;

impl<B: Clone> Measurement<B> {
    /// Sweeps the probe where training starts.
    pub fn start<M>(
        eval_model: &EvalModel<M>,
        here: &Values,
        chunks: Chunks<B>,
    ) -> Result<Self, LcaError>
    where
        M: Module + Display + InferenceStep<Input = B>,
        M::Output: MeanLoss,
    {
        let sweep = eval_model.sweep(here, &chunks);
        if !sweep.reached {
            return Err(LcaError::NothingToMeasure {
                problem: format!(
                    "no gradient of the inference loss on probe `{}` reaches a parameter",
                    chunks.name
                ),
                remedy: "don't detach the loss of `InferenceStep::step`",
            });
        }
        let data = read(Transaction::default().register(sweep.chunk_losses.clone()))?;
        Ok(Self {
            losses: Losses::of(&chunks, &data[0]),
            here: sweep,
            chunks,
        })
    }

    /// Splits the probe's loss change along a step, and moves on to its end.
    pub fn observe<M>(
        &mut self,
        eval_model: &EvalModel<M>,
        integrator: &Integrator,
        segment: &Segment,
    ) -> Result<ProbeAllocation, LcaError>
    where
        M: Module + Display + InferenceStep<Input = B>,
        M::Output: MeanLoss,
    {
        let started = Instant::now();
        let end = eval_model.sweep(&segment.after, &self.chunks);
        let mut ladder = Ladder::new(self.here.gradient.clone(), end.gradient.clone());
        let mut losses: Option<Losses> = None;
        let mut goal = integrator.first();
        let (losses, tallies, sums, verdict) = loop {
            while ladder.splits < goal {
                ladder.climb(|alpha| {
                    let point = segment.before.along(&segment.step, alpha);
                    eval_model.sweep(&point, &self.chunks).gradient
                });
            }
            let tallies = Tallies::new(
                &eval_model.layout,
                &ladder.integrated(),
                &self.here.gradient,
                &segment.step,
            );
            // The only wait for the device, and the only read of an estimate.
            let mut read_out = Transaction::default().register(tallies.sums.clone());
            if losses.is_none() {
                read_out = read_out.register(end.chunk_losses.clone());
            }
            let data = read(read_out)?;
            let after = losses.unwrap_or_else(|| Losses::of(&self.chunks, &data[1]));
            let sums = tallies.unpack(&data[0], &self.chunks.scales());
            let (lca, buffers) = totals(eval_model, &sums, |sum| sum.total);
            let change = after.total - self.losses.total;
            let residual = change - lca.lca() - buffers;
            let verdict = integrator.next(ladder.splits, change, residual);
            match verdict {
                Verdict::Refine(splits) => {
                    goal = splits;
                    losses = Some(after);
                }
                _ => break (after, tallies, sums, verdict),
            }
        };

        let before = std::mem::replace(&mut self.losses, losses);
        self.here = end;
        Ok(ProbeAllocation {
            capped: verdict == Verdict::Capped,
            splits: ladder.splits,
            sweeps: ladder.sweeps,
            ..self.assemble(eval_model, &before, tallies, &sums, started)
        })
    }

    fn assemble<M: Module + Display>(
        &self,
        eval_model: &EvalModel<M>,
        before: &Losses,
        mut tallies: Tallies,
        sums: &[TensorTally],
        started: Instant,
    ) -> ProbeAllocation {
        let after = &self.losses;
        let (total, buffers) = totals(eval_model, sums, |sum| sum.total);
        let classes = self.classes(before, |row| {
            let (tally, buffers) = totals(eval_model, sums, |sum| match sum.rows.get(row) {
                Some(line) => line.tally,
                // One class alone is the whole probe.
                None => sum.total,
            });
            (tally.lca(), buffers)
        });
        let mut tensors = Vec::new();
        let mut parameters = Vec::new();
        let mut gradients = Vec::new();
        for (index, info) in eval_model.layout.tensors.iter().enumerate() {
            if info.kind == TensorKind::Buffer {
                continue;
            }
            let sum = sums
                .iter()
                .find(|sum| sum.tensor == index && info.kind == TensorKind::Trainable);
            tensors.push(TensorAllocation {
                path: info.path.clone(),
                parameters: info.len,
                frozen: info.kind == TensorKind::Frozen,
                tally: sum.map_or_else(|| Tally::of_zeros(info.len), |sum| sum.total),
                step_norm: sum.map_or(0.0, |sum| sum.step_norm),
                gradient_norm: sum.map_or(0.0, |sum| sum.gradient_norm),
                classes: sum.map_or_else(Vec::new, |sum| self.tensor_classes(sum)),
            });
            parameters.push(tallies.lca[index].take());
            gradients.push(tallies.gradient[index].take());
        }
        ProbeAllocation {
            name: self.chunks.name.clone(),
            loss_before: before.total,
            loss_after: after.total,
            lca: total.lca(),
            residual: after.total - before.total - total.lca() - buffers,
            buffers: (!eval_model.statistics.is_empty()).then_some(buffers),
            splits: 0,
            sweeps: 0,
            capped: false,
            seconds: started.elapsed().as_secs_f64(),
            tensors,
            classes,
            parameters,
            gradients,
        }
    }

    /// The allocation by class; `sums` gives LCA and share of buffers by row.
    fn classes(&self, before: &Losses, sums: impl Fn(usize) -> (f64, f64)) -> Vec<ClassAllocation> {
        let chunks = &self.chunks;
        chunks
            .class_names
            .iter()
            .zip(&chunks.row_of_class)
            .enumerate()
            .map(|(class, (name, row))| ClassAllocation {
                class,
                name: name.clone(),
                examples: row.map_or(0, |row| chunks.rows[row].examples),
                measured: row.map(|row| {
                    let (lca, buffers) = sums(row);
                    let (loss_before, loss_after) = (before.rows[row], self.losses.rows[row]);
                    ClassLoss {
                        loss_before,
                        loss_after,
                        lca,
                        residual: loss_after - loss_before - lca - buffers,
                    }
                }),
            })
            .collect()
    }

    fn tensor_classes(&self, sum: &TensorTally) -> Vec<TensorClassAllocation> {
        self.chunks
            .rows
            .iter()
            .enumerate()
            .filter_map(|(row, info)| {
                let class = info.class?;
                Some(match sum.rows.get(row) {
                    Some(line) => TensorClassAllocation {
                        class,
                        tally: line.tally,
                        gradient_norm: line.gradient_norm,
                    },
                    None => TensorClassAllocation {
                        class,
                        tally: sum.total,
                        gradient_norm: sum.gradient_norm,
                    },
                })
            })
            .collect()
    }
}

/// Sums over the trainable tensors, and the share of the buffers.
fn totals<M: Module + Display>(
    eval_model: &EvalModel<M>,
    sums: &[TensorTally],
    pick: impl Fn(&TensorTally) -> Tally,
) -> (Tally, f64) {
    let mut lca = Tally::default();
    let mut buffers = 0.0;
    for sum in sums {
        match eval_model.layout.tensors[sum.tensor].kind {
            TensorKind::Trainable => lca = lca + pick(sum),
            _ => buffers += pick(sum).lca(),
        }
    }
    (lca, buffers)
}

impl Losses {
    fn of<B>(chunks: &Chunks<B>, losses: &[f64]) -> Self {
        let mut rows = vec![0.0; chunks.rows.len()];
        let mut total = 0.0;
        for (chunk, loss) in chunks.chunks.iter().zip(losses) {
            total += loss * chunk.examples as f64;
            rows[chunk.row] += loss * chunk.examples as f64;
        }
        for (sum, row) in rows.iter_mut().zip(&chunks.rows) {
            *sum /= row.examples as f64;
        }
        Self {
            total: total / chunks.examples as f64,
            rows,
        }
    }
}

/// The estimates of the integral of the gradient, from coarse to fine; see [`crate::quadrature`].
struct Ladder {
    splits: u16,
    /// New sweeps of the probe so far.
    sweeps: u16,
    start: Gradient,
    end: Gradient,
    /// T(splits), from the first rung on.
    trapezoid: Option<Gradient>,
    /// S(splits), from the second rung on.
    simpson: Option<Gradient>,
}

impl Ladder {
    fn new(start: Gradient, end: Gradient) -> Self {
        Self {
            splits: 0,
            sweeps: 1,
            start,
            end,
            trapezoid: None,
            simpson: None,
        }
    }

    fn climb(&mut self, gradient_at: impl Fn(f64) -> Gradient) {
        let Some(trapezoid) = self.trapezoid.take() else {
            self.trapezoid = Some(combine(&self.start, &self.end, 0.5, 0.5));
            self.splits = 1;
            return;
        };
        let weight = 1.0 / f64::from(self.splits);
        let middle = midpoints(self.splits)
            .map(gradient_at)
            .reduce(|sum, gradient| combine(&sum, &gradient, 1.0, 1.0));
        if let Some(middle) = middle {
            self.simpson = Some(combine(&trapezoid, &middle, 1.0 / 3.0, weight * 2.0 / 3.0));
            self.trapezoid = Some(combine(&trapezoid, &middle, 0.5, weight * 0.5));
        }
        self.sweeps += self.splits;
        self.splits *= 2;
    }

    fn integrated(&self) -> Gradient {
        self.simpson
            .as_ref()
            .or(self.trapezoid.as_ref())
            .unwrap_or(&self.start)
            .clone()
    }
}

/// a·x + b·y, tensor by tensor.
fn combine(x: &Gradient, y: &Gradient, a: f64, b: f64) -> Gradient {
    let scale = |tensor: &Tensor<2>, factor: f64| match factor {
        1.0 => tensor.clone(),
        _ => tensor.clone().mul_scalar(factor),
    };
    x.iter()
        .zip(y)
        .map(|(x, y)| match (x, y) {
            (Some(x), Some(y)) if a == b => Some(scale(&(x.clone() + y.clone()), a)),
            (Some(x), Some(y)) => Some(scale(x, a) + scale(y, b)),
            _ => None,
        })
        .collect()
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
