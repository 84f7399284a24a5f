//! `burn-lca peaks`.

use std::path::PathBuf;
use std::slice::from_ref;

use burn_lca::Run;
use burn_lca::analysis::peaks::{
    Alignment, Coincidence, Moment, Peak, PeakSeries, Peaks, PeaksOptions,
};
use burn_lca::analysis::{self, Quantity};
use clap::ValueEnum;

use crate::failure::Failure;
use crate::output::{Answer, AnswerTable, Cell, OutputArgs};

use super::runs::StepsArgs;

/// Moments that are shown without `--list`.
const SHOWN: usize = 30;

/// Moments of learning, and whether layers have them together more often than by chance.
///
/// A moment is an iteration at which a layer helps far more than right before and after.
///
/// Tables: alignment, classes, moments; with --list, peaks; with --coincidence, that alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  burn-lca peaks artifacts/lca\n  \
                        burn-lca peaks artifacts/lca --quantity step --top 50 --seed 7")]
pub struct PeaksArgs {
    /// The folder of the run.
    run: PathBuf,
    /// What has peaks: LCA (its minima), or the norm of the step or of the gradient (maxima).
    #[arg(long, value_enum, default_value_t = PeakQuantity::Lca)]
    quantity: PeakQuantity,
    /// How many peaks of each layer and class count: those furthest from their running median.
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
    /// Lists moments of at least this many layers; by default of all, or half of more than 12.
    #[arg(long, value_name = "LAYERS")]
    min_layers: Option<usize>,
    /// How often peaks are shifted at random for a p-value.
    #[arg(long, default_value_t = PeaksOptions::default().permutations, value_name = "N")]
    permutations: usize,
    /// The seed of the shifts.
    #[arg(long, default_value_t = PeaksOptions::default().seed)]
    seed: u64,
    /// Tells instead whether peaks of LCA, of the step's norm and of the gradient's norm coincide
    /// within a layer.
    #[arg(long, conflicts_with_all = ["quantity", "min_layers", "list"])]
    coincidence: bool,
    /// Lists every moment, every number of layers, and the peaks of every layer and class.
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    steps: StepsArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PeakQuantity {
    Lca,
    Step,
    Gradient,
}

pub fn answer(args: &PeaksArgs) -> Result<Answer, Failure> {
    let run = args.steps.of(Run::open(&args.run)?)?;
    let options = PeaksOptions::default()
        .quantity(match args.quantity {
            PeakQuantity::Lca => Quantity::Lca,
            PeakQuantity::Step => Quantity::Step,
            PeakQuantity::Gradient => Quantity::Gradient,
        })
        .top(args.top)
        .smooth(args.smooth)
        .detrend(args.detrend)
        .window(args.window)
        .min_layers(args.min_layers)
        .permutations(args.permutations)
        .seed(args.seed);
    if args.coincidence {
        let found = analysis::coincidences(&run, &options)?;
        return Ok(Answer::new(&found, from_ref(&run))?.table(coincidence(&found, args)));
    }
    let peaks = analysis::peaks(&run, &options)?;
    let answer = Answer::new(&peaks, from_ref(&run))?
        .table(alignment(&peaks, args.list))
        .table(classes(&peaks))
        .table(moments(&peaks, args.list));
    Ok(if args.list {
        answer.table(list(&peaks))
    } else {
        answer
    })
}

fn coincidence(found: &[Coincidence], args: &PeaksArgs) -> AnswerTable {
    let name = |quantity: Quantity| match quantity {
        Quantity::Step => "step",
        Quantity::Gradient => "gradient",
        _ => "LCA",
    };
    let title = "Do a layer's peaks of LCA, of the step's and of the gradient's norm coincide?";
    let mut table = AnswerTable::of("coincidence", title, found)
        .text("first", "peaks of", |pair| {
            name(pair.quantities[0]).to_owned()
        })
        .text("second", "and of", |pair| {
            name(pair.quantities[1]).to_owned()
        })
        .count("peaks", "peaks", |pair| pair.peaks as u64)
        .count("observed", "at once", |pair| pair.observed as u64)
        .number("expected", "by chance", |pair| pair.expected)
        .number("p", "p", |pair| pair.p)
        .build();
    table.note(format!(
        "peaks: of the first, over layers and classes; at once: at the very same iteration as one of the \
         second; by chance: shifted at random within windows of time, {} times, seed {}; p: of so many or \
         more.",
        args.permutations, args.seed
    ));
    table
}

fn noun(peaks: &Peaks) -> &'static str {
    match peaks.quantity {
        Quantity::Step => "maxima of the step's norm",
        Quantity::Gradient => "maxima of the gradient's norm",
        _ => "minima of LCA",
    }
}

/// A value of LCA has a sign that says whether it helps; a norm has not.
fn value(peaks: &Peaks, value: f64) -> Cell {
    match peaks.quantity {
        Quantity::Lca => Cell::Lca(value),
        _ => Cell::Number(value),
    }
}

fn alignment(peaks: &Peaks, all: bool) -> AnswerTable {
    let title = format!(
        "Highest {} at the very same iteration: {} layers, {} steps, summed over classes",
        noun(peaks),
        peaks.layers.len(),
        Cell::Count(peaks.steps as u64),
    );
    let rows = if all {
        peaks.alignment.iter().collect()
    } else {
        Alignment::telling(&peaks.alignment, peaks.min_layers)
    };
    let mut table = AnswerTable::of("alignment", title, &rows)
        .count("layers", "layers or more", |row| row.layers as u64)
        .count("observed", "iterations", |row| row.observed as u64)
        .number("expected", "by chance", |row| row.expected)
        .number("p", "p", |row| row.p)
        .build();
    if peaks.alignment.is_empty() {
        table.note("With fewer than two layers that have peaks, nothing can line up.");
        return table;
    }
    table.note(format!(
        "By chance: each layer's peaks shifted at random within windows of time, {} times, seed \
         {}; p = (1 + as many or more) / (1 + {}). The test is the {}.",
        peaks.permutations,
        peaks.seed,
        peaks.permutations,
        if is_of_all(peaks) {
            "last row, of all layers".to_owned()
        } else {
            format!("row of {} layers", peaks.min_layers)
        }
    ));
    if rows.len() < peaks.alignment.len() {
        table.note(format!(
            "Left out: {} rows without peaks at the same iteration, or nearer to chance. --list has \
             them.",
            peaks.alignment.len() - rows.len()
        ));
    }
    table.note(
        "Layers see the same batch at the same step: peaks that line up have a common moment, \
         which does not mean that one layer makes the other learn.",
    );
    if !peaks.layers_without.is_empty() {
        let without = analysis::listed(&peaks.layers_without);
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

/// Whether moments are of all layers.
fn is_of_all(peaks: &Peaks) -> bool {
    peaks.min_layers == peaks.layers.len()
}

fn class_text(class: Option<i32>, name: Option<&String>) -> String {
    match (class, name) {
        (None, _) => "all".into(),
        (Some(class), Some(name)) if name.parse() != Ok(class) => format!("{class} {name}"),
        (Some(class), _) => class.to_string(),
    }
}

fn classes(peaks: &Peaks) -> AnswerTable {
    let rows = peaks.classes.iter().filter_map(|class| {
        let name = class_text(class.class, class.name.as_ref());
        let mut alignment = class.alignment.iter();
        Some((name, alignment.find(|row| row.layers == peaks.min_layers)?))
    });
    let rows: Vec<(String, &Alignment)> = rows.collect();
    let title = if is_of_all(peaks) {
        "In all layers, by class".to_owned()
    } else {
        format!("In {} layers or more, by class", peaks.min_layers)
    };
    let mut table = AnswerTable::of("classes", title, &rows)
        .text("class", "class", |(name, _)| name.clone())
        .count("layers", "layers or more", |(_, row)| row.layers as u64)
        .count("observed", "iterations", |(_, row)| row.observed as u64)
        .number("expected", "by chance", |(_, row)| row.expected)
        .number("p", "p", |(_, row)| row.p)
        .build();
    if peaks.classes.len() > 1 {
        table.note("These p-values are not corrected for the number of classes.");
    }
    table
}

fn moments(peaks: &Peaks, all: bool) -> AnswerTable {
    let mut shown: Vec<&Moment> = peaks.moments.iter().collect();
    if !all {
        // Those of most classes, then those furthest from the median.
        shown.sort_by(|a, b| {
            let classes = b.classes.len().cmp(&a.classes.len());
            classes.then(b.height.total_cmp(&a.height))
        });
        shown.truncate(SHOWN);
        shown.sort_by_key(|moment| moment.iteration);
    }
    let title = format!(
        "Iterations at which {} layers or more peak",
        peaks.min_layers
    );
    let mut table = AnswerTable::of("moments", title, &shown)
        .count("iteration", "iteration", |moment| moment.iteration)
        .cells("value", "value", |moment| value(peaks, moment.value))
        .number("height", "from median", |moment| moment.height)
        .count("class_count", "in", |moment| moment.classes.len() as u64)
        .text("classes", "classes", |moment| {
            let classes = moment.classes.iter();
            let names = classes.map(|class| class_text(class.class, class.name.as_ref()));
            names.collect::<Vec<_>>().join(", ")
        })
        .build();
    table.note(if shown.is_empty() {
        "None; --min-layers LAYERS lists those of fewer layers."
    } else {
        "value: of the peaking layers together, for the class that is furthest from the running \
         medians there; from median: how far."
    });
    if shown.len() < peaks.moments.len() {
        table.note(format!(
            "{} more; --list lists them.",
            peaks.moments.len() - shown.len()
        ));
    }
    table
}

fn list(peaks: &Peaks) -> AnswerTable {
    let rows = peaks.series.iter();
    let rows = rows.flat_map(|series| series.peaks.iter().map(move |peak| (series, peak)));
    let rows: Vec<(&PeakSeries, &Peak)> = rows.collect();
    let title = format!("The highest {} of every layer and class", noun(peaks));
    AnswerTable::of("peaks", title, &rows)
        .text("layer", "layer", |(series, _)| series.layer.clone())
        .text("class", "class", |(series, _)| {
            class_text(series.class, None)
        })
        .count("iteration", "iteration", |(_, peak)| peak.iteration)
        .cells("value", "value", |(_, peak)| value(peaks, peak.value))
        .number("height", "from median", |(_, peak)| peak.height)
        .build()
}
