//! The microscope as a film: every parameter as a pixel, step by step, above the loss.

mod backdrop;
mod colors;
mod legend;
mod loss;
mod raster;
mod scene;
mod svg;
mod target;

#[cfg(test)]
mod tests;

use std::path::Path;

use serde::Serialize;

use crate::analysis::curves::loss_curves;
use crate::analysis::parameter_map::{
    CellLimits, ColorScale, FrameReader, ParameterMapOptions, ParameterQuantity,
};
use crate::report::microscope::BIAS;
use crate::report::palette::Palette;
use crate::{LcaError, Run};

use scene::Scene;
use target::{Target, Timing};

/// How a film is made.
#[derive(Debug, Clone)]
pub struct FilmOptions {
    /// What it shows.
    pub quantity: ParameterQuantity,
    /// At most so many pictures, evenly spaced over the recorded iterations.
    pub frames: usize,
    /// Pictures a second, up to 50; a GIF counts time in hundredths of a second.
    pub fps: f64,
    /// The percentile of the magnitudes that are not zero which gets full colour.
    pub percentile: f64,
    /// Its colours.
    pub palette: Palette,
    /// Pixels across, from 320 to 4,000.
    pub width: usize,
}

impl Default for FilmOptions {
    fn default() -> Self {
        Self {
            quantity: ParameterQuantity::Lca,
            frames: 400,
            fps: 20.0,
            percentile: 99.0,
            palette: Palette::default(),
            width: 960,
        }
    }
}

/// A film that was written.
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

/// Writes a film: to a file that ends in `.gif`, or as PNG files into a folder.
///
/// The same run and options give the same bytes. Memory does not grow with the number of frames.
///
/// Fails if the run has no table `parameters`, if an option can't be, or if a file can't be read
/// or written.
pub fn film(run: &Run, options: &FilmOptions, output: &Path) -> Result<Film, LcaError> {
    let millis = check(options)?;
    target::check(output)?;
    let columns = options.width - 2 * backdrop::MARGIN - BIAS;
    let looked_at = ParameterMapOptions::default()
        .frames(options.frames)
        .percentile(options.percentile)
        .limits(CellLimits::default().columns(columns));
    let lens = FrameReader::new(run, options.quantity, &looked_at)?;
    let losses = loss_curves(run)?;
    let scene = Scene::new(&lens, losses.first(), options)?;
    let too_high = |_| {
        LcaError::setting(
            "film",
            format!(
                "needs {} pixels down for {} tensors",
                scene.height,
                lens.blocks().len()
            ),
            "give a larger width",
        )
    };
    let timing = Timing {
        width: u16::try_from(scene.width).map_err(too_high)?,
        height: u16::try_from(scene.height).map_err(too_high)?,
        millis,
    };
    let mut target = Target::create(output, timing, &scene.colors.rgb())?;
    let mut pixels = Vec::new();
    lens.frames(|iteration, cells| {
        scene.paint(iteration, cells, &mut pixels)?;
        target
            .add(&pixels)
            .map_err(|source| target::failed(output, source))
    })?;
    target
        .finish()
        .map_err(|source| target::failed(output, source))?;
    let iterations = lens.iterations();
    Ok(Film {
        quantity: options.quantity,
        frames: iterations.len(),
        recorded_iterations: lens.recorded_iterations(),
        first_iteration: iterations.first().copied().unwrap_or_default(),
        last_iteration: iterations.last().copied().unwrap_or_default(),
        width: scene.width,
        height: scene.height,
        millis,
        scale: lens.scale(),
        binned: lens
            .blocks()
            .iter()
            .filter(|block| block.is_binned())
            .map(|block| block.tensor.clone())
            .collect(),
        missing: lens.missing().to_vec(),
    })
}

/// Returns how long a picture is shown, in milliseconds: whole hundredths of a second, so that
/// all formats play alike.
fn check(options: &FilmOptions) -> Result<u32, LcaError> {
    if !(0.1..=50.0).contains(&options.fps) {
        return Err(LcaError::setting(
            "FilmOptions::fps",
            format!("is {}", options.fps),
            "give one from 0.1 to 50, what players can show",
        ));
    }
    if !(320..=4000).contains(&options.width) {
        return Err(LcaError::setting(
            "FilmOptions::width",
            format!("is {}", options.width),
            "give one from 320 to 4000",
        ));
    }
    Ok((100.0 / options.fps).round() as u32 * 10)
}
