//! A step's allocation as rows of the record's tables.

use std::sync::Arc;

use crate::allocation::StepAllocation;
use crate::record::{ClassRow, Rows, StepRow, TensorRow};

/// The rows that every recorded step has.
pub(super) fn rows(step: &StepAllocation) -> Vec<Rows> {
    let iteration = step.iteration();
    let mut steps = Vec::new();
    let mut tensors = Vec::new();
    let mut classes = Vec::new();
    for probe in step.probes() {
        let name: Arc<str> = probe.name().into();
        let tally = probe.tally();
        steps.push(StepRow {
            iteration,
            epoch: step.epoch(),
            probe: name.clone(),
            loss_before: probe.loss_before(),
            loss_after: probe.loss_after(),
            lca: probe.lca(),
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
        for tensor in probe.tensors().iter().filter(|tensor| !tensor.is_frozen()) {
            let path: Arc<str> = tensor.path().into();
            let row = |class, tally: crate::Tally, gradient_norm| TensorRow {
                iteration,
                probe: name.clone(),
                class,
                tensor: path.clone(),
                lca: tally.lca(),
                helping: tally.helping,
                hurting: tally.hurting,
                zero: tally.zero,
                step_norm: tensor.step_norm(),
                gradient_norm,
            };
            tensors.push(row(None, tensor.tally, tensor.gradient_norm()));
            tensors.extend(
                tensor
                    .by_class()
                    .iter()
                    .map(|class| row(Some(class.class as i32), class.tally, class.gradient_norm)),
            );
        }
        classes.extend(probe.classes().iter().filter_map(|class| {
            let measured = class.measured()?;
            Some(ClassRow {
                iteration,
                probe: name.clone(),
                class: class.class() as i32,
                examples: class.examples() as u64,
                loss_before: measured.loss_before,
                loss_after: measured.loss_after,
                lca: measured.lca,
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
