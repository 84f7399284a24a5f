//! LCA by neuron and channel.

use std::time::{Duration, Instant};

use burn::tensor::Tensor;

use super::tracked::{Tracked, floats, read};
use crate::allocation::StepAllocation;
use crate::error::LcaError;
use crate::record::{ElementIndices, Recorder, Rows, UnitRows};

/// Steps that are kept on the device at most.
const STEPS: usize = 64;
/// How long they are kept there at most.
const AGE: Duration = Duration::from_secs(2);

pub(super) struct Units {
    recorder: Recorder,
    /// Per recorded step, the units of all tensors one after the other.
    waiting: Vec<(u64, Tensor<1>)>,
    since: Instant,
}

impl Units {
    pub fn new(recorder: Recorder) -> Self {
        Self {
            recorder,
            waiting: Vec::new(),
            since: Instant::now(),
        }
    }

    pub fn add(
        &mut self,
        tracked: &[Tracked],
        step: &StepAllocation,
    ) -> Result<Vec<Rows>, LcaError> {
        let iteration = step.iteration();
        if self.recorder.wants_units(iteration) {
            let sums = tracked
                .iter()
                .filter_map(|tensor| Some(tensor.unit_sums(tensor.lca(step.probe())?)))
                .collect();
            if self.waiting.is_empty() {
                self.since = Instant::now();
            }
            self.waiting.push((iteration, Tensor::cat(sums, 0)));
        }
        if self.waiting.len() >= STEPS || self.since.elapsed() >= AGE {
            self.flush(tracked)
        } else {
            Ok(Vec::new())
        }
    }

    pub fn flush(&mut self, tracked: &[Tracked]) -> Result<Vec<Rows>, LcaError> {
        if self.waiting.is_empty() {
            return Ok(Vec::new());
        }
        let (iterations, sums): (Vec<_>, Vec<_>) = self.waiting.drain(..).unzip();
        let mut rows = Vec::new();
        for (iteration, data) in iterations.into_iter().zip(read(sums)?) {
            let sums = floats(data);
            let mut rest = &*sums;
            for tensor in tracked {
                let (units, tail) = rest.split_at(tensor.units());
                rest = tail;
                rows.push(Rows::Units(UnitRows {
                    iteration,
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
