//! `burn-lca plot`.

use std::path::PathBuf;
use std::slice::from_ref;

use burn_lca::Run;
use burn_lca::analysis::classes::ClassMapOptions;
use burn_lca::analysis::helping::HelpingOptions;
use burn_lca::analysis::overlay::OverlayOf;
use burn_lca::analysis::peaks::PeaksOptions;
use burn_lca::analysis::sets::RunSet;
use burn_lca::analysis::setting::SettingOptions;
use burn_lca::analysis::shares::SharesOf;
use burn_lca::analysis::trace::TraceOptions;
use burn_lca::analysis::units::UnitMapOptions;
use burn_lca::analysis::{self, noise};
use burn_lca::report::export::{self, FileFormat};
use burn_lca::report::figures::{Figure, FigureOptions};
use clap::ValueEnum;

use crate::failure::Failure;
use crate::output::{keep_records, put, refuse_terminal};
use crate::progress;

use super::palette::PaletteArg;
use super::runs::{LabelledRun, StepsArgs, numbers, open_labelled, print_notes, sets};
use super::sums::SumsArgs;

/// Figures for papers and slides, as SVG, PNG or PDF.
///
/// Of several runs `loss`, `helping`, `trajectories`, `distribution` and `heroes` draw every one,
/// their mean and a band of one standard deviation, and `layers` and `classes` means with deviations;
/// with a name before each, as in frozen=RUN, runs of one name are a set, and all but `classes` draw
/// sets side by side. `setting` takes a number before each run. `trace`, `peaks` and `units` are of
/// one run. --by, --group, --class and --probe are of `layers` and `setting`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  burn-lca plot artifacts/lca loss -o loss.pdf
  burn-lca plot seeds/*/lca layers --probe validation -o layers.svg
  burn-lca plot artifacts/lca helping --by-layer --smooth 51 -o helping.png
  burn-lca plot plain=a/seed1 plain=a/seed2 frozen=b/seed1 frozen=b/seed2 loss -o loss.png
  burn-lca plot artifacts/lca trace --tensor fc2.weight --index 100,101 -o trace.svg
  burn-lca plot 0=m0/seed{1..5} 0.9=m9/seed{1..5} setting --of momentum -o momentum.svg")]
pub struct PlotArgs {
    /// The folder of the run, or of several; NAME=RUN for sets of runs, NUMBER=RUN for `setting`.
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<LabelledRun>,
    /// What to draw.
    #[arg(value_enum)]
    figure: FigureName,
    /// The width in points, 96 to the inch.
    #[arg(long, default_value_t = FigureOptions::default().width)]
    width: f64,
    /// The height in points; by default what the figure needs.
    #[arg(long)]
    height: Option<f64>,
    /// The colours: green helps and red hurts, blue and orange, or greys.
    #[arg(long, value_enum, default_value_t = PaletteArg::default())]
    palette: PaletteArg,
    /// Steps that lines are smoothed over (helping), or LCA before peaks are looked for (peaks).
    #[arg(long, value_name = "STEPS")]
    smooth: Option<usize>,
    /// A logarithmic axis of losses (loss), of counts (heroes) or of what was set (setting).
    #[arg(long)]
    log: bool,
    /// A line for each layer instead of one for all (helping).
    #[arg(long)]
    by_layer: bool,
    /// Only these layers, separated by commas (helping --by-layer, trajectories, units).
    #[arg(long, value_delimiter = ',', value_name = "LAYER")]
    layer: Vec<String>,
    /// What was set for the runs (setting).
    #[arg(long, value_name = "NAME")]
    of: Option<String>,
    #[command(flatten)]
    sums: SumsArgs,
    #[command(flatten)]
    steps: StepsArgs,
    /// A logarithmic axis of iterations, which shows the first ones widest.
    #[arg(long)]
    log_steps: bool,
    /// An axis of epochs in place of iterations.
    #[arg(long)]
    epochs: bool,
    /// A linear axis of LCA around the mean (distribution).
    #[arg(long)]
    linear: bool,
    /// The tensor of the parameters (trace).
    #[arg(long)]
    tensor: Option<String>,
    /// Indices into the tensor, row-major, from 0, separated by commas (trace).
    #[arg(long, value_delimiter = ',')]
    index: Vec<u32>,
    /// The file for the figure, whose extension chooses the form: .svg, .png or .pdf. Without it
    /// an SVG goes to the standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FigureName {
    /// Measured loss against loss(0) + ΣLCA, and the residual.
    Loss,
    /// Percent of parameters that help, by step.
    Helping,
    /// How large the LCA of parameters is, with fitted distributions.
    Distribution,
    /// How often each parameter helps, against chance.
    Heroes,
    /// Bars by layer: LCA summed, and per parameter.
    Layers,
    /// Cumulative LCA by layer, for every probe.
    Trajectories,
    /// LCA by layer against a number that was set for each run, with straight lines.
    Setting,
    /// Step, gradient and LCA of single parameters.
    Trace,
    /// Moments at which layers help most, by class.
    Peaks,
    /// LCA by class and layer, and over time.
    Classes,
    /// Neurons or channels over time.
    Units,
}

pub fn run(args: &PlotArgs) -> Result<(), Failure> {
    check_options(args)?;
    let path = args.output.as_deref();
    refuse_terminal("a figure", path, "FILE.svg, .png or .pdf")?;
    path.map_or(Ok(()), keep_records)?;
    let format = path.map_or(Ok(FileFormat::Svg), FileFormat::of)?;
    let bytes = progress::during(|| -> Result<Vec<u8>, Failure> {
        let runs = args.steps.of_all(open_labelled(&args.runs)?)?;
        let svg = draw(args, &runs)?;
        print_notes(&runs);
        Ok(export::encode(&svg, format)?)
    })?;
    put(&bytes, path)
}

fn draw(args: &PlotArgs, runs: &[Run]) -> Result<String, Failure> {
    let first = runs
        .first()
        .ok_or_else(|| Failure::Usage("give a run".into()))?;
    let options = FigureOptions::default()
        .width(args.width)
        .height(args.height)
        .palette(args.palette.0)
        .log(args.log)
        .log_steps(args.log_steps)
        .epochs(if args.epochs {
            epochs(first)?
        } else {
            Vec::new()
        });
    let sets = sets(&args.runs, runs)?;
    match args.figure {
        FigureName::Setting => draw_setting(args, runs, &options),
        FigureName::Layers => draw_layers(args, runs, sets.as_deref(), &options),
        _ if sets.is_none() && runs.len() == 1 => draw_one(args, first, &options),
        _ => {
            let sets = sets.unwrap_or_else(|| vec![RunSet::new("mean", runs.to_vec())]);
            draw_over_each_other(args, runs, &sets, &options)
        }
    }
}

fn draw_setting(args: &PlotArgs, runs: &[Run], options: &FigureOptions) -> Result<String, Failure> {
    let defaults = SettingOptions::default();
    let name = args.of.clone().unwrap_or(defaults.name.clone());
    let settings = defaults.name(name).log(args.log).sums(args.sums.options());
    let numbers = numbers(&args.runs)?.into_iter();
    let numbered: Vec<(f64, Run)> = numbers.zip(runs.iter().cloned()).collect();
    let found = analysis::setting(&numbered, &settings)?;
    Ok(Figure::Setting(&found).draw(options)?)
}

fn draw_layers(
    args: &PlotArgs,
    runs: &[Run],
    sets: Option<&[RunSet]>,
    options: &FigureOptions,
) -> Result<String, Failure> {
    let sums = args.sums.options();
    Ok(match sets {
        Some(sets) => Figure::Sets(&analysis::sets(sets, &sums)?).draw(options)?,
        None => Figure::Layers(&analysis::layers(runs, &sums)?).draw(options)?,
    })
}

/// Draws the same curves of several runs.
fn draw_over_each_other(
    args: &PlotArgs,
    runs: &[Run],
    sets: &[RunSet],
    options: &FigureOptions,
) -> Result<String, Failure> {
    if let Some(first) = runs.first() {
        check_layers(first, &args.layer)?;
    }
    let refuse = |problem: &str| Err(Failure::Usage(problem.into()));
    let of = match args.figure {
        FigureName::Loss => OverlayOf::Loss,
        FigureName::Helping if !args.by_layer => OverlayOf::Helping {
            smooth: args.smooth,
        },
        FigureName::Trajectories => OverlayOf::Cumulative,
        FigureName::Distribution if !args.linear => {
            let shares = analysis::shares(sets, SharesOf::Lca)?;
            return Ok(Figure::Shares(&shares).draw(options)?);
        }
        FigureName::Heroes => {
            let shares = analysis::shares(sets, SharesOf::Helping)?;
            return Ok(Figure::Shares(&shares).draw(options)?);
        }
        FigureName::Classes => {
            let [set] = sets else {
                return refuse(
                    "classes: cells of several sets can't lie on each other; draw each set for itself",
                );
            };
            let found = analysis::mean_class_map(&set.runs, &ClassMapOptions::default())?;
            return Ok(Figure::ClassMeans(&found).draw(options)?);
        }
        FigureName::Helping => {
            return refuse(
                "--by-layer: a line for each layer of each run can't be told apart; leave it out, or \
                 draw each run for itself",
            );
        }
        FigureName::Distribution => {
            return refuse(
                "--linear: every run has its own mean, and bars around it; leave it out, or draw each \
                 run for itself",
            );
        }
        FigureName::Trace => {
            return refuse(
                "trace: parameters of the same index in several runs began elsewhere and have nothing in \
                 common; draw each run for itself",
            );
        }
        FigureName::Units => {
            return refuse(
                "units: which one learns what is chance in each run, so that those of the same number \
                 have nothing in common; draw each run for itself",
            );
        }
        FigureName::Peaks => {
            return refuse(
                "peaks: these are moments of a run's own batches, which other runs don't share; draw \
                 each run for itself",
            );
        }
        FigureName::Layers => return draw_layers(args, runs, Some(sets), options),
        FigureName::Setting => return draw_setting(args, runs, options),
    };
    let mut overlay = analysis::overlay(sets, of)?;
    if args.figure == FigureName::Trajectories {
        overlay.panels.retain(|panel| wanted(args, &panel.name));
    }
    Ok(Figure::Overlay(&overlay).draw(options)?)
}

/// Returns the epochs of a run that ended.
fn epochs(run: &Run) -> Result<Vec<(u32, u64)>, Failure> {
    let ended = run.info().epochs.iter();
    let epochs: Vec<(u32, u64)> = ended.map(|end| (end.epoch, end.next_iteration)).collect();
    if epochs.is_empty() {
        return Err(Failure::Usage(format!(
            "--epochs: no epoch of {} has ended; leave it out",
            run.folder().display()
        )));
    }
    Ok(epochs)
}

/// Whether a layer is to be drawn.
fn wanted(args: &PlotArgs, layer: &str) -> bool {
    args.layer.is_empty() || args.layer.iter().any(|name| name == layer)
}

fn draw_one(args: &PlotArgs, run: &Run, options: &FigureOptions) -> Result<String, Failure> {
    let smooth = HelpingOptions::default().smooth(args.smooth);
    check_layers(run, &args.layer)?;
    Ok(match args.figure {
        FigureName::Layers => draw_layers(args, from_ref(run), None, options)?,
        FigureName::Setting => draw_setting(args, from_ref(run), options)?,
        FigureName::Loss => Figure::Loss(&analysis::loss_curves(run)?).draw(options)?,
        FigureName::Helping if args.by_layer => {
            let mut layers = analysis::helping_by_layer(run, &smooth)?;
            layers.retain(|layer| wanted(args, &layer.layer));
            Figure::HelpingByLayer(&layers).draw(options)?
        }
        FigureName::Helping => Figure::Helping(&analysis::helping(run, &smooth)?).draw(options)?,
        FigureName::Distribution if args.linear => {
            Figure::DistributionAroundMean(&analysis::distribution(run)?).draw(options)?
        }
        FigureName::Distribution => {
            Figure::Distribution(&analysis::distribution(run)?).draw(options)?
        }
        FigureName::Heroes => Figure::Heroes(&noise::heroes(run)?).draw(options)?,
        FigureName::Trajectories => {
            let mut probes = analysis::trajectories(run)?;
            for probe in &mut probes {
                probe.layers.retain(|layer| wanted(args, &layer.layer));
            }
            Figure::Trajectories(&probes).draw(options)?
        }
        FigureName::Trace => {
            let settings = TraceOptions::default()
                .tensor(args.tensor.clone())
                .indices(args.index.clone());
            Figure::Trace(&analysis::trace(run, &settings)?).draw(options)?
        }
        FigureName::Peaks => {
            let settings = PeaksOptions::default();
            let smooth = args.smooth.unwrap_or(settings.smooth);
            let settings = settings.smooth(smooth);
            Figure::Peaks(&analysis::peaks(run, &settings)?).draw(options)?
        }
        FigureName::Classes => {
            let maps = analysis::class_maps(run, &ClassMapOptions::default())?;
            Figure::Classes(&maps[0]).draw(options)?
        }
        FigureName::Units => {
            let mut layers = analysis::unit_maps(run, &UnitMapOptions::default())?;
            layers.retain(|map| wanted(args, &map.layer));
            Figure::Units(&layers).draw(options)?
        }
    })
}

/// The figures with an axis of iterations.
const AXES_OF_STEPS: &[FigureName] = &[
    FigureName::Loss,
    FigureName::Helping,
    FigureName::Trajectories,
    FigureName::Trace,
    FigureName::Peaks,
    FigureName::Classes,
    FigureName::Units,
];

/// The figures that can be of some steps: all but those of totals of parameters.
const OVER_STEPS: &[FigureName] = &[
    FigureName::Loss,
    FigureName::Helping,
    FigureName::Distribution,
    FigureName::Layers,
    FigureName::Trajectories,
    FigureName::Setting,
    FigureName::Trace,
    FigureName::Peaks,
    FigureName::Classes,
    FigureName::Units,
];

/// Fails if an option is given that does not apply to the figure.
fn check_options(args: &PlotArgs) -> Result<(), Failure> {
    use FigureName::{
        Distribution, Helping, Heroes, Layers, Loss, Peaks, Setting, Trace, Trajectories, Units,
    };
    let options: [(&str, bool, &[FigureName]); 16] = [
        ("--smooth", args.smooth.is_some(), &[Helping, Peaks]),
        ("--log", args.log, &[Loss, Heroes, Setting]),
        ("--by-layer", args.by_layer, &[Helping]),
        (
            "--layer",
            !args.layer.is_empty(),
            &[Helping, Trajectories, Units],
        ),
        ("--probe", args.sums.probe.is_some(), &[Layers, Setting]),
        ("--class", args.sums.class.is_some(), &[Layers, Setting]),
        ("--by", args.sums.by.is_some(), &[Layers, Setting]),
        ("--group", !args.sums.group.is_empty(), &[Layers, Setting]),
        ("--from", args.steps.from.is_some(), OVER_STEPS),
        ("--to", args.steps.to.is_some(), OVER_STEPS),
        ("--log-steps", args.log_steps, AXES_OF_STEPS),
        ("--epochs", args.epochs, AXES_OF_STEPS),
        ("--linear", args.linear, &[Distribution]),
        ("--of", args.of.is_some(), &[Setting]),
        ("--tensor", args.tensor.is_some(), &[Trace]),
        ("--index", !args.index.is_empty(), &[Trace]),
    ];
    let useless = options
        .iter()
        .find(|(_, given, figures)| *given && !figures.contains(&args.figure));
    if let Some((option, _, figures)) = useless {
        let names = figures.iter().filter_map(FigureName::to_possible_value);
        let names: Vec<String> = names.map(|value| value.get_name().to_owned()).collect();
        return Err(Failure::Usage(format!(
            "{option} applies to {} only; leave it out",
            names.join(", ")
        )));
    }
    if args.figure == Helping && !args.layer.is_empty() && !args.by_layer {
        let problem = "--layer chooses among lines of layers; add --by-layer";
        return Err(Failure::Usage(problem.into()));
    }
    Ok(())
}

/// Fails if a layer that is asked for is not in the model.
fn check_layers(run: &Run, wanted: &[String]) -> Result<(), Failure> {
    let tensors = run.info().tensors.iter();
    let mut layers: Vec<&str> = tensors
        .map(|tensor| analysis::layer_of(&tensor.path))
        .collect();
    layers.dedup();
    match wanted.iter().find(|name| !layers.contains(&name.as_str())) {
        Some(name) => Err(Failure::Usage(format!(
            "--layer: the model has no layer {name}; its layers are {}",
            analysis::listed(&layers)
        ))),
        None => Ok(()),
    }
}
