//! `burn-lca trace`.

use std::path::PathBuf;
use std::slice::from_ref;

use burn_lca::Run;
use burn_lca::analysis::trace::{Trace, TraceOptions, TraceStep, Trajectory, trace};

use crate::failure::Failure;
use crate::output::{Answer, AnswerTable, OutputArgs};

use super::runs::StepsArgs;

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
    steps: StepsArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

pub fn answer(args: &TraceArgs) -> Result<Answer, Failure> {
    let run = args.steps.of(Run::open(&args.run)?)?;
    let options = TraceOptions::default()
        .tensor(args.tensor.clone())
        .indices(args.index.clone());
    let extremes = args.top.unwrap_or(options.extremes);
    let options = options.extremes(extremes);
    let trace = trace(&run, &options)?;
    Ok(Answer::new(&trace, from_ref(&run))?
        .table(steps(&trace))
        .table(parameters(&trace)))
}

fn steps(trace: &Trace) -> AnswerTable {
    let parameters = trace.parameters.iter();
    let rows = parameters.flat_map(|parameter| {
        let steps = parameter.steps.iter();
        steps.map(move |step| (parameter, step))
    });
    let rows: Vec<(&Trajectory, &TraceStep)> = rows.collect();
    AnswerTable::of("steps", "Step by step", &rows)
        .text("tensor", "tensor", |(parameter, ..)| {
            parameter.tensor.clone()
        })
        .count("index", "index", |(parameter, ..)| {
            u64::from(parameter.index)
        })
        .count("iteration", "iteration", |(_, step)| step.iteration)
        .number("step", "step", |(_, step)| f64::from(step.step))
        .number("gradient", "gradient", |(_, step)| f64::from(step.gradient))
        .lca("lca", "LCA", |(_, step)| f64::from(step.lca))
        .lca("cumulative", "cumulative", |(_, step)| step.cumulative)
        .build()
}

fn parameters(trace: &Trace) -> AnswerTable {
    let title = "Over the recorded steps";
    let mut table = AnswerTable::of("parameters", title, &trace.parameters)
        .text("tensor", "tensor", |parameter| parameter.tensor.clone())
        .count("index", "index", |parameter| u64::from(parameter.index))
        .count("steps", "steps", |parameter| parameter.steps.len() as u64)
        .fraction("fraction_of_nonzero", "helping % of nonzero", |parameter| {
            parameter.counts.fraction_of_nonzero()
        })
        .number("moved", "change", |parameter| parameter.moved)
        .lca("lca", "LCA", |parameter| parameter.lca)
        .build();
    if trace.parameters.is_empty() {
        table.note("No parameter has a sum of LCA other than zero, or none was asked for.");
    }
    table
}
