//! Shapes that panels and legends are made of.

use crate::report::palette::{Color, PAPER};

use super::axis::Axis;
use super::style::Stroke;
use super::svg::Element;

/// Where a panel lies in the figure, and its axes.
#[derive(Debug, Clone)]
pub(in crate::report) struct Area {
    pub(in crate::report) left: f64,
    pub(in crate::report) top: f64,
    pub(in crate::report) width: f64,
    pub(in crate::report) height: f64,
    /// The room for labels and title on the left, the same in a column of panels.
    pub(super) room: f64,
    pub(super) x: Axis,
    pub(super) y: Axis,
}

impl Area {
    /// Returns the position of a number of the horizontal axis.
    pub(in crate::report) fn across(&self, x: f64) -> f64 {
        self.left + self.width * self.x.position(x)
    }

    /// Returns the position of a number of the vertical axis.
    pub(in crate::report) fn down(&self, y: f64) -> f64 {
        self.top + self.height * (1.0 - self.y.position(y))
    }

    /// As [`down`](Self::down), but not beyond the panel's edge.
    fn down_to_edge(&self, y: f64) -> f64 {
        let position = self.y.position(y);
        let position = if position.is_nan() { 0.0 } else { position };
        self.top + self.height * (1.0 - position.clamp(0.0, 1.0))
    }
}

/// Returns a box between two numbers on each axis.
pub(super) fn rectangle(area: &Area, x: (f64, f64), y: (f64, f64)) -> Element {
    let (left, right) = (area.across(x.0), area.across(x.1));
    let (a, b) = (area.down_to_edge(y.0), area.down_to_edge(y.1));
    Element::new("rect")
        .at("x", left.min(right))
        .at("y", a.min(b))
        .at("width", (right - left).abs())
        .at("height", (b - a).abs())
}

/// Returns a straight line between two positions.
pub(super) fn line(from: (f64, f64), to: (f64, f64), stroke: &Stroke) -> Element {
    let line = Element::new("line")
        .at("x1", from.0)
        .at("y1", from.1)
        .at("x2", to.0)
        .at("y2", to.1);
    stroked(line, stroke)
}

/// Returns the element with the stroke's colour, width and dashes.
pub(super) fn stroked(element: Element, stroke: &Stroke) -> Element {
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

/// The shape of a dot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum MarkShape {
    Disc,
    Ring,
}

/// Returns a dot.
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
            .set("fill", PAPER.hex())
            .set("stroke", color.hex()),
    }
}
