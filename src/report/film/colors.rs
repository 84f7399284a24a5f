//! The 256 colours of a film, so that a pixel is a byte.

use crate::analysis::parameter_map::{ParameterQuantity, code};
use crate::report::palette::{Color, Palette};

/// Shades on either side of zero.
const SHADES: i32 = 32;
const GREYS: usize = 16;
const FIRST_GREY: usize = 2 * SHADES as usize + 1;
const FIRST_CURVE: usize = FIRST_GREY + GREYS;
const CURVES: usize = 8;
const NOT_FINITE: usize = FIRST_CURVE + CURVES;
const MISSING: usize = NOT_FINITE + 1;
const FRAME: usize = MISSING + 1;
const CURSOR: usize = FRAME + 1;
const COLORS: usize = CURSOR + 1;

pub(super) const INK: Color = Color::new(0x22_2222);
pub(super) const CURVE: Color = Color::new(0x1f_3a5f);
const WHITE: Color = Color::new(0xff_ffff);

/// The colours of a film, by the byte of a pixel.
pub(super) struct Colors {
    table: Vec<Color>,
}

impl Colors {
    pub(super) fn new(palette: Palette, quantity: ParameterQuantity) -> Self {
        let shades = (-SHADES..=SHADES)
            .map(|shade| signs(palette, quantity).diverging(f64::from(shade) / f64::from(SHADES)));
        let mut table: Vec<Color> = shades.collect();
        table.extend(ramp(WHITE, INK, GREYS));
        table.extend(ramp(WHITE, CURVE, CURVES));
        table.extend([0xa0_20c0, 0xd9_d9d9, 0xb0_b0b0, 0xff_c20a].map(Color::new));
        debug_assert_eq!(table.len(), COLORS);
        table.resize(256, WHITE);
        Self { table }
    }

    /// Returns the pixel of a cell.
    pub(super) fn cell(cell: i8) -> u8 {
        match cell {
            code::MISSING => MISSING as u8,
            code::NOT_FINITE => NOT_FINITE as u8,
            cell => {
                let part = i32::from(cell) * SHADES;
                let full = i32::from(code::FULL);
                // Away from zero, which is nobody else's.
                let shade = (part.abs() + full - 1) / full * part.signum();
                (shade + SHADES) as u8
            }
        }
    }

    /// Returns the pixel around blocks.
    pub(super) fn frame() -> u8 {
        FRAME as u8
    }

    /// Returns the pixel of the cursor.
    pub(super) fn cursor() -> u8 {
        CURSOR as u8
    }

    /// Returns the pixel behind everything.
    pub(super) fn paper() -> u8 {
        FIRST_GREY as u8
    }

    /// Returns the pixel whose colour is nearest, of those for lines and letters.
    pub(super) fn nearest(&self, color: Color) -> u8 {
        let distance = |place: &usize| {
            let other = self.table[*place];
            let square = |one: u8, other: u8| (i32::from(one) - i32::from(other)).pow(2);
            square(color.red, other.red)
                + square(color.green, other.green)
                + square(color.blue, other.blue)
        };
        let places = FIRST_GREY..COLORS;
        places.min_by_key(distance).unwrap_or(FIRST_GREY) as u8
    }

    /// Returns red, green and blue of every pixel value.
    pub(super) fn rgb(&self) -> Vec<u8> {
        let colors = self.table.iter();
        colors
            .flat_map(|color| [color.red, color.green, color.blue])
            .collect()
    }
}

/// Green and red are for what helps and hurts; the signs of other quantities get other colours.
fn signs(palette: Palette, quantity: ParameterQuantity) -> Palette {
    match (palette, quantity) {
        (Palette::GreenRed, ParameterQuantity::Step | ParameterQuantity::Gradient) => {
            Palette::BlueOrange
        }
        _ => palette,
    }
}

fn ramp(from: Color, to: Color, steps: usize) -> impl Iterator<Item = Color> {
    let mix = move |step: usize, from: u8, to: u8| {
        let (from, to) = (usize::from(from), usize::from(to));
        ((from * (steps - 1 - step) + to * step) / (steps - 1)) as u8
    };
    (0..steps).map(move |step| Color {
        red: mix(step, from.red, to.red),
        green: mix(step, from.green, to.green),
        blue: mix(step, from.blue, to.blue),
    })
}
