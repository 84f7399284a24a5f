//! A whole figure: rows of panels, a legend beside and notes below them.

use crate::report::font;
use crate::report::palette::Color;

use super::legend::{self, Entry, Scalebar};
use super::marks::Area;
use super::panel::Panel;
use super::style::{NOTE, NOTE_SIZE, TICK_SIZE};
use super::svg::{Anchor, Element, Label};

const MARGIN: f64 = 10.0;
const BETWEEN: f64 = 14.0;
const NOTE_LINE: f64 = 13.0;
/// Panels are not drawn smaller than this, however long the legend and the notes are.
const SMALLEST: f64 = 20.0;

/// Panels side by side.
#[derive(Debug, Clone)]
pub(in crate::report) struct Row {
    /// The height against that of the other rows.
    pub(in crate::report) share: f64,
    pub(in crate::report) panels: Vec<Panel>,
}

/// A figure to be drawn.
#[derive(Debug, Clone)]
pub(in crate::report) struct Sheet {
    /// What the figure shows, for those who can't see it.
    pub(in crate::report) title: String,
    pub(in crate::report) width: f64,
    pub(in crate::report) height: f64,
    pub(in crate::report) rows: Vec<Row>,
    pub(in crate::report) legend: Vec<Entry>,
    /// Scales of colours, each beside the row of this number.
    pub(in crate::report) scales: Vec<(usize, Scalebar)>,
    pub(in crate::report) notes: Vec<String>,
}

impl Sheet {
    /// Draws everything into an SVG.
    pub(in crate::report) fn draw(&self) -> String {
        let notes = self
            .notes
            .iter()
            .flat_map(|note| font::wrapped(note, NOTE_SIZE, self.width - 2.0 * MARGIN));
        let notes: Vec<String> = notes.collect();
        let notes_top = self.height - MARGIN - NOTE_LINE * notes.len() as f64;

        let scales = self.scales.iter().map(|(_, scale)| scale.width());
        let beside = scales.fold(legend::width(&self.legend), f64::max);
        let right = match beside > 0.0 {
            true => self.width - MARGIN - beside,
            false => self.width - MARGIN,
        };
        let places = self.places(right, notes_top);
        let mut svg = self.root();
        for (number, (panel, area)) in places.iter().enumerate() {
            svg.push(&panel.draw(area, &format!("panel-{number}")));
        }
        let top = places.first().map_or(MARGIN, |(_, area)| area.top);
        svg.push(&legend::draw(&self.legend, right, top));
        let legend = legend::height(&self.legend);
        for (row, scale) in &self.scales {
            let before = self
                .rows
                .iter()
                .take(*row)
                .map(|row| row.panels.len())
                .sum::<usize>();
            let Some((_, area)) = places.get(before) else {
                continue;
            };
            // The legend stands beside the first row.
            let taken = if *row == 0 && legend > 0.0 {
                legend + BETWEEN
            } else {
                0.0
            };
            let height = (area.height - taken).max(SMALLEST);
            svg.push(&scale.draw(right, area.top + taken, beside, height));
        }
        for (number, note) in notes.iter().enumerate() {
            let label = Label {
                color: NOTE,
                ..Label::new(note, NOTE_SIZE, Anchor::Start)
            };
            let down = notes_top + NOTE_LINE * (number as f64 + 0.8);
            svg.push(&label.draw(MARGIN, down).set("class", "note"));
        }
        svg.to_string()
    }

    fn root(&self) -> Element {
        let paper = Element::new("rect")
            .set("width", "100%")
            .set("height", "100%")
            .set("fill", Color::new(0xff_ffff).hex());
        Element::new("svg")
            .set("xmlns", "http://www.w3.org/2000/svg")
            .at("width", self.width)
            .at("height", self.height)
            .set("viewBox", format!("0 0 {} {}", self.width, self.height))
            .set("font-family", font::FAMILY)
            .set("role", "img")
            .with(&Element::new("title").text(&self.title))
            .with(&paper)
    }

    /// Returns every panel with the place that it gets.
    fn places(&self, right: f64, bottom: f64) -> Vec<(&Panel, Area<'_>)> {
        let columns = self
            .rows
            .iter()
            .map(|row| row.panels.len())
            .max()
            .unwrap_or(0);
        let lefts: Vec<f64> = (0..columns)
            .map(|column| {
                let panels = self.rows.iter().filter_map(|row| row.panels.get(column));
                panels.map(Panel::left).fold(0.0, f64::max)
            })
            .collect();
        // The label of the last tick reaches over the panel's edge.
        let beside = BETWEEN + TICK_SIZE * 0.5;
        let taken: f64 = lefts.iter().sum::<f64>() + beside * columns as f64;
        let width = ((right - MARGIN - taken) / columns.max(1) as f64).max(SMALLEST);
        let space = |side: fn(&Panel, f64) -> f64, row: &Row| {
            row.panels
                .iter()
                .map(|panel| side(panel, width))
                .fold(0.0, f64::max)
        };
        let above: Vec<f64> = self
            .rows
            .iter()
            .map(|row| space(|panel, _| panel.above(), row))
            .collect();
        let below: Vec<f64> = self
            .rows
            .iter()
            .map(|row| space(Panel::below, row))
            .collect();
        let between = BETWEEN * self.rows.len().saturating_sub(1) as f64;
        let taken: f64 = above.iter().chain(&below).sum::<f64>() + between;
        let shares: f64 = self.rows.iter().map(|row| row.share).sum();
        let free = (bottom - MARGIN * 1.5 - taken).max(SMALLEST);
        let mut places = Vec::new();
        let mut top = MARGIN;
        for ((row, above), below) in self.rows.iter().zip(above).zip(below) {
            let height = (free * row.share / shares).max(SMALLEST);
            top += above;
            let mut left = MARGIN;
            for (panel, space) in row.panels.iter().zip(&lefts) {
                left += space;
                let area = Area {
                    left,
                    top,
                    width,
                    height,
                    room: *space,
                    x: &panel.x,
                    y: &panel.y,
                };
                places.push((panel, area));
                left += width + beside;
            }
            top += height + below + BETWEEN;
        }
        places
    }
}
