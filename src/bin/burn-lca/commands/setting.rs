//! `burn-lca setting`.

use std::iter::once;

use burn_lca::Run;
use burn_lca::analysis;
use burn_lca::analysis::setting::{Setting, SettingLayer, SettingOptions, SettingPoint};

use crate::failure::Failure;
use crate::output::{Answer, AnswerTable, OutputArgs};

use super::runs::{LabelledRun, StepsArgs, numbers, open_labelled};
use super::sums::{SumsArgs, by, of_class, run_notes};

/// LCA against a number that was set for each run, such as the momentum of the last layer.
///
/// Before each run stands the number. For every layer there are mean and deviation at every number,
/// and a straight line through the runs, with the standard error and the p-value of its slope.
/// Give several runs (seeds) for each number.
///
/// Tables: lines, values; with --list, runs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  burn-lca setting --of momentum 0=m0/seed1 0=m0/seed2 0.9=m9/seed1 0.9=m9/seed2
  burn-lca setting --of momentum 0=m0/seed{1..5} 0.9=m9/seed{1..5}     # bash writes them out
  burn-lca setting --of rate --log 0.01=slow 0.1=fast --format csv --table values")]
pub struct SettingArgs {
    /// The number that was set and the folder of the run.
    #[arg(required = true, value_name = "NUMBER=RUN")]
    runs: Vec<LabelledRun>,
    /// What was set, for headings.
    #[arg(long, value_name = "NAME", default_value_t = SettingOptions::default().name)]
    of: String,
    /// Fits lines against the decimal logarithm of the number.
    #[arg(long)]
    log: bool,
    #[command(flatten)]
    sums: SumsArgs,
    /// Lists every run, too.
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    steps: StepsArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

pub fn answer(args: &SettingArgs) -> Result<Answer, Failure> {
    let numbers = numbers(&args.runs)?;
    let runs = args.steps.of_all(open_labelled(&args.runs)?)?;
    let options = SettingOptions::default()
        .name(args.of.clone())
        .log(args.log)
        .sums(args.sums.options());
    let numbered: Vec<(f64, Run)> = numbers.into_iter().zip(runs.iter().cloned()).collect();
    let found = analysis::setting(&numbered, &options)?;
    let answer = Answer::new(&found, &runs)?
        .table(lines(&found, &runs))
        .table(values(&found));
    Ok(if args.list {
        answer.table(by_run(&found))
    } else {
        answer
    })
}

/// Returns every layer, and all of them together.
fn rows(found: &Setting) -> Vec<&SettingLayer> {
    found.layers.iter().chain(once(&found.network)).collect()
}

fn lines(found: &Setting, runs: &[Run]) -> AnswerTable {
    let title = format!(
        "LCA by {} against {}, {} probe{}: straight lines through {}",
        by(&found.by),
        found.name,
        found.probe,
        of_class(found.class, runs),
        match found.runs.len() {
            1 => "1 run".into(),
            runs => format!("{runs} runs"),
        }
    );
    let test = |layer: &&SettingLayer| layer.line.and_then(|line| line.test);
    let rows = rows(found);
    let mut table = AnswerTable::of("lines", title, &rows)
        .text(by(&found.by), by(&found.by), |layer| layer.name.clone())
        .lca("slope", "slope", |layer| layer.line.map(|line| line.slope))
        .number("standard_error", "error", move |layer| {
            test(layer).map(|test| test.standard_error)
        })
        .number("lower", "lower", move |layer| {
            test(layer).map(|test| test.interval[0])
        })
        .number("upper", "upper", move |layer| {
            test(layer).map(|test| test.interval[1])
        })
        .number("p", "p", |layer| layer.p())
        .number("p_corrected", "corrected", |layer| layer.p_corrected)
        .number("r_squared", "R squared", |layer| {
            layer.line.and_then(|line| line.r_squared)
        })
        .number("p_straight", "p straight", |layer| {
            layer.line.and_then(|line| line.p_straight)
        })
        .number("turns_at", "turns at", |layer| layer.turns_at)
        .build();
    if found.network.line.is_none() {
        table.note("A line takes runs with two numbers or more.");
        return table;
    }
    let unit = found.unit();
    let tested = found.layers.iter().filter(|layer| layer.p().is_some());
    let mut note = format!(
        "slope: change of LCA per {unit}, above zero if a {} helps less with more of it; turns at: \
         where the line crosses zero, between helping and hurting.",
        by(&found.by)
    );
    match tested.count() {
        0 => note.push_str(" How sure a slope is takes three runs or more that differ."),
        tested => note.push_str(&format!(
            " error: standard error of the slope; lower, upper: its 95 % confidence interval; p: of so \
             steep a slope, either way, by chance; corrected: the same for {tested} {}s after Holm.",
            by(&found.by)
        )),
    }
    table.note(note);
    let straight = |layer: &SettingLayer| layer.line.is_some_and(|line| line.p_straight.is_some());
    if found.layers.iter().any(straight) {
        table.note("p straight: of means so far from a line by chance if they were on one.");
    }
    run_notes(
        &mut table,
        found.runs.iter().map(|run| &run.run),
        found.caution.as_ref(),
    );
    table
}

fn values(found: &Setting) -> AnswerTable {
    let rows = rows(found);
    let points = rows.iter();
    let points = points.flat_map(|layer| layer.points.iter().map(move |point| (*layer, point)));
    let points: Vec<(&SettingLayer, &SettingPoint)> = points.collect();
    let title = format!("LCA at every {}", found.name);
    let mut table = AnswerTable::of("values", title, &points)
        .text(by(&found.by), by(&found.by), |(layer, _)| {
            layer.name.clone()
        })
        .number("value", "value", |(_, point)| point.value)
        .count("runs", "runs", |(_, point)| point.runs as u64)
        .lca("lca", "LCA", |(_, point)| point.lca)
        .number("deviation", "deviation", |(_, point)| point.deviation)
        .number("standard_error", "error", |(_, point)| point.standard_error)
        .number("lower", "lower", |(_, point)| {
            point.interval.map(|ends| ends[0])
        })
        .number("upper", "upper", |(_, point)| {
            point.interval.map(|ends| ends[1])
        })
        .build();
    table.note(
        "deviation: standard deviation between runs; error: standard error of the mean; lower, \
         upper: its 95 % confidence interval.",
    );
    table
}

fn by_run(found: &Setting) -> AnswerTable {
    let rows = rows(found);
    let runs = found.runs.iter().enumerate();
    let cells = runs.flat_map(|(number, run)| rows.iter().map(move |layer| (number, run, *layer)));
    let cells: Vec<_> = cells.collect();
    AnswerTable::of("runs", "LCA of every run", &cells)
        .text("run", "run", |(_, run, _)| run.run.folder.clone())
        .number("value", "value", |(_, run, _)| run.value)
        .count("steps", "steps", |(_, run, _)| run.run.steps)
        .text(by(&found.by), by(&found.by), |(_, _, layer)| {
            layer.name.clone()
        })
        .lca("lca", "LCA", |(number, _, layer)| layer.by_run[*number])
        .build()
}
