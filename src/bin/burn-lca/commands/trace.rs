//! `burn-lca trace`.

use std::path::PathBuf;
use std::slice::from_ref;

use burn_lca::Run;
use burn_lca::analysis::trace::{Trace, TraceOptions, TraceStep, Trajectory, trace};

use crate::failure::Failure;
use crate::output::{Answer, AnswerTable, OutputArgs};

/// Single parameters over time: step, gradient and LCA at every recorded step.
///
/// Without INDEX, the parameters that helped and hurt most, of TENSOR or of all tensors.
///
/// Tables: steps, parameters.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  burn-lca trace artifacts/lca fc2.weight 100 101\n  \
                        burn-lca trace artifacts/lca --top 1"
)]
pub struct TraceArgs {
    /// The folder of the run.
    run: PathBuf,
    /// The path of the tensor, such as fc2.weight.
    tensor: Option<String>,
    /// Indices into the tensor, row-major, from 0.
    index: Vec<u32>,
    /// Without INDEX: how many that helped most, and as many that hurt most [default: 3].
    #[arg(long, value_name = "N", conflicts_with = "index")]
    top: Option<usize>,
    #[command(flatten)]
    pub output: OutputArgs,
}

pub fn answer(args: &TraceArgs) -> Result<Answer, Failure> {
    let run = Run::open(&args.run)?;
    let defaults = TraceOptions::default();
    let options = TraceOptions {
        tensor: args.tensor.clone(),
        indices: args.index.clone(),
        extremes: args.top.unwrap_or(defaults.extremes),
    };
    let trace = trace(&run, &options)?;
    Ok(Answer::new(&trace, from_ref(&run))?
        .table(steps(&trace))
        .table(parameters(&trace)))
}

fn steps(trace: &Trace) -> AnswerTable {
    let mut rows: Vec<(&Trajectory, &TraceStep, f64)> = Vec::new();
    for parameter in &trace.parameters {
        let mut sum = 0.0;
        for step in &parameter.steps {
            sum += f64::from(step.lca);
            rows.push((parameter, step, sum));
        }
    }
    AnswerTable::of("steps", "Step by step", &rows)
        .text("tensor", "tensor", |(parameter, ..)| {
            parameter.tensor.clone()
        })
        .count("index", "index", |(parameter, ..)| {
            u64::from(parameter.index)
        })
        .count("iteration", "iteration", |(_, step, _)| step.iteration)
        .number("step", "step", |(_, step, _)| f64::from(step.step))
        .number("gradient", "gradient", |(_, step, _)| {
            f64::from(step.gradient)
        })
        .lca("lca", "LCA", |(_, step, _)| f64::from(step.lca))
        .lca("lca_sum", "sum of LCA", |(.., sum)| *sum)
        .build()
}

fn parameters(trace: &Trace) -> AnswerTable {
    let title = "Over the recorded steps";
    let mut table = AnswerTable::of("parameters", title, &trace.parameters)
        .text("tensor", "tensor", |parameter| parameter.tensor.clone())
        .count("index", "index", |parameter| u64::from(parameter.index))
        .count("steps", "steps", |parameter| parameter.steps.len() as u64)
        .percent("percent_helping", "helping % of nonzero", |parameter| {
            let steps = &parameter.steps;
            let helping = steps.iter().filter(|step| step.lca < 0.0).count();
            let hurting = steps.iter().filter(|step| step.lca > 0.0).count();
            100.0 * helping as f64 / (helping + hurting) as f64
        })
        .number("moved", "change", |parameter| {
            let steps = parameter.steps.iter();
            steps.map(|step| f64::from(step.step)).sum::<f64>()
        })
        .lca("lca", "LCA", |parameter| parameter.lca)
        .build();
    if trace.parameters.is_empty() {
        table.note("No parameter has a sum of LCA other than zero.");
    }
    table
}
