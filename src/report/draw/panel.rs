//! A panel: axes with ticks and grid around marks.

use crate::report::font;
use crate::report::palette::{FRAME, GRID};

use super::axis::{Axis, Scale, Tick};
use super::marks::Mark;
use super::shapes::{Area, line};
use super::style::{Stroke, TICK_SIZE, TITLE_SIZE};
use super::svg::{Anchor, Element, Label, Short, number_width};

const TICK: f64 = 4.0;
const GAP: f64 = 4.0;
/// Degrees by which long names below an axis are turned; vertical ones never cross the edge.
const TURN: f64 = 90.0;

/// Axes and the marks between them.
#[derive(Debug, Clone)]
pub(in crate::report) struct Panel {
    /// A name for programs that read the figure.
    pub(in crate::report) name: String,
    /// A heading above the panel; empty for none.
    pub(in crate::report) heading: String,
    pub(in crate::report) x: Axis,
    pub(in crate::report) y: Axis,
    pub(in crate::report) marks: Vec<Mark>,
}

impl Panel {
    pub(in crate::report) fn new(name: &str, x: Axis, y: Axis) -> Self {
        Self {
            name: name.to_owned(),
            heading: String::new(),
            x,
            y,
            marks: Vec::new(),
        }
    }

    /// Returns the space that title and labels need on the left.
    pub(super) fn left(&self) -> f64 {
        let widths = self
            .y
            .ticks
            .iter()
            .map(|tick| number_width(&tick.label, TICK_SIZE));
        widths.fold(0.0, f64::max) + TICK + GAP + title_space(&self.y)
    }

    /// Returns the space that title and labels need below a panel of this width.
    pub(super) fn below(&self, width: f64) -> f64 {
        let labels = if self.x.ticks.iter().all(|tick| tick.label.is_empty()) {
            0.0
        } else if self.turned(width) {
            self.widest_name() + GAP
        } else {
            TICK_SIZE + GAP
        };
        TICK + labels + title_space(&self.x)
    }

    /// Returns the space that a heading needs.
    pub(super) fn above(&self) -> f64 {
        if self.heading.is_empty() {
            0.0
        } else {
            TITLE_SIZE + GAP
        }
    }

    fn widest_name(&self) -> f64 {
        let widths = self
            .x
            .ticks
            .iter()
            .map(|tick| font::width(&tick.label, TICK_SIZE));
        widths.fold(0.0, f64::max)
    }

    /// Whether the names below don't fit side by side.
    fn turned(&self, width: f64) -> bool {
        self.x.named && self.widest_name() + 2.0 * GAP > width / self.x.ticks.len().max(1) as f64
    }

    /// Draws the panel; `clip` is a name for its border that is unique in the figure.
    pub(super) fn draw(&self, area: &Area, clip: &str) -> Element {
        let mut group = described(self, area);
        self.draw_x(area, &mut group);
        self.draw_y(area, &mut group);
        let frame = |element: Element| {
            element
                .at("x", area.left)
                .at("y", area.top)
                .at("width", area.width)
                .at("height", area.height)
        };
        let border = Element::new("clipPath")
            .set("id", clip)
            .with(&frame(Element::new("rect")));
        group.push(&border);
        let mut marks = Element::new("g")
            .set("class", "marks")
            .set("clip-path", format!("url(#{clip})"));
        for mark in &self.marks {
            marks.push(&mark.draw(area));
        }
        group.push(&marks);
        let outline = frame(Element::new("rect"))
            .set("fill", "none")
            .set("stroke", FRAME.hex());
        group.push(&outline);
        if !self.heading.is_empty() {
            let heading = if number_width(&self.heading, TITLE_SIZE) <= area.width {
                self.heading.clone()
            } else {
                font::shorten(&self.heading, TITLE_SIZE, area.width)
            };
            let label = Label::new(&heading, TITLE_SIZE, Anchor::Middle);
            group.push(&label.draw_number(area.left + area.width / 2.0, area.top - GAP - 1.0));
        }
        group
    }

    fn draw_x(&self, area: &Area, group: &mut Element) {
        let bottom = area.top + area.height;
        let turned = self.turned(area.width);
        let room = |tick: &Tick| {
            if turned {
                TICK_SIZE * 1.3
            } else {
                number_width(&tick.label, TICK_SIZE) + 2.0 * GAP
            }
        };
        for tick in self.x.ticks_apart(|x| area.across(x), room) {
            let at = area.across(tick.at);
            if !self.x.named {
                let grid = Stroke::solid(GRID, 1.0);
                group.push(&line((at, area.top), (at, bottom), &grid));
                group.push(&line(
                    (at, bottom),
                    (at, bottom + TICK),
                    &Stroke::solid(FRAME, 1.0),
                ));
            }
            if tick.label.is_empty() {
                continue;
            }
            let label = &tick.label;
            let top = bottom + TICK + TICK_SIZE;
            if turned {
                let label = Label {
                    turned: -TURN,
                    ..Label::new(label, TICK_SIZE, Anchor::End)
                };
                group.push(&label.draw(at + TICK_SIZE * 0.35, bottom + TICK));
            } else if self.x.named {
                group.push(&Label::new(label, TICK_SIZE, Anchor::Middle).draw(at, top));
            } else {
                group
                    .push(&Label::new(label, TICK_SIZE, Anchor::Middle).draw_number(at, top + 1.0));
            }
        }
        if !self.x.title.is_empty() {
            let label = Label::new(&self.x.title, TITLE_SIZE, Anchor::Middle);
            let down = bottom + self.below(area.width) - GAP;
            group.push(&label.draw_number(area.left + area.width / 2.0, down));
        }
    }

    fn draw_y(&self, area: &Area, group: &mut Element) {
        for at in self.y.minor.iter().map(|at| area.down(*at)) {
            let stroke = Stroke::solid(FRAME, 0.8);
            group.push(&line(
                (area.left - TICK / 2.0, at),
                (area.left, at),
                &stroke,
            ));
        }
        for tick in self.y.ticks_apart(|y| area.down(y), |_| TICK_SIZE * 1.15) {
            let at = area.down(tick.at);
            if !self.y.named {
                let right = area.left + area.width;
                group.push(&line(
                    (area.left, at),
                    (right, at),
                    &Stroke::solid(GRID, 1.0),
                ));
                let stroke = Stroke::solid(FRAME, 1.0);
                group.push(&line((area.left - TICK, at), (area.left, at), &stroke));
            }
            let (x, y) = (area.left - TICK - GAP / 2.0, at + TICK_SIZE * 0.35);
            if self.y.named {
                group.push(&Label::new(&tick.label, TICK_SIZE, Anchor::End).draw(x, y));
            } else {
                group.push(&Label::new(&tick.label, TICK_SIZE, Anchor::End).draw_number(x, y));
            }
        }
        if !self.y.title.is_empty() {
            let label = Label {
                turned: -90.0,
                ..Label::new(&self.y.title, TITLE_SIZE, Anchor::Middle)
            };
            let across = area.left - area.room + TITLE_SIZE;
            group.push(&label.draw_number(across, area.top + area.height / 2.0));
        }
    }
}

fn title_space(axis: &Axis) -> f64 {
    if axis.title.is_empty() {
        0.0
    } else {
        TITLE_SIZE + 1.5 * GAP
    }
}

/// Returns the panel's group, with what a program needs to turn positions back into numbers.
fn described(panel: &Panel, area: &Area) -> Element {
    let scale = |axis: &Axis| match axis.scale {
        Scale::Linear => "linear".to_owned(),
        Scale::Log => "log".to_owned(),
        Scale::LogSteps => "log-steps".to_owned(),
        Scale::SignedLog(linear) => format!("signed-log {linear}"),
    };
    let rectangle =
        [area.left, area.top, area.width, area.height].map(|value| Short(value).to_string());
    Element::new("g")
        .set("class", "panel")
        .set("data-name", &panel.name)
        .set("data-area", rectangle.join(" "))
        .set(
            "data-x",
            format!("{} {} {}", panel.x.from, panel.x.to, scale(&panel.x)),
        )
        .set(
            "data-y",
            format!("{} {} {}", panel.y.from, panel.y.to, scale(&panel.y)),
        )
}
