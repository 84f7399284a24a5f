//! `burn-lca plot`.

use std::path::PathBuf;

use burn_lca::Run;
use burn_lca::analysis::classes::ClassMapOptions;
use burn_lca::analysis::helping::HelpingOptions;
use burn_lca::analysis::peaks::PeaksOptions;
use burn_lca::analysis::setting::SettingOptions;
use burn_lca::analysis::trace::TraceOptions;
use burn_lca::analysis::units::UnitMapOptions;
use burn_lca::analysis::{self, noise};
use burn_lca::report::export::{self, FileFormat};
use burn_lca::report::figures::{Figure, FigureOptions};
use clap::ValueEnum;

use crate::failure::Failure;
use crate::output::{put, refuse_terminal};
use crate::progress;

use super::palette::PaletteArg;
use super::runs::{LabelledRun, open_labelled, open_numbered, open_sets, print_notes};
use super::sums::SumsArgs;

/// Figures for papers and slides, as SVG, PNG or PDF.
///
/// Only `layers` and `setting` take several runs; `setting` takes a number before each.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  burn-lca plot artifacts/lca loss -o loss.pdf
  burn-lca plot seeds/*/lca layers --probe validation -o layers.svg
  burn-lca plot artifacts/lca helping --by-layer --smooth 51 -o helping.png
  burn-lca plot artifacts/lca trace --tensor fc2.weight --index 100,101 -o trace.svg
  burn-lca plot 0=m0/seed{1..5} 0.9=m9/seed{1..5} setting --of momentum -o momentum.svg")]
pub struct PlotArgs {
    /// The folder of the run; for `layers` also those of several runs of one model, or NAME=RUN:
    /// runs with one name are a set, and sets stand side by side. For `setting` NUMBER=RUN: the
    /// number that was set stands before each run.
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
    #[command(flatten, next_help_heading = "Of layers and setting")]
    sums: SumsArgs,
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
    let format = path.map_or(Ok(FileFormat::Svg), FileFormat::of)?;
    let bytes = progress::during(|| -> Result<Vec<u8>, Failure> {
        let runs = open_labelled(&args.runs)?;
        let svg = draw(args, &runs)?;
        print_notes(&runs);
        Ok(export::encode(&svg, format)?)
    })?;
    put(&bytes, path)
}

fn draw(args: &PlotArgs, runs: &[Run]) -> Result<String, Failure> {
    let options = FigureOptions::default()
        .width(args.width)
        .height(args.height)
        .palette(args.palette.0)
        .log(args.log);
    let smooth = HelpingOptions::default().smooth(args.smooth);
    let run = match runs {
        [run] => run,
        [first, ..] if matches!(args.figure, FigureName::Layers | FigureName::Setting) => first,
        _ => {
            return Err(Failure::Usage(
                "this figure shows one run; give one, or draw `layers` or `setting`".into(),
            ));
        }
    };
    check_layers(run, &args.layer)?;
    let wanted = |layer: &str| args.layer.is_empty() || args.layer.iter().any(|name| name == layer);
    Ok(match args.figure {
        FigureName::Loss => Figure::Loss(&analysis::loss_curves(run)?).draw(&options)?,
        FigureName::Helping if args.by_layer => {
            let mut layers = analysis::helping_by_layer(run, &smooth)?;
            layers.retain(|layer| wanted(&layer.layer));
            Figure::HelpingByLayer(&layers).draw(&options)?
        }
        FigureName::Helping => Figure::Helping(&analysis::helping(run, &smooth)?).draw(&options)?,
        FigureName::Distribution => {
            Figure::Distribution(&analysis::distribution(run)?).draw(&options)?
        }
        FigureName::Heroes => Figure::Heroes(&noise::heroes(run)?).draw(&options)?,
        FigureName::Layers => {
            let sums = args.sums.options();
            match open_sets(&args.runs)? {
                Some(sets) => Figure::Sets(&analysis::sets(&sets, &sums)?).draw(&options)?,
                None => Figure::Layers(&analysis::layers(runs, &sums)?).draw(&options)?,
            }
        }
        FigureName::Setting => {
            let defaults = SettingOptions::default();
            let name = args.of.clone().unwrap_or(defaults.name.clone());
            let settings = defaults.name(name).log(args.log).sums(args.sums.options());
            let runs = open_numbered(&args.runs)?;
            Figure::Setting(&analysis::setting(&runs, &settings)?).draw(&options)?
        }
        FigureName::Trajectories => {
            let mut probes = analysis::trajectories(run)?;
            for probe in &mut probes {
                probe.layers.retain(|layer| wanted(&layer.layer));
            }
            Figure::Trajectories(&probes).draw(&options)?
        }
        FigureName::Trace => {
            let settings = TraceOptions::default()
                .tensor(args.tensor.clone())
                .indices(args.index.clone());
            Figure::Trace(&analysis::trace(run, &settings)?).draw(&options)?
        }
        FigureName::Peaks => {
            let settings = PeaksOptions::default();
            let smooth = args.smooth.unwrap_or(settings.smooth);
            let settings = settings.smooth(smooth);
            Figure::Peaks(&analysis::peaks(run, &settings)?).draw(&options)?
        }
        FigureName::Classes => {
            let maps = analysis::class_maps(run, &ClassMapOptions::default())?;
            Figure::Classes(&maps[0]).draw(&options)?
        }
        FigureName::Units => {
            let mut layers = analysis::unit_maps(run, &UnitMapOptions::default())?;
            layers.retain(|map| wanted(&map.layer));
            Figure::Units(&layers).draw(&options)?
        }
    })
}

/// Fails if an option is given that does not apply to the figure.
fn check_options(args: &PlotArgs) -> Result<(), Failure> {
    use FigureName::{Helping, Heroes, Layers, Loss, Peaks, Setting, Trace, Trajectories, Units};
    let options: [(&str, bool, &[FigureName]); 11] = [
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
    if let Some(label) = args.runs.iter().find_map(|run| run.label.as_ref())
        && !matches!(args.figure, Layers | Setting)
    {
        return Err(Failure::Usage(format!(
            "{label} stands before a run; only `layers` and `setting` take that, leave it out"
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
