//! The engine: from the model before and after a step to the allocation of the step.

use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::train::InferenceStep;

use super::cost::Cost;
use super::decay::WeightDecay;
use super::estimate::{Outcome, integrate_together};
use super::measurement::Measurement;
use super::recording::Recording;
use crate::allocation::StepAllocation;
use crate::error::LcaError;
use crate::parameters::{Motion, Segment, TensorKind, Values};
use crate::probe::{EvalModel, Measurable};
use crate::quadrature::{Convergence, Integrator};
use crate::record::{ObservedInfo, RunState};

/// Measures every step it is shown, and hands the numbers to the record.
pub(crate) struct Engine<M: InferenceStep> {
    pub(super) eval_model: EvalModel<M>,
    pub(super) integrator: Integrator,
    pub(super) main: Measurement<M::Input>,
    pub(super) validation: Option<Measurement<M::Input>>,
    /// The parameters that were read last.
    pub(super) here: Place,
    /// Of the step that comes next.
    pub(super) iteration: u64,
    /// Which steps are measured.
    pub(super) observed: ObservedInfo,
    pub(super) weight_decay: Option<WeightDecay>,
    /// Epoch and learning rate of the last step.
    pub(super) last: (u32, Option<ModuleLearningRate>),
    pub(super) recording: Option<Recording>,
    pub(super) cost: Cost,
    /// Whether the user has been told of a residual that no refinement explains.
    pub(super) warned: bool,
}

/// Where training was when its parameters were read.
pub(super) struct Place {
    values: Values,
    /// Of the step that starts there.
    iteration: u64,
    /// Whether the probes were swept there, for all tensors that are followed by now.
    swept: bool,
}

impl Place {
    /// The place where a step starts, and where the probes were swept.
    pub fn swept(values: Values, iteration: u64) -> Self {
        Self {
            values,
            iteration,
            swept: true,
        }
    }
}

impl<M: Measurable> Engine<M> {
    /// Counts an optimizer step, and measures it, or the segment that ends with it, if it is one of
    /// those that are. `ends_epoch` ends a segment early: a training that is resumed from there
    /// could not complete it.
    pub fn step(
        &mut self,
        model: &M,
        epoch: u32,
        learning_rate: Option<ModuleLearningRate>,
        ends_epoch: bool,
    ) -> Result<Option<StepAllocation>, LcaError> {
        self.count(1, epoch, learning_rate);
        let ObservedInfo { span, period } = self.observed;
        let done = self.iteration - self.here.iteration;
        let is_due = if self.observed.leaves_out() {
            done == span && self.here.iteration.is_multiple_of(period)
        } else {
            done >= span || ends_epoch
        };
        let step = if is_due {
            Some(self.measure(model)?)
        } else {
            self.end_if_signalled()?;
            None
        };
        if self.observed.leaves_out() && self.iteration.is_multiple_of(period) {
            self.start_here(model)?;
        }
        Ok(step)
    }

    /// Allocates the loss change of the step that led from the last observed parameters to the
    /// model's present ones.
    pub fn observe(
        &mut self,
        model: &M,
        epoch: u32,
        learning_rate: Option<ModuleLearningRate>,
    ) -> Result<StepAllocation, LcaError> {
        self.observe_segment(model, 1, epoch, learning_rate)
    }

    /// The same of so many steps in a row.
    pub fn observe_segment(
        &mut self,
        model: &M,
        steps: u64,
        epoch: u32,
        learning_rate: Option<ModuleLearningRate>,
    ) -> Result<StepAllocation, LcaError> {
        self.count(steps, epoch, learning_rate);
        self.measure(model)
    }

    /// The iteration of the step that comes next.
    pub fn iteration(&self) -> u64 {
        self.iteration
    }

    /// Measures the segment that has begun, if one has.
    pub fn end_segment(&mut self, model: &M) -> Result<Option<StepAllocation>, LcaError> {
        if self.unmeasured() == 0 {
            return Ok(None);
        }
        self.measure(model).map(Some)
    }

    /// Steps of a segment that has begun. Single steps are no such segment, be they observed or not.
    pub fn unmeasured(&self) -> u64 {
        if self.observed.leaves_out() {
            0
        } else {
            self.iteration - self.here.iteration
        }
    }

    /// Whether every step is measured for itself.
    pub fn measures_every_step(&self) -> bool {
        self.observed.is_every_step()
    }

    fn count(&mut self, steps: u64, epoch: u32, learning_rate: Option<ModuleLearningRate>) {
        self.iteration += steps;
        self.last = (epoch, learning_rate);
    }

    /// Reads the parameters where a step starts that is to be measured.
    fn start_here(&mut self, model: &M) -> Result<(), LcaError> {
        if self.here.iteration == self.iteration {
            return Ok(());
        }
        self.here = Place {
            values: self.eval_model.read(model)?,
            iteration: self.iteration,
            swept: false,
        };
        Ok(())
    }

    /// Allocates the loss change from the parameters that were read last to the model's present ones.
    /// After an error the former are still the same.
    fn measure(&mut self, model: &M) -> Result<StepAllocation, LcaError> {
        let after = self.eval_model.read(model)?;
        let layout = &self.eval_model.layout;
        let before = &self.here.values;
        let motion = layout.motion(model, before, &after)?;
        let step = after.minus(before);
        let rates = self.last.1.as_ref();
        let decay = self
            .weight_decay
            .as_ref()
            .map(|decay| decay.part_of(&step, before, &motion, layout, rates));
        let segment = Segment {
            decay: decay.transpose()?,
            motion,
            step,
            before: before.clone(),
            after,
        };
        self.warn_of_broken_ties(&segment.motion);
        if self.eval_model.follow(&segment.motion) {
            self.here.swept = false;
        }
        let (iteration, swept) = (self.here.iteration, self.here.swept);
        for probe in std::iter::once(&mut self.main).chain(&mut self.validation) {
            probe.begin(&self.eval_model, iteration, &segment, swept)?;
        }
        self.here.swept = true;
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
            iteration,
            span: self.iteration - iteration,
            epoch: self.last.0,
            learning_rate: self.last.1.as_ref().map(ModuleLearningRate::base),
            probe: self.main.conclude(&self.eval_model, &segment, main),
            validation: probes
                .map(|(probe, outcome)| probe.conclude(&self.eval_model, &segment, outcome)),
        };
        self.here = Place::swept(segment.after.clone(), self.iteration);
        if let Some(recording) = &mut self.recording {
            recording.add(&self.eval_model.layout, &step, &segment)?;
        }
        self.end_if_signalled()?;
        Ok(step)
    }

    /// Ends the recording where the process is to end.
    fn end_if_signalled(&mut self) -> Result<(), LcaError> {
        match self.recording.take_if(|recording| recording.is_signalled()) {
            Some(recording) => recording.finish(RunState::Interrupted, self.iteration),
            None => Ok(()),
        }
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

    /// What measuring will cost.
    pub fn cost(&self) -> &Cost {
        &self.cost
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
            .map_or(Ok(()), |recording| recording.finish(state, self.iteration))
    }
}
