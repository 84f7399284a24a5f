//! `burn-lca layers`.

use burn_lca::Run;
use burn_lca::analysis;
use burn_lca::analysis::layers::{LayerSum, Layers, LayersOptions};
use burn_lca::analysis::sets::{SetDifference, SetLayers};

use crate::failure::Failure;
use crate::output::{Answer, AnswerTable, Cell, OutputArgs};

use super::runs::{self, LabelledRun, StepsArgs};
use super::sums::{SumsArgs, by, of_class, run_notes};

/// Number of runs from which on a sign-flip test can reach a p-value of 0.05.
const ENOUGH_TO_FLIP: usize = 6;

/// Which layers learned: LCA summed over the run, and which layers hurt.
///
/// Over several runs (seeds of one model) sums are means over the runs, and for every layer it is
/// tested whether its mean differs from zero. With a name before each run, as in frozen=RUN, runs of
/// one name are a set, and it is tested how sets differ from the first.
///
/// Tables: layers, significance; of sets: sets.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  burn-lca layers artifacts/lca --by tensor\n  \
                        burn-lca layers artifacts/seed1 artifacts/seed2 artifacts/seed3\n  \
                        burn-lca layers artifacts/lca --from 200 --to 999\n  \
                        burn-lca layers artifacts/lca --group last=fc3 --group first=fc1\n  \
                        burn-lca layers plain=a/seed1 plain=a/seed2 frozen=b/seed1 frozen=b/seed2"
)]
pub struct LayersArgs {
    /// The folders of the runs.
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<LabelledRun>,
    #[command(flatten)]
    sums: SumsArgs,
    /// Divides LCA by the number of parameters, to compare layers of different sizes.
    #[arg(long)]
    per_parameter: bool,
    /// The seed of the sign flips that are drawn where there are more than 16 runs.
    #[arg(long, default_value_t = LayersOptions::default().seed)]
    seed: u64,
    #[command(flatten)]
    steps: StepsArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

pub fn answer(args: &LayersArgs) -> Result<Answer, Failure> {
    let options = args.sums.options().seed(args.seed);
    let runs = args.steps.of_all(runs::open_labelled(&args.runs)?)?;
    if let Some(sets) = runs::sets(&args.runs, &runs)? {
        let found = analysis::sets(&sets, &options)?;
        return Ok(Answer::new(&found, &runs)?.table(by_set(&found, &runs, args.per_parameter)));
    }
    let found = analysis::layers(&runs, &options)?;
    Ok(Answer::new(&found, &runs)?
        .table(sums(&found, &runs, args.per_parameter))
        .table(significance(&found, args.per_parameter)))
}

fn title(found: &Layers, runs: &[Run]) -> String {
    let class = of_class(found.class, runs);
    let mean = match found.runs.len() {
        1 => String::new(),
        runs => format!(", mean of {runs} runs"),
    };
    format!(
        "LCA by {}, {} probe{class}: {} in all{mean}",
        by(&found.by),
        found.probe,
        Cell::Lca(found.lca)
    )
}

fn sums(found: &Layers, runs: &[Run], per_parameter: bool) -> AnswerTable {
    let mut table = AnswerTable::of("layers", title(found, runs), &found.layers)
        .text(by(&found.by), by(&found.by), |layer| layer.name.clone())
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
        .text(by(&found.by), by(&found.by), |layer| layer.name.clone())
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
        by(&found.by)
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
        .text(by(&found.by), by(&found.by), |layer| layer.name.clone())
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
        by(&found.by)
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

/// The layers of every set below each other.
fn by_set(found: &[SetLayers], runs: &[Run], per_parameter: bool) -> AnswerTable {
    struct Row<'a> {
        set: &'a str,
        layer: LayerSum,
        difference: Option<SetDifference>,
    }
    let rows = found.iter().flat_map(|set| {
        let layers = set.layers.layers.iter().zip(&set.differences);
        layers.map(move |(layer, difference)| Row {
            set: &set.set,
            layer: if per_parameter {
                layer.per_parameter()
            } else {
                layer.clone()
            },
            difference: difference.map(|difference| {
                if per_parameter {
                    difference.divided(layer.parameters)
                } else {
                    difference
                }
            }),
        })
    });
    let rows: Vec<Row> = rows.collect();
    let Some(first) = found.first() else {
        return AnswerTable::of("sets", "No set", &rows).build();
    };
    let what = by(&first.layers.by);
    let title = format!(
        "LCA{} by {what}, {} probe{}: {} sets of runs",
        if per_parameter { " per parameter" } else { "" },
        first.layers.probe,
        of_class(first.layers.class, runs),
        found.len()
    );
    let test = |row: &Row| row.difference.and_then(|difference| difference.test);
    let mut table = AnswerTable::of("sets", title, &rows)
        .text("set", "set", |row| row.set.to_owned())
        .text(what, what, |row| row.layer.name.clone())
        .count("runs", "runs", |row| row.layer.by_run.len() as u64)
        .lca("lca", "LCA", |row| row.layer.lca)
        .number("deviation", "deviation", |row| row.layer.deviation)
        .lca("difference", "difference", |row| {
            row.difference.map(|difference| difference.lca)
        })
        .number("standard_error", "error", move |row| {
            test(row).map(|test| test.standard_error)
        })
        .number("p_corrected", "p", move |row| {
            test(row).map(|test| test.p_corrected)
        })
        .build();
    table.note(format!(
        "deviation: standard deviation between runs; difference: from set {}, with its standard error; \
         p: two-sided, by Welch's t-test, corrected for the {what}s of a set after Holm.",
        first.set
    ));
    for set in found {
        run_notes(&mut table, &set.layers.runs, set.layers.caution.as_ref());
    }
    table
}
