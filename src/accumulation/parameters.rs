//! Step, gradient and LCA of single parameters, for the tensors and steps asked for.

use std::sync::Arc;

use burn::tensor::{Int, Tensor};

use super::tracked::{Tracked, floats, read};
use crate::allocation::StepAllocation;
use crate::error::LcaError;
use crate::parameters::{Segment, Values};
use crate::record::{ElementIndices, ParameterRows, ParameterSelection, Rows};

/// Bytes that a parameter takes in a step that is recorded: three columns read from the device, and
/// the four of its rows on their way to the disk.
pub(super) const BYTES: usize = 3 * 4 + 4 * 4;

pub(super) struct Parameters {
    selection: ParameterSelection,
    /// By tracked tensor; `None` where it is not asked for.
    tensors: Vec<Option<Sample>>,
}

/// Which elements of a tensor are recorded: all, or some.
struct Sample(Option<Positions>);

struct Positions {
    indices: Arc<[u32]>,
    /// The same on the device.
    on_device: Tensor<1, Int>,
}

impl Parameters {
    pub fn new(tracked: &[Tracked], selection: ParameterSelection, start: &Values) -> Self {
        let mut parameters = Self {
            selection,
            tensors: Vec::new(),
        };
        parameters.track(tracked, start);
        parameters
    }

    /// Records some more tensors too, where they are asked for.
    pub fn track(&mut self, new: &[Tracked], start: &Values) {
        for tensor in new {
            self.tensors.push(self.sample(tensor, start));
        }
    }

    fn sample(&self, tensor: &Tracked, start: &Values) -> Option<Sample> {
        if !self.selection.wants_tensor(&tensor.path) {
            return None;
        }
        let Some(indices) = self.selection.indices(&tensor.path, tensor.len) else {
            return Some(Sample(None));
        };
        if indices.is_empty() {
            return None;
        }
        let positions: Vec<i32> = indices.iter().map(|&index| index as i32).collect();
        let device = start.0[tensor.tensor].device();
        Some(Sample(Some(Positions {
            on_device: Tensor::from_ints(positions.as_slice(), &device),
            indices,
        })))
    }

    /// Returns the rows of a step, where the next one to be observed begins at `next`.
    pub fn rows(
        &self,
        tracked: &[Tracked],
        step: &StepAllocation,
        segment: &Segment,
        next: u64,
    ) -> Result<Vec<Rows>, LcaError> {
        if !self.selection.wants_steps(step.iterations(), next) {
            return Ok(Vec::new());
        }
        let probe = step.probe();
        let mut columns = Vec::new();
        let mut recorded = Vec::new();
        for (tensor, sample) in tracked.iter().zip(&self.tensors) {
            let (Some(sample), Some(lca), Some(gradient)) =
                (sample, tensor.lca(probe), tensor.gradient(probe))
            else {
                continue;
            };
            columns.extend(
                [lca, segment.step.0[tensor.tensor].clone(), gradient]
                    .map(|column| sample.of(column)),
            );
            recorded.push((tensor, sample));
        }
        if columns.is_empty() {
            return Ok(Vec::new());
        }
        let mut columns = read(columns)?.into_iter();
        let mut next = || columns.next().map(floats).unwrap_or_default();
        Ok(recorded
            .into_iter()
            .map(|(tensor, sample)| {
                Rows::Parameters(ParameterRows {
                    iteration: step.iteration(),
                    span: step.span(),
                    tensor: tensor.path.clone(),
                    index: sample.indices(),
                    lca: next(),
                    step: next(),
                    gradient: next(),
                })
            })
            .collect())
    }
}

impl Sample {
    fn of(&self, column: Tensor<1>) -> Tensor<1> {
        match &self.0 {
            None => column,
            Some(positions) => column.select(0, positions.on_device.clone()),
        }
    }

    fn indices(&self) -> ElementIndices {
        match &self.0 {
            None => ElementIndices::All,
            Some(positions) => ElementIndices::Chosen(positions.indices.clone()),
        }
    }
}
