//! What a server tells the page: pieces of its data as the runs grow, and what is behind a zoom.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use crate::analysis::alike::require_different;
use crate::analysis::trace;
use crate::analysis::trace::TraceOptions;
use crate::error::LcaError;
use crate::record::{PartCache, Run};

use super::budget::Budget;
use super::embed;
use super::piece::Piece;
use super::run::{ClassesPart, MicroscopePart, StepsPart, TrajectoriesPart};
use super::series::{Shown, TracePart};

/// Bytes of rows that stay in memory, at most, so that only new ones have to be read.
const MOST_ROWS: usize = 256 << 20;
/// Bytes of what is made of rows that don't stay there, at most, for the same end.
const MOST_MADE: usize = 256 << 20;

/// Runs whose page is served.
///
/// The page asks its server, beside its own path, for
///
/// - `data`: the pieces that are newer than those it has, as a list in JSON, at first all that
///   there are. The answer has an `ETag`, which the page sends back as `If-None-Match`: 304 says
///   that there is nothing newer, and 202 that newer ones can't be had, with a reason as plain text;
/// - `zoom?from=…&to=…`: [`zoom`](Self::zoom);
/// - `trace?run=…&tensor=…&index=…&from=…&to=…`: [`trace`](Self::trace);
/// - `microscope?from=…&to=…`: [`microscope`](Self::microscope).
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::report::page::{Piece, Served};
///
/// let served = Served::new(vec![folder.path().to_owned()]);
/// let runs = served.open()?;
/// let base = served.piece(&runs, Piece::Base)?;
/// assert!(base.contains("verdict"));
/// let ten_steps = served.zoom(10, 19)?;
/// assert!(ten_steps.contains("trajectories"));
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
#[derive(Debug)]
pub struct Served {
    folders: Vec<PathBuf>,
    cache: Arc<PartCache>,
}

/// Parts of runs, and which runs these are.
#[derive(Serialize)]
struct Of<P> {
    ids: Vec<String>,
    runs: Vec<P>,
}

#[derive(Serialize)]
struct ZoomPart {
    #[serde(flatten)]
    steps: StepsPart,
    #[serde(flatten)]
    layers: TrajectoriesPart,
    #[serde(flatten)]
    classes: ClassesPart,
}

impl Served {
    /// Returns the runs in some folders; none has to be there yet.
    #[must_use]
    pub fn new(folders: Vec<PathBuf>) -> Self {
        Self {
            folders,
            cache: Arc::new(PartCache::new(MOST_ROWS, MOST_MADE)),
        }
    }

    /// Returns the folders.
    #[must_use]
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// Returns the page, which asks for its data.
    #[must_use]
    pub fn page(&self) -> String {
        embed::served()
    }

    /// Opens the runs as they are now. What is read of them stays in memory as far as there is room.
    ///
    /// # Errors
    ///
    /// [`LcaError::Setting`] without a run or if one is given twice, and those of [`Run::open`].
    pub fn open(&self) -> Result<Vec<Run>, LcaError> {
        let runs = self.folders.iter().map(Run::open);
        let runs = runs.map(|run| Ok(run?.kept_in(&self.cache)));
        let runs: Vec<Run> = runs.collect::<Result<_, LcaError>>()?;
        require_different("page", &runs)?;
        Ok(runs)
    }

    /// Returns a piece of the data of runs that were [opened](Self::open), as JSON: of the same runs
    /// it is the same.
    ///
    /// # Errors
    ///
    /// Those of [`page`](super::page).
    pub fn piece(&self, runs: &[Run], piece: Piece) -> Result<String, LcaError> {
        piece.json(runs)
    }

    /// Returns losses, counts, layers and classes of the iterations from one to another, as JSON:
    /// step by step, or in windows where even these would be too many.
    ///
    /// # Errors
    ///
    /// Those of [`page`](super::page).
    pub fn zoom(&self, from: u64, to: u64) -> Result<String, LcaError> {
        let shown = Shown {
            first: from,
            last: to,
        };
        let runs = self.open()?;
        let budget = Budget::of_each(runs.len());
        of(&runs, |run| {
            Ok(ZoomPart {
                steps: StepsPart::of(run, shown, budget)?,
                layers: TrajectoriesPart::of(run, shown, budget)?,
                classes: ClassesPart::of(run, shown, budget)?,
            })
        })
    }

    /// Returns a parameter over the iterations from one to another, as JSON: of a run and a tensor by
    /// their places.
    ///
    /// # Errors
    ///
    /// [`LcaError::Setting`] if there is no such run or parameter, [`LcaError::NotRecorded`] if it was
    /// not recorded there, and the errors of [`Scan`](crate::Scan) if a table can't be read.
    pub fn trace(
        &self,
        run: usize,
        tensor: usize,
        index: u32,
        (from, to): (u64, u64),
    ) -> Result<String, LcaError> {
        let runs = self.open()?;
        let run = runs.get(run).ok_or_else(|| {
            let problem = format!("there is no run {run}");
            LcaError::setting("trace", problem, format!("there are {} runs", runs.len()))
        })?;
        let tensors = &run.info().tensors;
        let tensor = tensors.get(tensor).ok_or_else(|| {
            let problem = format!("there is no tensor {tensor}");
            LcaError::setting("trace", problem, format!("there are {}", tensors.len()))
        })?;
        let options = TraceOptions::default()
            .tensor(Some(tensor.path.clone()))
            .indices(vec![index])
            .iterations(Some((from, to)));
        let found = trace(run, &options)?;
        let most = Budget::of_each(1).points;
        let parts = found.parameters.into_iter();
        let parts: Vec<TracePart> = parts
            .map(|parameter| TracePart::of(parameter, most))
            .collect();
        embed::json(&Of {
            ids: vec![run.info().run_id.clone()],
            runs: parts,
        })
    }

    /// Returns every parameter as a pixel, at the iterations from one to another, as JSON.
    ///
    /// # Errors
    ///
    /// Those of [`page`](super::page).
    pub fn microscope(&self, from: u64, to: u64) -> Result<String, LcaError> {
        let shown = Shown {
            first: from,
            last: to,
        };
        let runs = self.open()?;
        let budget = Budget::of_each(runs.len());
        of(&runs, |run| MicroscopePart::of(run, shown, budget))
    }
}

/// Returns a part of each run as JSON.
fn of<P: Serialize>(
    runs: &[Run],
    part: impl Fn(&Run) -> Result<P, LcaError>,
) -> Result<String, LcaError> {
    embed::json(&Of {
        ids: runs.iter().map(|run| run.info().run_id.clone()).collect(),
        runs: runs.iter().map(part).collect::<Result<_, _>>()?,
    })
}
