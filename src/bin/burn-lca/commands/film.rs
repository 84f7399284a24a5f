//! `burn-lca film`.

use std::path::{Path, PathBuf};
use std::slice::from_ref;

use burn_lca::analysis::listed;
use burn_lca::analysis::parameter_map::ParameterQuantity;
use burn_lca::report::film::{Film, FilmOptions, film};
use burn_lca::{LcaError, Run};
use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::failure::Failure;
use crate::output::{Answer, AnswerTable, FormArgs, keep_records};
use crate::progress;

use super::palette::PaletteArg;
use super::runs::StepsArgs;

/// A film of every parameter as a pixel, step by step, above the loss.
///
/// Needs the table of single parameters. The same run and options give the same bytes. PNG files
/// in a folder are for video encoders.
///
/// Tables: film.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  burn-lca film artifacts/lca -o film.gif\n  \
                  burn-lca film artifacts/lca --quantity cumulative --frames 100 -o film.gif\n  \
                  burn-lca film artifacts/lca --to 399 -o first.gif\n  \
                  burn-lca film artifacts/lca -o frames/"
)]
pub struct FilmArgs {
    /// The folder of the run.
    run: PathBuf,
    /// What a pixel shows: LCA of the step, LCA summed up to it, the parameter's change, or the
    /// probe's gradient.
    #[arg(long, value_enum, default_value_t = PixelQuantity(ParameterQuantity::Lca))]
    quantity: PixelQuantity,
    /// The most pictures, evenly spaced over the recorded steps.
    #[arg(long, default_value_t = FilmOptions::default().frames)]
    frames: usize,
    #[command(flatten)]
    steps: StepsArgs,
    /// Spaces pictures by the logarithm of the iteration: more of the first ones. The axis of the loss
    /// is logarithmic, too.
    #[arg(long)]
    log_steps: bool,
    /// Pictures per second, from 0.1 to 50.
    #[arg(long, default_value_t = FilmOptions::default().fps)]
    fps: f64,
    /// The percentile of the nonzero magnitudes that gets full colour.
    #[arg(long, default_value_t = FilmOptions::default().percentile)]
    percentile: f64,
    /// The colours: green helps and red hurts, blue and orange, or greys.
    #[arg(long, value_enum, default_value_t = PaletteArg::default())]
    palette: PaletteArg,
    /// The width in pixels, from 320 to 4000.
    #[arg(long, default_value_t = FilmOptions::default().width)]
    width: usize,
    /// Where the film goes: FILE.gif, or FOLDER/ for PNG files.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    form: FormArgs,
}

/// A quantity to choose.
#[derive(Debug, Clone, Copy)]
struct PixelQuantity(ParameterQuantity);

impl ValueEnum for PixelQuantity {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self(ParameterQuantity::Lca),
            Self(ParameterQuantity::Cumulative),
            Self(ParameterQuantity::Step),
            Self(ParameterQuantity::Gradient),
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name()))
    }
}

/// Writes the film, and prints what it shows.
pub fn run(args: &FilmArgs) -> Result<(), Failure> {
    args.form.check(None)?;
    keep_records(&args.output)?;
    let answer = progress::during(|| answer(args))?;
    args.form.write(&answer, None)
}

fn answer(args: &FilmArgs) -> Result<Answer, Failure> {
    let output = &args.output;
    let run = args.steps.of(Run::open(&args.run)?)?;
    let options = FilmOptions::default()
        .quantity(args.quantity.0)
        .frames(args.frames)
        .log_steps(args.log_steps)
        .fps(args.fps)
        .percentile(args.percentile)
        .palette(args.palette.0)
        .width(args.width);
    let film = film(&run, &options, output).map_err(|error| match error {
        // What can't be written is no fault of the run.
        LcaError::Disk { path, source, .. } if path.starts_with(output) => Failure::Output {
            path: Some(path),
            problem: source.to_string(),
        },
        error => error.into(),
    })?;
    Ok(Answer::new(&film, from_ref(&run))?.table(described(&film, output)))
}

fn described(film: &Film, output: &Path) -> AnswerTable {
    let title = format!("Film of {}: {}", film.quantity.title(), output.display());
    let mut table = AnswerTable::of("film", title, from_ref(film))
        .count("frames", "frames", |film| film.frames as u64)
        .count("recorded_iterations", "of recorded", |film| {
            film.recorded_iterations as u64
        })
        .count("first_iteration", "first iteration", |film| {
            film.first_iteration
        })
        .count("last_iteration", "last iteration", |film| {
            film.last_iteration
        })
        .count("width", "width", |film| film.width as u64)
        .count("height", "height", |film| film.height as u64)
        .count("millis", "ms a frame", |film| u64::from(film.millis))
        .number("full_colour", "full colour", |film| film.scale.full)
        .build();
    if !film.binned.is_empty() {
        table.note(format!(
            "A cell is the mean of several parameters in {}.",
            listed(&film.binned)
        ));
    }
    if !film.missing.is_empty() {
        table.note(format!(
            "No parameters are recorded for {}; `ParameterSelection::tensors` chooses them.",
            listed(&film.missing)
        ));
    }
    table
}
