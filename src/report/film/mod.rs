//! The microscope as a film: every parameter as a pixel, step by step, above the loss.

mod backdrop;
mod colors;
mod layout;
mod loss;
mod options;
mod scene;
mod target;
mod timing;

#[cfg(test)]
mod tests;

use std::path::Path;

use serde::Serialize;

use crate::analysis::loss_curves;
use crate::analysis::parameter_map::{
    CellLimits, ColorScale, FrameReader, ParameterMapOptions, ParameterQuantity,
};
use crate::error::LcaError;
use crate::record::Run;

use layout::BIAS;
use scene::Scene;
use target::FilmTarget;
use timing::Timing;

pub use options::FilmOptions;

/// A film that was written.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Film {
    /// What it shows.
    pub quantity: ParameterQuantity,
    /// How many pictures it has.
    pub frames: usize,
    /// How many iterations are recorded.
    pub recorded_iterations: usize,
    /// The iteration of the first picture.
    pub first_iteration: u64,
    /// The iteration of the last picture.
    pub last_iteration: u64,
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// How long a picture is shown, in milliseconds.
    pub millis: u32,
    /// What full colour stands for.
    pub scale: ColorScale,
    /// The tensors whose pixels are means of several parameters.
    pub binned: Vec<String>,
    /// The tensors of which no parameter is recorded.
    pub missing: Vec<String>,
}

/// Writes a film to a file that ends in `.gif`, or as PNG files into a folder, and returns what it
/// shows.
///
/// The same run and options give the same bytes. Memory does not grow with the number of frames.
///
/// # Errors
///
/// [`LcaError::Setting`] if an option is out of range or the output is another kind of file,
/// [`LcaError::NotRecorded`] if the run has no table `parameters`, [`LcaError::Disk`] if the film
/// can't be written, and the errors of [`Scan`](crate::Scan) if a table can't be read.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::{Run, report::film::{FilmOptions, film}};
///
/// let run = Run::open(folder.path())?;
/// let options = FilmOptions::default().frames(10).fps(5.0);
/// let made = film(&run, &options, &folder.path().join("learning.gif"))?;
/// assert_eq!((made.frames, made.recorded_iterations, made.millis), (10, 30, 200));
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn film(run: &Run, options: &FilmOptions, output: &Path) -> Result<Film, LcaError> {
    let (millis, width) = (options.millis()?, options.checked_width()?);
    target::check(output)?;
    let columns = width - 2 * backdrop::MARGIN - BIAS;
    let looked_at = ParameterMapOptions::default()
        .frames(options.frames)
        .log_steps(options.log_steps)
        .percentile(options.percentile)
        .limits(CellLimits::default().columns(columns));
    let reader = FrameReader::new(run, options.quantity, &looked_at)?;
    let losses = loss_curves(run)?;
    let scene = Scene::new(&reader, losses.first(), options)?;
    let timing = Timing {
        // 4000 at most.
        width: scene.width as u16,
        height: scene.backdrop.height,
        millis,
    };
    let mut target = FilmTarget::create(output, timing, &scene.colors.rgb())?;
    let mut pixels = Vec::new();
    reader.frames(|iteration, cells| {
        scene.paint(iteration, cells, &mut pixels)?;
        target
            .add(&pixels)
            .map_err(|source| target::failed(output, source))
    })?;
    target
        .finish()
        .map_err(|source| target::failed(output, source))?;
    let iterations = reader.iterations();
    Ok(Film {
        quantity: options.quantity,
        frames: iterations.len(),
        recorded_iterations: reader.recorded_iterations(),
        first_iteration: iterations.first().copied().unwrap_or_default(),
        last_iteration: iterations.last().copied().unwrap_or_default(),
        width: scene.width,
        height: usize::from(scene.backdrop.height),
        millis,
        scale: reader.scale(),
        binned: reader
            .blocks()
            .iter()
            .filter(|block| block.is_binned())
            .map(|block| block.tensor.clone())
            .collect(),
        missing: reader.missing().to_vec(),
    })
}
