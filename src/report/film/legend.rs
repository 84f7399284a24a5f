//! What colours stand for.

use crate::analysis::curves::LossCurve;
use crate::analysis::parameter_map::{FrameReader, ParameterQuantity, code};
use crate::report::font;

use super::backdrop::{GREY, MARGIN, NOTE_SIZE, signed};
use super::colors::{Colors, INK};
use super::scene::fill;
use super::svg::{Anchor, Svg};

const SCALE_LINE: usize = 22;
const NOTE_LINE: usize = 16;
/// The most pixels that the colours of the scale take across.
const BAR: usize = 480;
const BAR_HEIGHT: usize = 12;

/// Where its colours are to be painted; letters are drawn already.
pub(super) struct Legend {
    /// Left, top and width of the scale, if there is one.
    bar: Option<[usize; 3]>,
    /// Corners of squares, with the code that has their colour.
    squares: Vec<([usize; 2], i8)>,
}

impl Legend {
    /// Draws the letters, from `top` on, and returns the first row below them too.
    pub(super) fn draw(
        svg: &mut Svg,
        lens: &FrameReader,
        loss: Option<&LossCurve>,
        [top, room]: [usize; 2],
    ) -> (Self, usize) {
        let mut legend = Self {
            bar: draw_scale(svg, lens, [top, room]),
            squares: Vec::new(),
        };
        let mut y = top + SCALE_LINE;
        for (text, square) in notes(lens, loss, room as f64) {
            let mut x = MARGIN;
            if let Some(code) = square {
                legend.squares.push(([x, y], code));
                x += BAR_HEIGHT + 6;
            }
            let position = [x as f64, (y + 10) as f64];
            svg.text(position, NOTE_SIZE, GREY, Anchor::Start, &text);
            y += NOTE_LINE;
        }
        (legend, y)
    }

    pub(super) fn paint(&self, pixels: &mut [u8], stride: usize) {
        if let Some([left, top, width]) = self.bar {
            let edge = [left - 1, top - 1, width + 2, BAR_HEIGHT + 2];
            fill(pixels, stride, edge, Colors::frame());
            let codes = 2 * code::FULL as usize + 1;
            for x in 0..width {
                let code = ((x * codes / width) as i16 - i16::from(code::FULL)) as i8;
                fill(
                    pixels,
                    stride,
                    [left + x, top, 1, BAR_HEIGHT],
                    Colors::cell(code),
                );
            }
        }
        for ([x, y], code) in &self.squares {
            let area = [*x, *y, BAR_HEIGHT, BAR_HEIGHT];
            fill(pixels, stride, area, Colors::cell(*code));
        }
    }
}

/// Draws what the ends of the scale stand for, and returns left, top and width of its colours.
fn draw_scale(svg: &mut Svg, lens: &FrameReader, [top, room]: [usize; 2]) -> Option<[usize; 3]> {
    let line = (top + 10) as f64;
    let Some(full) = lens.scale().full else {
        let text = match lens.not_finite() {
            true => "No value is finite and other than zero",
            false => "Every value is exactly zero",
        };
        svg.text([MARGIN as f64, line], NOTE_SIZE, INK, Anchor::Start, text);
        return None;
    };
    let [negative, positive] = lens.quantity().signs();
    let low = format!("{negative}  ≤ {}", signed(-full, 1));
    let high = format!("≥ {}  {positive}", signed(full, 1));
    let width = |text: &str| font::width(text, NOTE_SIZE).ceil() as usize + 8;
    let left = MARGIN + width(&low);
    let bar = room.saturating_sub(width(&low) + width(&high)).min(BAR);
    svg.text([MARGIN as f64, line], NOTE_SIZE, INK, Anchor::Start, &low);
    svg.text(
        [(left + bar + 8) as f64, line],
        NOTE_SIZE,
        INK,
        Anchor::Start,
        &high,
    );
    Some([left, top, bar])
}

/// Returns the lines below the scale, with the colour that one is about.
fn notes(lens: &FrameReader, loss: Option<&LossCurve>, room: f64) -> Vec<(String, Option<i8>)> {
    let mut notes = Vec::new();
    if lens.not_finite() {
        notes.push((
            "not finite (NaN or infinite)".into(),
            Some(code::NOT_FINITE),
        ));
    }
    if lens.partly_missing() {
        notes.push(("not recorded".into(), Some(code::MISSING)));
    }
    let mut texts = Vec::new();
    if lens.scale().full.is_some() {
        texts.push(format!(
            "Full colour from percentile {} of the magnitudes of all cells and frames that are \
             not zero; exact zero is the middle of the scale.",
            lens.scale().percentile
        ));
    }
    let observed = loss.map_or(0, |loss| loss.points.len());
    if lens.quantity() == ParameterQuantity::Cumulative && lens.recorded_iterations() < observed {
        texts.push(format!(
            "Summed over the {} steps that are recorded of {observed}.",
            lens.recorded_iterations()
        ));
    }
    if !lens.missing().is_empty() {
        texts.push(format!(
            "Not recorded at all: {}",
            lens.missing().join(", ")
        ));
    }
    let lines = texts
        .iter()
        .flat_map(|text| font::wrapped(text, NOTE_SIZE, room));
    notes.extend(lines.map(|line| (line, None)));
    notes
}
