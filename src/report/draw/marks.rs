//! What stands in a panel, in the units of its axes.

use crate::analysis::stats::extremes_by_column;
use crate::report::font;
use crate::report::palette::{Color, PAPER};

use super::cells::{self, Shade};
use super::shapes::{Area, MarkShape, line, rectangle, stroked, symbol};
use super::style::{Stroke, TICK_SIZE};
use super::svg::{Anchor, Element, Label, Short};

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
    /// A pale area between two lines over the same x: (x, low, high). Points that are not finite are
    /// left out.
    Ribbon {
        name: String,
        edges: Vec<(f64, f64, f64)>,
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
    /// Symbols, each with the numbers it stands for.
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
    /// A text in the middle of the panel, such as that there is nothing to draw.
    Message(String),
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
                let (stroke, ends) = if alone {
                    (Stroke::solid(stroke.color, stroke.width.max(5.0)), "round")
                } else {
                    (*stroke, "butt")
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
            Self::Ribbon { name, edges, color } => Element::new("path")
                .set("class", "ribbon")
                .set("data-name", name)
                .set("d", outline(edges, area))
                .set("fill", color.hex())
                .set("fill-opacity", 0.2),
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
            } => cells::draw(area, edges, values, *shade, printed),
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
                    .set("fill", PAPER.hex());
                let label = Label::new(text, TICK_SIZE, Anchor::Middle);
                Element::new("g")
                    .set("class", "message")
                    .with(&paper)
                    .with(&label.draw(middle, down + TICK_SIZE / 3.0))
            }
        }
    }
}

/// Returns the path of a line, without what no pixel can show.
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

/// Returns the path around a ribbon: along its upper edge, and back along the lower one.
fn outline(edges: &[(f64, f64, f64)], area: &Area) -> String {
    let finite = edges
        .iter()
        .filter(|(x, low, high)| (x + low + high).is_finite());
    let finite: Vec<&(f64, f64, f64)> = finite.collect();
    let upper: Vec<(f64, f64)> = finite.iter().map(|(x, _, high)| (*x, *high)).collect();
    let lower: Vec<(f64, f64)> = finite.iter().map(|(x, low, _)| (*x, *low)).collect();
    let points = thinned(&upper, area).into_iter();
    let points = points.chain(thinned(&lower, area).into_iter().rev());
    // What has no place on a logarithmic axis is at its edge.
    let bottom = area.top + area.height;
    let down = |y: f64| if y.is_finite() { y } else { bottom };
    let corners: Vec<String> = points
        .map(|(x, y)| format!("{} {}", Short(x), Short(down(y))))
        .collect();
    if corners.is_empty() {
        return String::new();
    }
    format!("M{}Z", corners.join("L"))
}

/// Returns the positions of points; of very many only those that can be seen, in three columns per
/// point of the SVG.
fn thinned(points: &[(f64, f64)], area: &Area) -> Vec<(f64, f64)> {
    let position = |point: &(f64, f64)| (area.across(point.0), area.down(point.1));
    if points.len() as f64 <= 6.0 * area.width {
        return points.iter().map(position).collect();
    }
    let column = |point: &(f64, f64)| (3.0 * area.across(point.0)).floor() as i64;
    let kept = extremes_by_column(points, column, |point| point.1);
    kept.iter().map(position).collect()
}
