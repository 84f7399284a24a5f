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
mod piece;
mod run;
mod series;
mod served;
mod together;

#[cfg(test)]
mod tests;

use crate::analysis::alike::require_different;
use crate::error::LcaError;
use crate::record::Run;

pub use piece::Piece;
pub use served::Served;

use budget::Budget;
use piece::Data;

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
    require_different("page", runs)?;
    let data = Data::of(runs, Budget::of_each(runs.len()))?;
    Ok(embed::page(&embed::json(&data)?))
}
