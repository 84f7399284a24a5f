//! Tensors whose steps cost more than they bring: to freeze, or over-fitting.

use std::collections::HashMap;

use serde::Serialize;

use crate::error::LcaError;
use crate::record::Run;

use super::super::grouping::Grouping;
use super::super::sampling::{margin, variance};
use super::super::series::{Quantity, Request, SeriesTable, halves, series};
use super::super::significance::holm_of_known;
use super::options::CandidatesOptions;
use super::sums::{LcaSum, SumTest, SumTester};

/// Tensors that hurt over the run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Freeze {
    /// How it was tested.
    pub test: SumTest,
    /// The same in words.
    pub method: String,
    /// Every tensor, in the model's order.
    pub tensors: Vec<FreezeTensor>,
}

/// Whether a tensor hurts over the run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FreezeTensor {
    /// The tensor.
    pub tensor: String,
    /// Its LCA over the run, training probe; positive hurts.
    pub training: LcaSum,
    /// Whether that is positive.
    pub hurts: bool,
    /// `training.p_hurts`, corrected for the number of tensors (Holm).
    pub p_corrected: Option<f64>,
    /// Whether it hurts by more than chance explains: `p_corrected` is at most the alpha asked for.
    pub candidate: bool,
    /// What the numbers say, in words.
    pub reason: String,
}

/// Tensors that help on the training probe and hurt on the validation probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Overfitting {
    /// How it was tested.
    pub test: SumTest,
    /// The same in words.
    pub method: String,
    /// Every tensor over the whole run and over its second half.
    pub tensors: Vec<OverfittingTensor>,
}

/// The steps of a run that are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunPortion {
    /// All observed steps.
    WholeRun,
    /// The second half of the observed steps: over-fitting comes late, and what a tensor did
    /// before would hide it.
    SecondHalf,
}

impl RunPortion {
    /// Returns the values of the steps that are looked at.
    fn of(self, values: &[f64]) -> &[f64] {
        match self {
            Self::WholeRun => values,
            Self::SecondHalf => &values[values.len() / 2..],
        }
    }
}

/// Whether a tensor over-fits.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct OverfittingTensor {
    /// The tensor.
    pub tensor: String,
    /// The steps that are looked at.
    pub portion: RunPortion,
    /// Its LCA on the training probe; negative helps.
    pub training: LcaSum,
    /// Its LCA on the validation probe; positive hurts.
    pub validation: LcaSum,
    /// Whether it helped the one and hurt the other.
    pub opposed: bool,
    /// The greater of `training.p_helps` and `validation.p_hurts` (both must hold), corrected for
    /// the number of tensors and portions (Holm).
    pub p_corrected: Option<f64>,
    /// Whether it helps one and hurts the other by more than chance explains.
    pub candidate: bool,
    /// What the numbers say, in words.
    pub reason: String,
}

/// Reads the LCA of every tensor on a probe, over the steps at which all are finite; nothing
/// without a probe.
pub(super) fn read(run: &Run, probe: Option<&str>) -> Result<SeriesTable, LcaError> {
    let Some(probe) = probe else {
        return Ok(SeriesTable::default());
    };
    let mut table = series(run, by_tensor(probe))?;
    table.keep_finite();
    Ok(table)
}

/// Half the differences of the samples behind a probe's LCA, where it is sampled.
pub(super) fn read_errors(
    run: &Run,
    probe: Option<&str>,
    lca: &SeriesTable,
) -> Result<Option<SeriesTable>, LcaError> {
    let Some(probe) = probe else {
        return Ok(None);
    };
    let mut table = halves(run, by_tensor(probe))?;
    if let Some(table) = &mut table {
        table.keep_steps_of(lca);
    }
    Ok(table)
}

/// The LCA of every tensor on a probe.
fn by_tensor(probe: &str) -> Request<'_> {
    Request {
        quantity: Quantity::Lca,
        probe,
        grouping: &Grouping::Tensor,
        by_class: false,
    }
}

/// The LCA of every tensor on one probe, by run, and where it is sampled the errors.
pub(super) struct ProbeSeries {
    pub(super) lca: Vec<SeriesTable>,
    pub(super) errors: Vec<Option<SeriesTable>>,
}

impl ProbeSeries {
    fn tensors(&self) -> Vec<String> {
        let series = self.lca.iter().take(1).flat_map(|table| &table.series);
        series.map(|series| series.name.clone()).collect()
    }

    fn by_name(&self) -> ByName<'_> {
        ByName {
            lca: self.lca.iter().map(SeriesTable::by_name).collect(),
            errors: self
                .errors
                .iter()
                .flatten()
                .map(SeriesTable::by_name)
                .collect(),
        }
    }
}

/// The same values by tensor, of each run.
struct ByName<'a> {
    lca: Vec<HashMap<&'a str, &'a [f64]>>,
    errors: Vec<HashMap<&'a str, &'a [f64]>>,
}

impl ByName<'_> {
    /// Tests a tensor's LCA in a portion of the steps, over the runs that have it.
    fn test(&self, sums: &mut SumTester, tensor: &str, portion: RunPortion) -> LcaSum {
        let values = self.lca.iter().filter_map(|run| run.get(tensor));
        let values: Vec<&[f64]> = values.map(|values| portion.of(values)).collect();
        LcaSum {
            margin: self.margin(tensor, portion),
            ..sums.test(&values)
        }
    }

    /// Returns the margin of a tensor's mean over the runs.
    fn margin(&self, tensor: &str, portion: RunPortion) -> Option<f64> {
        let halves = self.errors.iter().filter_map(|run| run.get(tensor));
        let variances = halves.map(|halves| variance(portion.of(halves).iter().copied()));
        let sum = variances.reduce(|sum, variance| sum + variance)?;
        Some(margin(sum.sqrt() / self.lca.len() as f64))
    }
}

/// Returns what speaks for freezing each tensor.
pub(super) fn freeze(probe: &ProbeSeries, options: &CandidatesOptions) -> Freeze {
    let mut sums = sums(&probe.lca, options);
    let tensors = probe.tensors();
    let by_name = probe.by_name();
    let evidence: Vec<LcaSum> = tensors
        .iter()
        .map(|tensor| by_name.test(&mut sums, tensor, RunPortion::WholeRun))
        .collect();
    let p: Vec<Option<f64>> = evidence.iter().map(|sum| sum.p_hurts).collect();
    let corrected = holm_of_known(&p);
    let judged = tensors.into_iter().zip(evidence).zip(corrected);
    let judge = |((tensor, training), p_corrected): ((String, LcaSum), Option<f64>)| {
        let candidate = p_corrected.is_some_and(|p| p <= options.alpha);
        FreezeTensor {
            reason: freeze_reason(&training, candidate),
            hurts: training.lca > 0.0,
            tensor,
            training,
            p_corrected,
            candidate,
        }
    };
    Freeze {
        method: sums.test.method(),
        test: sums.test,
        tensors: judged.map(judge).collect(),
    }
}

fn freeze_reason(training: &LcaSum, candidate: bool) -> String {
    let words = match (candidate, training.lca > 0.0, training.p_hurts) {
        (true, ..) => {
            "its steps raised the training loss overall; freezing it avoids that, though the other \
             tensors will then move differently"
        }
        (_, true, Some(_)) => "it hurt overall, but by no more than chance explains",
        (_, true, None) => "it hurt overall; whether by chance is not known",
        _ => "it helped overall",
    };
    words.to_owned()
}

/// Returns what speaks for over-fitting of each tensor.
pub(super) fn overfitting(
    training: &ProbeSeries,
    validation: &ProbeSeries,
    options: &CandidatesOptions,
) -> Overfitting {
    let mut sums = sums(&validation.lca, options);
    let (trained, validated) = (training.by_name(), validation.by_name());
    let mut found = Vec::new();
    for tensor in validation.tensors() {
        for portion in [RunPortion::WholeRun, RunPortion::SecondHalf] {
            let [on_training, on_validation] =
                [&trained, &validated].map(|probe| probe.test(&mut sums, &tensor, portion));
            found.push((tensor.clone(), portion, on_training, on_validation));
        }
    }
    let both =
        |training: &LcaSum, validation: &LcaSum| Some(training.p_helps?.max(validation.p_hurts?));
    let p = found
        .iter()
        .map(|(_, _, training, validation)| both(training, validation));
    let corrected = holm_of_known(&p.collect::<Vec<_>>());
    let judged = found.into_iter().zip(corrected);
    let tensors = judged.map(|((tensor, portion, training, validation), p_corrected)| {
        let candidate = p_corrected.is_some_and(|p| p <= options.alpha);
        let opposed = training.lca < 0.0 && validation.lca > 0.0;
        let words = match (candidate, opposed, p_corrected) {
            (true, ..) => {
                "its steps lowered the training loss and raised the validation loss; regularize \
                 it, lower its learning rate, or stop earlier"
            }
            (_, true, Some(_)) => "it did both, but by no more than chance explains",
            (_, true, None) => "it did both; whether by chance is not known",
            _ => "it did not help one and hurt the other",
        };
        OverfittingTensor {
            reason: words.to_owned(),
            tensor,
            portion,
            training,
            validation,
            opposed,
            p_corrected,
            candidate,
        }
    });
    Overfitting {
        method: sums.test.method(),
        test: sums.test,
        tensors: tensors.collect(),
    }
}

fn sums(tables: &[SeriesTable], options: &CandidatesOptions) -> SumTester {
    let steps = tables.first().map_or(0, |table| table.iterations.len());
    SumTester::new(tables.len(), steps, options.resamples, options.seed)
}
