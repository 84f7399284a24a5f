//! `burn-lca layers`.

use std::path::PathBuf;

use burn_lca::analysis::{self, Grouping, LayerAllocation, Layers, LayersOptions};
use burn_lca::{LcaError, Run};
use clap::ValueEnum;

use crate::failure::Failure;
use crate::output::{Cell, Column, Report, Table};

use super::open;

/// Where the network learned: LCA by layer or tensor, and over several seeds the p-values that
/// it differs from zero.
///
/// Layers are in the order of the model; those that hurt over the run are marked.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  burn-lca layers artifacts/lca
  burn-lca layers seeds/*/lca --by tensor --per-parameter
  burn-lca layers artifacts/lca --class 3 --probe validation")]
pub struct Args {
    /// The folder of the run, or of several runs of the same model with other seeds.
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// What a row is about.
    #[arg(long, value_enum, default_value_t = By::Layer, value_name = "WHAT")]
    by: By,
    /// Shows LCA divided by the number of parameters instead of sums.
    #[arg(long)]
    per_parameter: bool,
    /// Splits the loss of this class, by number or name, instead of that of all.
    #[arg(long, value_name = "CLASS", allow_hyphen_values = true)]
    class: Option<String>,
    /// The probe whose loss is split.
    #[arg(long, default_value = "training", value_name = "NAME")]
    probe: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    Layer,
    Tensor,
}

pub fn report(args: &Args) -> Result<Report, Failure> {
    let runs = open(&args.runs)?;
    let options = LayersOptions {
        by: match args.by {
            By::Layer => Grouping::Layer,
            By::Tensor => Grouping::Tensor,
        },
        probe: args.probe.clone(),
        class: class(args, &runs)?,
    };
    let layers = analysis::layers(&runs, &options)?;
    let mut table = match runs.len() {
        1 => of_one_run(&layers, args),
        _ => of_several_runs(&layers, args),
    };
    for run in &layers.runs {
        if run.not_finite > 0 {
            table.note(format!(
                "{}: up to {} steps of a layer are not finite; sums leave them out.",
                run.folder, run.not_finite
            ));
        }
    }
    if layers
        .runs
        .iter()
        .any(|run| run.steps != layers.runs[0].steps)
    {
        let steps: Vec<String> = layers
            .runs
            .iter()
            .map(|run| run.steps.to_string())
            .collect();
        table.note(format!(
            "The runs differ in their observed steps: {}.",
            steps.join(", ")
        ));
    }
    let hurting = layers.layers.iter().filter(|layer| layer.hurts).count();
    table.note(format!(
        "{hurting} of {} hurt over the run.",
        layers.layers.len()
    ));
    Ok(Report::new(&layers, &runs).table(table))
}

/// Returns the number of the class that is asked for.
fn class(args: &Args, runs: &[Run]) -> Result<Option<i32>, LcaError> {
    let Some(wanted) = &args.class else {
        return Ok(None);
    };
    let mut classes = runs
        .iter()
        .flat_map(|run| &run.info().probes)
        .flat_map(|probe| &probe.classes);
    let named = classes.find(|class| class.name == *wanted);
    let number = named
        .map(|class| class.index)
        .or_else(|| wanted.parse().ok());
    number.map(Some).ok_or_else(|| LcaError::Setting {
        setting: "--class",
        problem: format!("no class is called {wanted}"),
        remedy: "give a class by its number or its name in run.json".into(),
    })
}

fn title(layers: &Layers, args: &Args) -> String {
    let class = layers
        .class
        .map_or_else(String::new, |class| format!(", class {class}"));
    let what = match args.per_parameter {
        true => "LCA per parameter",
        false => "LCA",
    };
    format!("{what} by {}, probe {}{class}", name(layers), layers.probe)
}

fn name(layers: &Layers) -> &'static str {
    match layers.by {
        Grouping::Layer => "layer",
        Grouping::Tensor => "tensor",
    }
}

fn mark(layer: &LayerAllocation) -> Cell {
    Cell::text(if layer.hurts { "hurts" } else { "" })
}

fn of_one_run(layers: &Layers, args: &Args) -> Table {
    let mut columns = vec![
        Column::text("name", name(layers)),
        Column::count("parameters", "parameters"),
        Column::number("lca", "LCA"),
        Column::number("percent_of_total", "share %"),
        Column::number("lca_per_parameter", "per parameter"),
        Column::number("percent_of_all", "helping %"),
        Column::number("percent_of_nonzero", "non-zero %"),
        Column::number("percent_hurting_steps", "bad steps %"),
        Column::text("mark", ""),
    ];
    if args.per_parameter {
        columns.remove(2);
    }
    let mut table = Table::new("layers", title(layers, args), columns);
    for layer in &layers.layers {
        let mut row = vec![
            Cell::text(&layer.name),
            Cell::Count(layer.parameters),
            Cell::Lca(layer.lca),
            Cell::Percent(layer.percent_of_total),
            Cell::Lca(layer.lca_per_parameter),
            Cell::Percent(layer.percent_of_all),
            Cell::Percent(layer.percent_of_nonzero),
            Cell::Percent(layer.percent_hurting_steps),
            mark(layer),
        ];
        if args.per_parameter {
            row.remove(2);
        }
        table.push(row);
    }
    table.note(
        "helping %: of all parameters at all steps; non-zero %: without exact zeros; bad steps \
         %: steps at which the sum hurt.",
    );
    table.note("One run: no test over runs is possible; give runs of several seeds for p-values.");
    table
}

fn of_several_runs(layers: &Layers, args: &Args) -> Table {
    let mut table = Table::new(
        "layers",
        format!("{}: {} runs", title(layers, args), layers.runs.len()),
        vec![
            Column::text("name", name(layers)),
            Column::count("parameters", "size"),
            Column::number(
                if args.per_parameter {
                    "lca_per_parameter"
                } else {
                    "lca"
                },
                "mean LCA",
            ),
            Column::number("deviation", "sd"),
            Column::number("percent_of_total", "share %"),
            Column::number("percent_of_nonzero", "helping %"),
            Column::number("t_test", "p (t)"),
            Column::number("t_test_corrected", "Holm"),
            Column::number("sign_flip", "p (flip)"),
            Column::number("sign_flip_corrected", "Holm"),
            Column::text("mark", ""),
        ],
    );
    let p = |p: Option<f64>| p.map_or(Cell::Empty, Cell::P);
    for layer in &layers.layers {
        let Some(test) = &layer.over_runs else {
            continue;
        };
        let per = if args.per_parameter {
            layer.parameters as f64
        } else {
            1.0
        };
        table.push(vec![
            Cell::text(&layer.name),
            Cell::Count(layer.parameters),
            Cell::Lca(layer.lca / per),
            Cell::Number(test.deviation / per),
            Cell::Percent(layer.percent_of_total),
            Cell::Percent(layer.percent_of_nonzero),
            p(test.t_test),
            p(test.t_test_corrected),
            p(test.sign_flip.map(|flip| flip.p)),
            p(test.sign_flip_corrected),
            mark(layer),
        ]);
    }
    table.note(
        "p (t): Student's t-test over runs that the mean LCA is zero, two-sided; p (flip): \
         sign-flip permutation test; Holm: corrected for the number of rows; size: parameters; \
         helping % without exact zeros.",
    );
    let tests = layers
        .layers
        .iter()
        .filter_map(|layer| layer.over_runs?.sign_flip);
    if let Some(flip) = tests.take(1).next() {
        let how = if flip.exact { "All" } else { "Randomly drawn," };
        let least = 2f64.powi(1 - layers.runs.len() as i32);
        table.note(format!(
            "{how} {} assignments of signs; with {} runs p (flip) is never below {}.",
            Cell::Count(flip.flips),
            layers.runs.len(),
            Cell::Number(if flip.exact {
                least
            } else {
                1.0 / (flip.flips + 1) as f64
            }),
        ));
    }
    table
}
