//! What goes from the observer to the record.

use std::sync::Arc;

use crate::accumulation::Accumulators;
use crate::allocation::{SamplingError, StepAllocation, Tally, TensorAllocation};
use crate::error::LcaError;
use crate::parameters::{Layout, Segment};
use crate::record::{ClassRow, Rows, RunState, RunWriter, StepRow, TensorRow};

/// A run that is being recorded.
pub(super) struct Recording {
    writer: RunWriter,
    accumulators: Accumulators,
}

impl Recording {
    pub fn new(writer: RunWriter, accumulators: Accumulators) -> Self {
        Self {
            writer,
            accumulators,
        }
    }

    /// Takes a step in. The layout's trainable tensors may be more than they were before.
    pub fn add(
        &mut self,
        layout: &Layout,
        step: &StepAllocation,
        segment: &Segment,
    ) -> Result<(), LcaError> {
        let new = self.accumulators.untracked(layout);
        if !new.is_empty() {
            let rows = self.accumulators.track(&new, &segment.before)?;
            self.writer.write(rows);
            let paths = new.iter().map(|tensor| tensor.path.to_string()).collect();
            self.writer.trained(paths);
        }
        let mut rows = rows(step);
        rows.extend(self.accumulators.add(step, segment)?);
        self.writer.write(rows);
        Ok(())
    }

    pub fn end_epoch(&mut self, epoch: u32, next_iteration: u64) -> Result<(), LcaError> {
        self.writer.reached(next_iteration);
        self.writer.write(self.accumulators.flush()?);
        self.writer.epoch_end(epoch, next_iteration);
        Ok(())
    }

    /// Ends the record of a training whose next step would be at this iteration.
    pub fn finish(mut self, state: RunState, next_iteration: u64) -> Result<(), LcaError> {
        self.writer.reached(next_iteration);
        // A device that fails to return the last rows must not cost those that are written.
        let rest = self
            .accumulators
            .flush()
            .map(|rows| self.writer.write(rows));
        self.writer.finish(state)?;
        rest
    }

    /// Whether the process is to end as soon as the record has.
    pub fn is_signalled(&self) -> bool {
        self.writer.is_signalled()
    }

    /// What stopped the recording, if something did.
    pub fn failure(&self) -> Option<String> {
        self.writer.failure()
    }
}

/// The rows that every recorded step has.
fn rows(step: &StepAllocation) -> Vec<Rows> {
    let (iteration, span) = (step.iteration(), step.span());
    let mut steps = Vec::new();
    let mut tensors = Vec::new();
    let mut classes = Vec::new();
    for probe in step.probes() {
        let name: Arc<str> = probe.name().into();
        let tally = probe.tally();
        steps.push(StepRow {
            iteration,
            span,
            epoch: step.epoch(),
            probe: name.clone(),
            loss_before: probe.loss_before(),
            loss_after: probe.loss_after(),
            lca: probe.lca(),
            lca_se: probe.standard_error(),
            lca_decay: probe.lca_decay(),
            residual: probe.residual(),
            buffers: probe.buffers(),
            splits: probe.splits(),
            sweeps: probe.sweeps(),
            capped: probe.is_capped(),
            helping: tally.helping,
            hurting: tally.hurting,
            zero: tally.zero,
            lca_helping: tally.lca_helping,
            lca_hurting: tally.lca_hurting,
            learning_rate: step.learning_rate().unwrap_or(f64::NAN),
            probe_seconds: probe.seconds(),
        });
        let counted =
            |tensor: &&TensorAllocation| !tensor.is_frozen() && tensor.tied_to().is_none();
        for tensor in probe.tensors().iter().filter(counted) {
            let path: Arc<str> = tensor.path().into();
            let row = |class, tally: Tally, error: Option<SamplingError>, decay, gradient_norm| {
                TensorRow {
                    iteration,
                    span,
                    probe: name.clone(),
                    class,
                    tensor: path.clone(),
                    lca: tally.lca(),
                    lca_se: error.map(|error| error.standard_error),
                    lca_halves: error.map(|error| error.halves),
                    lca_decay: decay,
                    helping: tally.helping,
                    hurting: tally.hurting,
                    zero: tally.zero,
                    step_norm: tensor.step_norm(),
                    gradient_norm,
                }
            };
            tensors.push(row(
                None,
                tensor.tally,
                tensor.error,
                tensor.decay,
                tensor.gradient_norm(),
            ));
            tensors.extend(tensor.by_class().iter().map(|class| {
                row(
                    Some(class.class as i32),
                    class.tally,
                    class.error,
                    class.decay,
                    class.gradient_norm,
                )
            }));
        }
        classes.extend(probe.classes().iter().filter_map(|class| {
            let measured = class.measured()?;
            Some(ClassRow {
                iteration,
                span,
                probe: name.clone(),
                class: class.class() as i32,
                examples: class.examples() as u64,
                loss_before: measured.loss_before,
                loss_after: measured.loss_after,
                lca: measured.lca,
                lca_se: measured.standard_error,
                residual: measured.residual,
            })
        }));
    }
    vec![
        Rows::Steps(steps),
        Rows::Tensors(tensors),
        Rows::Classes(classes),
    ]
}
