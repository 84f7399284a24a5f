//! A picture of the film: what moves, painted over what does not.

use crate::LcaError;
use crate::analysis::curves::{LossCurve, LossPoint};
use crate::analysis::parameter_map::{FrameReader, TensorBlock};
use crate::report::font;

use super::FilmOptions;
use super::backdrop::{Backdrop, MARGIN, STATUS, signed};
use super::colors::{Colors, INK};
use super::raster::Raster;
use super::svg::{Anchor, Svg};

const STATUS_SIZE: f64 = 14.0;

/// All that a picture is painted with.
pub(super) struct Scene<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) colors: Colors,
    blocks: &'a [TensorBlock],
    pixels: Vec<u8>,
    raster: Raster,
    loss: Option<&'a LossCurve>,
    last_iteration: u64,
    pub(super) backdrop: Backdrop,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        lens: &'a FrameReader,
        loss: Option<&'a LossCurve>,
        options: &FilmOptions,
    ) -> Result<Self, LcaError> {
        let colors = Colors::new(options.palette, options.quantity);
        let raster = Raster::new();
        let backdrop = Backdrop::draw(lens, loss, options.width);
        let size = [options.width, backdrop.height];
        let mut pixels = raster.draw(&backdrop.svg, size, &colors)?;
        for place in &backdrop.places {
            let (left, top) = (place.x - 1, place.y - 1);
            fill(
                &mut pixels,
                size[0],
                [left, top, place.width + 2, place.height + 2],
                Colors::frame(),
            );
            fill(
                &mut pixels,
                size[0],
                [place.x, place.y, place.width, place.height],
                Colors::paper(),
            );
        }
        backdrop.legend.paint(&mut pixels, size[0]);
        let last = loss.and_then(|loss| loss.points.last());
        let last = last.map(|point| point.iteration);
        Ok(Self {
            width: size[0],
            height: size[1],
            colors,
            blocks: lens.blocks(),
            pixels,
            raster,
            loss,
            last_iteration: last
                .max(lens.iterations().last().copied())
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
                    fill(pixels, self.width, area, Colors::cell(*cell));
                }
            }
        }
        let point = self.step(iteration);
        self.paint_cursor(iteration, point.map(|(_, point)| point.loss), pixels);
        let status = self.status(iteration, point)?;
        let start = STATUS[0] * self.width;
        pixels[start..start + status.len()].copy_from_slice(&status);
        Ok(())
    }

    /// Returns the loss before a step, and the step.
    fn step(&self, iteration: u64) -> Option<(f64, LossPoint)> {
        let loss = self.loss?;
        let place = loss
            .points
            .binary_search_by_key(&iteration, |point| point.iteration)
            .ok()?;
        let before = match place {
            0 => loss.start,
            place => loss.points[place - 1].loss,
        };
        Some((before, loss.points[place]))
    }

    fn paint_cursor(&self, iteration: u64, loss: Option<f64>, pixels: &mut [u8]) {
        let (x, rows) = self.backdrop.panel.cursor(iteration);
        for y in rows {
            // The curve stays visible through the cursor.
            for x in [x, x + 1] {
                let pixel = &mut pixels[y * self.width + x];
                if *pixel == Colors::paper() {
                    *pixel = Colors::cursor();
                }
            }
        }
        if let Some(y) = loss.and_then(|loss| self.backdrop.panel.level(loss)) {
            let ink = self.colors.nearest(INK);
            fill(pixels, self.width, [x - 2, y.saturating_sub(2), 6, 6], ink);
            fill(
                pixels,
                self.width,
                [x - 1, y.saturating_sub(1), 4, 4],
                Colors::cursor(),
            );
        }
    }

    fn status(&self, iteration: u64, step: Option<(f64, LossPoint)>) -> Result<Vec<u8>, LcaError> {
        let room = (self.width - 2 * MARGIN) as f64;
        let mut text = format!("iteration {iteration} of {}", self.last_iteration);
        if let Some((before, point)) = step {
            let loss = format!("   ·   loss {before:.4} → {:.4}", point.loss);
            text += &loss.replace('-', "−");
            let change = format!("   ({})", signed(point.loss - before, 2));
            if font::width(&text, STATUS_SIZE) + font::width(&change, STATUS_SIZE) <= room {
                text += &change;
            }
        }
        let text = font::shorten(&text, STATUS_SIZE, room);
        let mut svg = Svg::new();
        svg.text(
            [MARGIN as f64, 16.0],
            STATUS_SIZE,
            INK,
            Anchor::Start,
            &text,
        );
        self.raster.draw(
            &svg.finish(self.width, STATUS[1]),
            [self.width, STATUS[1]],
            &self.colors,
        )
    }
}

/// Paints a rectangle: left, top, width, height.
pub(super) fn fill(pixels: &mut [u8], stride: usize, [x, y, width, height]: [usize; 4], pixel: u8) {
    for row in y..y + height {
        pixels[row * stride + x..row * stride + x + width].fill(pixel);
    }
}
