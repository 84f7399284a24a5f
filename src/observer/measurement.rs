//! One probe along the steps: where its gradient is known, and how far a step changed its loss.

use std::fmt::Display;
use std::time::{Duration, Instant};

use burn::module::Module;
use burn::train::InferenceStep;

use super::estimate::{Outcome, StepPath};
use super::reading::{Losses, Reading, totals};
use crate::allocation::{
    ClassAllocation, ClassLoss, HalfDifferences, ProbeAllocation, Tally, TensorAllocation,
    TensorClassAllocation, TensorTally,
};
use crate::error::LcaError;
use crate::parameters::{Motion, Segment, TensorKind, Values};
use crate::probe::{Chunks, EvalModel, MeanLoss, Sweep};
use crate::quadrature::{Convergence, Integrator};

/// A probe with its gradient at the point that training has reached.
pub(super) struct Measurement<B> {
    pub chunks: Chunks<B>,
    here: Sweep,
    losses: Losses,
    /// The loss that observing began with.
    first_loss: f64,
    /// Sweeps of the present step that are no part of its quadrature, and the time they took.
    extra: (u16, Duration),
}

impl<B: Clone + Send + 'static> Measurement<B> {
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
        let sweep = eval_model.sweep(here, &chunks, None)?;
        if !sweep.reached {
            return Err(LcaError::NothingToMeasure {
                problem: format!(
                    "no gradient of the inference loss on probe `{}` reaches a parameter",
                    chunks.name
                ),
                remedy: "don't detach the loss of `InferenceStep::step`",
            });
        }
        let losses = Losses::read(&chunks, &sweep.chunk_losses)?;
        Ok(Self {
            first_loss: losses.total,
            losses,
            here: sweep,
            extra: Default::default(),
            chunks,
        })
    }

    /// Sweeps the probe where a step starts, unless it was swept there, as the end of the last step
    /// and for the same tensors: `swept`. Where the probe is sampled, every step has a sample of its
    /// own.
    pub fn begin<M>(
        &mut self,
        eval_model: &EvalModel<M>,
        iteration: u64,
        segment: &Segment,
        swept: bool,
    ) -> Result<(), LcaError>
    where
        M: Module + Display + InferenceStep<Input = B>,
        M::Output: MeanLoss,
    {
        let sampled = self.chunks.sampler.is_some();
        if swept && !sampled {
            return Ok(());
        }
        let started = Instant::now();
        if sampled {
            self.chunks.draw(iteration)?;
            if self.chunks.weighted {
                eval_model.weigh(&segment.before, &mut self.chunks)?;
            }
        }
        self.here = eval_model.sweep(&segment.before, &self.chunks, Some(&segment.step))?;
        self.losses = Losses::read(&self.chunks, &self.here.chunk_losses)?;
        self.extra = (1, started.elapsed());
        Ok(())
    }

    /// The step that starts where the probe was swept last.
    pub fn path<'a, M>(
        &'a self,
        eval_model: &'a EvalModel<M>,
        integrator: &'a Integrator,
        segment: &'a Segment,
    ) -> StepPath<'a, M>
    where
        M: InferenceStep<Input = B>,
    {
        StepPath {
            eval_model,
            integrator,
            segment,
            chunks: &self.chunks,
            start: &self.here,
            loss_before: self.losses.total,
            first_loss: self.first_loss,
        }
    }

    /// Splits the probe's loss change along a step, and moves on to its end.
    pub fn conclude<M>(
        &mut self,
        eval_model: &EvalModel<M>,
        segment: &Segment,
        outcome: Outcome,
    ) -> ProbeAllocation
    where
        M: Module + Display + InferenceStep<Input = B>,
    {
        let started = Instant::now();
        let Reading {
            mut tallies,
            sums,
            halves,
            losses,
            lca,
            buffers,
        } = outcome.reading;
        let halves = halves.as_ref();
        let (extra_sweeps, extra_spent) = std::mem::take(&mut self.extra);
        let before = std::mem::replace(&mut self.losses, losses);
        self.here = outcome.end;

        let classes = self.classes(&before, halves, |row| {
            let (tally, buffers) = totals(eval_model, &sums, |sum| match sum.rows.get(row) {
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
            let motion = segment.motion[index];
            let sum = sums
                .iter()
                .find(|sum| sum.tensor == index && motion != Motion::Frozen);
            let (zeros, tied_to) = match info.kind {
                TensorKind::Tied(first) => (0, Some(first)),
                _ => (info.len, None),
            };
            tensors.push(TensorAllocation {
                path: info.path.clone(),
                parameters: info.len,
                motion,
                tied_to: tied_to.map(|first| eval_model.layout.tensors[first].path.clone()),
                tally: sum.map_or_else(|| Tally::of_zeros(zeros), |sum| sum.total),
                error: halves.map(|halves| halves.of_tensor(index)),
                decay: sum.map_or(segment.decay.as_ref().map(|_| 0.0), |sum| sum.decay),
                step_norm: sum.map_or(0.0, |sum| sum.step_norm),
                gradient_norm: sum.map_or(0.0, |sum| sum.gradient_norm),
                classes: sum.map_or_else(Vec::new, |sum| self.tensor_classes(sum, halves)),
            });
            parameters.push(tallies.lca[index].take());
            gradients.push(tallies.gradient[index].take());
        }
        let change = self.losses.total - before.total;
        ProbeAllocation {
            name: self.chunks.name.clone(),
            loss_before: before.total,
            loss_after: self.losses.total,
            lca,
            standard_error: halves.map(|halves| halves.of_all().standard_error),
            decay: tensors.iter().map(|tensor| tensor.decay).sum(),
            residual: change - lca - buffers,
            buffers: (!eval_model.statistics.is_empty()).then_some(buffers),
            splits: outcome.splits,
            sweeps: outcome.sweeps + extra_sweeps,
            capped: matches!(
                outcome.convergence,
                Convergence::Capped | Convergence::Unexplained
            ),
            seconds: (extra_spent + outcome.spent + started.elapsed()).as_secs_f64(),
            tensors,
            classes,
            parameters,
            gradients,
        }
    }

    /// The allocation by class; `sums` gives LCA and share of buffers by row.
    fn classes(
        &self,
        before: &Losses,
        halves: Option<&HalfDifferences>,
        sums: impl Fn(usize) -> (f64, f64),
    ) -> Vec<ClassAllocation> {
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
                measured: row.filter(|&row| chunks.rows[row].weight > 0.0).map(|row| {
                    let (lca, buffers) = sums(row);
                    let (loss_before, loss_after) = (before.rows[row], self.losses.rows[row]);
                    ClassLoss {
                        loss_before,
                        loss_after,
                        lca,
                        standard_error: halves.map(|halves| halves.of_row(row).standard_error),
                        residual: loss_after - loss_before - lca - buffers,
                    }
                }),
            })
            .collect()
    }

    fn tensor_classes(
        &self,
        sum: &TensorTally,
        halves: Option<&HalfDifferences>,
    ) -> Vec<TensorClassAllocation> {
        self.chunks
            .rows
            .iter()
            .enumerate()
            .filter_map(|(row, info)| {
                let class = info.class.filter(|_| info.weight > 0.0)?;
                let error = halves.map(|halves| halves.of_tensor_in_row(sum.tensor, row));
                Some(match sum.rows.get(row) {
                    Some(line) => TensorClassAllocation {
                        class,
                        tally: line.tally,
                        error,
                        decay: line.decay,
                        gradient_norm: line.gradient_norm,
                    },
                    None => TensorClassAllocation {
                        class,
                        tally: sum.total,
                        error,
                        decay: sum.decay,
                        gradient_norm: sum.gradient_norm,
                    },
                })
            })
            .collect()
    }
}
