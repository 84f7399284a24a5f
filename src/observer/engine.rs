//! The engine: from the model before and after a step to the allocation of the step.

use burn::train::InferenceStep;

use super::estimate::{Outcome, integrate_together};
use super::measurement::Measurement;
use super::recording::Recording;
use crate::allocation::StepAllocation;
use crate::error::LcaError;
use crate::parameters::{Motion, Segment, TensorKind, Values};
use crate::probe::{EvalModel, Measurable};
use crate::quadrature::{Convergence, Integrator};
use crate::record::RunState;

/// Measures every step it is shown, and hands the numbers to the record.
pub(crate) struct Engine<M: InferenceStep> {
    pub(super) eval_model: EvalModel<M>,
    pub(super) integrator: Integrator,
    pub(super) main: Measurement<M::Input>,
    pub(super) validation: Option<Measurement<M::Input>>,
    /// θ_t, the parameters that were seen last.
    pub(super) here: Values,
    /// Of the step that comes next.
    pub(super) iteration: u64,
    pub(super) recording: Option<Recording>,
    /// Whether the user has been told of a residual that no refinement explains.
    pub(super) warned: bool,
}

impl<M: Measurable> Engine<M> {
    /// Allocates the loss change from the last observed parameters to the model's present ones.
    pub fn observe(
        &mut self,
        model: &M,
        epoch: u32,
        learning_rate: Option<f64>,
    ) -> Result<StepAllocation, LcaError> {
        let after = self.eval_model.read(model)?;
        let layout = &self.eval_model.layout;
        let segment = Segment {
            motion: layout.motion(model, &self.here, &after)?,
            step: after.minus(&self.here),
            before: std::mem::replace(&mut self.here, after.clone()),
            after,
        };
        self.warn_of_broken_ties(&segment.motion);
        let new = self.eval_model.follow(&segment.motion);
        for probe in std::iter::once(&mut self.main).chain(&mut self.validation) {
            probe.begin(&self.eval_model, self.iteration, &segment, new)?;
        }
        let path = |probe| Measurement::path(probe, &self.eval_model, &self.integrator, &segment);
        let (main, validation) = match &self.validation {
            Some(validation) if self.integrator.refines_together() => {
                let [main, validation] = integrate_together(&path(&self.main), &path(validation))?;
                (main, Some(validation))
            }
            validation => {
                let main = path(&self.main).integrate()?;
                let validation = validation.as_ref().map(|probe| path(probe).integrate());
                (main, validation.transpose()?)
            }
        };
        self.warn_of_the_unexplained(std::iter::once(&main).chain(&validation));
        let probes = self.validation.as_mut().zip(validation);
        let step = StepAllocation {
            iteration: self.iteration,
            epoch,
            learning_rate,
            probe: self.main.conclude(&self.eval_model, &segment, main),
            validation: probes
                .map(|(probe, outcome)| probe.conclude(&self.eval_model, &segment, outcome)),
        };
        self.iteration += 1;
        if let Some(recording) = &mut self.recording {
            recording.add(&self.eval_model.layout, &step, &segment)?;
        }
        if let Some(recording) = self.recording.take_if(|recording| recording.is_signalled()) {
            recording.finish(RunState::Interrupted)?;
        }
        Ok(step)
    }

    /// Says where a parameter has become two.
    fn warn_of_broken_ties(&self, motion: &[Motion]) {
        let tensors = &self.eval_model.layout.tensors;
        for (tensor, motion) in tensors.iter().zip(motion) {
            if let TensorKind::Tied(first) = tensor.kind
                && *motion != Motion::Tied
            {
                log::warn!(
                    "LCA: `{}` was the same parameter as `{}` up to step {}, and is one of its own \
                     from here on: Burn's optimizers move a `Param` in the first of its places \
                     only; copy it to the others after every step, or use it from one place",
                    tensor.path,
                    tensors[first].path,
                    self.iteration
                );
            }
        }
    }

    /// Says once where the quadrature is not what misses the loss change.
    fn warn_of_the_unexplained<'a>(&mut self, mut outcomes: impl Iterator<Item = &'a Outcome>) {
        let unexplained = |outcome: &Outcome| outcome.convergence == Convergence::Unexplained;
        if !self.warned && outcomes.any(unexplained) {
            self.warned = true;
            log::warn!(
                "LCA: something other than the parameters moved the loss at step {}, and what it \
                 did is part of the residual; look for state that the model keeps outside of its \
                 parameters, or for a gradient that is not that of the loss",
                self.iteration
            );
        }
    }

    /// Writes out what was recorded of an epoch, before a checkpoint of it is written.
    pub fn end_epoch(&mut self, epoch: u32) -> Result<(), LcaError> {
        match &mut self.recording {
            Some(recording) => recording.end_epoch(epoch, self.iteration),
            None => Ok(()),
        }
    }

    /// Paths of all parameters.
    pub fn paths(&self) -> Vec<&str> {
        let tensors = self.eval_model.layout.tensors.iter();
        tensors
            .filter(|tensor| tensor.kind != TensorKind::Buffer)
            .map(|tensor| &*tensor.path)
            .collect()
    }

    /// Number of classes of the main probe.
    pub fn classes(&self) -> usize {
        self.main.chunks.class_names.len()
    }

    /// What stopped the recording, if something did.
    pub fn recording_failure(&self) -> Option<String> {
        self.recording.as_ref()?.failure()
    }

    /// Ends the recording, if there is one.
    pub fn finish(self, state: RunState) -> Result<(), LcaError> {
        self.recording
            .map_or(Ok(()), |recording| recording.finish(state))
    }
}
