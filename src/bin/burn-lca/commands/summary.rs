//! `burn-lca summary`.

use std::path::PathBuf;

use burn_lca::Run;
use burn_lca::analysis::{self, Summary};

use crate::failure::Failure;
use crate::output::{Cell, Column, Report, Table};

/// What a run did: is LCA grounded, who helped, where did it hurt, what did it cost.
///
/// Tables: reconciliation, helping, quantiles, hurting, cost.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  burn-lca summary artifacts/lca")]
pub struct Args {
    /// The folder of the run.
    run: PathBuf,
}

pub fn report(args: &Args) -> Result<Report, Failure> {
    let run = Run::open(&args.run)?;
    let summary = analysis::summary(&run)?;
    let report = Report::new(&summary, std::slice::from_ref(&run))
        .table(reconciliation(&summary))
        .table(helping(&summary))
        .table(quantiles(&summary))
        .table(hurting(&summary))
        .table(cost(&summary));
    Ok(report)
}

fn reconciliation(summary: &Summary) -> Table {
    let moving = summary
        .reconciliation
        .iter()
        .any(|probe| probe.buffers.is_some());
    let mut columns = vec![
        Column::text("probe", "probe"),
        Column::count("steps", "steps"),
        Column::number("loss_before", "loss"),
        Column::number("loss_after", "after"),
        Column::number("loss_change", "change"),
        Column::number("lca", "sum of LCA"),
        Column::number("difference", "difference"),
        Column::number("worst_residual", "residual"),
        Column::count("worst_iteration", "at"),
        Column::count("capped", "capped"),
        Column::count("not_finite", "not finite"),
    ];
    if moving {
        columns.insert(6, Column::number("buffers", "buffers"));
    }
    let mut table = Table::new(
        "reconciliation",
        format!(
            "Loss change against LCA: {} parameters, iterations {} to {}",
            Cell::Count(summary.parameters),
            summary.first_iteration,
            summary.last_iteration,
        ),
        columns,
    );
    for probe in &summary.reconciliation {
        let worst = probe.worst_residual;
        let mut row = vec![
            Cell::text(&probe.probe),
            Cell::Count(probe.steps),
            Cell::Number(probe.loss_before),
            Cell::Number(probe.loss_after),
            Cell::Lca(probe.loss_change),
            Cell::Lca(probe.lca),
            Cell::Number(probe.difference),
            worst.map_or(Cell::Empty, |worst| Cell::Number(worst.residual)),
            worst.map_or(Cell::Empty, |worst| Cell::Count(worst.iteration)),
            Cell::Count(probe.capped),
            Cell::Count(probe.not_finite),
        ];
        if moving {
            row.insert(6, probe.buffers.map_or(Cell::Empty, Cell::Number));
        }
        table.push(row);
        if probe.not_finite > 0 {
            table.note(format!(
                "{} steps of probe {} are not finite; sums leave them out, so the difference is \
                 not an error of LCA.",
                probe.not_finite, probe.probe
            ));
        }
    }
    table.note(
        "difference: change - sum of LCA, over the run; residual: the worst of one step, and \
         where.",
    );
    table
}

fn helping(summary: &Summary) -> Table {
    let mut table = Table::new(
        "helping",
        "Who helped, over all parameters and steps",
        vec![
            Column::text("probe", "probe"),
            Column::number("percent_of_all", "helping %"),
            Column::number("percent_of_nonzero", "% without zeros"),
            Column::number("lca_helping", "LCA helping"),
            Column::number("lca_hurting", "LCA hurting"),
            Column::number("mean", "mean LCA"),
        ],
    );
    for probe in &summary.helping {
        table.push(vec![
            Cell::text(&probe.probe),
            Cell::Percent(probe.percent_of_all),
            Cell::Percent(probe.percent_of_nonzero),
            Cell::Lca(probe.lca_helping),
            Cell::Lca(probe.lca_hurting),
            Cell::Lca(probe.mean),
        ]);
    }
    table
}

fn quantiles(summary: &Summary) -> Table {
    let mut table = Table::new(
        "quantiles",
        "LCA of a parameter at a step",
        vec![
            Column::number("probability", "quantile %"),
            Column::number("lca", "LCA"),
            Column::number("from", "bin from"),
            Column::number("to", "to"),
        ],
    );
    let Some(distribution) = &summary.distribution else {
        table.note("Histograms were not recorded; use the standard or full recorder to have them.");
        return table;
    };
    for quantile in &distribution.quantiles {
        table.push(vec![
            Cell::Percent(100.0 * quantile.probability),
            Cell::Lca(quantile.value),
            Cell::Number(quantile.lower),
            Cell::Number(quantile.upper),
        ]);
    }
    table.note(format!(
        "From the {} of {} values of the training probe, interpolated within bins.",
        distribution.source,
        Cell::Count(distribution.values)
    ));
    if distribution.not_finite > 0 {
        table.note(format!(
            "{} values are not finite and left out.",
            Cell::Count(distribution.not_finite)
        ));
    }
    table
}

fn hurting(summary: &Summary) -> Table {
    let mut table = Table::new(
        "hurting",
        "Layers that hurt over the run",
        vec![
            Column::text("layer", "layer"),
            Column::number("lca", "LCA"),
            Column::number("percent_hurting_steps", "steps hurting %"),
        ],
    );
    for layer in &summary.hurting_layers {
        table.push(vec![
            Cell::text(&layer.layer),
            Cell::Lca(layer.lca),
            Cell::Percent(layer.percent_hurting_steps),
        ]);
    }
    if summary.hurting_layers.is_empty() {
        table.note("None: every layer's LCA is negative or zero.");
    } else {
        table.note("Of one run; `burn-lca layers` over several seeds tells it from chance.");
    }
    table
}

fn cost(summary: &Summary) -> Table {
    let cost = &summary.cost;
    let mut table = Table::new(
        "cost",
        "What measuring cost",
        vec![
            Column::count("sweeps", "sweeps"),
            Column::number("probe_seconds", "seconds measuring"),
            Column::number("wall_seconds", "seconds in all"),
            Column::number("percent_of_time", "share %"),
        ],
    );
    table.push(vec![
        Cell::Count(cost.sweeps),
        Cell::Number(cost.probe_seconds),
        cost.wall_seconds.map_or(Cell::Empty, Cell::Number),
        cost.percent_of_time.map_or(Cell::Empty, Cell::Percent),
    ]);
    if cost.wall_seconds.is_none() {
        table.note("The share of time is known of runs that ended and were not resumed.");
    }
    table
}
