//! How much memory measuring takes.

use crate::accumulation::Accumulators;
use crate::error::LcaError;
use crate::parameters::{Layout, TensorKind};
use crate::probe::said;
use crate::quadrature::Integrator;
use crate::record::Recorder;

/// Values that a step holds of every float of the model, in f32: where it starts and ends, and how
/// far that is.
const COPIES: u64 = 3;

/// LCA and gradient of every parameter, as each probe's step hands them over.
const OF_A_STEP: u64 = 2;

/// Gradients of a probe, by class: at both ends of the step, and the integral between.
const AT_THE_ENDS: u64 = 2;
const INTEGRAL: u64 = 1;

/// With more splits than one, also those that sums are made of.
const BETWEEN: u64 = 2;

/// What is made of the gradients of all classes, tensor by tensor: put together, times the step.
const OF_A_TENSOR: u64 = 2;

/// Gradients that each thread holds beside: those of its chunk, and of the portion that it is added
/// to.
const OF_A_THREAD: u64 = 2;

const FLOAT: u64 = 4;

/// What measuring holds in memory beside the examples and the forward pass of one chunk, in bytes.
pub(super) struct Memory {
    copies: u64,
    gradients: u64,
    /// What is recorded of single parameters.
    recorded: u64,
    /// The most classes of a probe.
    rows: usize,
    parameters: u64,
}

impl Memory {
    /// Counts what is held for probes with so many rows of gradients each, swept by so many threads.
    pub fn of(
        layout: &Layout,
        rows: &[usize],
        threads: usize,
        integrator: &Integrator,
        recorder: Option<&Recorder>,
    ) -> Self {
        let floats: usize = layout.tensors.iter().map(|tensor| tensor.len).sum();
        let trainable = || {
            let trainable = layout.of_kind(TensorKind::Trainable);
            trainable.map(|(_, tensor)| tensor.len as u64)
        };
        let parameters: u64 = trainable().sum();
        let largest = trainable().max().unwrap_or(0);
        let most = rows.iter().max().copied().unwrap_or(1);
        let between = if integrator.start > 1 { BETWEEN } else { 0 };
        // One probe is integrated after the other, but all know their gradients at the ends.
        let lines = AT_THE_ENDS * rows.iter().sum::<usize>() as u64
            + (INTEGRAL + between) * most as u64
            + OF_A_STEP * rows.len() as u64
            + OF_A_THREAD * threads as u64;
        let by_class = if most > 1 {
            OF_A_TENSOR * most as u64 * largest
        } else {
            0
        };
        Self {
            copies: COPIES * floats as u64 * FLOAT,
            gradients: (lines * parameters + by_class) * FLOAT,
            recorded: recorder.map_or(0, |recorder| Accumulators::bytes(recorder, layout)),
            rows: most,
            parameters,
        }
    }

    pub fn bytes(&self) -> u64 {
        self.copies + self.gradients + self.recorded
    }

    /// Refuses what can't fit, and names what takes most of it.
    pub fn check(&self, available: Option<u64>) -> Result<(), LcaError> {
        let Some(available) = available.filter(|available| *available < self.bytes()) else {
            return Ok(());
        };
        let (setting, what, remedy) = if self.rows > 1 && self.gradients > self.recorded {
            (
                "Probe::classes",
                format!("gradients of {} classes by {}", self.rows, self.parameters),
                "leave the classes out, or group them",
            )
        } else if self.recorded > self.gradients {
            (
                "Recorder::new",
                format!("tables of each of {}", self.parameters),
                "record fewer `parameters`, or with `Recorder::economy`",
            )
        } else {
            (
                "LcaMetric, Lca",
                format!("gradients by {}", self.parameters),
                "measure on a device with more memory, or freeze what need not be measured",
            )
        };
        Err(LcaError::setting(
            setting,
            format!(
                "{what} parameters take the most of {}, and {} are free",
                said(self.bytes()),
                said(available)
            ),
            remedy,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_most_is_named_with_a_way_out() {
        let memory = |rows, gradients, recorded| Memory {
            copies: 4,
            gradients,
            recorded,
            rows,
            parameters: 1,
        };
        for (memory, setting, remedy) in [
            (
                memory(10, 40, 10),
                "Probe::classes",
                "leave the classes out",
            ),
            (memory(10, 10, 40), "Recorder::new", "Recorder::economy"),
            (memory(1, 40, 10), "LcaMetric, Lca", "more memory"),
        ] {
            let refused = memory.check(Some(53)).unwrap_err().to_string();
            assert!(
                refused.starts_with(setting) && refused.contains(remedy),
                "{refused}"
            );
            assert!(memory.check(Some(54)).is_ok() && memory.check(None).is_ok());
        }
    }
}
