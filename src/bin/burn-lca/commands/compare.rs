//! `burn-lca compare`.

use std::path::PathBuf;

use burn_lca::Run;
use burn_lca::analysis;
use burn_lca::analysis::compare::{
    ClassComparison, ComparedRun, Comparison, LayerComparison, Pair, PairMargins, Unmatched,
};

use crate::failure::Failure;
use crate::output::{Answer, AnswerTable, Cell, OutputArgs};

/// Two runs side by side: loss, helping, layers, classes.
///
/// Where the models differ, only what both have is compared. Two runs also differ by chance;
/// compare several seeds before you make much of a small difference.
///
/// Tables: probes, layers, classes, runs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  burn-lca compare artifacts/sgd artifacts/adam")]
pub struct CompareArgs {
    /// The folder of the first run.
    first: PathBuf,
    /// The folder of the second run.
    second: PathBuf,
    #[command(flatten)]
    pub output: OutputArgs,
}

pub fn answer(args: &CompareArgs) -> Result<Answer, Failure> {
    let runs = [Run::open(&args.first)?, Run::open(&args.second)?];
    let found = analysis::compare(&runs[0], &runs[1])?;
    Ok(Answer::new(&found, &runs)?
        .table(probes(&found))
        .table(layers(&found))
        .table(classes(&found))
        .table(compared(&found)))
}

const MARGINS: &str = "±: the difference over all examples lies within with 95 % confidence, at the \
                       steps of these two runs; other seeds may differ by more.";

/// A number of both runs on a probe.
struct Measure<'a> {
    probe: &'a str,
    name: &'static str,
    pair: &'a Pair,
    cell: fn(f64) -> Cell,
    margins: PairMargins,
}

fn probes(found: &Comparison) -> AnswerTable {
    let measures = found.probes.iter().flat_map(|probe| {
        let measure = |name, pair, cell| Measure {
            probe: &probe.probe,
            name,
            pair,
            cell,
            margins: PairMargins::default(),
        };
        [
            measure("loss before", &probe.loss_before, Cell::Number),
            measure("loss after", &probe.loss_after, Cell::Number),
            measure("loss change", &probe.loss_change, Cell::Lca),
            Measure {
                margins: probe.lca_margins,
                ..measure("sum of LCA", &probe.lca, Cell::Lca)
            },
            measure("LCA helping", &probe.lca_helping, Cell::Lca),
            measure("LCA hurting", &probe.lca_hurting, Cell::Lca),
            measure("helping %", &probe.fraction_of_all, Cell::Fraction),
            measure("of nonzero %", &probe.fraction_of_nonzero, Cell::Fraction),
        ]
    });
    let measures: Vec<Measure> = measures.collect();
    let mut table = AnswerTable::of("probes", "Loss and helping", &measures)
        .text("probe", "probe", |row| row.probe.to_owned())
        .text("measure", "measure", |row| row.name.to_owned())
        .cells("first", "first", |row| (row.cell)(row.pair.first))
        .cells("second", "second", |row| (row.cell)(row.pair.second))
        .cells("difference", "difference", |row| {
            (row.cell)(row.pair.difference)
        });
    let sampled = measures.iter().any(|row| row.margins.difference.is_some());
    if sampled {
        table = table.number("margin", "± 95 %", |row| row.margins.difference);
    }
    let mut table = table.build();
    table.note("difference: second - first.");
    if sampled {
        table.note(MARGINS);
    }
    for (run, name) in ["first", "second"].into_iter().enumerate() {
        if found.probes.iter().any(|probe| probe.of_estimates[run]) {
            table.note(format!(
                "Of the {name} run, LCA helping, LCA hurting and helping % are of noisy estimates: \
                 noise draws the two sums away from zero and the share towards one half, so they \
                 compare with those of runs on as many examples only."
            ));
        }
    }
    only(&mut table, found, "probes", |only| &only.probes);
    table
}

fn layers(found: &Comparison) -> AnswerTable {
    let mut table = AnswerTable::of("layers", "Layers", &found.layers)
        .text("layer", "layer", |layer| layer.layer.clone())
        .lca("lca_first", "LCA first", |layer| layer.lca.first)
        .lca("lca_second", "second", |layer| layer.lca.second)
        .lca("lca_difference", "difference", |layer| layer.lca.difference);
    let margins = |layer: &LayerComparison| layer.lca_margins.difference;
    let sampled = found.layers.iter().any(|layer| margins(layer).is_some());
    if sampled {
        table = table.number("lca_margin", "± 95 %", margins);
    }
    let mut table = table
        .fraction("fraction_of_network_first", "share % first", |layer| {
            layer.fraction_of_network.first
        })
        .fraction("fraction_of_network_second", "second", |layer| {
            layer.fraction_of_network.second
        })
        .fraction("fraction_of_nonzero_first", "of nonzero % first", |layer| {
            layer.fraction_of_nonzero.first
        })
        .fraction("fraction_of_nonzero_second", "second", |layer| {
            layer.fraction_of_nonzero.second
        })
        .build();
    if sampled {
        table.note(MARGINS);
    }
    for layer in &found.layers {
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

fn classes(found: &Comparison) -> AnswerTable {
    let mut table = AnswerTable::of("classes", "Classes", &found.classes)
        .text("class", "class", |class| class.name.clone())
        .number("loss_first", "loss after first", |class| {
            class.loss_after.first
        })
        .number("loss_second", "second", |class| class.loss_after.second)
        .number("loss_difference", "difference", |class| {
            class.loss_after.difference
        })
        .lca("lca_first", "LCA first", |class| class.lca.first)
        .lca("lca_second", "second", |class| class.lca.second)
        .lca("lca_difference", "difference", |class| class.lca.difference);
    let margins = |class: &ClassComparison| class.lca_margins.difference;
    if found.classes.iter().any(|class| margins(class).is_some()) {
        table = table.number("lca_margin", "± 95 %", margins);
    }
    let mut table = table.build();
    if found.classes.is_empty() {
        table.note("The runs have no class in common.");
    }
    only(&mut table, found, "classes", |only| &only.classes);
    table
}

fn compared(found: &Comparison) -> AnswerTable {
    let table = AnswerTable::of("runs", "The runs", &found.runs)
        .text("run", "run", |run| run.folder.clone())
        .count("parameters", "parameters", |run| run.parameters)
        .count("steps", "steps", |run| run.steps);
    let spans = |run: &ComparedRun| run.optimizer_steps != run.steps;
    let table = if found.runs.iter().any(spans) {
        table.count("optimizer_steps", "of the optimizer", |run| {
            run.optimizer_steps
        })
    } else {
        table
    };
    let mut table = table
        .count("first_iteration", "first iteration", |run| {
            run.first_iteration
        })
        .count("last_iteration", "last iteration", |run| run.last_iteration)
        .build();
    let observed = found.runs.each_ref().map(|run| {
        (
            run.steps,
            run.optimizer_steps,
            run.first_iteration,
            run.last_iteration,
        )
    });
    if observed[0] != observed[1] {
        table.note("The runs observed different steps; each one's sums are over its own.");
    }
    table
}

/// Notes what only one run has, and so is not compared.
fn only(
    table: &mut AnswerTable,
    found: &Comparison,
    what: &str,
    of: fn(&Unmatched) -> &Vec<String>,
) {
    for (only, run) in found.unmatched.iter().zip(["first", "second"]) {
        let names = of(only);
        if !names.is_empty() {
            let names = analysis::listed(names);
            table.note(format!(
                "Not compared, as only the {run} run has them: {what} {names}."
            ));
        }
    }
}
