//! Whether a few parameters do most of the work.

use serde::Serialize;

use crate::error::LcaError;
use crate::record::{Run, Table};

use super::super::read::{each, require_totals};
use super::super::stats::{Bin, FineBins};

/// The fractions of the parameters whose part in the amount is told.
const FRACTIONS: [f64; 7] = [0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];

/// How unequally help and harm are spread over the parameters.
///
/// A parameter's help is what it lowered the loss by over the whole run, −LCA where its sum of
/// LCA is negative and 0 otherwise; its harm is LCA where that is positive. Values are rounded
/// by at most one part in 2,000.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Concentration {
    /// How many parameters there are, those included that did nothing.
    pub parameters: u64,
    /// How many have an LCA that is not finite; they are left out.
    pub not_finite: u64,
    /// The spread of help.
    pub help: Inequality,
    /// The spread of harm.
    pub harm: Inequality,
}

/// How unequally an amount is spread over all parameters.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Inequality {
    /// How many parameters have a part in it.
    pub parameters: u64,
    /// The amount, in units of the loss.
    pub total: f64,
    /// The Gini coefficient over all parameters: 0 if all have the same, near 1 if one has all.
    ///
    /// Half the mean absolute difference of two parameters over their mean (Gini 1912), which is
    /// twice the area between the Lorenz curve and the diagonal. `None` if the amount is zero.
    pub gini: Option<f64>,
    /// The Gini coefficient over the parameters that have a part in it.
    pub gini_among_these: Option<f64>,
    /// The fraction of the amount that the foremost parameters have, from the Lorenz curve; empty
    /// if the amount is zero.
    pub top: Vec<TopFraction>,
}

/// What the foremost parameters have of an amount.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TopFraction {
    /// How many parameters, as a fraction of all.
    pub of_parameters: f64,
    /// What they have, as a fraction of the amount.
    ///
    /// Where `of_parameters` is no whole number of parameters, a part of the last one counts.
    pub of_amount: f64,
}

/// Returns how unequally help and harm are spread over the parameters.
///
/// # Errors
///
/// [`LcaError::NotRecorded`] if the run has no table `parameter_totals`, and the errors of
/// [`Scan`](crate::Scan) if it can't be read.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::{Run, analysis::noise};
///
/// let run = Run::open(folder.path())?;
/// let found = noise::concentration(&run)?;
/// for top in &found.help.top {
///     println!("{} of the parameters have {:.3} of all help", top.of_parameters, top.of_amount);
/// }
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn concentration(run: &Run) -> Result<Concentration, LcaError> {
    require_totals(run)?;
    let mut counts = FineBins::new();
    each(run, Table::ParameterTotals, &["lca"], |columns| {
        let lca = columns.f64("lca")?.iter();
        lca.for_each(|lca| counts.add(*lca as f32));
        Ok(())
    })?;
    let bins = counts.bins();
    let parameters = bins.iter().map(|bin| bin.count).sum();
    let amounts = |side: fn(&Bin) -> bool| {
        let mut amounts: Vec<Amount> = bins.iter().filter(|bin| side(bin)).map(amount).collect();
        amounts.sort_by(|a, b| b.each.total_cmp(&a.each));
        inequality(&amounts, parameters)
    };
    Ok(Concentration {
        parameters,
        not_finite: counts.not_finite,
        help: amounts(|bin| bin.lower < 0.0),
        harm: amounts(|bin| bin.upper > 0.0),
    })
}

/// Parameters that have the same amount.
struct Amount {
    each: f64,
    parameters: f64,
}

fn amount(bin: &Bin) -> Amount {
    Amount {
        // What the values of the bin were rounded to.
        each: (bin.lower + bin.upper).abs() / 2.0,
        parameters: bin.count as f64,
    }
}

/// Describes the spread of amounts, descending, over `all` parameters.
fn inequality(amounts: &[Amount], all: u64) -> Inequality {
    let all = all as f64;
    let with = amounts.iter().map(|amount| amount.parameters).sum();
    let total = amounts
        .iter()
        .map(|amount| amount.each * amount.parameters)
        .sum();
    Inequality {
        parameters: with as u64,
        total,
        gini: (total > 0.0).then(|| gini(amounts, total, all)),
        gini_among_these: (total > 0.0).then(|| gini(amounts, total, with)),
        top: if total > 0.0 {
            let top = |fraction| top(amounts, total, fraction, all);
            FRACTIONS.map(top).into()
        } else {
            Vec::new()
        },
    }
}

/// Returns 1 − 2·(area under the Lorenz curve), which is made of straight lines.
fn gini(amounts: &[Amount], total: f64, all: f64) -> f64 {
    // From the top, the curve is 1 − Lorenz, and the area over it is the same.
    let (mut reached, mut area) = (0.0, 0.0);
    for amount in amounts {
        let part = amount.each * amount.parameters / total;
        area += (reached + part / 2.0) * amount.parameters / all;
        reached += part;
    }
    let with: f64 = amounts.iter().map(|amount| amount.parameters).sum();
    area += (all - with) / all;
    2.0 * area - 1.0
}

fn top(amounts: &[Amount], total: f64, of_parameters: f64, all: f64) -> TopFraction {
    let mut left = of_parameters * all;
    let mut sum = 0.0;
    for amount in amounts {
        let taken = amount.parameters.min(left);
        sum += taken * amount.each;
        left -= taken;
    }
    TopFraction {
        of_parameters,
        of_amount: sum / total,
    }
}
