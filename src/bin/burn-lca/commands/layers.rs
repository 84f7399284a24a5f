//! `burn-lca layers`.

use std::path::PathBuf;

use burn_lca::Run;
use burn_lca::analysis::layers::{LayerSum, Layers, LayersOptions, LayersRun};
use burn_lca::analysis::{self, Grouping};
use clap::ValueEnum;

use crate::failure::Failure;
use crate::output::{Answer, AnswerTable, Cell, OutputArgs};

use super::runs;

/// Number of runs from which on a sign-flip test can reach a p-value of 0.05.
const ENOUGH_TO_FLIP: usize = 6;

/// Which layers learned: LCA summed over the run, and which layers hurt.
///
/// Over several runs (seeds of one model) sums are means over the runs, and for every layer it is
/// tested whether its mean differs from zero.
///
/// Tables: layers, significance.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  burn-lca layers artifacts/lca --by tensor\n  \
                        burn-lca layers artifacts/seed1 artifacts/seed2 artifacts/seed3"
)]
pub struct LayersArgs {
    /// The folders of the runs.
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// What LCA is summed over.
    #[arg(long, value_enum, default_value_t = GroupingArg::Layer, value_name = "GROUPING")]
    by: GroupingArg,
    /// Divides LCA by the number of parameters, to compare layers of different sizes.
    #[arg(long)]
    per_parameter: bool,
    /// The class whose loss is split, by its number; all together by default.
    #[arg(long, allow_negative_numbers = true, value_name = "CLASS")]
    class: Option<i32>,
    /// The probe whose loss is split, such as validation [default: training].
    #[arg(long)]
    probe: Option<String>,
    /// The seed of the sign flips that are drawn where there are more than 16 runs.
    #[arg(long, default_value_t = LayersOptions::default().seed)]
    seed: u64,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GroupingArg {
    Layer,
    Tensor,
}

impl From<GroupingArg> for Grouping {
    fn from(grouping: GroupingArg) -> Self {
        match grouping {
            GroupingArg::Layer => Self::Layer,
            GroupingArg::Tensor => Self::Tensor,
        }
    }
}

pub fn answer(args: &LayersArgs) -> Result<Answer, Failure> {
    let runs = runs::open(&args.runs)?;
    let options = LayersOptions::default()
        .by(args.by.into())
        .probe(args.probe.clone())
        .class(args.class)
        .seed(args.seed);
    let found = analysis::layers(&runs, &options)?;
    Ok(Answer::new(&found, &runs)?
        .table(sums(&found, &runs, args.per_parameter))
        .table(significance(&found, args.per_parameter)))
}

/// Returns what one of the sums is called.
pub fn by(grouping: Grouping) -> &'static str {
    match grouping {
        Grouping::Tensor => "tensor",
        _ => "layer",
    }
}

/// Returns the class whose loss is split as the end of a title; nothing for all together.
pub fn of_class(class: Option<i32>, runs: &[Run]) -> String {
    class.map_or_else(String::new, |class| {
        let probes = runs.iter().take(1).flat_map(|run| &run.info().probes);
        let mut classes = probes.flat_map(|probe| &probe.classes);
        let number = class.to_string();
        match classes.find(|known| known.index == class) {
            Some(known) if known.name != number => format!(", class {number} ({})", known.name),
            _ => format!(", class {number}"),
        }
    })
}

fn title(found: &Layers, runs: &[Run]) -> String {
    let class = of_class(found.class, runs);
    let mean = match found.runs.len() {
        1 => String::new(),
        runs => format!(", mean of {runs} runs"),
    };
    format!(
        "LCA by {}, {} probe{class}: {} in all{mean}",
        by(found.by),
        found.probe,
        Cell::Lca(found.lca)
    )
}

fn sums(found: &Layers, runs: &[Run], per_parameter: bool) -> AnswerTable {
    let mut table = AnswerTable::of("layers", title(found, runs), &found.layers)
        .text(by(found.by), by(found.by), |layer| layer.name.clone())
        .count("parameters", "parameters", |layer| layer.parameters);
    let sampled = found
        .layers
        .iter()
        .any(|layer| layer.standard_error.is_some());
    if !per_parameter {
        table = table.lca("lca", "LCA", |layer| layer.lca);
        if sampled {
            table = table.number("lca_margin", "± 95 %", |layer| layer.margin);
        }
        table = table.fraction("fraction_of_network", "share %", |layer| {
            layer.fraction_of_network
        });
    }
    table = table.lca("lca_per_parameter", "per parameter", |layer| {
        layer.lca_per_parameter
    });
    if sampled && per_parameter {
        table = table.number("lca_margin", "± 95 %", |layer| {
            layer.per_parameter().margin
        });
    }
    let decayed = found.layers.iter().any(|layer| layer.lca_decay.is_some());
    if decayed {
        table = table.lca("lca_decay", "of decay", |layer| {
            if per_parameter {
                layer.per_parameter().lca_decay
            } else {
                layer.lca_decay
            }
        });
    }
    let mut table = table
        .fraction("fraction_of_all", "helping %", |layer| {
            layer.counts.fraction_of_all()
        })
        .fraction("fraction_of_nonzero", "of nonzero %", |layer| {
            layer.counts.fraction_of_nonzero()
        })
        .text("verdict", "verdict", |layer| verdict(layer).to_owned())
        .build();
    if found.test.is_some() && found.layers.iter().any(|layer| layer.hurts) {
        table.note(
            "A verdict is about the mean of these runs; the next table tells whether it is chance.",
        );
    }
    if decayed {
        table.note("of decay: the part of LCA that is due to weight decay.");
    }
    if sampled {
        table.note(
            "±: LCA over all examples lies within with 95 % confidence, and is unclear where that \
             may be on either side of zero; helping %: of noisy estimates.",
        );
    }
    run_notes(&mut table, &found.runs, found.caution.as_ref());
    table
}

fn verdict(layer: &LayerSum) -> &'static str {
    match layer.lca {
        lca if layer.margin.is_some_and(|margin| lca.abs() < margin) => "unclear",
        _ if layer.hurts => "hurts",
        lca if lca < 0.0 => "helps",
        _ => "zero",
    }
}

/// Notes what makes runs hard to compare.
pub fn run_notes<'a>(
    table: &mut AnswerTable,
    runs: impl IntoIterator<Item = &'a LayersRun>,
    caution: Option<&String>,
) {
    for run in runs.into_iter().filter(|run| run.not_finite > 0) {
        table.note(format!(
            "{}: {} of {} steps are not finite and left out.",
            run.folder,
            run.not_finite,
            run.steps + run.not_finite
        ));
    }
    if let Some(caution) = caution {
        table.note(caution.clone());
    }
}

fn significance(found: &Layers, per_parameter: bool) -> AnswerTable {
    let sampled = |layer: &LayerSum| layer.p_sampled.is_some();
    let is_sampled = found.test.is_none() && found.layers.iter().any(sampled);
    let tested = if found.test.is_some() || is_sampled {
        &found.layers[..]
    } else {
        &[]
    };
    let tested: Vec<LayerSum> = if per_parameter {
        tested.iter().map(LayerSum::per_parameter).collect()
    } else {
        tested.to_vec()
    };
    let heading = if per_parameter {
        ("lca_per_parameter", "LCA per parameter")
    } else {
        ("lca", "LCA")
    };
    if is_sampled {
        by_samples(found, &tested, heading)
    } else {
        over_runs(found, &tested, heading)
    }
}

/// Of one run that is sampled.
fn by_samples(
    found: &Layers,
    tested: &[LayerSum],
    (name, heading): (&'static str, &'static str),
) -> AnswerTable {
    let title = "Is it other than zero? By the samples of this run";
    let mut table = AnswerTable::of("significance", title, tested)
        .text(by(found.by), by(found.by), |layer| layer.name.clone())
        .lca(name, heading, |layer| layer.lca)
        .number("lca_margin", "± 95 %", |layer| layer.margin)
        .number("p_sampled_corrected", "p", |layer| {
            layer.p_sampled_corrected
        })
        .build();
    table.note(format!(
        "p: of an estimate so far from zero, on either side, if LCA over all examples were zero at \
         these very steps; corrected for {} {}s after Holm. Another seed may give other numbers: \
         that takes several runs.",
        tested.len(),
        by(found.by)
    ));
    table
}

fn over_runs(
    found: &Layers,
    tested: &[LayerSum],
    (name, heading): (&'static str, &'static str),
) -> AnswerTable {
    let title = "Is it more than chance? Means over the runs against zero";
    let mut table = AnswerTable::of("significance", title, tested)
        .text(by(found.by), by(found.by), |layer| layer.name.clone())
        .lca(name, heading, |layer| layer.lca)
        .number("deviation", "deviation", |layer| layer.deviation)
        .number("lower", "lower", |layer| {
            layer.significance.map(|test| test.interval[0])
        })
        .number("upper", "upper", |layer| {
            layer.significance.map(|test| test.interval[1])
        })
        .number("t", "t", |layer| layer.significance.map(|test| test.t))
        .number("p_t_corrected", "p (t-test)", |layer| {
            layer.significance.map(|test| test.p_t_corrected)
        })
        .number("p_sign_flip_corrected", "p (sign-flip)", |layer| {
            layer.significance.map(|test| test.p_sign_flip_corrected)
        })
        .build();
    let Some(test) = found.test else {
        table.note(
            "Not known: with one run no test over runs is possible, and another seed may give \
             other numbers. Give the folders of several runs, of one model and different seeds.",
        );
        return table;
    };
    table.note(format!(
        "deviation: standard deviation between runs; lower, upper: 95 % confidence interval of \
         the mean; p: two-sided, corrected for {} {}s after Holm.",
        test.layers,
        by(found.by)
    ));
    let flips = if test.sign_flip.exact {
        format!("all {}", test.sign_flip.flips)
    } else {
        format!("{} random", test.sign_flip.flips)
    };
    let mut note = format!(
        "t-test: assumes sums close to normal. Sign-flip: {flips} flips of the runs' signs; \
         before the correction its p is at least {}.",
        Cell::Number(test.sign_flip.least_p)
    );
    if test.runs < ENOUGH_TO_FLIP {
        note.push_str(" With so few runs only the t-test can show anything.");
    }
    table.note(note);
    table
}
