//! A whole figure: rows of panels, a legend beside and notes below them.

use crate::report::font;
use crate::report::palette::NOTE;

use super::legend::{self, LegendEntry, Scalebar};
use super::panel::Panel;
use super::shapes::Area;
use super::style::{NOTE_SIZE, TICK_SIZE};
use super::svg::{Anchor, Element, Label, document};

const MARGIN: f64 = 10.0;
const BETWEEN: f64 = 14.0;
const NOTE_LINE: f64 = 13.0;
/// Panels are never smaller than this, however long the legend and the notes are.
const SMALLEST: f64 = 20.0;

/// Panels side by side.
#[derive(Debug, Clone)]
pub(in crate::report) struct PanelRow {
    /// The height relative to that of the other rows.
    pub(in crate::report) share: f64,
    pub(in crate::report) panels: Vec<Panel>,
}

impl PanelRow {
    /// One panel as wide as the figure.
    pub(in crate::report) fn of(panel: Panel) -> Self {
        Self {
            share: 1.0,
            panels: vec![panel],
        }
    }
}

/// A figure to be drawn.
#[derive(Debug, Clone)]
pub(in crate::report) struct Sheet {
    /// What the figure shows, for readers who can't see it.
    pub(in crate::report) title: String,
    pub(in crate::report) width: f64,
    pub(in crate::report) height: f64,
    pub(in crate::report) rows: Vec<PanelRow>,
    pub(in crate::report) legend: Vec<LegendEntry>,
    /// Colour scales, each beside the row with this index.
    pub(in crate::report) scales: Vec<(usize, Scalebar)>,
    pub(in crate::report) notes: Vec<String>,
}

impl Sheet {
    /// Draws everything into an SVG.
    pub(in crate::report) fn draw(&self) -> String {
        let areas = self.areas();
        let beside = self.beside();
        let right = self.width - MARGIN - beside;
        let mut svg = document(self.width, self.height)
            .set("role", "img")
            .with(&Element::new("title").text(&self.title));
        let panels = self.rows.iter().flat_map(|row| &row.panels);
        for (number, (panel, area)) in panels.zip(&areas).enumerate() {
            svg.push(&panel.draw(area, &format!("panel-{number}")));
        }
        let top = areas.first().map_or(MARGIN, |area| area.top);
        svg.push(&legend::draw(&self.legend, right, top));
        let legend = legend::height(&self.legend);
        for (row, scale) in &self.scales {
            let before = self
                .rows
                .iter()
                .take(*row)
                .map(|row| row.panels.len())
                .sum::<usize>();
            let Some(area) = areas.get(before) else {
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
        let notes_top = self.height - MARGIN - self.notes_height();
        for (number, note) in self.note_lines().iter().enumerate() {
            let label = Label {
                color: NOTE,
                ..Label::new(note, NOTE_SIZE, Anchor::Start)
            };
            let down = notes_top + NOTE_LINE * (number as f64 + 0.8);
            svg.push(&label.draw(MARGIN, down).set("class", "note"));
        }
        svg.to_string()
    }

    /// Returns the notes, broken into lines.
    fn note_lines(&self) -> Vec<String> {
        let room = self.width - 2.0 * MARGIN;
        let notes = self.notes.iter();
        notes
            .flat_map(|note| font::wrapped(note, NOTE_SIZE, room))
            .collect()
    }

    /// Returns the height of all notes.
    pub(in crate::report) fn notes_height(&self) -> f64 {
        NOTE_LINE * self.note_lines().len() as f64
    }

    /// Returns the width of what stands beside the panels.
    fn beside(&self) -> f64 {
        let scales = self.scales.iter().map(|(_, scale)| scale.width());
        scales.fold(legend::width(&self.legend), f64::max)
    }

    /// Returns where every panel lies.
    pub(in crate::report) fn areas(&self) -> Vec<Area> {
        let right = self.width - MARGIN - self.beside();
        let bottom = self.height - MARGIN - self.notes_height();
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
        let space = |side: fn(&Panel, f64) -> f64, row: &PanelRow| {
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
        let mut areas = Vec::new();
        let mut top = MARGIN;
        for ((row, above), below) in self.rows.iter().zip(above).zip(below) {
            let height = (free * row.share / shares).max(SMALLEST);
            top += above;
            let mut left = MARGIN;
            for (panel, space) in row.panels.iter().zip(&lefts) {
                left += space;
                areas.push(Area {
                    left,
                    top,
                    width,
                    height,
                    room: *space,
                    x: panel.x.clone(),
                    y: panel.y.clone(),
                });
                left += width + beside;
            }
            top += height + below + BETWEEN;
        }
        areas
    }
}
