//! `burn-lca compare`.

use std::path::PathBuf;

use burn_lca::Run;
use burn_lca::analysis::{self, Comparison, Pair};

use crate::failure::Failure;
use crate::output::{Cell, Column, Report, Table};

/// Two runs side by side: loss, helping, layers, classes.
///
/// Tables: run, layers, classes. Differences are second minus first: negative is the second
/// run's advantage.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  burn-lca compare runs/sgd/lca runs/adam/lca")]
pub struct Args {
    /// The folder of the first run.
    first: PathBuf,
    /// The folder of the second run.
    second: PathBuf,
}

pub fn report(args: &Args) -> Result<Report, Failure> {
    let (first, second) = (Run::open(&args.first)?, Run::open(&args.second)?);
    let comparison = analysis::compare(&first, &second)?;
    Ok(Report::new(&comparison, &[first, second])
        .table(run(&comparison, args))
        .table(layers(&comparison))
        .table(classes(&comparison)))
}

fn sides(pair: Pair, cell: fn(f64) -> Cell) -> [Cell; 2] {
    [pair.first, pair.second].map(|side| side.map_or(Cell::Empty, cell))
}

fn difference(pair: Pair, cell: fn(f64) -> Cell) -> Cell {
    pair.difference().map_or(Cell::Empty, cell)
}

fn run(comparison: &Comparison, args: &Args) -> Table {
    let mut table = Table::new(
        "run",
        format!(
            "{} (first), {} (second)",
            args.first.display(),
            args.second.display()
        ),
        vec![
            Column::text("probe", "probe"),
            Column::text("measure", "measure"),
            Column::number("first", "first"),
            Column::number("second", "second"),
            Column::number("difference", "difference"),
        ],
    );
    let whole = |steps: f64| Cell::Count(steps as u64);
    let mut add =
        |probe: &str, measure: &str, pair: Pair, cell: fn(f64) -> Cell, signed: fn(f64) -> Cell| {
            let [first, second] = sides(pair, cell);
            table.push(vec![
                Cell::text(probe),
                Cell::text(measure),
                first,
                second,
                difference(pair, signed),
            ]);
        };
    add("", "steps", comparison.steps, whole, Cell::Number);
    for probe in &comparison.probes {
        let name = probe.probe.as_str();
        add(
            name,
            "loss before",
            probe.loss_before,
            Cell::Number,
            Cell::Lca,
        );
        add(
            name,
            "loss after",
            probe.loss_after,
            Cell::Number,
            Cell::Lca,
        );
        add(name, "loss change", probe.loss_change, Cell::Lca, Cell::Lca);
        add(name, "sum of LCA", probe.lca, Cell::Lca, Cell::Lca);
        add(
            name,
            "helping %",
            probe.percent_of_all,
            Cell::Percent,
            Cell::Percent,
        );
        add(
            name,
            "% without zeros",
            probe.percent_of_nonzero,
            Cell::Percent,
            Cell::Percent,
        );
    }
    if comparison
        .steps
        .difference()
        .is_some_and(|steps| steps != 0.0)
    {
        table.note("The runs differ in their observed steps: sums compare the runs as they are.");
    }
    table.note("Two runs: no test can tell their difference from that of other seeds.");
    table
}

fn layers(comparison: &Comparison) -> Table {
    let mut table = Table::new(
        "layers",
        "LCA by layer, training probe",
        vec![
            Column::text("layer", "layer"),
            Column::number("first_lca", "first"),
            Column::number("second_lca", "second"),
            Column::number("difference", "difference"),
            Column::number("first_percent_of_nonzero", "helping %, first"),
            Column::number("second_percent_of_nonzero", "second"),
        ],
    );
    for layer in &comparison.layers {
        let [first, second] = sides(layer.lca, Cell::Lca);
        let [first_helping, second_helping] = sides(layer.percent_of_nonzero, Cell::Percent);
        table.push(vec![
            Cell::text(&layer.layer),
            first,
            second,
            difference(layer.lca, Cell::Lca),
            first_helping,
            second_helping,
        ]);
    }
    table
}

fn classes(comparison: &Comparison) -> Table {
    let mut table = Table::new(
        "classes",
        "Classes, each by its own loss, training probe",
        vec![
            Column::text("class", "class"),
            Column::number("first_loss", "loss after, first"),
            Column::number("second_loss", "second"),
            Column::number("first_lca", "LCA, first"),
            Column::number("second_lca", "second"),
            Column::number("difference", "difference"),
        ],
    );
    for class in &comparison.classes {
        let [first_loss, second_loss] = sides(class.loss_after, Cell::Number);
        let [first, second] = sides(class.lca, Cell::Lca);
        table.push(vec![
            Cell::text(&class.name),
            first_loss,
            second_loss,
            first,
            second,
            difference(class.lca, Cell::Lca),
        ]);
    }
    if comparison.classes.is_empty() {
        table.note("Neither run was split by class.");
    }
    table
}
