//! The 256 colours of a film, so that a pixel is a byte.

use std::collections::HashMap;

use crate::analysis::parameter_map::{ParameterQuantity, code};
use crate::error::LcaError;
use crate::report::export::Pixels;
use crate::report::palette::{BORDER, CURSOR, Color, INK, LEVELS, NOT_FINITE, PAPER, Palette};

const GREYS: usize = 16;
const FIRST_GREY: usize = 2 * LEVELS as usize + 1;
const FIRST_CURVE: usize = FIRST_GREY + GREYS;
const CURVES: usize = 8;
const NOT_FINITE_CELL: usize = FIRST_CURVE + CURVES;
const MISSING_CELL: usize = NOT_FINITE_CELL + 1;
const FRAME: usize = MISSING_CELL + 1;
const CURSOR_LINE: usize = FRAME + 1;
const COLORS: usize = CURSOR_LINE + 1;

/// The colours of a film, indexed by the byte of a pixel.
pub(super) struct FilmColors {
    table: Vec<Color>,
}

impl FilmColors {
    pub(super) fn new(palette: Palette, quantity: ParameterQuantity) -> Self {
        let signs = signs(palette, quantity);
        let mut table: Vec<Color> = (-LEVELS..=LEVELS).map(|level| signs.level(level)).collect();
        table.extend(ramp(PAPER, INK, GREYS));
        table.extend(ramp(PAPER, curve(palette), CURVES));
        table.extend([NOT_FINITE, palette.missing(), BORDER, CURSOR]);
        debug_assert_eq!(table.len(), COLORS);
        table.resize(256, PAPER);
        Self { table }
    }

    /// Returns the pixel of a cell.
    pub(super) fn cell(cell: i8) -> u8 {
        match cell {
            code::MISSING => MISSING_CELL as u8,
            code::NOT_FINITE => NOT_FINITE_CELL as u8,
            cell => {
                let part = i32::from(cell) * LEVELS;
                let full = i32::from(code::FULL);
                // Rounded away from zero, whose colour only exact zeros have.
                let shade = (part.abs() + full - 1) / full * part.signum();
                (shade + LEVELS) as u8
            }
        }
    }

    /// Returns the pixel around blocks.
    pub(super) fn frame() -> u8 {
        FRAME as u8
    }

    /// Returns the pixel of letters.
    pub(super) fn ink() -> u8 {
        (FIRST_CURVE - 1) as u8
    }

    /// Returns the pixel of the cursor.
    pub(super) fn cursor() -> u8 {
        CURSOR_LINE as u8
    }

    /// Returns the pixel behind everything.
    pub(super) fn paper() -> u8 {
        FIRST_GREY as u8
    }

    /// Returns the pixels of an SVG, one per point, row by row.
    pub(super) fn pixels(&self, svg: &str) -> Result<Vec<u8>, LcaError> {
        let mut known = HashMap::new();
        let drawn = Pixels::of(svg, 1.0)?.colors.into_iter();
        let pixel = |color| *known.entry(color).or_insert_with(|| self.pixel(color));
        Ok(drawn.map(pixel).collect())
    }

    /// Returns the pixel with this colour, or else with the nearest one of lines and letters.
    pub(super) fn pixel(&self, color: Color) -> u8 {
        let distance = |index: &usize| {
            let known = self.table[*index];
            let square = |a: u8, b: u8| (i32::from(a) - i32::from(b)).pow(2);
            square(color.red, known.red)
                + square(color.green, known.green)
                + square(color.blue, known.blue)
        };
        let lines = FIRST_GREY..COLORS;
        let same = lines
            .clone()
            .chain(0..FIRST_GREY)
            .find(|index| distance(index) == 0);
        let near = || lines.min_by_key(distance).unwrap_or(FIRST_GREY);
        same.unwrap_or_else(near) as u8
    }

    /// Returns red, green and blue of every pixel value.
    pub(super) fn rgb(&self) -> Vec<u8> {
        let colors = self.table.iter();
        colors
            .flat_map(|color| [color.red, color.green, color.blue])
            .collect()
    }
}

/// Returns the palette of a quantity's signs: green and red are only for what helps and hurts.
pub(super) fn signs(palette: Palette, quantity: ParameterQuantity) -> Palette {
    match (palette, quantity) {
        (Palette::GreenRed, ParameterQuantity::Step | ParameterQuantity::Gradient) => {
            Palette::BlueOrange
        }
        _ => palette,
    }
}

/// Returns the colour of the loss curve.
pub(super) fn curve(palette: Palette) -> Color {
    palette.series(0)
}

/// Returns this many colours from one to another, including both.
fn ramp(from: Color, to: Color, steps: usize) -> impl Iterator<Item = Color> {
    (0..steps).map(move |step| from.towards(to, step as f64 / (steps - 1) as f64))
}
