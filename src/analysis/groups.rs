//! The LCA of layers or tensors, summed over one run.

use std::collections::HashMap;

use serde::Serialize;

use crate::{LcaError, Run, Table};

use super::layer_of;
use super::read::{each, require};

/// What is looked at as one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// A layer: tensors whose paths differ in the last part only.
    #[default]
    Layer,
    /// A tensor.
    Tensor,
}

/// Which rows of `tensors` are summed.
#[derive(Debug, Clone)]
pub(super) struct Selection {
    pub(super) by: Grouping,
    pub(super) probe: String,
    /// `None` is all classes together.
    pub(super) class: Option<i32>,
}

/// A layer or tensor over a run. Steps at which its LCA is not finite are left out.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) parameters: u64,
    pub(super) lca: f64,
    /// How many times a parameter had negative LCA, positive, exactly zero.
    pub(super) helping: u64,
    pub(super) hurting: u64,
    pub(super) zero: u64,
    /// Steps that were summed, and those among them at which the group's LCA was positive.
    pub(super) steps: u64,
    pub(super) hurting_steps: u64,
    pub(super) not_finite_steps: u64,
    /// The step whose rows are being read: the group may have several tensors.
    open: Option<(u64, f64)>,
}

/// Returns the layers or tensors of a run in the order of its model.
pub(super) fn groups(run: &Run, selection: &Selection) -> Result<Vec<Group>, LcaError> {
    check(run, selection)?;
    require(
        run,
        Table::Tensors,
        "wait for the first step, or record a run that takes one",
    )?;
    let mut groups: Vec<Group> = Vec::new();
    let mut places = HashMap::new();
    for tensor in &run.info().tensors {
        let name = match selection.by {
            Grouping::Layer => layer_of(&tensor.path),
            Grouping::Tensor => &tensor.path,
        };
        let known = groups.iter().position(|group| group.name == name);
        let place = known.unwrap_or_else(|| {
            groups.push(Group::new(name));
            groups.len() - 1
        });
        groups[place].parameters += tensor.parameters;
        places.insert(tensor.path.as_str(), place);
    }
    let names = [
        "iteration",
        "probe",
        "class",
        "tensor",
        "lca",
        "helping",
        "hurting",
        "zero",
    ];
    each(run, Table::Tensors, &names, |columns| {
        let (iterations, lca) = (columns.u64("iteration")?, columns.f64("lca")?);
        let (probes, tensors) = (columns.text("probe")?, columns.text("tensor")?);
        let (helping, hurting) = (columns.u64("helping")?, columns.u64("hurting")?);
        let zero = columns.u64("zero")?;
        for (row, class) in columns.i32_or_null("class")?.iter().enumerate() {
            if class != selection.class || probes.value(row) != selection.probe {
                continue;
            }
            let tensor = tensors.value(row);
            let place = places.get(tensor).ok_or_else(|| unknown(run, tensor))?;
            let group = &mut groups[*place];
            group.add(iterations[row], lca[row]);
            group.helping += helping[row];
            group.hurting += hurting[row];
            group.zero += zero[row];
        }
        Ok(())
    })?;
    groups.iter_mut().for_each(Group::close);
    Ok(groups)
}

impl Group {
    fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            parameters: 0,
            lca: 0.0,
            helping: 0,
            hurting: 0,
            zero: 0,
            steps: 0,
            hurting_steps: 0,
            not_finite_steps: 0,
            open: None,
        }
    }

    /// Adds a tensor's row; the rows of a step come one after the other.
    fn add(&mut self, iteration: u64, lca: f64) {
        match &mut self.open {
            Some((open, sum)) if *open == iteration => *sum += lca,
            _ => {
                self.close();
                self.open = Some((iteration, lca));
            }
        }
    }

    fn close(&mut self) {
        match self.open.take() {
            Some((_, lca)) if lca.is_finite() => {
                self.lca += lca;
                self.steps += 1;
                self.hurting_steps += u64::from(lca > 0.0);
            }
            Some(_) => self.not_finite_steps += 1,
            None => {}
        }
    }

    pub(super) fn percent_hurting_steps(&self) -> f64 {
        100.0 * self.hurting_steps as f64 / self.steps as f64
    }
}

/// Fails unless the run has the probe, and the probe the class.
fn check(run: &Run, selection: &Selection) -> Result<(), LcaError> {
    let folder = run.folder().display();
    let probes = &run.info().probes;
    let Some(probe) = probes.iter().find(|probe| probe.name == selection.probe) else {
        let names: Vec<&str> = probes.iter().map(|probe| probe.name.as_str()).collect();
        return Err(LcaError::setting(
            "probe",
            format!("{folder} has no probe {}", selection.probe),
            match names.is_empty() {
                true => "its run.json lists none, restore it from a copy".into(),
                false => format!("give one of {}", names.join(", ")),
            },
        ));
    };
    let Some(wanted) = selection.class else {
        return Ok(());
    };
    if probe.classes.iter().any(|class| class.index == wanted) {
        return Ok(());
    }
    let classes: Vec<String> = probe
        .classes
        .iter()
        .map(|class| class.index.to_string())
        .collect();
    Err(LcaError::setting(
        "class",
        format!("probe {} of {folder} has no class {wanted}", probe.name),
        match classes.is_empty() {
            true => "leave it out, or record with a probe that has `.classes(..)`".into(),
            false => format!("give one of {}", classes.join(", ")),
        },
    ))
}

fn unknown(run: &Run, tensor: &str) -> LcaError {
    LcaError::Damaged {
        path: run.folder().join("run.json"),
        problem: format!("doesn't list tensor {tensor}, which has rows in table tensors"),
        remedy: "restore both from the same copy".into(),
    }
}
