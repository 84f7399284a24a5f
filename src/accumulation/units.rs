//! LCA by neuron and channel.

use std::time::{Duration, Instant};

use burn::tensor::Tensor;

use super::tracked::{Tracked, floats, read};
use crate::allocation::StepAllocation;
use crate::error::LcaError;
use crate::record::{ElementIndices, Recorder, Rows, UnitRows};

/// Steps that are kept on the device at most.
const STEPS: usize = 64;
/// How long they are kept there at most, of steps that each take less than that; those of slower ones
/// not at all.
const AGE: Duration = Duration::from_secs(2);

pub(super) struct Units {
    recorder: Recorder,
    /// Per recorded row its iteration and span, and the units of all tensors one after the other.
    waiting: Vec<([u64; 2], Tensor<1>)>,
    /// When rows were handed over last.
    handed_over: Instant,
}

impl Units {
    pub fn new(recorder: Recorder) -> Self {
        Self {
            recorder,
            waiting: Vec::new(),
            handed_over: Instant::now(),
        }
    }

    /// Takes a step in, where the next one to be observed begins at `next`.
    pub fn add(
        &mut self,
        tracked: &[Tracked],
        step: &StepAllocation,
        next: u64,
    ) -> Result<Vec<Rows>, LcaError> {
        if self.recorder.wants_units(step.iteration(), next) {
            let sums = tracked
                .iter()
                .filter_map(|tensor| Some(tensor.unit_sums(tensor.lca(step.probe())?)))
                .collect();
            let row = [step.iteration(), step.span()];
            self.waiting.push((row, Tensor::cat(sums, 0)));
        }
        if self.waiting.len() >= STEPS || self.handed_over.elapsed() >= AGE {
            self.flush(tracked)
        } else {
            Ok(Vec::new())
        }
    }

    pub fn flush(&mut self, tracked: &[Tracked]) -> Result<Vec<Rows>, LcaError> {
        if self.waiting.is_empty() {
            return Ok(Vec::new());
        }
        self.handed_over = Instant::now();
        let (steps, sums): (Vec<_>, Vec<_>) = self.waiting.drain(..).unzip();
        let mut rows = Vec::new();
        for ([iteration, span], data) in steps.into_iter().zip(read(sums)?) {
            let sums = floats(data);
            let mut rest = &*sums;
            for tensor in tracked {
                let (units, tail) = rest.split_at(tensor.units());
                rest = tail;
                rows.push(Rows::Units(UnitRows {
                    iteration,
                    span,
                    tensor: tensor.path.clone(),
                    unit: ElementIndices::All,
                    lca: units.to_vec(),
                }));
            }
        }
        Ok(rows)
    }
}

impl Tracked {
    fn units(&self) -> usize {
        self.shape.get(self.unit_axis).copied().unwrap_or(1)
    }

    /// Sums a flat tensor over all axes but the unit's, shape [units].
    fn unit_sums(&self, lca: Tensor<1>) -> Tensor<1> {
        let outer: usize = self.shape[..self.unit_axis].iter().product();
        let units = self.units();
        lca.reshape([outer, units, self.len / (outer * units)])
            .sum_dim(2)
            .sum_dim(0)
            .reshape([units])
    }
}
