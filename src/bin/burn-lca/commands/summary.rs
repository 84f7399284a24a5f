//! `burn-lca summary`.

use std::path::PathBuf;
use std::slice::from_ref;

use burn_lca::Run;
use burn_lca::analysis::{self, MISSING, summary::Summary};
use serde::Serialize;

use crate::failure::Failure;
use crate::output::{Answer, AnswerTable, Cell, OutputArgs};

use super::quantiles;

/// What a run did: does LCA add up, how much helped, what hurt, what did measuring cost.
///
/// Tables: reconciliation, helping, quantiles, hurting, cost.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  burn-lca summary artifacts/lca")]
pub struct SummaryArgs {
    /// The folder of the run.
    run: PathBuf,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What the answer is as JSON.
#[derive(Serialize)]
struct Found<'a> {
    /// What a reader should take from it.
    verdict: &'a str,
    #[serde(flatten)]
    summary: &'a Summary,
}

pub fn answer(args: &SummaryArgs) -> Result<Answer, Failure> {
    let run = Run::open(&args.run)?;
    let summary = analysis::summary(&run)?;
    let verdict = analysis::verdict(&summary);
    let found = Found {
        verdict: &verdict,
        summary: &summary,
    };
    Ok(Answer::new(&found, from_ref(&run))?
        .verdict(verdict.clone())
        .table(reconciliation(&summary))
        .table(helping(&summary))
        .table(quantiles_of(&summary))
        .table(hurting(&summary))
        .table(cost(&summary)))
}

fn reconciliation(summary: &Summary) -> AnswerTable {
    let probes = &summary.reconciliation;
    let title = format!(
        "Loss change against LCA: {} parameters, iterations {} to {}",
        Cell::Count(summary.parameters),
        summary.first_iteration,
        summary.last_iteration,
    );
    let mut table = AnswerTable::of("reconciliation", title, probes)
        .text("probe", "probe", |probe| probe.probe.clone())
        .count("steps", "steps", |probe| probe.steps);
    if probes
        .iter()
        .any(|probe| probe.optimizer_steps != probe.steps)
    {
        table = table.count("optimizer_steps", "of the optimizer", |probe| {
            probe.optimizer_steps
        });
    }
    let mut table = table
        .number("loss_before", "loss", |probe| probe.loss_before)
        .number("loss_after", "after", |probe| probe.loss_after)
        .lca("loss_change", "change", |probe| probe.loss_change)
        .lca("lca", "sum of LCA", |probe| probe.lca);
    let sampled = probes.iter().any(|probe| probe.standard_error.is_some());
    if sampled {
        table = table.number("lca_margin", "± 95 %", |probe| probe.margin);
    }
    let decayed = probes.iter().any(|probe| probe.lca_decay.is_some());
    if decayed {
        table = table.lca("lca_decay", "of decay", |probe| probe.lca_decay);
    }
    if probes.iter().any(|probe| probe.buffers.is_some()) {
        table = table.number("buffers", "buffers", |probe| probe.buffers);
    }
    let mut table = table
        .number("difference", "difference", |probe| probe.difference)
        .number("worst_residual", "residual", |probe| {
            probe.worst_residual.map(|worst| worst.residual)
        })
        .count("worst_iteration", "at", |probe| {
            probe.worst_residual.map(|worst| worst.iteration)
        })
        .count("capped", "capped", |probe| probe.capped)
        .count("not_finite", "not finite", |probe| probe.not_finite)
        .build();
    for probe in probes.iter().filter(|probe| probe.unobserved > 0) {
        table.note(format!(
            "{} optimizer steps between those of probe {} were not observed: change is the sum of \
             the changes of the observed steps, and not from loss to after.",
            Cell::Count(probe.unobserved),
            probe.probe
        ));
    }
    for probe in probes.iter().filter(|probe| probe.not_finite > 0) {
        table.note(format!(
            "{} steps of probe {} are not finite; sums leave them out, so the difference is not \
             an error of LCA.",
            probe.not_finite, probe.probe
        ));
    }
    table.note(
        "difference: change - sum of LCA, over the run; residual: the largest of any one step, \
         and at which iteration.",
    );
    if decayed {
        table.note(
            "of decay: the part of LCA that is due to weight decay; negative where shrinking the \
             weights lowered the loss.",
        );
    }
    if sampled {
        table.note(
            "Of samples, change: sum of the changes of the steps, each of its own sample; ±: the \
             sum of LCA over all examples lies within with 95 % confidence.",
        );
    }
    table
}

fn helping(summary: &Summary) -> AnswerTable {
    let title = "How much helped, over all parameters and steps";
    let mut table = AnswerTable::of("helping", title, &summary.helping)
        .text("probe", "probe", |probe| probe.probe.clone())
        .fraction("fraction_of_all", "helping %", |probe| {
            probe.counts.fraction_of_all()
        })
        .fraction("fraction_of_nonzero", "of nonzero %", |probe| {
            probe.counts.fraction_of_nonzero()
        })
        .lca("lca_helping", "LCA helping", |probe| probe.lca_helping)
        .lca("lca_hurting", "LCA hurting", |probe| probe.lca_hurting)
        .lca("mean", "mean LCA", |probe| probe.mean)
        .build();
    let sampled = summary.helping.iter().filter(|probe| probe.of_estimates);
    let sampled: Vec<&str> = sampled.map(|probe| &*probe.probe).collect();
    if !sampled.is_empty() {
        table.note(format!(
            "On samples ({}) these are the signs of noisy estimates. Noise draws the share helping \
             towards one half, and LCA helping and hurting away from zero; their sum and the mean \
             it leaves alone.",
            sampled.join(", ")
        ));
    }
    table
}

fn quantiles_of(summary: &Summary) -> AnswerTable {
    let found = summary.quantiles.as_ref();
    let rows = found.map_or(&[][..], |found| &found.quantiles);
    let mut table = quantiles::table("LCA of one parameter at one step", rows);
    let Some(found) = found else {
        table.note(MISSING.values);
        return table;
    };
    table.note(format!(
        "Over {} values of the training probe, recorded as {}; interpolated within bins.",
        Cell::Count(found.values),
        quantiles::source(found.source)
    ));
    if found.not_finite > 0 {
        table.note(format!(
            "{} values are not finite and left out.",
            Cell::Count(found.not_finite)
        ));
    }
    table
}

fn hurting(summary: &Summary) -> AnswerTable {
    let layers = &summary.hurting_layers;
    let mut table = AnswerTable::of("hurting", "Layers that hurt over the run", layers)
        .text("layer", "layer", |layer| layer.layer.clone())
        .lca("lca", "LCA", |layer| layer.lca);
    if layers.iter().any(|layer| layer.standard_error.is_some()) {
        table = table.number("lca_margin", "± 95 %", |layer| layer.margin);
    }
    let mut table = table
        .fraction("fraction_hurting_steps", "hurting steps %", |layer| {
            layer.fraction_hurting_steps
        })
        .build();
    table.note(if layers.is_empty() {
        "None: every layer's LCA is negative or zero."
    } else {
        "From one run; `burn-lca layers` over several seeds tells whether it is chance."
    });
    table
}

fn cost(summary: &Summary) -> AnswerTable {
    let cost = &summary.cost;
    let mut table = AnswerTable::of("cost", "What measuring cost", from_ref(cost))
        .count("sweeps", "sweeps", |cost| cost.sweeps)
        .number("probe_seconds", "seconds measuring", |cost| {
            cost.probe_seconds
        })
        .count("wall_seconds", "seconds in all", |cost| {
            cost.wall_seconds.map(|seconds| seconds as u64)
        })
        .fraction("fraction_of_time", "share %", |cost| cost.fraction_of_time)
        .build();
    if cost.wall_seconds.is_none() {
        table.note(
            "The time in all is known only for runs that ended, were not resumed, and took a second \
             or more.",
        );
    }
    table
}
