//! A picture of the film: what moves, painted over what does not.

use crate::analysis::loss::{LossCurve, LossPoint};
use crate::analysis::parameter_map::{FrameReader, TensorBlock};
use crate::error::LcaError;
use crate::report::draw::{Anchor, Label, document, minus, signed};
use crate::report::font;

use super::backdrop::{Backdrop, MARGIN, STATUS};
use super::colors::FilmColors;
use super::options::FilmOptions;

const STATUS_SIZE: f64 = 14.0;

/// Everything that pictures are painted from.
pub(super) struct Scene<'a> {
    pub(super) width: usize,
    pub(super) colors: FilmColors,
    pub(super) backdrop: Backdrop,
    blocks: &'a [TensorBlock],
    pixels: Vec<u8>,
    loss: Option<&'a LossCurve>,
    last_iteration: u64,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        reader: &'a FrameReader,
        loss: Option<&'a LossCurve>,
        options: &FilmOptions,
    ) -> Result<Self, LcaError> {
        let width = options.width;
        let colors = FilmColors::new(options.palette, options.quantity);
        let backdrop = Backdrop::new(reader, loss, options)?;
        let mut pixels = Vec::with_capacity(width * usize::from(backdrop.height));
        for svg in &backdrop.svgs {
            pixels.append(&mut colors.pixels(svg)?);
        }
        for place in &backdrop.places {
            let (left, top) = (place.x - 1, place.y - 1);
            let frame = [left, top, place.width + 2, place.height + 2];
            fill(&mut pixels, width, frame, FilmColors::frame());
            let block = [place.x, place.y, place.width, place.height];
            fill(&mut pixels, width, block, FilmColors::paper());
        }
        let last = loss.and_then(|loss| loss.points.last());
        let last = last.map(|point| point.iteration);
        Ok(Self {
            width,
            colors,
            blocks: reader.blocks(),
            pixels,
            loss,
            last_iteration: last
                .max(reader.iterations().last().copied())
                .unwrap_or_default(),
            backdrop,
        })
    }

    /// Paints the picture of an iteration over what is in `pixels`.
    pub(super) fn paint(
        &self,
        iteration: u64,
        cells: &[i8],
        pixels: &mut Vec<u8>,
    ) -> Result<(), LcaError> {
        pixels.clone_from(&self.pixels);
        for (block, place) in self.blocks.iter().zip(&self.backdrop.places) {
            let cells = &cells[block.first..block.first + block.cells()];
            for (row, cells) in cells.chunks(block.columns.cells()).enumerate() {
                for (column, cell) in cells.iter().enumerate() {
                    let [x, y] = place.corner(block, row, column);
                    let area = [x, y, place.cell[0], place.cell[1]];
                    fill(pixels, self.width, area, FilmColors::cell(*cell));
                }
            }
        }
        let point = self.point(iteration);
        self.paint_cursor(iteration, point.map(|point| point.loss), pixels);
        let status = self.status(iteration, point)?;
        let start = STATUS[0] * self.width;
        pixels[start..start + status.len()].copy_from_slice(&status);
        Ok(())
    }

    fn point(&self, iteration: u64) -> Option<&LossPoint> {
        let points = &self.loss?.points;
        let found = points.binary_search_by_key(&iteration, |point| point.iteration);
        points.get(found.ok()?)
    }

    fn paint_cursor(&self, iteration: u64, loss: Option<f64>, pixels: &mut [u8]) {
        let panel = &self.backdrop.loss;
        let x = panel.across(iteration as f64) as usize;
        for y in panel.top as usize..(panel.top + panel.height) as usize {
            // The curve stays visible through the cursor.
            for x in [x, x + 1] {
                let pixel = &mut pixels[y * self.width + x];
                if *pixel == FilmColors::paper() {
                    *pixel = FilmColors::cursor();
                }
            }
        }
        if let Some(loss) = loss.filter(|loss| loss.is_finite()) {
            let y = panel.down(loss) as usize;
            fill(pixels, self.width, [x - 2, y - 2, 6, 6], FilmColors::ink());
            fill(
                pixels,
                self.width,
                [x - 1, y - 1, 4, 4],
                FilmColors::cursor(),
            );
        }
    }

    fn status(&self, iteration: u64, point: Option<&LossPoint>) -> Result<Vec<u8>, LcaError> {
        let room = (self.width - 2 * MARGIN) as f64;
        let mut text = format!("iteration {iteration} of {}", self.last_iteration);
        if let Some(point) = point {
            let (before, after) = (point.before, point.loss);
            text += &minus(&format!(" · loss {before:.4} → {after:.4}"));
            let change = format!(" ({})", signed(point.change, 2));
            if font::width(&text, STATUS_SIZE) + font::width(&change, STATUS_SIZE) <= room {
                text += &change;
            }
        }
        let text = font::shorten(&text, STATUS_SIZE, room);
        let label = Label::new(&text, STATUS_SIZE, Anchor::Start);
        let svg =
            document(self.width as f64, STATUS[1] as f64).with(&label.draw(MARGIN as f64, 16.0));
        self.colors.pixels(&svg.to_string())
    }
}

/// Paints a rectangle: left, top, width, height.
fn fill(pixels: &mut [u8], stride: usize, [x, y, width, height]: [usize; 4], pixel: u8) {
    for row in y..y + height {
        pixels[row * stride + x..row * stride + x + width].fill(pixel);
    }
}
