//! `burn-lca candidates`.

use std::path::PathBuf;

use burn_lca::analysis::candidates::{
    Candidates, CandidatesOptions, LayerUnits, Overfitting, RunPortion, UnitCandidate, UnitProblem,
};
use burn_lca::analysis::{self, MISSING};

use crate::failure::Failure;
use crate::output::{Answer, AnswerTable, Cell, OutputArgs};

use super::runs;

const OF_ESTIMATES: &str = "Counted on samples, these are the signs of noisy estimates, which noise \
                            draws to fair coins, and dead is exactly zero on every sample.";

/// Parameters of a tensor that its row names; JSON has all that were asked for.
const SHOWN_WORST: usize = 3;

/// What to act on: tensors to freeze or that over-fit, lagging layers, units that do nothing.
///
/// Suggestions, not proof: check each with another run. Tensors are tested over the steps of one
/// run, or over several (seeds of one model).
///
/// Tables: freeze, overfitting, lags, units, parameters.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  burn-lca candidates artifacts/seed1 artifacts/seed2 \
                        artifacts/seed3"
)]
pub struct CandidatesArgs {
    /// The folders of the runs.
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// The largest corrected p-value of a candidate.
    #[arg(long, default_value_t = CandidatesOptions::default().alpha, value_name = "P")]
    alpha: f64,
    /// What counts as rarely helping: at most this fraction of the steps with nonzero LCA.
    #[arg(long, default_value_t = CandidatesOptions::default().max_helping_fraction, value_name = "FRACTION")]
    max_helping_fraction: f64,
    /// How many units of each layer are listed, and parameters of each tensor in JSON.
    #[arg(long, default_value_t = CandidatesOptions::default().top, value_name = "N")]
    top: usize,
    /// How often blocks of steps are drawn for a p-value of a single run.
    #[arg(long, default_value_t = CandidatesOptions::default().resamples, value_name = "N")]
    resamples: usize,
    /// The seed of the draws.
    #[arg(long, default_value_t = CandidatesOptions::default().seed)]
    seed: u64,
    #[command(flatten)]
    pub output: OutputArgs,
}

pub fn answer(args: &CandidatesArgs) -> Result<Answer, Failure> {
    let runs = runs::open(&args.runs)?;
    let options = CandidatesOptions::default()
        .alpha(args.alpha)
        .max_helping_fraction(args.max_helping_fraction)
        .top(args.top)
        .resamples(args.resamples)
        .seed(args.seed);
    let found = analysis::candidates(&runs, &options)?;
    Ok(Answer::new(&found, &runs)?
        .table(freeze(&found))
        .table(overfitting(&found))
        .table(lags(&found))
        .table(units(&found, args.top))
        .table(parameters(&found)))
}

fn yes(candidate: bool) -> String {
    if candidate { "yes" } else { "no" }.into()
}

fn freeze(found: &Candidates) -> AnswerTable {
    let tensors = found.freeze.tensors.iter();
    let hurting: Vec<_> = tensors.filter(|tensor| tensor.hurts).collect();
    let title = "To freeze? Tensors that hurt over the run";
    let mut table = AnswerTable::of("freeze", title, &hurting)
        .text("tensor", "tensor", |tensor| tensor.tensor.clone())
        .lca("lca", "LCA", |tensor| tensor.training.lca)
        .number("lower", "lower", |tensor| {
            tensor.training.interval.map(|interval| interval[0])
        })
        .number("upper", "upper", |tensor| {
            tensor.training.interval.map(|interval| interval[1])
        })
        .number("p", "p", |tensor| tensor.p_corrected)
        .text("candidate", "candidate", |tensor| yes(tensor.candidate))
        .build();
    for tensor in &hurting {
        table.note(format!("{}: {}.", tensor.tensor, tensor.reason));
    }
    if hurting.is_empty() {
        table.note("None: no tensor's LCA is positive over the run.");
    }
    for tensor in &hurting {
        if let Some(margin) = tensor.training.margin {
            table.note(format!(
                "{}: sampling the examples alone leaves ± {} around its LCA, with 95 % confidence.",
                tensor.tensor,
                Cell::Number(margin)
            ));
        }
    }
    table.note(found.freeze.method.clone());
    table
}

fn overfitting(found: &Candidates) -> AnswerTable {
    let tensors = found.overfitting.iter().flat_map(|found| &found.tensors);
    let tensors: Vec<_> = tensors.filter(|tensor| tensor.opposed).collect();
    let title = "Over-fitting? Tensors that help training and hurt validation";
    let mut table = AnswerTable::of("overfitting", title, &tensors)
        .text("tensor", "tensor", |tensor| tensor.tensor.clone())
        .text("portion", "steps", |tensor| {
            steps(tensor.portion).to_owned()
        })
        .lca("lca", "training LCA", |tensor| tensor.training.lca)
        .lca("lca_validation", "validation LCA", |tensor| {
            tensor.validation.lca
        })
        .number("p", "p", |tensor| tensor.p_corrected)
        .text("candidate", "candidate", |tensor| yes(tensor.candidate))
        .build();
    for tensor in &tensors {
        let steps = steps(tensor.portion);
        table.note(format!("{}, {steps}: {}.", tensor.tensor, tensor.reason));
    }
    let Some(Overfitting { method, .. }) = &found.overfitting else {
        table.note(MISSING.validation);
        return table;
    };
    if tensors.is_empty() {
        table.note("None: no tensor does both, over the run or over its second half.");
    }
    table.note(method.clone());
    table
}

fn steps(portion: RunPortion) -> &'static str {
    match portion {
        RunPortion::SecondHalf => "second half",
        _ => "all",
    }
}

fn lags(found: &Candidates) -> AnswerTable {
    let layers = &found.lags.layers;
    let title = "Lagging? Layers against the rest of the network";
    let mut table = AnswerTable::of("lags", title, layers)
        .text("layer", "layer", |layer| layer.layer.clone())
        .number("lag", "lag in steps", |layer| layer.lag as f64)
        .number("correlation", "correlation", |layer| {
            layer.greatest_correlation
        })
        .count("later", "parts later", |layer| layer.later as u64)
        .count("earlier", "earlier", |layer| layer.earlier as u64)
        .fraction("fraction_hurting_steps", "hurting steps %", |layer| {
            layer.fraction_hurting_steps
        })
        .number("p", "p", |layer| layer.p_corrected)
        .text("candidate", "candidate", |layer| yes(layer.candidate))
        .build();
    for layer in layers.iter().filter(|layer| layer.candidate) {
        table.note(format!("{}: {}.", layer.layer, layer.reason));
    }
    table.note(found.lags.unknown.clone().unwrap_or_else(|| {
        format!(
            "In observed steps, over {} parts of the runs; sign test of later against earlier \
             parts, p corrected after Holm.",
            found.lags.parts
        )
    }));
    table
}

fn units(found: &Candidates, top: usize) -> AnswerTable {
    let listed = found.units.iter().flat_map(|layer| {
        let candidates = layer.candidates.iter().take(top);
        candidates.map(move |unit| (layer, unit))
    });
    let listed: Vec<(&LayerUnits, &UnitCandidate)> = listed.collect();
    let title = "Units that are dead or rarely help";
    let mut table = AnswerTable::of("units", title, &listed)
        .count("run", "run", |(layer, _)| layer.run as u64 + 1)
        .text("layer", "layer", |(layer, _)| layer.layer.clone())
        .count("unit", "unit", |(_, unit)| u64::from(unit.unit))
        .text("problem", "problem", |(_, unit)| {
            let problem = match unit.problem {
                UnitProblem::Dead => "dead",
                _ => "rarely helps",
            };
            problem.to_owned()
        })
        .lca("lca", "LCA", |(_, unit)| unit.lca)
        .count("helping", "helped", |(_, unit)| unit.helping)
        .count("hurting", "hurt", |(_, unit)| unit.hurting)
        .count("zero", "zero", |(_, unit)| unit.zero)
        .count("last_active", "last active", |(_, unit)| unit.last_active)
        .build();
    let layers = found.units.iter();
    for layer in layers.filter(|layer| !layer.candidates.is_empty()) {
        table.note(format!(
            "Run {}, {}: {} of {} units are dead, {} rarely help (fair coins: {}).",
            layer.run + 1,
            layer.layer,
            layer.dead,
            layer.units,
            layer.rarely_helping,
            Cell::Number(layer.rarely_helping_expected),
        ));
    }
    table.note(if found.units.is_empty() {
        MISSING.units
    } else if found.units.iter().all(|layer| layer.candidates.is_empty()) {
        "None at the recorded steps."
    } else {
        "A dead unit's LCA is exactly zero at all of the last recorded steps: prune it or \
             initialize it anew. One that rarely helps mostly hurt: initialize it anew, or prune \
             it if the loss allows."
    });
    if found.of_estimates {
        table.note(OF_ESTIMATES);
    }
    if let Some(unjudged) = &found.units_unjudged {
        table.note(unjudged.clone());
    }
    table
}

fn parameters(found: &Candidates) -> AnswerTable {
    let title = "Parameters that never did anything or rarely helped";
    let mut table = AnswerTable::of("parameters", title, &found.parameters)
        .count("run", "run", |tensor| tensor.run as u64 + 1)
        .text("tensor", "tensor", |tensor| tensor.tensor.clone())
        .count("parameters", "parameters", |tensor| tensor.parameters)
        .count("dead", "dead", |tensor| tensor.dead)
        .count("unmoved", "unmoved", |tensor| tensor.unmoved)
        .count("rarely_helping", "rarely help", |tensor| {
            tensor.rarely_helping
        })
        .number("rarely_helping_expected", "fair coins", |tensor| {
            tensor.rarely_helping_expected
        })
        .lca("rarely_helping_lca", "their LCA", |tensor| {
            tensor.rarely_helping_lca
        })
        .text("worst", "worst indices", |tensor| {
            let worst = tensor.worst.iter().take(SHOWN_WORST);
            let worst: Vec<String> = worst.map(|worst| worst.index.to_string()).collect();
            (!worst.is_empty()).then(|| worst.join(" "))
        })
        .build();
    table.note(if found.parameters.is_empty() {
        MISSING.totals
    } else {
        "dead: LCA exactly zero at every step; unmoved: those of the dead that kept their first \
         value; fair coins: how many would rarely help if helping were a matter of tossing a \
         coin. Steps are not independent as coins are, so somewhat more is normal."
    });
    if found.of_estimates {
        table.note(OF_ESTIMATES);
    }
    if let Some(unjudged) = &found.parameters_unjudged {
        table.note(unjudged.clone());
    }
    table
}
