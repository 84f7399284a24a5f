//! What stands in a panel, in the units of its axes.

use crate::report::font;
use crate::report::palette::{Color, Palette};

use super::axis::Axis;
use super::style::{INK, Stroke, TICK_SIZE};
use super::svg::{Anchor, Element, Label, Short};

/// Colours of a scale from −1 to 1, where cells are too many to be elements of their own.
const LEVELS: i32 = 20;
/// Cells up to this number are elements with their value.
const FEW_CELLS: usize = 600;
/// How much a cell reaches under the next ones, so that no seam shows between them.
const OVERLAP: f64 = 0.4;

/// Something that is drawn in a panel.
#[derive(Debug, Clone)]
pub(in crate::report) enum Mark {
    /// A line, broken where a number is not finite.
    Line {
        name: String,
        points: Vec<(f64, f64)>,
        stroke: Stroke,
    },
    /// An area between two heights, over ranges of x: (from, to, low, high).
    Band {
        name: String,
        pieces: Vec<(f64, f64, f64, f64)>,
        color: Color,
    },
    /// A box; `value` is the number that it stands for.
    Bar {
        name: String,
        x: (f64, f64),
        y: (f64, f64),
        color: Color,
        value: f64,
    },
    /// Symbols; each can have a number of its own to be read back.
    Dots {
        name: String,
        points: Vec<(f64, f64)>,
        shape: MarkShape,
        color: Color,
        radius: f64,
    },
    /// Coloured cells, row by row from y = 0 on.
    Cells {
        /// Edges of the columns, one more than there are columns.
        edges: Vec<f64>,
        values: Vec<f64>,
        shade: Shade,
        /// Numbers to be printed into the cells; empty for none.
        printed: Vec<String>,
    },
    /// A line across the panel at one x.
    Vertical(f64, Stroke),
    /// A line across the panel at one y.
    Horizontal(f64, Stroke),
    /// A text in the middle of the panel, such as that there is nothing to see.
    Message(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum MarkShape {
    Disc,
    Ring,
}

/// The colours of cells: a palette, and the magnitude that has the strongest of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::report) struct Shade {
    pub(in crate::report) palette: Palette,
    pub(in crate::report) reach: f64,
}

impl Shade {
    /// Returns the value on the scale from −1 to 1.
    fn relative(self, value: f64) -> f64 {
        match self.reach > 0.0 {
            true => (value / self.reach).clamp(-1.0, 1.0),
            // All cells are zero.
            false => value,
        }
    }

    pub(super) fn color(self, value: f64) -> Color {
        self.palette.diverging(self.relative(value))
    }
}

/// Where a panel lies in the figure, and its axes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area<'a> {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    /// The room on the left for labels and title, the same in a column of panels.
    pub(super) room: f64,
    pub(super) x: &'a Axis,
    pub(super) y: &'a Axis,
}

impl Area<'_> {
    pub(super) fn across(&self, x: f64) -> f64 {
        self.left + self.width * self.x.place(x)
    }

    pub(super) fn down(&self, y: f64) -> f64 {
        self.top + self.height * (1.0 - self.y.place(y))
    }

    /// As [`down`](Self::down), but no further than the panel's edge.
    fn down_to_edge(&self, y: f64) -> f64 {
        let place = self.y.place(y);
        let place = if place.is_nan() { 0.0 } else { place };
        self.top + self.height * (1.0 - place.clamp(0.0, 1.0))
    }
}

impl Mark {
    pub(super) fn draw(&self, area: &Area) -> Element {
        match self {
            Self::Line {
                name,
                points,
                stroke,
            } => {
                let mut finite = points
                    .iter()
                    .filter(|(x, y)| x.is_finite() && y.is_finite());
                let alone = finite.next().is_some() && finite.next().is_none();
                // A line of one point is a dot.
                let (stroke, ends) = match alone {
                    true => (Stroke::solid(stroke.color, stroke.width.max(5.0)), "round"),
                    false => (*stroke, "butt"),
                };
                stroked(Element::new("path").set("d", path(points, area)), &stroke)
                    .set("class", "line")
                    .set("data-name", name)
                    .set("stroke-linecap", ends)
                    .set("stroke-linejoin", "round")
            }
            Self::Band {
                name,
                pieces,
                color,
            } => {
                let mut group = Element::new("g")
                    .set("class", "band")
                    .set("data-name", name)
                    .set("fill", color.hex());
                for (from, to, low, high) in pieces {
                    group.push(&rectangle(area, (*from, *to), (*low, *high)));
                }
                group
            }
            Self::Bar {
                name,
                x,
                y,
                color,
                value,
            } => rectangle(area, *x, *y)
                .set("class", "bar")
                .set("data-name", name)
                .set("data-value", value)
                .set("fill", color.hex()),
            Self::Dots {
                name,
                points,
                shape,
                color,
                radius,
            } => {
                let mut group = Element::new("g")
                    .set("class", "dots")
                    .set("data-name", name);
                for (x, y) in points
                    .iter()
                    .filter(|(x, y)| x.is_finite() && y.is_finite())
                {
                    let (across, down) = (area.across(*x), area.down(*y));
                    let dot = symbol(*shape, across, down, *radius, *color);
                    group.push(&dot.set("data-x", x).set("data-y", y));
                }
                group
            }
            Self::Cells {
                edges,
                values,
                shade,
                printed,
            } => match values.len() <= FEW_CELLS {
                true => few_cells(area, edges, values, *shade, printed),
                false => many_cells(area, edges, values, *shade),
            },
            Self::Vertical(x, stroke) => {
                let at = area.across(*x);
                line((at, area.top), (at, area.top + area.height), stroke).set("data-x", x)
            }
            Self::Horizontal(y, stroke) => {
                let at = area.down(*y);
                line((area.left, at), (area.left + area.width, at), stroke).set("data-y", y)
            }
            Self::Message(text) => {
                let (middle, down) = (area.left + area.width / 2.0, area.top + area.height / 2.0);
                let width = font::width(text, TICK_SIZE) + TICK_SIZE;
                let paper = Element::new("rect")
                    .at("x", middle - width / 2.0)
                    .at("y", down - TICK_SIZE)
                    .at("width", width)
                    .at("height", 2.0 * TICK_SIZE)
                    .set("fill", "#ffffff");
                let label = Label::new(text, TICK_SIZE, Anchor::Middle);
                Element::new("g")
                    .set("class", "message")
                    .with(&paper)
                    .with(&label.draw(middle, down + TICK_SIZE / 3.0))
            }
        }
    }
}

fn rectangle(area: &Area, x: (f64, f64), y: (f64, f64)) -> Element {
    let (left, right) = (area.across(x.0), area.across(x.1));
    let (one, other) = (area.down_to_edge(y.0), area.down_to_edge(y.1));
    Element::new("rect")
        .at("x", left.min(right))
        .at("y", one.min(other))
        .at("width", (right - left).abs())
        .at("height", (other - one).abs())
}

pub(super) fn line(from: (f64, f64), to: (f64, f64), stroke: &Stroke) -> Element {
    let line = Element::new("line")
        .at("x1", from.0)
        .at("y1", from.1)
        .at("x2", to.0)
        .at("y2", to.1);
    stroked(line, stroke)
}

fn stroked(element: Element, stroke: &Stroke) -> Element {
    let mut element = element
        .set("fill", "none")
        .set("stroke", stroke.color.hex())
        .set("stroke-width", stroke.width);
    if !stroke.dash.is_empty() {
        element = element.set("stroke-dasharray", stroke.dash);
    }
    if stroke.opacity < 1.0 {
        element = element.set("stroke-opacity", stroke.opacity);
    }
    element
}

/// Returns the commands of a line, with what a pixel can't show left out.
fn path(points: &[(f64, f64)], area: &Area) -> String {
    let mut path = String::new();
    let mut pen_down = false;
    for (x, y) in thinned(points, area) {
        if !x.is_finite() || !y.is_finite() {
            pen_down = false;
            continue;
        }
        let command = if pen_down { 'L' } else { 'M' };
        path.push_str(&format!("{command}{} {}", Short(x), Short(y)));
        if !pen_down {
            // Without a length there would be no ends, and no dot.
            path.push_str("h0");
        }
        pen_down = true;
    }
    path
}

/// Returns the positions of points; where there are several to a third of a point, only the
/// first, lowest, highest and last of these.
fn thinned(points: &[(f64, f64)], area: &Area) -> Vec<(f64, f64)> {
    let place = |point: &(f64, f64)| (area.across(point.0), area.down(point.1));
    let slot = |point: &(f64, f64)| (3.0 * area.across(point.0)).floor();
    if points.len() as f64 <= 6.0 * area.width {
        return points.iter().map(place).collect();
    }
    let mut kept = Vec::new();
    for group in points.chunk_by(|one, other| slot(one) == slot(other)) {
        let by_height = |one: &&usize, other: &&usize| group[**one].1.total_cmp(&group[**other].1);
        let indices: Vec<usize> = (0..group.len()).collect();
        let low = indices.iter().min_by(by_height).copied().unwrap_or(0);
        let high = indices.iter().max_by(by_height).copied().unwrap_or(0);
        let mut places = vec![0, low, high, group.len() - 1];
        places.sort_unstable();
        places.dedup();
        kept.extend(places.iter().map(|at| place(&group[*at])));
    }
    kept
}

pub(super) fn symbol(shape: MarkShape, x: f64, y: f64, radius: f64, color: Color) -> Element {
    match shape {
        MarkShape::Disc => Element::new("circle")
            .at("cx", x)
            .at("cy", y)
            .at("r", radius)
            .set("fill", color.hex()),
        MarkShape::Ring => Element::new("circle")
            .at("cx", x)
            .at("cy", y)
            .at("r", radius)
            .set("fill", "#ffffff")
            .set("stroke", color.hex()),
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
    let mut group = Element::new("g").set("class", "cells");
    for (place, value) in values.iter().enumerate() {
        let (row, column) = (place / columns, place % columns);
        let (x, y) = (
            (edges[column], edges[column + 1]),
            (row as f64, row as f64 + 1.0),
        );
        let color = shade.color(*value);
        let cell = rectangle(area, x, y)
            .set("data-value", value)
            .set("fill", color.hex())
            .set("stroke", "#ffffff")
            .set("stroke-width", 0.5);
        group.push(&cell);
        if let Some(text) = printed.get(place) {
            let across = (area.across(x.0) + area.across(x.1)) / 2.0;
            let down = (area.down(y.0) + area.down(y.1)) / 2.0 + TICK_SIZE * 0.33;
            let label = Label {
                color: if color.luminance() < 0.3 {
                    Color::new(0xff_ffff)
                } else {
                    INK
                },
                ..Label::new(text, TICK_SIZE - 1.0, Anchor::Middle)
            };
            group.push(&label.draw(across, down));
        }
    }
    group
}

/// Draws cells as one path a colour, of which there are [`LEVELS`] on either side of zero.
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
        for run in values.chunk_by(|one, other| level(*one) == level(*other)) {
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
    let shaded = paths.iter().enumerate().map(|(place, path)| {
        let level = place as i32 - LEVELS;
        (
            path,
            level.to_string(),
            shade
                .palette
                .diverging(f64::from(level) / f64::from(LEVELS)),
        )
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
