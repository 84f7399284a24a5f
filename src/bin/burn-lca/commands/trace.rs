//! `burn-lca trace`.

use std::path::PathBuf;

use burn_lca::Run;
use burn_lca::analysis::trace::{Trace, TraceOptions, trace};

use crate::failure::Failure;
use crate::output::{Cell, Column, Report, Table};

/// Single parameters over time: step, gradient and LCA at every recorded step.
///
/// Without INDEX, the parameters that helped and hurt most, of TENSOR or of all.
///
/// Tables: steps, parameters.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  burn-lca trace artifacts/lca fc2.weight 100 101\n  \
                        burn-lca trace artifacts/lca --top 1"
)]
pub struct Args {
    /// The folder of the run.
    run: PathBuf,
    /// The path of the tensor, such as fc2.weight.
    tensor: Option<String>,
    /// Positions in the tensor, row-major, from 0.
    index: Vec<u32>,
    /// Without INDEX: how many that helped most, and as many that hurt most.
    #[arg(long, default_value_t = 3)]
    top: usize,
}

pub fn report(args: &Args) -> Result<Report, Failure> {
    let run = Run::open(&args.run)?;
    let options = TraceOptions {
        tensor: args.tensor.clone(),
        indices: args.index.clone(),
        extremes: args.top,
    };
    let trace = trace(&run, &options)?;
    Ok(Report::new(&trace, std::slice::from_ref(&run))
        .table(steps(&trace))
        .table(parameters(&trace)))
}

fn steps(trace: &Trace) -> Table {
    let mut table = Table::new(
        "steps",
        "Step by step",
        vec![
            Column::text("tensor", "tensor"),
            Column::count("index", "index"),
            Column::count("iteration", "iteration"),
            Column::number("step", "step"),
            Column::number("gradient", "gradient"),
            Column::number("lca", "LCA"),
            Column::number("lca_sum", "sum of LCA"),
        ],
    );
    for parameter in &trace.parameters {
        let mut sum = 0.0;
        for step in &parameter.steps {
            sum += f64::from(step.lca);
            table.push(vec![
                Cell::text(&parameter.tensor),
                Cell::Count(parameter.index.into()),
                Cell::Count(step.iteration),
                Cell::Number(step.step.into()),
                Cell::Number(step.gradient.into()),
                Cell::Lca(step.lca.into()),
                Cell::Lca(sum),
            ]);
        }
    }
    table
}

fn parameters(trace: &Trace) -> Table {
    let mut table = Table::new(
        "parameters",
        "Over the recorded steps",
        vec![
            Column::text("tensor", "tensor"),
            Column::count("index", "index"),
            Column::count("steps", "steps"),
            Column::number("percent_helping", "helping % of nonzero"),
            Column::number("moved", "moved by"),
            Column::number("lca", "LCA"),
        ],
    );
    for parameter in &trace.parameters {
        let steps = &parameter.steps;
        let helping = steps.iter().filter(|step| step.lca < 0.0).count();
        let hurting = steps.iter().filter(|step| step.lca > 0.0).count();
        let moved = steps.iter().map(|step| f64::from(step.step)).sum();
        table.push(vec![
            Cell::text(&parameter.tensor),
            Cell::Count(parameter.index.into()),
            Cell::Count(steps.len() as u64),
            Cell::Percent(100.0 * helping as f64 / (helping + hurting) as f64),
            Cell::Number(moved),
            Cell::Lca(parameter.lca),
        ]);
    }
    if trace.parameters.is_empty() {
        table.note("No parameter has a sum of LCA other than zero.");
    }
    table
}
