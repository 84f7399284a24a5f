//! How many of a layer's parameters help, step by step.

use std::collections::BTreeMap;

use arrow::array::Array;
use serde::Serialize;

use crate::analysis::names::{layer_of, main_probe};
use crate::analysis::noise::HelpingStep;
use crate::analysis::read::{NO_STEPS, each, require};
use crate::analysis::stats::HelpingCounts;
use crate::{LcaError, Run, Table};

/// How many of a layer's parameters helped, on the training probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerHelping {
    /// The layer.
    pub layer: String,
    /// The observed steps, ascending.
    pub steps: Vec<HelpingStep>,
}

/// Returns how many parameters of every layer helped at each step, in the model's order.
///
/// Fails if the table `tensors` has no rows or can't be read.
pub fn helping_by_layer(run: &Run) -> Result<Vec<LayerHelping>, LcaError> {
    require(run, Table::Tensors, NO_STEPS)?;
    let info = run.info();
    let probe = main_probe(run);
    let mut layers: Vec<(&str, BTreeMap<u64, HelpingCounts>)> = Vec::new();
    for tensor in &info.tensors {
        let layer = layer_of(&tensor.path);
        if !layers.iter().any(|(known, _)| *known == layer) {
            layers.push((layer, BTreeMap::new()));
        }
    }
    let names = [
        "iteration",
        "probe",
        "class",
        "tensor",
        "helping",
        "hurting",
        "zero",
    ];
    each(run, Table::Tensors, &names, |columns| {
        let (iterations, classes) = (columns.u64("iteration")?, columns.i32_or_null("class")?);
        let (probes, tensors) = (columns.text("probe")?, columns.text("tensor")?);
        let (helping, hurting) = (columns.u64("helping")?, columns.u64("hurting")?);
        let zero = columns.u64("zero")?;
        for row in 0..columns.rows() {
            if classes.is_valid(row) || probes.value(row) != probe {
                continue;
            }
            let layer = layer_of(tensors.value(row));
            let Some((_, steps)) = layers.iter_mut().find(|(known, _)| *known == layer) else {
                continue;
            };
            let counts = steps.entry(iterations[row]).or_default();
            *counts += HelpingCounts {
                helping: helping[row],
                hurting: hurting[row],
                zero: zero[row],
            };
        }
        Ok(())
    })?;
    let layers = layers.into_iter().map(|(layer, steps)| LayerHelping {
        layer: layer.to_owned(),
        steps: steps
            .into_iter()
            .map(|(iteration, counts)| HelpingStep { iteration, counts })
            .collect(),
    });
    Ok(layers.collect())
}
