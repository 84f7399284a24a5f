//! Where a network learned: LCA by layer or tensor, over one run or several.

use std::collections::HashSet;

use serde::Serialize;

use crate::{LcaError, Run};

use super::groups::{Group, Grouping, Selection, groups};
use super::significance::{SignFlip, deviation, holm, mean, sign_flip, t_test};

/// What is asked about layers.
#[derive(Debug, Clone)]
pub struct LayersOptions {
    /// What a row is about.
    pub by: Grouping,
    /// The probe.
    pub probe: String,
    /// The class whose loss is split; `None` is all classes together.
    pub class: Option<i32>,
}

impl Default for LayersOptions {
    fn default() -> Self {
        Self {
            by: Grouping::Layer,
            probe: "training".into(),
            class: None,
        }
    }
}

/// Where a network learned.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Layers {
    /// What a row is about.
    pub by: Grouping,
    /// The probe.
    pub probe: String,
    /// The class whose loss is split; `None` is all classes together.
    pub class: Option<i32>,
    /// The runs, in the order given.
    pub runs: Vec<LayersRun>,
    /// Layers or tensors in the order of the model.
    pub layers: Vec<LayerAllocation>,
}

/// A run and its sum over all layers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayersRun {
    /// Its folder.
    pub folder: String,
    /// Observed steps.
    pub steps: u64,
    /// Steps that a layer's sum leaves out because its LCA is not finite, of the layer that has
    /// most.
    pub not_finite: u64,
    /// Sum of LCA.
    pub lca: f64,
}

/// A layer's or tensor's share of the loss change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerAllocation {
    /// The layer or tensor.
    pub name: String,
    /// How many parameters it has.
    pub parameters: u64,
    /// LCA summed over the run, by run.
    pub lca_by_run: Vec<f64>,
    /// LCA summed over the run; over several runs, the mean.
    pub lca: f64,
    /// `lca` as percent of the sum over all layers. Negative for a layer that works against the
    /// whole; without meaning where help and harm all but cancel.
    pub percent_of_total: f64,
    /// `lca` / `parameters`.
    pub lca_per_parameter: f64,
    /// Of all parameters at all steps, how many had negative LCA, in percent.
    pub percent_of_all: f64,
    /// The same without those that had exactly zero.
    pub percent_of_nonzero: f64,
    /// Steps at which the layer's LCA was positive, in percent.
    pub percent_hurting_steps: f64,
    /// Whether `lca` is positive.
    pub hurts: bool,
    /// What several runs tell about chance; `None` of one.
    pub over_runs: Option<OverRuns>,
}

/// Whether a layer's LCA differs from zero over runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OverRuns {
    /// Standard deviation of LCA over runs (divisor n − 1).
    pub deviation: f64,
    /// Two-sided p-value of Student's t-test; `None` where runs don't differ.
    pub t_test: Option<f64>,
    /// `t_test` after Holm's correction for the number of layers.
    pub t_test_corrected: Option<f64>,
    /// The sign-flip permutation test; `None` where LCA is not finite.
    pub sign_flip: Option<SignFlip>,
    /// Its p-value after Holm's correction for the number of layers.
    pub sign_flip_corrected: Option<f64>,
}

/// Returns where a network learned.
///
/// Over several runs the question is whether a layer's LCA differs from zero by more than seeds
/// do. Both tests assume that runs are independent of each other and alike but for their seeds;
/// the t-test also that LCA is distributed near to normally over runs, the sign-flip test that
/// it is distributed symmetrically around zero if there is nothing behind it. With n runs the
/// latter gives no p-value below 2/2^n, so that fewer than 6 runs never come below 5 %.
///
/// # Errors
///
/// [`LcaError::Setting`] for a probe or class that a run does not have, without runs, with the
/// same run twice, and with runs of different models; [`LcaError::NotRecorded`] if no step was
/// observed.
pub fn layers(runs: &[Run], options: &LayersOptions) -> Result<Layers, LcaError> {
    check_distinct(runs)?;
    let selection = Selection {
        by: options.by,
        probe: options.probe.clone(),
        class: options.class,
    };
    let by_run: Vec<Vec<Group>> = runs
        .iter()
        .map(|run| groups(run, &selection))
        .collect::<Result<_, _>>()?;
    check_alike(runs, &by_run)?;
    let totals: Vec<f64> = by_run
        .iter()
        .map(|groups| groups.iter().map(|group| group.lca).sum())
        .collect();
    let total = mean(&totals);
    let count = by_run.first().map_or(0, Vec::len);
    let mut layers: Vec<LayerAllocation> = (0..count)
        .map(|place| {
            let runs: Vec<&Group> = by_run.iter().map(|groups| &groups[place]).collect();
            allocation(&runs, total)
        })
        .collect();
    correct(&mut layers);
    Ok(Layers {
        by: options.by,
        probe: options.probe.clone(),
        class: options.class,
        runs: runs
            .iter()
            .zip(by_run)
            .zip(totals)
            .map(|((run, groups), lca)| LayersRun {
                folder: run.folder().display().to_string(),
                steps: most(&groups, |group| group.steps + group.not_finite_steps),
                not_finite: most(&groups, |group| group.not_finite_steps),
                lca,
            })
            .collect(),
        layers,
    })
}

fn most(groups: &[Group], of: impl Fn(&Group) -> u64) -> u64 {
    groups.iter().map(of).max().unwrap_or(0)
}

fn allocation(runs: &[&Group], total: f64) -> LayerAllocation {
    let lca_by_run: Vec<f64> = runs.iter().map(|group| group.lca).collect();
    let lca = mean(&lca_by_run);
    let sum = |of: fn(&Group) -> u64| runs.iter().map(|group| of(group)).sum::<u64>() as f64;
    let (helping, hurting) = (sum(|group| group.helping), sum(|group| group.hurting));
    let parameters = runs.first().map_or(0, |group| group.parameters);
    LayerAllocation {
        name: runs
            .first()
            .map_or(String::new(), |group| group.name.clone()),
        parameters,
        lca,
        percent_of_total: 100.0 * lca / total,
        lca_per_parameter: lca / parameters as f64,
        percent_of_all: 100.0 * helping / (helping + hurting + sum(|group| group.zero)),
        percent_of_nonzero: 100.0 * helping / (helping + hurting),
        percent_hurting_steps: 100.0 * sum(|group| group.hurting_steps) / sum(|group| group.steps),
        hurts: lca > 0.0,
        over_runs: deviation(&lca_by_run).map(|deviation| OverRuns {
            deviation,
            t_test: t_test(&lca_by_run),
            t_test_corrected: None,
            sign_flip: sign_flip(&lca_by_run),
            sign_flip_corrected: None,
        }),
        lca_by_run,
    }
}

/// Fills in the p-values that are corrected for the number of layers.
fn correct(layers: &mut [LayerAllocation]) {
    let tests = |of: fn(&OverRuns) -> Option<f64>| -> Vec<Option<f64>> {
        let tests = layers
            .iter()
            .map(|layer| layer.over_runs.as_ref().and_then(of));
        holm(&tests.collect::<Vec<_>>())
    };
    let t_tests = tests(|test| test.t_test);
    let flips = tests(|test| test.sign_flip.map(|flip| flip.p));
    for ((layer, t_test), flip) in layers.iter_mut().zip(t_tests).zip(flips) {
        if let Some(test) = &mut layer.over_runs {
            test.t_test_corrected = t_test;
            test.sign_flip_corrected = flip;
        }
    }
}

/// Fails without runs, and if one is given twice: it would count as its own confirmation.
fn check_distinct(runs: &[Run]) -> Result<(), LcaError> {
    if runs.is_empty() {
        return Err(LcaError::setting(
            "runs",
            "there is none",
            "give at least one",
        ));
    }
    let mut known = HashSet::new();
    for run in runs {
        let folder = run.folder();
        if !known.insert(folder.canonicalize().unwrap_or_else(|_| folder.into())) {
            return Err(LcaError::setting(
                "runs",
                format!("{} is given twice", folder.display()),
                "give each once",
            ));
        }
    }
    Ok(())
}

fn check_alike(runs: &[Run], by_run: &[Vec<Group>]) -> Result<(), LcaError> {
    let names = |groups: &[Group]| -> Vec<(String, u64)> {
        let names = groups
            .iter()
            .map(|group| (group.name.clone(), group.parameters));
        names.collect()
    };
    for (run, groups) in runs.iter().zip(by_run) {
        if names(groups) != names(&by_run[0]) {
            return Err(LcaError::setting(
                "runs",
                format!(
                    "{} and {} are of models with different tensors",
                    runs[0].folder().display(),
                    run.folder().display()
                ),
                "give runs of the same model, or see `compare` for two of different ones",
            ));
        }
    }
    Ok(())
}
