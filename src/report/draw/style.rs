//! What all figures share: sizes of letters and how lines are drawn.

use crate::report::palette::{Color, Palette};

/// Size of axis titles, in points of the SVG.
pub(in crate::report) const TITLE_SIZE: f64 = 12.0;
/// Size of the labels of ticks and legends.
pub(super) const TICK_SIZE: f64 = 11.0;
/// The greatest width of a label; longer names are shortened.
pub(super) const WIDEST: f64 = 160.0;
/// Size of the notes below a figure.
pub(super) const NOTE_SIZE: f64 = 10.0;

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::report) struct Stroke {
    pub(in crate::report) color: Color,
    pub(in crate::report) width: f64,
    /// Lengths of dashes and gaps; empty is solid.
    pub(in crate::report) dash: &'static str,
    pub(in crate::report) opacity: f64,
}

impl Stroke {
    /// A solid line.
    pub(in crate::report) const fn solid(color: Color, width: f64) -> Self {
        Self {
            color,
            width,
            dash: "",
            opacity: 1.0,
        }
    }

    pub(in crate::report) const fn dashed(self, dash: &'static str) -> Self {
        Self { dash, ..self }
    }

    pub(in crate::report) const fn faint(self, opacity: f64) -> Self {
        Self { opacity, ..self }
    }

    /// The line of the n-th series: colours and dashes repeat at different periods, so that 28
    /// series differ, neighbours also in grey.
    pub(in crate::report) fn series(palette: Palette, number: usize) -> Self {
        const DASHES: [&str; 4] = ["", "7 3", "2 2", "9 3 2 3"];
        Self::solid(palette.series(number), 1.8).dashed(DASHES[number % DASHES.len()])
    }
}
