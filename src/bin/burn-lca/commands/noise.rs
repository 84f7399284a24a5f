//! `burn-lca noise`.

mod heroes;
mod sizes;

use std::path::PathBuf;
use std::slice::from_ref;

use burn_lca::Run;
use burn_lca::analysis::MISSING;
use burn_lca::analysis::helping::Helping;
use burn_lca::analysis::noise::{Concentration, Inequality, Noise, TensorOscillation, noise};

use crate::failure::Failure;
use crate::output::{Answer, AnswerTable, Cell, OutputArgs};

/// How noisy learning is: the sizes of LCA, how often parameters help, oscillation, concentration.
///
/// Tables: values, quantiles, fits, helping, spread, fractions, heroes, oscillation,
/// concentration.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  burn-lca noise artifacts/lca")]
pub struct NoiseArgs {
    /// The folder of the run.
    run: PathBuf,
    /// Gives the table `helping` a row for every step instead of ten for the whole run.
    #[arg(long)]
    every_step: bool,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Rows of the table `helping` where steps are summed.
const WINDOWS: usize = 10;

pub fn answer(args: &NoiseArgs) -> Result<Answer, Failure> {
    let run = Run::open(&args.run)?;
    let noise = noise(&run)?;
    let answer = Answer::new(&noise, from_ref(&run))?;
    let tables = tables(&noise, args.every_step).into_iter();
    Ok(tables.fold(answer, Answer::table))
}

fn tables(noise: &Noise, every_step: bool) -> Vec<AnswerTable> {
    let distribution = noise.distribution.as_ref();
    let heroes = noise.heroes.as_ref();
    vec![
        sizes::values(distribution),
        sizes::quantiles(distribution),
        sizes::fits(distribution),
        helping(&noise.helping, every_step),
        heroes::spread(heroes),
        heroes::fractions(heroes),
        heroes::listed(heroes),
        oscillation(noise.oscillation.as_deref()),
        concentration(noise.concentration.as_ref()),
    ]
}

fn helping(helping: &Helping, every_step: bool) -> AnswerTable {
    let most = if every_step {
        helping.steps.len()
    } else {
        WINDOWS
    };
    let windows = helping.clone().in_windows(most).steps;
    let title = "Parameters that help, step by step";
    AnswerTable::of("helping", title, &windows)
        .count("first_iteration", "first iteration", |window| {
            window.first_iteration
        })
        .count("last_iteration", "last iteration", |window| {
            window.iteration
        })
        .fraction("fraction_of_all", "helping %", |window| {
            window.counts.fraction_of_all()
        })
        .fraction("fraction_of_nonzero", "of nonzero %", |window| {
            window.counts.fraction_of_nonzero()
        })
        .build()
}

fn oscillation(tensors: Option<&[TensorOscillation]>) -> AnswerTable {
    let rows = tensors.unwrap_or_default();
    let mut table = AnswerTable::of("oscillation", "Mean periods, in steps", rows)
        .text("tensor", "tensor", |tensor| tensor.tensor.clone())
        .count("moving", "moving", |tensor| tensor.moving)
        .number("step_period", "step's period", |tensor| tensor.step_period)
        .number("gradient_period", "gradient's", |tensor| {
            tensor.gradient_period
        })
        .count("step_no_sign_change", "step keeps its sign", |tensor| {
            tensor.step_no_sign_change
        })
        .count("gradient_no_sign_change", "gradient does", |tensor| {
            tensor.gradient_no_sign_change
        })
        .build();
    table.note(if tensors.is_some() {
        "A period has two sign changes: 2 (steps - 1) / sign changes, over all moving parameters \
         together. Random signs give 4."
    } else {
        MISSING.totals
    });
    table
}

fn concentration(concentration: Option<&Concentration>) -> AnswerTable {
    let sides = concentration.map_or(Vec::new(), |concentration| {
        vec![
            ("help", &concentration.help, -1.0),
            ("harm", &concentration.harm, 1.0),
        ]
    });
    let top = |side: &Inequality, fraction: f64| {
        let found = side.top.iter().find(|top| top.of_parameters == fraction);
        found.map(|top| top.of_amount)
    };
    let title = "Do a few parameters do most of the work?";
    let mut table = AnswerTable::of("concentration", title, &sides)
        .text("of", "of", |(name, ..)| (*name).to_owned())
        .count("parameters", "parameters", |(_, side, _)| side.parameters)
        .lca("total", "LCA", |(_, side, sign)| sign * side.total)
        .number("gini", "Gini", |(_, side, _)| side.gini)
        .number("gini_among_these", "among these", |(_, side, _)| {
            side.gini_among_these
        })
        .fraction("top_1_percent", "top 1 % have %", |(_, side, _)| {
            top(side, 0.01)
        })
        .fraction("top_10_percent", "top 10 %", |(_, side, _)| top(side, 0.1))
        .build();
    table.note(concentration.map_or_else(
        || MISSING.totals.to_owned(),
        |concentration| {
            format!(
                "Over the run, of {} parameters. A Gini coefficient is 0 where all do the same, \
                 close to 1 where one does everything.",
                Cell::Count(concentration.parameters)
            )
        },
    ));
    table
}
