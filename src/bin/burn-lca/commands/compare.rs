//! `burn-lca compare`.

use std::path::PathBuf;

use burn_lca::Run;
use burn_lca::analysis::{self, Comparison, Pair};

use crate::failure::Failure;
use crate::output::{Cell, Column, Report, Table};

/// Two runs side by side: loss, helping, layers, classes.
///
/// Of different models, only what both have is compared. Two runs also differ by chance; compare
/// several seeds before you make much of a small difference.
///
/// Tables: probes, layers, classes, runs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  burn-lca compare artifacts/sgd artifacts/adam")]
pub struct Args {
    /// The folder of the first run.
    first: PathBuf,
    /// The folder of the second run.
    second: PathBuf,
}

pub fn report(args: &Args) -> Result<Report, Failure> {
    let runs = [Run::open(&args.first)?, Run::open(&args.second)?];
    let found = analysis::compare(&runs[0], &runs[1])?;
    Ok(Report::new(&found, &runs)
        .table(probes(&found))
        .table(layers(&found))
        .table(classes(&found))
        .table(compared(&found)))
}

/// The columns of a number of both runs and their difference.
fn pair() -> [Column; 3] {
    [
        Column::number("first", "first"),
        Column::number("second", "second"),
        Column::number("difference", "difference"),
    ]
}

fn cells(pair: &Pair, cell: fn(f64) -> Cell) -> [Cell; 3] {
    [cell(pair.first), cell(pair.second), cell(pair.difference)]
}

fn probes(found: &Comparison) -> Table {
    let mut columns = vec![
        Column::text("probe", "probe"),
        Column::text("measure", "measure"),
    ];
    columns.extend(pair());
    let mut table = Table::new("probes", "Loss and helping", columns);
    for probe in &found.probes {
        let mut push = |measure: &str, pair: &Pair, cell: fn(f64) -> Cell| {
            let mut row = vec![Cell::text(&probe.probe), Cell::text(measure)];
            row.extend(cells(pair, cell));
            table.push(row);
        };
        push("loss before", &probe.loss_before, Cell::Number);
        push("loss after", &probe.loss_after, Cell::Number);
        push("loss change", &probe.loss_change, Cell::Lca);
        push("sum of LCA", &probe.lca, Cell::Lca);
        push("LCA helping", &probe.lca_helping, Cell::Lca);
        push("LCA hurting", &probe.lca_hurting, Cell::Lca);
        push("helping %", &probe.percent_of_all, Cell::Percent);
        push("% without zeros", &probe.percent_of_nonzero, Cell::Percent);
    }
    table.note("difference: second - first.");
    only(&mut table, found, "probes", |only| &only.probes);
    table
}

fn layers(found: &Comparison) -> Table {
    let columns = vec![
        Column::text("layer", "layer"),
        Column::number("lca_first", "LCA first"),
        Column::number("lca_second", "second"),
        Column::number("lca_difference", "difference"),
        Column::number("percent_of_lca_first", "share % first"),
        Column::number("percent_of_lca_second", "second"),
        Column::number("percent_helping_first", "helping % first"),
        Column::number("percent_helping_second", "second"),
    ];
    let mut table = Table::new("layers", "Layers", columns);
    for layer in &found.layers {
        let mut row = vec![Cell::text(&layer.layer)];
        row.extend(cells(&layer.lca, Cell::Lca));
        row.extend([
            Cell::Percent(layer.percent_of_lca.first),
            Cell::Percent(layer.percent_of_lca.second),
            Cell::Percent(layer.percent_helping.first),
            Cell::Percent(layer.percent_helping.second),
        ]);
        table.push(row);
        let [first, second] = layer.parameters;
        if first != second {
            table.note(format!(
                "{} has {} parameters in the first run and {} in the second.",
                layer.layer,
                Cell::Count(first),
                Cell::Count(second)
            ));
        }
    }
    only(&mut table, found, "layers", |only| &only.layers);
    table
}

fn classes(found: &Comparison) -> Table {
    let columns = vec![
        Column::text("class", "class"),
        Column::number("loss_first", "loss after first"),
        Column::number("loss_second", "second"),
        Column::number("loss_difference", "difference"),
        Column::number("lca_first", "LCA first"),
        Column::number("lca_second", "second"),
        Column::number("lca_difference", "difference"),
    ];
    let mut table = Table::new("classes", "Classes", columns);
    for class in &found.classes {
        let mut row = vec![Cell::text(&class.name)];
        row.extend(cells(&class.loss_after, Cell::Number));
        row.extend(cells(&class.lca, Cell::Lca));
        table.push(row);
    }
    if found.classes.is_empty() {
        table.note("No class is in both runs.");
    }
    only(&mut table, found, "classes", |only| &only.classes);
    table
}

fn compared(found: &Comparison) -> Table {
    let columns = vec![
        Column::text("run", "run"),
        Column::count("parameters", "parameters"),
        Column::count("steps", "steps"),
        Column::count("first_iteration", "from"),
        Column::count("last_iteration", "to"),
    ];
    let mut table = Table::new("runs", "The runs", columns);
    let steps = found
        .runs
        .each_ref()
        .map(|run| (run.steps, run.first_iteration, run.last_iteration));
    for run in &found.runs {
        table.push(vec![
            Cell::text(&run.folder),
            Cell::Count(run.parameters),
            Cell::Count(run.steps),
            Cell::Count(run.first_iteration),
            Cell::Count(run.last_iteration),
        ]);
    }
    if steps[0] != steps[1] {
        table.note("The runs observed different steps, and sums are over each run's own.");
    }
    table
}

/// Notes what only one run has, and so is not compared.
fn only(
    table: &mut Table,
    found: &Comparison,
    what: &str,
    of: fn(&analysis::Only) -> &Vec<String>,
) {
    for (only, run) in found.only.iter().zip(["first", "second"]) {
        let names = of(only);
        if !names.is_empty() {
            let names = names.join(", ");
            table.note(format!(
                "Not compared, in the {run} run only: {what} {names}."
            ));
        }
    }
}
