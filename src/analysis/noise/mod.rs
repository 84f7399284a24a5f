//! The noise that learning is made of: how large single allocations are, how often they help,
//! how fast they oscillate, and how few parameters do most of the work.

mod bins;
mod chance;
mod concentration;
mod distribution;
mod helping;
mod heroes;
mod laws;
mod likelihood;
mod oscillation;
mod tail;

#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::{LcaError, Run, Table};

use super::read::require;

pub use concentration::{Concentration, Inequality, TopShare, concentration};
pub use distribution::{Distribution, Source, distribution};
pub use helping::{Helping, HelpingStep, helping};
pub use heroes::{HelpingParameter, Heroes, ShareBin, heroes};
pub use oscillation::{TensorOscillation, oscillation};
pub use tail::{Gaussian, Goodness, Tail, Weibull};

/// All that can be said of the noise of a run with the tables that it has.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Noise {
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

/// Returns what the tables of a run say about its noise.
///
/// Fails if no step was observed, or a file can't be read; what needs a table that is not recorded is left out.
pub fn noise(run: &Run) -> Result<Noise, LcaError> {
    let tables = run.tables()?;
    let totals = tables.contains(&Table::ParameterTotals);
    let values = [Table::Parameters, Table::Histograms];
    let values = values.iter().any(|table| tables.contains(table));
    Ok(Noise {
        distribution: values.then(|| distribution(run)).transpose()?,
        helping: helping(run)?,
        heroes: totals.then(|| heroes(run)).transpose()?,
        oscillation: totals.then(|| oscillation(run)).transpose()?,
        concentration: totals.then(|| concentration(run)).transpose()?,
    })
}

/// Fails unless the totals of single parameters are recorded.
fn needs_totals(run: &Run) -> Result<(), LcaError> {
    let remedy = "they are written at the end of every epoch: wait for one, or record with \
                  `Recorder::standard()`";
    require(run, Table::ParameterTotals, remedy)
}
