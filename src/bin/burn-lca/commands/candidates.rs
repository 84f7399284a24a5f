//! `burn-lca candidates`.

use std::path::PathBuf;

use burn_lca::analysis::{
    self, Candidates, CandidatesOptions, LcaSum, Overfitting, Span, SumTest, Verdict,
};

use crate::failure::Failure;
use crate::output::{Cell, Column, Report, Table};

/// Parameters of a tensor that its row names; JSON has all that were asked for.
const SHOWN_WORST: usize = 3;

/// What to act on: tensors to freeze, over-fitting tensors, lagging layers, and units and
/// parameters that do nothing or hardly ever help.
///
/// These are pointers, each with its numbers; what training would do without them takes another
/// run to see. Over several runs (seeds of one model) tensors are tested over the runs.
///
/// Tables: freeze, overfitting, lags, units, parameters.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  burn-lca candidates artifacts/seed1 artifacts/seed2 \
                        artifacts/seed3"
)]
pub struct Args {
    /// The folders of the runs.
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// The greatest corrected p-value of a candidate.
    #[arg(long, default_value_t = CandidatesOptions::default().level, value_name = "P")]
    level: f64,
    /// What counts as hardly ever helping: at most this part of the steps that are not zero.
    #[arg(long, default_value_t = CandidatesOptions::default().rarely, value_name = "PART")]
    rarely: f64,
    /// How many units of each layer are listed, and parameters of each tensor in JSON.
    #[arg(long, default_value_t = CandidatesOptions::default().top, value_name = "N")]
    top: usize,
    /// How often blocks of steps are drawn for a p-value of a single run.
    #[arg(long, default_value_t = CandidatesOptions::default().resamples, value_name = "N")]
    resamples: usize,
    /// The seed of the draws.
    #[arg(long, default_value_t = CandidatesOptions::default().seed)]
    seed: u64,
}

pub fn report(args: &Args) -> Result<Report, Failure> {
    let runs = super::open(&args.runs)?;
    let options = CandidatesOptions {
        level: args.level,
        rarely: args.rarely,
        top: args.top,
        resamples: args.resamples,
        seed: args.seed,
    };
    let found = analysis::candidates(&runs, &options)?;
    let report = Report::new(&found, &runs)
        .table(freeze(&found))
        .table(overfitting(&found))
        .table(lags(&found))
        .table(units(&found, args.top))
        .table(parameters(&found));
    Ok(report)
}

fn interval(sum: &LcaSum) -> [Cell; 2] {
    match sum.interval {
        Some([low, high]) => [Cell::Number(low), Cell::Number(high)],
        None => [Cell::Empty, Cell::Empty],
    }
}

fn number(value: Option<f64>) -> Cell {
    value.map_or(Cell::Empty, Cell::Number)
}

fn yes(candidate: bool) -> Cell {
    Cell::text(if candidate { "yes" } else { "no" })
}

fn test_note(test: SumTest) -> String {
    match test {
        SumTest::StudentT { runs } => format!(
            "One-sided t-test over the sums of {runs} runs, 95 % intervals; p corrected after \
             Holm."
        ),
        SumTest::BlockBootstrap { block, resamples } => format!(
            "One run: block bootstrap over its steps ({resamples} draws of blocks of {block} \
             steps, as if they could have come in any order); p corrected after Holm. Other \
             seeds may differ; give several runs to see."
        ),
        SumTest::TooFewSteps { least } => {
            format!("No test: one run of fewer than {least} steps can't tell this from chance.")
        }
    }
}

fn freeze(found: &Candidates) -> Table {
    let mut table = Table::new(
        "freeze",
        "To freeze? Tensors that hurt over the run",
        vec![
            Column::text("tensor", "tensor"),
            Column::number("lca", "LCA"),
            Column::number("low", "from"),
            Column::number("high", "to"),
            Column::number("p", "p"),
            Column::text("candidate", "candidate"),
        ],
    );
    let hurting = || {
        let tensors = found.freeze.tensors.iter();
        tensors.filter(|tensor| tensor.training.lca > 0.0)
    };
    for tensor in hurting() {
        let [low, high] = interval(&tensor.training);
        table.push(vec![
            Cell::text(&tensor.tensor),
            Cell::Lca(tensor.training.lca),
            low,
            high,
            number(tensor.p_corrected),
            yes(tensor.candidate),
        ]);
    }
    for tensor in hurting() {
        table.note(format!("{}: {}.", tensor.tensor, tensor.reason));
    }
    if hurting().next().is_none() {
        table.note("None: no tensor's LCA is positive over the run.");
    }
    table.note(test_note(found.freeze.test));
    table
}

fn overfitting(found: &Candidates) -> Table {
    let mut table = Table::new(
        "overfitting",
        "Over-fitting? Tensors that help training and hurt validation",
        vec![
            Column::text("tensor", "tensor"),
            Column::text("span", "steps"),
            Column::number("lca", "training LCA"),
            Column::number("lca_validation", "validation LCA"),
            Column::number("p", "p"),
            Column::text("candidate", "candidate"),
        ],
    );
    match &found.overfitting {
        Some(overfitting) => overfitting_rows(&mut table, overfitting),
        None => table.note("No validation probe was recorded; set `LcaMetric::validation`."),
    }
    table
}

fn overfitting_rows(table: &mut Table, overfitting: &Overfitting) {
    let mut none = true;
    for tensor in &overfitting.tensors {
        if tensor.training.lca >= 0.0 || tensor.validation.lca <= 0.0 {
            continue;
        }
        none = false;
        let span = match tensor.span {
            Span::Run => "all",
            Span::SecondHalf => "second half",
        };
        table.push(vec![
            Cell::text(&tensor.tensor),
            Cell::text(span),
            Cell::Lca(tensor.training.lca),
            Cell::Lca(tensor.validation.lca),
            number(tensor.p_corrected),
            yes(tensor.candidate),
        ]);
        table.note(format!("{}, {span}: {}.", tensor.tensor, tensor.reason));
    }
    if none {
        table.note("None: no tensor does both, over the run or over its second half.");
    }
    table.note(test_note(overfitting.test));
}

fn lags(found: &Candidates) -> Table {
    let mut table = Table::new(
        "lags",
        "Behind? Layers against the rest of the network",
        vec![
            Column::text("layer", "layer"),
            Column::number("lag", "steps later"),
            Column::number("correlation", "correlation"),
            Column::count("later", "parts later"),
            Column::count("earlier", "earlier"),
            Column::number("percent_hurting_steps", "steps hurting %"),
            Column::number("p", "p"),
            Column::text("candidate", "candidate"),
        ],
    );
    for layer in &found.lags.layers {
        let greatest = layer.correlation.iter().copied().fold(-1.0, f64::max);
        table.push(vec![
            Cell::text(&layer.layer),
            Cell::Number(layer.lag as f64),
            Cell::Number(greatest),
            Cell::Count(layer.later as u64),
            Cell::Count(layer.earlier as u64),
            Cell::Percent(100.0 * layer.hurting),
            Cell::Number(layer.p_corrected),
            yes(layer.candidate),
        ]);
        if layer.candidate {
            table.note(format!("{}: {}.", layer.layer, layer.reason));
        }
    }
    if found.lags.layers.is_empty() {
        table.note("Not known: this takes two layers and some 420 observed steps.");
    } else {
        table.note(format!(
            "In observed steps, over {} parts of the runs; sign test of later against earlier \
             parts, p corrected after Holm.",
            found.lags.parts
        ));
    }
    table
}

fn units(found: &Candidates, top: usize) -> Table {
    let mut table = Table::new(
        "units",
        "Units that are dead or hardly ever help",
        vec![
            Column::count("run", "run"),
            Column::text("layer", "layer"),
            Column::count("unit", "unit"),
            Column::text("verdict", "verdict"),
            Column::number("lca", "LCA"),
            Column::count("helping", "helped"),
            Column::count("hurting", "hurt"),
            Column::count("zero", "zero"),
            Column::count("last_active", "last active"),
        ],
    );
    for layer in &found.units {
        for unit in layer.candidates.iter().take(top) {
            let verdict = match unit.verdict {
                Verdict::Dead => "dead",
                Verdict::RarelyHelps => "rarely helps",
            };
            table.push(vec![
                Cell::Count(layer.run as u64 + 1),
                Cell::text(&layer.layer),
                Cell::Count(u64::from(unit.unit)),
                Cell::text(verdict),
                Cell::Lca(unit.lca),
                Cell::Count(unit.helping),
                Cell::Count(unit.hurting),
                Cell::Count(unit.zero),
                unit.last_active.map_or(Cell::Empty, Cell::Count),
            ]);
        }
        if !layer.candidates.is_empty() {
            let rarely = layer.candidates.iter();
            let rarely = rarely
                .filter(|unit| unit.verdict == Verdict::RarelyHelps)
                .count();
            table.note(format!(
                "Run {}, {}: {} of {} units are dead, {rarely} hardly ever help ({} by fair \
                 coins).",
                layer.run + 1,
                layer.layer,
                layer.candidates.len() - rarely,
                layer.units,
                Cell::Number(layer.rarely_expected),
            ));
        }
    }
    match (
        found.units.is_empty(),
        found.units.iter().all(|layer| layer.candidates.is_empty()),
    ) {
        (true, _) => {
            table.note("Units were not recorded; use the standard or full recorder to have them.");
        }
        (_, true) => table.note("None at the recorded steps."),
        _ => table.note(
            "A dead unit's LCA is exactly zero at all of the last recorded steps: prune it or \
             initialize it anew. One that rarely helps mostly hurt: initialize it anew, or prune \
             it if the loss allows.",
        ),
    }
    table
}

fn parameters(found: &Candidates) -> Table {
    let mut table = Table::new(
        "parameters",
        "Parameters that never did anything or hardly ever helped",
        vec![
            Column::count("run", "run"),
            Column::text("tensor", "tensor"),
            Column::count("parameters", "parameters"),
            Column::count("dead", "dead"),
            Column::count("unmoved", "unmoved"),
            Column::count("rarely", "rarely help"),
            Column::number("rarely_expected", "by fair coins"),
            Column::number("rarely_lca", "their LCA"),
            Column::text("worst", "worst, by index"),
        ],
    );
    for tensor in &found.parameters {
        let worst = tensor.worst.iter().take(SHOWN_WORST);
        let worst = worst.map(|worst| worst.index.to_string());
        table.push(vec![
            Cell::Count(tensor.run as u64 + 1),
            Cell::text(&tensor.tensor),
            Cell::Count(tensor.parameters),
            Cell::Count(tensor.dead),
            Cell::Count(tensor.unmoved),
            Cell::Count(tensor.rarely),
            Cell::Number(tensor.rarely_expected),
            Cell::Lca(tensor.rarely_lca),
            Cell::Text(worst.collect::<Vec<_>>().join(" ")),
        ]);
    }
    if found.parameters.is_empty() {
        table.note("Totals were not recorded; use the standard or full recorder to have them.");
    } else {
        table.note(
            "dead: LCA exactly zero at every step; unmoved: those that kept their first value. \
             Steps are not independent as coins are, so somewhat more than by coins is normal.",
        );
    }
    table
}
