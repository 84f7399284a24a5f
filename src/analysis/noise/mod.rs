//! The noise that learning is made of: how large single allocations are, how often they help,
//! how fast they oscillate, and how few parameters do most of the work.

mod binomial;
mod concentration;
mod heroes;
mod oscillation;

use serde::Serialize;

use crate::error::LcaError;
use crate::record::{Run, Table};

use super::distribution::{Distribution, distribution};
use super::helping::{Helping, HelpingOptions, helping};
use super::names::main_probe;
use super::sampling::is_sampled;

pub use concentration::{Concentration, Inequality, TopFraction, concentration};
pub use heroes::{HelpingBin, HelpingParameter, Heroes, heroes};
pub use oscillation::{TensorOscillation, oscillation};

/// All that can be said of the noise of a run with the tables that it has.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Noise {
    /// Whether all of this is about estimates from samples: then the noise of sampling is part of
    /// the sizes, and draws shares of signs towards one half.
    pub of_estimates: bool,
    /// The sizes of single allocations; `None` without `parameters` and `histograms`.
    pub distribution: Option<Distribution>,
    /// How many parameters helped, step by step.
    pub helping: Helping,
    /// How often single parameters helped; `None`, as all below, without `parameter_totals`.
    pub heroes: Option<Heroes>,
    /// The periods by tensor.
    pub oscillation: Option<Vec<TensorOscillation>>,
    /// How unequally the work is spread.
    pub concentration: Option<Concentration>,
}

/// Returns what the tables of a run say about its noise; what needs a table that is not recorded
/// is left out.
///
/// # Errors
///
/// [`LcaError::NotRecorded`] if no step was observed, and the errors of [`Scan`](crate::Scan) if
/// a table can't be read.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::{Run, analysis::noise};
///
/// let run = Run::open(folder.path())?;
/// let found = noise(&run)?;
/// if let Some(heroes) = found.heroes {
///     println!("{} of {} parameters are heroes", heroes.heroes, heroes.moving);
/// }
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn noise(run: &Run) -> Result<Noise, LcaError> {
    let totals = run.has(Table::ParameterTotals)?;
    let values = run.has(Table::Parameters)? || run.has(Table::Histograms)?;
    Ok(Noise {
        of_estimates: is_sampled(run, main_probe(run)),
        distribution: values.then(|| distribution(run)).transpose()?,
        helping: helping(run, &HelpingOptions::default())?,
        heroes: totals.then(|| heroes(run)).transpose()?,
        oscillation: totals.then(|| oscillation(run)).transpose()?,
        concentration: totals.then(|| concentration(run)).transpose()?,
    })
}
