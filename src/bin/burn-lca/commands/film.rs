//! `burn-lca film`.

use std::path::{Path, PathBuf};

use burn_lca::Run;
use burn_lca::report::film::{Film, FilmOptions, film};
use burn_lca::report::microscope::Quantity;
use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::failure::Failure;
use crate::output::{Cell, Column, Report, Table};

use super::colors::Colors;

/// A film of every parameter as a pixel, step by step, above the loss.
///
/// Needs the table of single parameters. The same run and options give the same bytes. PNG
/// files in a folder are for encoders of video.
///
/// Tables: film.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  burn-lca film artifacts/lca -o film.gif\n  \
                  burn-lca film artifacts/lca --of cumulative --frames 100 -o film.gif\n  \
                  burn-lca film artifacts/lca -o frames/"
)]
pub struct Args {
    /// The folder of the run.
    run: PathBuf,
    /// What a pixel shows: LCA of the step, LCA summed up to it, the parameter's change, or the
    /// probe's gradient.
    #[arg(long, value_enum, default_value_t = Of(Quantity::Lca), value_name = "QUANTITY")]
    of: Of,
    /// The most pictures, evenly spaced over the recorded steps.
    #[arg(long, default_value_t = FilmOptions::default().frames)]
    frames: usize,
    /// Pictures a second, from 0.1 to 50.
    #[arg(long, default_value_t = FilmOptions::default().fps)]
    fps: f64,
    /// The percentile of the magnitudes other than zero that gets full colour.
    #[arg(long, default_value_t = FilmOptions::default().percentile)]
    percentile: f64,
    /// The colours: green helps and red hurts, blue and orange, or greys.
    #[arg(long, value_enum, default_value_t = Colors::default())]
    palette: Colors,
    /// Pixels across, from 320 to 4000.
    #[arg(long, default_value_t = FilmOptions::default().width)]
    width: usize,
}

#[derive(Debug, Clone, Copy)]
struct Of(Quantity);

impl ValueEnum for Of {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self(Quantity::Lca),
            Self(Quantity::Cumulative),
            Self(Quantity::Step),
            Self(Quantity::Gradient),
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name()))
    }
}

pub fn report(args: &Args, output: &Path) -> Result<Report, Failure> {
    let run = Run::open(&args.run)?;
    let options = FilmOptions {
        quantity: args.of.0,
        frames: args.frames,
        fps: args.fps,
        percentile: args.percentile,
        palette: args.palette.0,
        width: args.width,
    };
    let film = film(&run, &options, output)?;
    Ok(Report::new(&film, std::slice::from_ref(&run)).table(table(&film, output)))
}

fn table(film: &Film, output: &Path) -> Table {
    let mut table = Table::new(
        "film",
        format!("Film of {}: {}", film.quantity.title(), output.display()),
        vec![
            Column::count("frames", "frames"),
            Column::count("recorded_iterations", "of recorded"),
            Column::count("first_iteration", "from"),
            Column::count("last_iteration", "to"),
            Column::count("width", "width"),
            Column::count("height", "height"),
            Column::count("millis", "ms a frame"),
            Column::number("full_colour", "full colour"),
        ],
    );
    table.push(vec![
        Cell::Count(film.frames as u64),
        Cell::Count(film.recorded_iterations as u64),
        Cell::Count(film.first_iteration),
        Cell::Count(film.last_iteration),
        Cell::Count(film.width as u64),
        Cell::Count(film.height as u64),
        Cell::Count(film.millis.into()),
        film.scale.full.map_or(Cell::Empty, Cell::Number),
    ]);
    if !film.binned.is_empty() {
        table.note(format!(
            "A cell is the mean of several parameters in {}.",
            film.binned.join(", ")
        ));
    }
    if !film.missing.is_empty() {
        table.note(format!(
            "No parameter is recorded of {}; `ParameterSelection::tensors` chooses.",
            film.missing.join(", ")
        ));
    }
    table
}
