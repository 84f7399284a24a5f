//! `burn-lca layers`.

use std::path::PathBuf;

use burn_lca::Run;
use burn_lca::analysis::{self, Grouping, LayerSum, Layers, LayersOptions};
use clap::ValueEnum;

use crate::failure::Failure;
use crate::output::{Cell, Column, Report, Table};

/// Runs for which a sign-flip test can get to a p-value of 0.05.
const ENOUGH_TO_FLIP: usize = 6;

/// Which layers learned: LCA summed over the run, and who hurt.
///
/// Over several runs (seeds of one model) sums are means over the runs, and every layer is tested
/// for a mean that differs from zero.
///
/// Tables: layers, significance.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  burn-lca layers artifacts/lca --by tensor\n  \
                        burn-lca layers artifacts/seed1 artifacts/seed2 artifacts/seed3"
)]
pub struct Args {
    /// The folders of the runs.
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// What is summed as one.
    #[arg(long, value_enum, default_value_t = By::Layer, value_name = "WHAT")]
    by: By,
    /// Divides LCA by the number of parameters, to compare layers of different size.
    #[arg(long)]
    per_parameter: bool,
    /// The class whose loss is split, by its number; all together by default.
    #[arg(long, allow_negative_numbers = true, value_name = "CLASS")]
    class: Option<i32>,
    /// The probe whose loss is split, such as validation.
    #[arg(long, default_value_t = LayersOptions::default().probe)]
    probe: String,
    /// The seed of the flips of sign that are drawn for more than 16 runs.
    #[arg(long, default_value_t = LayersOptions::default().seed)]
    seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    Layer,
    Tensor,
}

pub fn report(args: &Args) -> Result<Report, Failure> {
    let runs = super::open(&args.runs)?;
    let options = LayersOptions {
        by: match args.by {
            By::Layer => Grouping::Layer,
            By::Tensor => Grouping::Tensor,
        },
        probe: args.probe.clone(),
        class: args.class,
        seed: args.seed,
    };
    let found = analysis::layers(&runs, &options)?;
    let report = Report::new(&found, &runs)
        .table(sums(&found, &runs, args.per_parameter))
        .table(significance(&found, args.per_parameter));
    Ok(report)
}

fn by(found: &Layers) -> &'static str {
    match found.by {
        Grouping::Layer => "layer",
        Grouping::Tensor => "tensor",
    }
}

/// Returns the column of LCA, or of LCA per parameter.
fn lca_column(per_parameter: bool) -> Column {
    if per_parameter {
        Column::number("lca_per_parameter", "LCA per parameter")
    } else {
        Column::number("lca", "LCA")
    }
}

fn title(found: &Layers, runs: &[Run]) -> String {
    let class = found.class.map_or_else(String::new, |class| {
        let probes = runs.iter().take(1).flat_map(|run| &run.info().probes);
        let mut classes = probes.flat_map(|probe| &probe.classes);
        let number = class.to_string();
        match classes.find(|known| known.index == class) {
            Some(known) if known.name != number => format!(", class {number} ({})", known.name),
            _ => format!(", class {number}"),
        }
    });
    let mean = match found.runs.len() {
        1 => String::new(),
        runs => format!(", mean of {runs} runs"),
    };
    format!(
        "LCA by {}, {} probe{class}: {} in all{mean}",
        by(found),
        found.probe,
        Cell::Lca(found.lca)
    )
}

fn sums(found: &Layers, runs: &[Run], per_parameter: bool) -> Table {
    let mut columns = vec![
        Column::text(by(found), by(found)),
        Column::count("parameters", "parameters"),
        lca_column(per_parameter),
        Column::number("percent_of_all", "helping %"),
        Column::number("percent_of_nonzero", "% without zeros"),
        Column::text("verdict", "verdict"),
    ];
    if !per_parameter {
        columns.insert(3, Column::number("percent_of_network", "share %"));
        columns.insert(4, Column::number("lca_per_parameter", "per parameter"));
    }
    let mut table = Table::new("layers", title(found, runs), columns);
    for layer in &found.layers {
        let verdict = match layer.lca {
            _ if layer.hurts => "hurts",
            lca if lca < 0.0 => "helps",
            _ => "zero",
        };
        let lca = if per_parameter {
            vec![Cell::Lca(layer.per_parameter)]
        } else {
            vec![
                Cell::Lca(layer.lca),
                Cell::Percent(layer.percent_of_network),
                Cell::Lca(layer.per_parameter),
            ]
        };
        let mut row = vec![Cell::text(&layer.name), Cell::Count(layer.parameters)];
        row.extend(lca);
        row.extend([
            Cell::Percent(layer.percent_of_all),
            Cell::Percent(layer.percent_of_nonzero),
            Cell::text(verdict),
        ]);
        table.push(row);
    }
    if found.test.is_some() && found.layers.iter().any(|layer| layer.hurts) {
        table.note(
            "A verdict is about the mean of these runs; the next table tells it from chance.",
        );
    }
    run_notes(&mut table, found);
    table
}

/// Notes what makes runs hard to compare.
fn run_notes(table: &mut Table, found: &Layers) {
    for run in found.runs.iter().filter(|run| run.not_finite > 0) {
        table.note(format!(
            "{}: {} of {} steps are not finite and left out.",
            run.folder,
            run.not_finite,
            run.steps + run.not_finite
        ));
    }
    let steps = || found.runs.iter().map(|run| run.steps);
    if let (Some(least), Some(most)) = (steps().min(), steps().max())
        && least < most
    {
        table.note(format!(
            "The runs are of {least} to {most} steps; sums over them are not quite the same thing."
        ));
    }
}

fn significance(found: &Layers, per_parameter: bool) -> Table {
    let mut table = Table::new(
        "significance",
        "Is it more than chance? Means over the runs against zero",
        vec![
            Column::text(by(found), by(found)),
            lca_column(per_parameter),
            Column::number("deviation", "deviation"),
            Column::number("low", "from"),
            Column::number("high", "to"),
            Column::number("t", "t"),
            Column::number("p_t_corrected", "p (t-test)"),
            Column::number("p_sign_flip_corrected", "p (sign-flip)"),
        ],
    );
    let Some(test) = found.test else {
        table.note(
            "Not known: with one run no test over runs is possible, and another seed may give \
             other numbers. Give the folders of several runs, of one model and different seeds.",
        );
        return table;
    };
    for layer in &found.layers {
        table.push(tested(layer, per_parameter));
    }
    table.note(format!(
        "deviation: between runs; from, to: 95 % interval of the mean; p: two-sided, corrected \
         for {} {}s after Holm.",
        test.layers,
        by(found)
    ));
    let flips = match test.sign_flip.exact {
        true => format!("all {}", test.sign_flip.flips),
        false => format!("{} random", test.sign_flip.flips),
    };
    let mut note = format!(
        "t-test: assumes sums near to normal. Sign-flip: {flips} flips of the runs' signs; before \
         the correction its p is at least {}.",
        Cell::Number(test.sign_flip.least_p)
    );
    if test.runs < ENOUGH_TO_FLIP {
        note.push_str(" So few runs are too coarse for it: only the t-test can tell here.");
    }
    table.note(note);
    table
}

fn tested(layer: &LayerSum, per_parameter: bool) -> Vec<Cell> {
    let size = if per_parameter {
        layer.parameters as f64
    } else {
        1.0
    };
    let number = |value: Option<f64>| value.map_or(Cell::Empty, Cell::Number);
    let test = layer.significance;
    vec![
        Cell::text(&layer.name),
        Cell::Lca(layer.lca / size),
        number(layer.deviation.map(|deviation| deviation / size)),
        number(test.map(|test| test.interval[0] / size)),
        number(test.map(|test| test.interval[1] / size)),
        number(test.map(|test| test.t)),
        number(test.map(|test| test.p_t_corrected)),
        number(test.map(|test| test.p_sign_flip_corrected)),
    ]
}
