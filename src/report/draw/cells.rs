//! Coloured cells: units or classes by iteration.

use crate::report::palette::{Color, LEVELS, PAPER, Palette};

use super::shapes::{Area, rectangle};
use super::style::TICK_SIZE;
use super::svg::{Anchor, Element, Label, Short};

/// Up to this number, each cell is an element that carries its value.
const FEW_CELLS: usize = 600;
/// Up to this width in points, lines between cells would be most of what is seen.
const NARROW: f64 = 6.0;
/// How far a cell extends under its neighbours, so that no seam shows between them.
const OVERLAP: f64 = 0.4;

/// The colours of cells: a palette, and the magnitude that has full colour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::report) struct Shade {
    pub(in crate::report) palette: Palette,
    pub(in crate::report) reach: f64,
}

impl Shade {
    /// Returns the value on the scale from −1 to 1.
    fn relative(self, value: f64) -> f64 {
        if self.reach > 0.0 {
            (value / self.reach).clamp(-1.0, 1.0)
        } else {
            // All cells are zero.
            value
        }
    }

    fn color(self, value: f64) -> Color {
        self.palette.diverging(self.relative(value))
    }
}

/// Draws cells row by row from y = 0 on, with the numbers that are printed into them.
pub(super) fn draw(
    area: &Area,
    edges: &[f64],
    values: &[f64],
    shade: Shade,
    printed: &[String],
) -> Element {
    if values.len() <= FEW_CELLS {
        few_cells(area, edges, values, shade, printed)
    } else {
        many_cells(area, edges, values, shade)
    }
}

fn few_cells(
    area: &Area,
    edges: &[f64],
    values: &[f64],
    shade: Shade,
    printed: &[String],
) -> Element {
    let columns = edges.len().saturating_sub(1).max(1);
    let is_narrow = area.width / (columns as f64) < NARROW;
    let mut group = Element::new("g").set("class", "cells");
    for (index, value) in values.iter().enumerate() {
        let (row, column) = (index / columns, index % columns);
        let (x, y) = (
            (edges[column], edges[column + 1]),
            (row as f64, row as f64 + 1.0),
        );
        let color = shade.color(*value);
        let cell = rectangle(area, x, y)
            .set("data-value", value)
            .set("fill", color.hex())
            .set("stroke", if is_narrow { color } else { PAPER }.hex())
            .set("stroke-width", 0.5);
        group.push(&cell);
        if let Some(text) = printed.get(index) {
            let across = (area.across(x.0) + area.across(x.1)) / 2.0;
            let down = (area.down(y.0) + area.down(y.1)) / 2.0 + TICK_SIZE * 0.33;
            let label = Label {
                color: color.letters(),
                ..Label::new(text, TICK_SIZE - 1.0, Anchor::Middle)
            };
            group.push(&label.draw(across, down));
        }
    }
    group
}

/// Draws cells as one path per colour, of which there are [`LEVELS`] on either side of zero.
fn many_cells(area: &Area, edges: &[f64], values: &[f64], shade: Shade) -> Element {
    let columns = edges.len().saturating_sub(1).max(1);
    let level = |value: f64| -> Option<i32> {
        let relative = shade.relative(value);
        (!relative.is_nan()).then(|| (relative * f64::from(LEVELS)).round() as i32)
    };
    let mut paths = vec![String::new(); 2 * LEVELS as usize + 1];
    let mut missing = String::new();
    for (row, values) in values.chunks(columns).enumerate() {
        let (bottom, top) = (area.down(row as f64), area.down(row as f64 + 1.0));
        let mut column = 0;
        for run in values.chunk_by(|a, b| level(*a) == level(*b)) {
            let (left, right) = (
                area.across(edges[column]),
                area.across(edges[column + run.len()]),
            );
            column += run.len();
            let path = match level(run[0]) {
                Some(level) => &mut paths[(level + LEVELS) as usize],
                None => &mut missing,
            };
            path.push_str(&format!(
                "M{} {}H{}V{}H{}z",
                Short(left),
                Short(top.min(bottom)),
                Short(right + OVERLAP),
                Short(top.max(bottom) + OVERLAP),
                Short(left)
            ));
        }
    }
    let mut group = Element::new("g")
        .set("class", "cells")
        .set("data-reach", shade.reach)
        .set("data-levels", LEVELS);
    let shaded = paths.iter().enumerate().map(|(index, path)| {
        let level = index as i32 - LEVELS;
        (path, level.to_string(), shade.palette.level(level))
    });
    let missing = (&missing, "none".to_owned(), shade.palette.missing());
    for (path, level, color) in shaded.chain([missing]) {
        if !path.is_empty() {
            let cells = Element::new("path")
                .set("data-level", level)
                .set("fill", color.hex())
                .set("d", path);
            group.push(&cells);
        }
    }
    group
}
