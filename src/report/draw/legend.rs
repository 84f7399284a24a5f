//! What marks mean, beside the panels.

use crate::report::font;
use crate::report::palette::{Color, FRAME, LEVELS};

use super::axis::Axis;
use super::cells::Shade;
use super::shapes::{Area, MarkShape, line, symbol};
use super::style::{Stroke, TICK_SIZE, WIDEST};
use super::svg::{Anchor, Element, Label, number_width};

const SAMPLE: f64 = 26.0;
const GAP: f64 = 6.0;
const LINE: f64 = 17.0;
const BAR: f64 = 12.0;

/// A line of the legend.
#[derive(Debug, Clone)]
pub(in crate::report) struct LegendEntry {
    pub(in crate::report) label: String,
    pub(in crate::report) sample: LegendSample,
}

#[derive(Debug, Clone, Copy)]
pub(in crate::report) enum LegendSample {
    Line(Stroke),
    Box(Color),
    Dot(MarkShape, Color, f64),
    /// Only the text.
    Nothing,
}

impl LegendEntry {
    pub(in crate::report) fn new(label: impl Into<String>, sample: LegendSample) -> Self {
        Self {
            label: label.into(),
            sample,
        }
    }

    fn indent(&self) -> f64 {
        match self.sample {
            LegendSample::Nothing => 0.0,
            _ => SAMPLE + GAP,
        }
    }
}

fn texts(entries: &[LegendEntry]) -> Vec<String> {
    let labels = entries.iter().map(|entry| entry.label.as_str());
    font::shorten_apart(labels, TICK_SIZE, WIDEST)
}

/// Returns the width of a legend.
pub(super) fn width(entries: &[LegendEntry]) -> f64 {
    let widths = entries
        .iter()
        .zip(texts(entries))
        .map(|(entry, text)| entry.indent() + font::width(&text, TICK_SIZE));
    widths.fold(0.0, f64::max)
}

/// Returns the height of a legend.
pub(super) fn height(entries: &[LegendEntry]) -> f64 {
    LINE * entries.len() as f64
}

pub(super) fn draw(entries: &[LegendEntry], left: f64, top: f64) -> Element {
    let mut group = Element::new("g").set("class", "legend");
    for (index, (entry, text)) in entries.iter().zip(texts(entries)).enumerate() {
        let middle = top + LINE * (index as f64 + 0.5);
        match entry.sample {
            LegendSample::Line(stroke) => {
                let (from, to) = ((left, middle), (left + SAMPLE, middle));
                group.push(&line(from, to, &stroke));
            }
            LegendSample::Box(color) => group.push(
                &Element::new("rect")
                    .at("x", left + SAMPLE - 16.0)
                    .at("y", middle - 5.0)
                    .at("width", 16.0)
                    .at("height", 10.0)
                    .set("shape-rendering", "crispEdges")
                    .set("fill", color.hex()),
            ),
            LegendSample::Dot(shape, color, radius) => {
                group.push(&symbol(shape, left + SAMPLE - 8.0, middle, radius, color));
            }
            LegendSample::Nothing => {}
        }
        let label = Label::new(&text, TICK_SIZE, Anchor::Start);
        group.push(&label.draw(left + entry.indent(), middle + TICK_SIZE * 0.35));
    }
    group
}

/// By how much the title of a scale may be smaller than other letters.
const LEAST_FITTING: f64 = 0.7;

/// The colours of cells with the numbers they stand for, beside their panel.
#[derive(Debug, Clone)]
pub(in crate::report) struct Scalebar {
    pub(in crate::report) title: String,
    pub(in crate::report) shade: Shade,
}

impl Scalebar {
    fn axis(&self) -> Axis {
        let reach = if self.shade.reach > 0.0 {
            self.shade.reach
        } else {
            1.0
        };
        Axis::exactly(&self.title, -reach, reach)
    }

    pub(super) fn width(&self) -> f64 {
        let axis = self.axis();
        let labels = axis
            .ticks
            .iter()
            .map(|tick| number_width(&tick.label, TICK_SIZE));
        BAR + GAP + labels.fold(0.0, f64::max) + GAP + TICK_SIZE
    }

    /// Draws the scale; its title ends at `width`, as the titles of other scales do.
    pub(super) fn draw(&self, left: f64, top: f64, width: f64, height: f64) -> Element {
        let y = self.axis();
        let area = Area {
            left,
            top,
            width: BAR,
            height,
            room: 0.0,
            x: Axis::exactly("", 0.0, 1.0),
            y: y.clone(),
        };
        let mut group = Element::new("g").set("class", "scale");
        let stripe = height / f64::from(2 * LEVELS + 1);
        for level in -LEVELS..=LEVELS {
            let above = f64::from(LEVELS - level);
            // The next stripe covers what is too much.
            let overlap = if level > -LEVELS { 0.5 } else { 0.0 };
            let stripe = Element::new("rect")
                .at("x", left)
                .at("y", top + stripe * above)
                .at("width", BAR)
                .at("height", stripe + overlap)
                .set("shape-rendering", "crispEdges")
                .set("fill", self.shade.palette.level(level).hex());
            group.push(&stripe);
        }
        let frame = Element::new("rect")
            .at("x", left)
            .at("y", top)
            .at("width", BAR)
            .at("height", height)
            .set("fill", "none")
            .set("stroke", FRAME.hex());
        group.push(&frame);
        for tick in y.ticks_apart(|value| area.down(value), |_| TICK_SIZE * 1.15) {
            let label = Label::new(&tick.label, TICK_SIZE, Anchor::Start);
            let down = area.down(tick.at) + TICK_SIZE * 0.35;
            group.push(&label.draw_number(left + BAR + GAP, down));
        }
        // A title longer than its scale would reach into that of the next one.
        let fitting = |title: &str| height / number_width(title, TICK_SIZE).max(1.0);
        let alone = y.title.split(" (").next().unwrap_or_default();
        // The unit is left out rather than that nothing can be read.
        let text = if fitting(&y.title) < LEAST_FITTING {
            alone
        } else {
            &y.title
        };
        let title = Label {
            turned: 90.0,
            ..Label::new(text, TICK_SIZE * fitting(text).min(1.0), Anchor::Middle)
        };
        let right = left + width - TICK_SIZE * 0.6;
        group.push(&title.draw_number(right, top + height / 2.0));
        group
    }
}
