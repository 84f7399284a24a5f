//! One page to explore runs, and to send to a colleague: a single HTML file without a network.
//!
//! It holds the results of the analyses as they are, and a script that draws them. Long series
//! and large tensors are thinned until the page is small enough to send; the page says where.

mod colors;
mod columns;
mod embed;
mod names;
mod pictures;
mod run;
mod series;

#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::analysis;
use crate::analysis::alike::require_different;
use crate::analysis::candidates::{Candidates, CandidatesOptions};
use crate::analysis::layers::{Layers, LayersOptions};
use crate::{LcaError, Run};

use names::{ShortNames, short_names};
use run::RunPart;

/// What the page's script reads.
#[derive(Serialize)]
struct Data {
    notes: Vec<String>,
    short_names: ShortNames,
    runs: Vec<RunPart>,
    /// What several runs say together about each layer; nothing of one, or of different models.
    layers: Option<Layers>,
    candidates: Option<Candidates>,
    candidates_missing: Option<String>,
}

/// How much of the page's data each part may take, in bytes; all runs share it.
#[derive(Debug, Clone, Copy)]
struct Budget {
    /// Points over time of losses and counts, some 12 numbers of 11 bytes each, and twice those
    /// of single parameters.
    points: usize,
    /// Numbers of curves of layers, at 11 bytes each.
    curve_values: usize,
    /// Numbers by class and layer, at 6 bytes each.
    class_values: usize,
    /// Peaks, at some 80 bytes each.
    peaks: usize,
    /// Bytes of pictures in base64.
    pictures: usize,
}

impl Budget {
    fn of_each(runs: usize) -> Self {
        let runs = runs.max(1);
        Self {
            points: 3_000 / runs,
            curve_values: 70_000 / runs,
            class_values: 90_000 / runs,
            peaks: 5_000 / runs,
            pictures: 2_500_000 / runs,
        }
    }
}

/// Returns a page about one or several runs, side by side, as the text of an HTML file.
///
/// What a run has not recorded is left out, and the page says how to record it.
///
/// # Errors
///
/// [`LcaError::Setting`] without a run or if one is given twice, [`LcaError::NotRecorded`] if a run has no observed step
/// yet, and the errors of [`Scan`](crate::Scan) if a table can't be read.
pub fn page(runs: &[Run]) -> Result<String, LcaError> {
    require_different("page", runs)?;
    let budget = Budget::of_each(runs.len());
    let names = names::names(runs);
    let parts = runs
        .iter()
        .zip(names)
        .map(|(run, name)| RunPart::of(run, name, budget));
    let parts: Vec<RunPart> = parts.collect::<Result<_, _>>()?;
    let classes = parts.iter().flat_map(RunPart::class_rows).collect();
    let (candidates, candidates_missing) =
        known(analysis::candidates(runs, &CandidatesOptions::default()))?;
    let layers = match runs {
        [_] => None,
        _ => known(analysis::layers(runs, &LayersOptions::default()))?.0,
    };
    let data = Data {
        notes: runs.iter().filter_map(Run::unfinished).collect(),
        short_names: short_names(runs, classes),
        runs: parts,
        layers,
        candidates,
        candidates_missing,
    };
    embed::page(&data)
}

/// Returns a result, or why there is none where that is no reason to have no page.
fn known<T>(result: Result<T, LcaError>) -> Result<(Option<T>, Option<String>), LcaError> {
    match result {
        Ok(found) => Ok((Some(found), None)),
        Err(
            LcaError::NotRecorded {
                problem, remedy, ..
            }
            | LcaError::Setting {
                problem, remedy, ..
            },
        ) => Ok((None, Some(format!("{problem}; {remedy}")))),
        Err(error) => Err(error),
    }
}
