//! Drawing: from panels of marks in the data's own units to an SVG.
//!
//! A general plotting library was tried on paper and left: `plotters` rounds marks to whole
//! pixels, puts legends onto the data and can't attach numbers to what it draws, so a figure's
//! values could not be read back from it.

mod axis;
mod cells;
mod legend;
mod marks;
mod panel;
mod sheet;
mod style;
mod svg;

pub(super) use axis::{Axis, minus, thousands};
pub(super) use cells::Shade;
pub(super) use legend::{Entry, Sample, Scalebar};
pub(super) use marks::{Mark, MarkShape};
pub(super) use panel::Panel;
pub(super) use sheet::{Row, Sheet};
pub(super) use style::{Stroke, TITLE_SIZE};
pub(super) use svg::{Anchor, Element, Label};
