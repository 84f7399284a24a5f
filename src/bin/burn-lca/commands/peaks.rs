//! `burn-lca peaks`.

use std::path::PathBuf;

use burn_lca::Run;
use burn_lca::analysis::{self, Alignment, Moment, Peaks, PeaksOptions, Quantity};
use clap::ValueEnum;

use crate::failure::Failure;
use crate::output::{Cell, Column, Report, Table};

/// Moments that are shown without `--list`.
const SHOWN: usize = 30;

/// Moments of learning: when layers help far more than right before and after, and whether they
/// do at the very same iteration more often than chance would have it.
///
/// Tables: alignment, classes, moments; with --list, peaks.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  burn-lca peaks artifacts/lca\n  \
                        burn-lca peaks artifacts/lca --of step --top 50 --seed 7")]
pub struct Args {
    /// The folder of the run.
    run: PathBuf,
    /// What has peaks: LCA (its minima), or the norm of the step or the gradient (maxima).
    #[arg(long, value_enum, default_value_t = Of::Lca, value_name = "WHAT")]
    of: Of,
    /// How many peaks of each layer and class count, the furthest from their running median.
    #[arg(long, default_value_t = PeaksOptions::default().top, value_name = "N")]
    top: usize,
    /// Averages over this many observed steps first, an odd number.
    #[arg(long, default_value_t = PeaksOptions::default().smooth, value_name = "STEPS")]
    smooth: usize,
    /// Steps of the running median, an odd number; 0 ranks peaks by their value as it is.
    #[arg(long, default_value_t = PeaksOptions::default().detrend, value_name = "STEPS")]
    detrend: usize,
    /// The most steps within which the null model shifts peaks.
    #[arg(long, default_value_t = PeaksOptions::default().window, value_name = "STEPS")]
    window: usize,
    /// Lists moments of at least so many layers; of all by default.
    #[arg(long, value_name = "LAYERS")]
    at_least: Option<usize>,
    /// How often peaks are shifted at random for a p-value.
    #[arg(long, default_value_t = PeaksOptions::default().permutations, value_name = "N")]
    permutations: usize,
    /// The seed of the shifts.
    #[arg(long, default_value_t = PeaksOptions::default().seed)]
    seed: u64,
    /// Lists every moment, and the peaks of every layer and class.
    #[arg(long)]
    list: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Of {
    Lca,
    Step,
    Gradient,
}

pub fn report(args: &Args) -> Result<Report, Failure> {
    let run = Run::open(&args.run)?;
    let options = PeaksOptions {
        of: match args.of {
            Of::Lca => Quantity::Lca,
            Of::Step => Quantity::Step,
            Of::Gradient => Quantity::Gradient,
        },
        top: args.top,
        smooth: args.smooth,
        detrend: args.detrend,
        window: args.window,
        at_least: args.at_least,
        permutations: args.permutations,
        seed: args.seed,
    };
    let peaks = analysis::peaks(&run, &options)?;
    let report = Report::new(&peaks, std::slice::from_ref(&run))
        .table(alignment(&peaks))
        .table(classes(&peaks))
        .table(moments(&peaks, args.list));
    Ok(if args.list {
        report.table(list(&peaks))
    } else {
        report
    })
}

fn noun(peaks: &Peaks) -> &'static str {
    match peaks.of {
        Quantity::Lca => "minima of LCA",
        Quantity::Step => "maxima of the step's norm",
        Quantity::Gradient => "maxima of the gradient's norm",
    }
}

/// A value of LCA has a sign that says whether it helps; a norm has not.
fn value(peaks: &Peaks, value: f64) -> Cell {
    match peaks.of {
        Quantity::Lca => Cell::Lca(value),
        Quantity::Step | Quantity::Gradient => Cell::Number(value),
    }
}

fn counts(alignment: &Alignment) -> [Cell; 4] {
    [
        Cell::Count(alignment.layers as u64),
        Cell::Count(alignment.observed as u64),
        Cell::Number(alignment.expected),
        Cell::Number(alignment.p),
    ]
}

fn counted() -> [Column; 4] {
    [
        Column::count("layers", "layers or more"),
        Column::count("observed", "iterations"),
        Column::number("expected", "by chance"),
        Column::number("p", "p"),
    ]
}

fn alignment(peaks: &Peaks) -> Table {
    let title = format!(
        "Highest {} at the very same iteration: {} layers, {} steps, summed over classes",
        noun(peaks),
        peaks.layers.len(),
        Cell::Count(peaks.steps as u64),
    );
    let mut table = Table::new("alignment", title, counted().to_vec());
    for alignment in &peaks.alignment {
        table.push(counts(alignment).to_vec());
    }
    if peaks.alignment.is_empty() {
        table.note("With fewer than two layers that have peaks, nothing can line up.");
        return table;
    }
    table.note(format!(
        "By chance: each layer's peaks shifted at random within windows of time, {} times, seed \
         {}; p = (1 + as many or more) / (1 + {}). The test is the last row, of all layers.",
        peaks.permutations, peaks.seed, peaks.permutations
    ));
    table.note(
        "Layers see the same batch at the same step: peaks that line up have a common moment, \
         which is not to say that one layer makes the other learn.",
    );
    if !peaks.layers_without.is_empty() {
        let without = peaks.layers_without.join(", ");
        table.note(format!("Without any peak, and not counted: {without}."));
    }
    if peaks.left_out > 0 {
        table.note(format!(
            "{} steps with values that are missing or not finite are left out.",
            peaks.left_out
        ));
    }
    if peaks.gaps > 0 {
        table.note(format!(
            "Steps were not observed evenly ({} wider gaps); neighbours are consecutive observed \
             steps.",
            peaks.gaps
        ));
    }
    table
}

fn class_text(class: Option<i32>, name: Option<&String>) -> String {
    match (class, name) {
        (None, _) => "all".into(),
        (Some(class), Some(name)) => match name.parse() == Ok(class) {
            true => class.to_string(),
            false => format!("{class} {name}"),
        },
        (Some(class), None) => class.to_string(),
    }
}

fn classes(peaks: &Peaks) -> Table {
    let mut columns = vec![Column::text("class", "class")];
    columns.extend(counted());
    let mut table = Table::new("classes", "In all layers, by class", columns);
    for class in &peaks.classes {
        if let Some(all) = class.alignment.last() {
            let mut row = vec![Cell::Text(class_text(class.class, class.name.as_ref()))];
            row.extend(counts(all));
            table.push(row);
        }
    }
    if peaks.classes.len() > 1 {
        table.note("These p-values are not corrected for the number of classes.");
    }
    table
}

fn moments(peaks: &Peaks, all: bool) -> Table {
    let mut table = Table::new(
        "moments",
        format!("Iterations at which {} layers or more peak", peaks.at_least),
        vec![
            Column::count("iteration", "iteration"),
            Column::number("value", "value"),
            Column::number("height", "from median"),
            Column::count("class_count", "in"),
            Column::text("classes", "classes"),
        ],
    );
    let mut shown: Vec<&Moment> = peaks.moments.iter().collect();
    if !all {
        // The ones of most classes, then the furthest from the median.
        shown.sort_by(|one, other| {
            let heights = height(other).total_cmp(&height(one));
            other.classes.len().cmp(&one.classes.len()).then(heights)
        });
        shown.truncate(SHOWN);
        shown.sort_by_key(|moment| moment.iteration);
    }
    for moment in &shown {
        let classes = moment.classes.iter();
        let names: Vec<String> = classes
            .map(|class| class_text(class.class, class.name.as_ref()))
            .collect();
        let deepest = moment
            .classes
            .iter()
            .max_by(|one, other| one.height.total_cmp(&other.height));
        table.push(vec![
            Cell::Count(moment.iteration),
            deepest.map_or(Cell::Empty, |class| value(peaks, class.value)),
            Cell::Number(height(moment)),
            Cell::Count(moment.classes.len() as u64),
            Cell::Text(names.join(", ")),
        ]);
    }
    if shown.is_empty() {
        table.note("None; --at-least LAYERS lists those of fewer layers.");
    } else {
        table.note(
            "value: of the peaking layers together, for the class that is furthest from the \
             running medians there; from median: how far.",
        );
    }
    if shown.len() < peaks.moments.len() {
        table.note(format!(
            "{} more; --list lists them.",
            peaks.moments.len() - shown.len()
        ));
    }
    table
}

/// The greatest height over a moment's classes.
fn height(moment: &Moment) -> f64 {
    let heights = moment.classes.iter().map(|class| class.height);
    heights.fold(f64::NEG_INFINITY, f64::max)
}

fn list(peaks: &Peaks) -> Table {
    let mut table = Table::new(
        "peaks",
        format!("The highest {} of every layer and class", noun(peaks)),
        vec![
            Column::text("layer", "layer"),
            Column::text("class", "class"),
            Column::count("iteration", "iteration"),
            Column::number("value", "value"),
            Column::number("height", "from median"),
        ],
    );
    for series in &peaks.series {
        for peak in &series.peaks {
            table.push(vec![
                Cell::text(&series.layer),
                Cell::Text(class_text(series.class, None)),
                Cell::Count(peak.iteration),
                value(peaks, peak.value),
                Cell::Number(peak.height),
            ]);
        }
    }
    table
}
