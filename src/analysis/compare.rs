//! Two runs side by side: loss, helping, layers and classes.

use std::collections::BTreeMap;

use arrow::array::Array;
use serde::Serialize;

use crate::{LcaError, Run, Table};

use super::names::{class_name, layer_of};
use super::read::{each, require};
use super::{Helping, Reconciliation, Summary, summary};

/// Two runs side by side.
///
/// Everything is over each run's own observed steps. What only one run has is listed in
/// [`Comparison::only`] and not compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The two runs, in the order in which they were given.
    pub runs: [ComparedRun; 2],
    /// Loss and helping on the probes that both have, in the first run's order.
    pub probes: Vec<ProbeComparison>,
    /// The layers that both have, on the first run's first probe, in its model's order.
    pub layers: Vec<LayerComparison>,
    /// The classes that both have by number and name, on the same probe; empty unless both
    /// split by class.
    pub classes: Vec<ClassComparison>,
    /// What only the one and only the other run has.
    pub only: [Only; 2],
}

/// What was observed of one of two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparedRun {
    /// Its folder.
    pub folder: String,
    /// Parameters of its model.
    pub parameters: u64,
    /// Observed steps.
    pub steps: u64,
    /// The first observed iteration.
    pub first_iteration: u64,
    /// The last observed iteration.
    pub last_iteration: u64,
}

/// A number of two runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Pair {
    /// Of the first run.
    pub first: f64,
    /// Of the second run.
    pub second: f64,
    /// `second` − `first`.
    pub difference: f64,
}

/// Loss and helping of two runs on one probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProbeComparison {
    /// The probe.
    pub probe: String,
    /// The loss before the first observed step.
    pub loss_before: Pair,
    /// The loss after the last observed step.
    pub loss_after: Pair,
    /// The loss change over the run.
    pub loss_change: Pair,
    /// Sum of LCA over all parameters and steps.
    pub lca: Pair,
    /// Sum of the negative LCA.
    pub lca_helping: Pair,
    /// Sum of the positive LCA.
    pub lca_hurting: Pair,
    /// How often a parameter helped at a step, in percent.
    pub percent_of_all: Pair,
    /// How often a parameter helped where its LCA was not zero, in percent.
    pub percent_of_nonzero: Pair,
}

/// A layer of two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerComparison {
    /// The layer.
    pub layer: String,
    /// Its parameters in either run; where they differ, so do the models.
    pub parameters: [u64; 2],
    /// Its LCA, summed over the steps at which it is finite.
    pub lca: Pair,
    /// Its LCA as percent of that of all layers of its run.
    pub percent_of_lca: Pair,
    /// How often one of its parameters helped where its LCA was not zero, in percent.
    pub percent_helping: Pair,
}

/// A class of two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassComparison {
    /// The number of the class.
    pub class: i32,
    /// Its name.
    pub name: String,
    /// The loss of its examples after the last observed step.
    pub loss_after: Pair,
    /// LCA of all parameters on its loss, summed over the steps at which it is finite.
    pub lca: Pair,
}

/// What only one of two runs has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Only {
    /// Its probes.
    pub probes: Vec<String>,
    /// Its layers.
    pub layers: Vec<String>,
    /// Its classes, by name.
    pub classes: Vec<String>,
}

/// Returns two runs side by side.
///
/// Sums are over each run's own observed steps: if these differ, so do the sums. Seeds differ
/// by chance; this tests nothing.
///
/// # Errors
///
/// [`LcaError::NotRecorded`] if a run has no observed step, or none is on disk yet.
pub fn compare(first: &Run, second: &Run) -> Result<Comparison, LcaError> {
    let [one, other] = [summary(first)?, summary(second)?];
    let runs = [described(first, &one), described(second, &other)];
    let probe = one.reconciliation.first().map(|probe| probe.probe.clone());
    let probe = probe.unwrap_or_default();
    let probes = Matched::new([probes(one), probes(other)], |probe| probe.0.probe.clone());
    let layers = [layers(first, &probe)?, layers(second, &probe)?];
    let all = layers
        .each_ref()
        .map(|layers| layers.iter().map(|layer| layer.lca).sum::<f64>());
    let layers = Matched::new(layers, |layer| layer.name.clone());
    let classes = [classes(first, &probe)?, classes(second, &probe)?];
    let classes = Matched::new(classes, |class| (class.class, class.name.clone()));
    let only = [0, 1].map(|run| Only {
        probes: probes.only[run]
            .iter()
            .map(|probe| probe.0.probe.clone())
            .collect(),
        layers: layers.only[run]
            .iter()
            .map(|layer| layer.name.clone())
            .collect(),
        classes: classes.only[run]
            .iter()
            .map(|class| class.name.clone())
            .collect(),
    });
    Ok(Comparison {
        runs,
        probes: probes.both.iter().map(compare_probes).collect(),
        layers: layers
            .both
            .iter()
            .map(|layers| compare_layers(layers, all))
            .collect(),
        classes: classes.both.into_iter().map(compare_classes).collect(),
        only,
    })
}

/// What two runs have in common, and what only one has.
struct Matched<T> {
    both: Vec<[T; 2]>,
    only: [Vec<T>; 2],
}

impl<T> Matched<T> {
    fn new<K: PartialEq>([first, mut second]: [Vec<T>; 2], key: impl Fn(&T) -> K) -> Self {
        let mut both = Vec::new();
        let mut only = Vec::new();
        for one in first {
            match second.iter().position(|other| key(other) == key(&one)) {
                Some(place) => both.push([one, second.remove(place)]),
                None => only.push(one),
            }
        }
        Self {
            both,
            only: [only, second],
        }
    }
}

impl Pair {
    fn of<T>([first, second]: &[T; 2], number: impl Fn(&T) -> f64) -> Self {
        let (first, second) = (number(first), number(second));
        Self {
            first,
            second,
            difference: second - first,
        }
    }
}

fn described(run: &Run, summary: &Summary) -> ComparedRun {
    ComparedRun {
        folder: run.folder().display().to_string(),
        parameters: summary.parameters,
        steps: summary.steps,
        first_iteration: summary.first_iteration,
        last_iteration: summary.last_iteration,
    }
}

fn probes(summary: Summary) -> Vec<(Reconciliation, Helping)> {
    let losses = summary.reconciliation.into_iter();
    losses.zip(summary.helping).collect()
}

fn compare_probes(runs: &[(Reconciliation, Helping); 2]) -> ProbeComparison {
    ProbeComparison {
        probe: runs[0].0.probe.clone(),
        loss_before: Pair::of(runs, |(loss, _)| loss.loss_before),
        loss_after: Pair::of(runs, |(loss, _)| loss.loss_after),
        loss_change: Pair::of(runs, |(loss, _)| loss.loss_change),
        lca: Pair::of(runs, |(loss, _)| loss.lca),
        lca_helping: Pair::of(runs, |(_, helping)| helping.lca_helping),
        lca_hurting: Pair::of(runs, |(_, helping)| helping.lca_hurting),
        percent_of_all: Pair::of(runs, |(_, helping)| helping.percent_of_all),
        percent_of_nonzero: Pair::of(runs, |(_, helping)| helping.percent_of_nonzero),
    }
}

/// A layer of one run.
#[derive(Debug, Default)]
struct Layer {
    name: String,
    parameters: u64,
    lca: f64,
    helping: u64,
    hurting: u64,
}

/// Reads the layers of a run in the order of its model.
fn layers(run: &Run, probe: &str) -> Result<Vec<Layer>, LcaError> {
    require(
        run,
        Table::Tensors,
        "every recorder writes it; restore it from a copy",
    )?;
    let mut layers: Vec<Layer> = Vec::new();
    for tensor in &run.info().tensors {
        let layer = place(&mut layers, layer_of(&tensor.path));
        layer.parameters = layer.parameters.saturating_add(tensor.parameters);
    }
    let columns = ["probe", "class", "tensor", "lca", "helping", "hurting"];
    each(run, Table::Tensors, &columns, |columns| {
        let (probes, tensors) = (columns.text("probe")?, columns.text("tensor")?);
        let classes = columns.i32_or_null("class")?;
        let lca = columns.f64("lca")?;
        let (helping, hurting) = (columns.u64("helping")?, columns.u64("hurting")?);
        for row in 0..lca.len() {
            if classes.is_valid(row) || probes.value(row) != probe {
                continue;
            }
            let layer = place(&mut layers, layer_of(tensors.value(row)));
            layer.helping += helping[row];
            layer.hurting += hurting[row];
            if lca[row].is_finite() {
                layer.lca += lca[row];
            }
        }
        Ok(())
    })?;
    Ok(layers)
}

/// Returns the layer of that name, which is added if it is new.
fn place<'a>(layers: &'a mut Vec<Layer>, name: &str) -> &'a mut Layer {
    let known = layers.iter().position(|layer| layer.name == name);
    let place = known.unwrap_or_else(|| {
        layers.push(Layer {
            name: name.into(),
            ..Layer::default()
        });
        layers.len() - 1
    });
    &mut layers[place]
}

fn compare_layers(layers: &[Layer; 2], all: [f64; 2]) -> LayerComparison {
    let shares = [0, 1].map(|run| 100.0 * layers[run].lca / all[run]);
    LayerComparison {
        layer: layers[0].name.clone(),
        parameters: layers.each_ref().map(|layer| layer.parameters),
        lca: Pair::of(layers, |layer| layer.lca),
        percent_of_lca: Pair::of(&shares, |share| *share),
        percent_helping: Pair::of(layers, |layer| {
            100.0 * layer.helping as f64 / (layer.helping + layer.hurting) as f64
        }),
    }
}

/// A class of one run.
#[derive(Debug)]
struct Class {
    class: i32,
    name: String,
    lca: f64,
    /// The last observed step and the loss after it.
    last: (u64, f64),
}

/// Reads the classes of a run in ascending order; none where it does not split by class.
fn classes(run: &Run, probe: &str) -> Result<Vec<Class>, LcaError> {
    let mut classes: BTreeMap<i32, Class> = BTreeMap::new();
    let columns = ["iteration", "probe", "class", "loss_after", "lca"];
    each(run, Table::Classes, &columns, |columns| {
        let (iterations, probes) = (columns.u64("iteration")?, columns.text("probe")?);
        let numbers = columns.i32_or_null("class")?.values();
        let (losses, lca) = (columns.f64("loss_after")?, columns.f64("lca")?);
        for row in (0..lca.len()).filter(|row| probes.value(*row) == probe) {
            let number = numbers[row];
            let class = classes.entry(number).or_insert_with(|| Class {
                class: number,
                name: class_name(run, number),
                lca: 0.0,
                last: (0, f64::NAN),
            });
            if iterations[row] >= class.last.0 {
                class.last = (iterations[row], losses[row]);
            }
            if lca[row].is_finite() {
                class.lca += lca[row];
            }
        }
        Ok(())
    })?;
    Ok(classes.into_values().collect())
}

fn compare_classes(classes: [Class; 2]) -> ClassComparison {
    let loss_after = Pair::of(&classes, |class| class.last.1);
    let lca = Pair::of(&classes, |class| class.lca);
    let [Class { class, name, .. }, _] = classes;
    ClassComparison {
        class,
        name,
        loss_after,
        lca,
    }
}
