//! One page to explore runs, and to send to a colleague: a single HTML file without a network.
//!
//! It holds the results of the analyses as they are, and a script that draws them. Long series
//! and large tensors are thinned until the page is small enough to send; the page says where.

mod budget;
mod colors;
mod columns;
mod embed;
mod missing;
mod names;
mod pictures;
mod run;
mod series;

#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::analysis::alike::require_different;
use crate::analysis::candidates::{Candidates, CandidatesOptions};
use crate::analysis::layers::{Layers, LayersOptions};
use crate::analysis::{self, MISSING, Missing};
use crate::error::LcaError;
use crate::record::Run;

use budget::Budget;
use missing::known;
use names::{ShortNames, short_names};
use run::RunPart;

/// What the page's script reads.
#[derive(Serialize)]
struct Data {
    notes: Vec<String>,
    short_names: ShortNames,
    runs: Vec<RunPart>,
    /// What to say of what a run has not recorded.
    missing: Missing,
    /// What several runs say together about each layer; nothing of one, or of different models.
    layers: Option<Layers>,
    candidates: Option<Candidates>,
    candidates_missing: Option<String>,
}

/// Returns a page about one or several runs, side by side, as the text of an HTML file.
///
/// What a run has not recorded is left out, and the page says how to record it.
///
/// # Errors
///
/// [`LcaError::Setting`] without a run or if one is given twice, [`LcaError::NotRecorded`] if a run
/// has no observed step yet, and the errors of [`Scan`](crate::Scan) if a table can't be read.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::{Run, report::page::page};
///
/// let html = page(&[Run::open(folder.path())?])?;
/// assert!(html.starts_with("<!doctype html>"));
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn page(runs: &[Run]) -> Result<String, LcaError> {
    Ok(embed::page(&data(runs)?))
}

/// Returns a page that asks its server for [`data`], at the path `data` beside its own, and shows
/// newer ones in the place of those that it has as soon as there are any.
///
/// The answer has an `ETag`, which the page sends back as `If-None-Match`: 304 says that there is
/// nothing newer, and 202 that newer ones can't be had, with a reason as plain text.
pub fn served() -> String {
    embed::served()
}

/// Returns what the script of [`page`] reads, as JSON: of the same runs it is the same.
///
/// # Errors
///
/// Those of [`page`].
pub fn data(runs: &[Run]) -> Result<String, LcaError> {
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
    embed::json(&Data {
        notes: runs.iter().flat_map(Run::notes).collect(),
        short_names: short_names(runs, classes),
        runs: parts,
        missing: MISSING,
        layers,
        candidates,
        candidates_missing,
    })
}
