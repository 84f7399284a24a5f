//! What a film can be asked for.

use crate::analysis::options::options;
use crate::analysis::parameter_map::ParameterQuantity;
use crate::analysis::stats::COLOR_PERCENTILE;
use crate::error::LcaError;
use crate::report::palette::Palette;

options! {
    /// How a film is made.
    pub struct FilmOptions {
        /// What it shows.
        pub quantity: ParameterQuantity = ParameterQuantity::Lca,
        /// The most pictures, evenly spaced over the recorded iterations.
        pub frames: usize = 400,
        /// Whether pictures are spaced by the logarithm of the iteration, which shows more of the first
        /// ones, and the axis of the loss is logarithmic, too.
        pub log_steps: bool = false,
        /// Pictures per second, from 0.1 to 50, rounded to whole hundredths of a second per picture.
        pub fps: f64 = 20.0,
        /// The percentile of the magnitudes, zeros left out, that gets full colour.
        pub percentile: f64 = COLOR_PERCENTILE,
        /// Its colours.
        pub palette: Palette = Palette::default(),
        /// Pixels across, from 320 to 4,000.
        pub width: usize = 960,
    }
}

impl FilmOptions {
    /// Returns how long a picture is shown, in milliseconds: whole hundredths of a second, so that
    /// all formats play alike.
    pub(super) fn millis(&self) -> Result<u32, LcaError> {
        if (0.1..=50.0).contains(&self.fps) {
            return Ok((100.0 / self.fps).round() as u32 * 10);
        }
        Err(LcaError::setting(
            "FilmOptions::fps",
            format!("is {}", self.fps),
            "give a rate from 0.1 to 50, which players can show",
        ))
    }

    /// Returns the pixels across.
    pub(super) fn checked_width(&self) -> Result<usize, LcaError> {
        if (320..=4000).contains(&self.width) {
            return Ok(self.width);
        }
        Err(LcaError::setting(
            "FilmOptions::width",
            format!("is {}", self.width),
            "give a width from 320 to 4000",
        ))
    }
}
