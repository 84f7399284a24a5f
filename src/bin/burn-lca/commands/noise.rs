//! `burn-lca noise`.

mod heroes;
mod sizes;

use std::path::PathBuf;

use burn_lca::Run;
use burn_lca::analysis::HelpingCounts;
use burn_lca::analysis::noise::{
    Concentration, Helping, Inequality, Noise, TensorOscillation, noise,
};

use crate::failure::Failure;
use crate::output::{Cell, Column, Report, Table};

/// How noisy learning is: the sizes of LCA, who helps how often, oscillation, concentration.
///
/// Tables: values, quantiles, laws, helping, spread, shares, heroes, oscillation, concentration.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  burn-lca noise artifacts/lca")]
pub struct Args {
    /// The folder of the run.
    run: PathBuf,
    /// Gives table helping a row for every step instead of ten stretches of steps.
    #[arg(long)]
    every_step: bool,
}

/// Rows of the table of steps, where they are summed.
const STRETCHES: usize = 10;

const NO_TOTALS: &str = "Totals of single parameters are not recorded, or not yet: they are \
                         written at the end of every epoch by the standard and full recorders.";

pub fn report(args: &Args) -> Result<Report, Failure> {
    let run = Run::open(&args.run)?;
    let noise = noise(&run)?;
    let report = Report::new(&noise, std::slice::from_ref(&run));
    Ok(tables(&noise, args.every_step)
        .into_iter()
        .fold(report, Report::table))
}

fn tables(noise: &Noise, every_step: bool) -> Vec<Table> {
    let distribution = noise.distribution.as_ref();
    let heroes = noise.heroes.as_ref();
    vec![
        sizes::values(distribution),
        sizes::quantiles(distribution),
        sizes::laws(distribution),
        helping(&noise.helping, every_step),
        heroes::spread(heroes),
        heroes::shares(heroes),
        heroes::listed(heroes),
        oscillation(noise.oscillation.as_deref()),
        concentration(noise.concentration.as_ref()),
    ]
}

fn or_empty<T>(value: Option<T>, cell: impl FnOnce(T) -> Cell) -> Cell {
    value.map_or(Cell::Empty, cell)
}

fn percent(share: Option<f64>) -> Cell {
    or_empty(share, |share| Cell::Percent(100.0 * share))
}

fn helping(helping: &Helping, every_step: bool) -> Table {
    let mut table = Table::new(
        "helping",
        "Parameters that help, step by step",
        vec![
            Column::count("from_iteration", "from"),
            Column::count("to_iteration", "to"),
            Column::number("percent_of_all", "helping %"),
            Column::number("percent_of_nonzero", "% without zeros"),
        ],
    );
    let long = match every_step {
        true => 1,
        false => helping.steps.len().div_ceil(STRETCHES).max(1),
    };
    for steps in helping.steps.chunks(long) {
        let sum: HelpingCounts = steps.iter().map(|step| step.counts).sum();
        table.push(vec![
            Cell::Count(steps[0].iteration),
            Cell::Count(steps[steps.len() - 1].iteration),
            percent(sum.fraction_of_all()),
            percent(sum.fraction_of_nonzero()),
        ]);
    }
    table
}

fn oscillation(tensors: Option<&[TensorOscillation]>) -> Table {
    let mut table = Table::new(
        "oscillation",
        "Mean periods, in steps",
        vec![
            Column::text("tensor", "tensor"),
            Column::count("moving", "moving"),
            Column::number("step_period", "of the step"),
            Column::number("gradient_period", "of the gradient"),
            Column::count("step_never_turned", "step never turned"),
            Column::count("gradient_never_turned", "gradient never"),
        ],
    );
    let Some(tensors) = tensors else {
        table.note(NO_TOTALS);
        return table;
    };
    for tensor in tensors {
        table.push(vec![
            Cell::text(&tensor.tensor),
            Cell::Count(tensor.moving),
            or_empty(tensor.step_period, Cell::Number),
            or_empty(tensor.gradient_period, Cell::Number),
            Cell::Count(tensor.step_never_turned),
            Cell::Count(tensor.gradient_never_turned),
        ]);
    }
    table.note(
        "A period has two changes of sign: 2 (steps - 1) / turns, over all moving parameters \
         together. Random signs give 4.",
    );
    table
}

fn concentration(concentration: Option<&Concentration>) -> Table {
    let mut table = Table::new(
        "concentration",
        "Do a few parameters do most of the work",
        vec![
            Column::text("of", "of"),
            Column::count("parameters", "parameters"),
            Column::number("total", "LCA"),
            Column::number("gini", "Gini"),
            Column::number("gini_among_these", "among these"),
            Column::number("top_1_percent", "top 1 % have %"),
            Column::number("top_10_percent", "top 10 %"),
        ],
    );
    let Some(concentration) = concentration else {
        table.note(NO_TOTALS);
        return table;
    };
    let top = |side: &Inequality, fraction: f64| {
        let found = side.top.iter().find(|top| top.fraction == fraction);
        percent(found.map(|top| top.share))
    };
    for (name, side, sign) in [
        ("help", &concentration.help, -1.0),
        ("harm", &concentration.harm, 1.0),
    ] {
        table.push(vec![
            Cell::text(name),
            Cell::Count(side.parameters),
            Cell::Lca(sign * side.total),
            or_empty(side.gini, Cell::Number),
            or_empty(side.gini_among_these, Cell::Number),
            top(side, 0.01),
            top(side, 0.1),
        ]);
    }
    table.note(format!(
        "Over the run, of {} parameters: Gini is 0 if all do the same, near 1 if one does it all.",
        Cell::Count(concentration.parameters)
    ));
    table
}
