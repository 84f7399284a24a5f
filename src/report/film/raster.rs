//! From an SVG to pixels of a film.

use std::collections::HashMap;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use crate::LcaError;
use crate::report::font;
use crate::report::palette::Color;

use super::colors::Colors;

/// Draws SVGs with the one typeface that it carries.
pub(super) struct Raster {
    options: Options<'static>,
}

impl Raster {
    pub(super) fn new() -> Self {
        Self {
            options: font::options(),
        }
    }

    /// Returns the pixels of an SVG of this size, row after row.
    pub(super) fn draw(
        &self,
        svg: &str,
        [width, height]: [usize; 2],
        colors: &Colors,
    ) -> Result<Vec<u8>, LcaError> {
        let refused = |problem: String| LcaError::render(format!("a film: {problem}"));
        let tree =
            Tree::from_str(svg, &self.options).map_err(|error| refused(error.to_string()))?;
        let mut picture = Pixmap::new(width as u32, height as u32)
            .ok_or_else(|| refused(format!("can't be {width} by {height} pixels")))?;
        picture.fill(resvg::tiny_skia::Color::WHITE);
        resvg::render(&tree, Transform::identity(), &mut picture.as_mut());
        let mut known = HashMap::new();
        let pixel = |rgba: &[u8]| {
            let color = Color {
                red: rgba[0],
                green: rgba[1],
                blue: rgba[2],
            };
            *known
                .entry(color.hex())
                .or_insert_with(|| colors.nearest(color))
        };
        Ok(picture.data().chunks_exact(4).map(pixel).collect())
    }
}
