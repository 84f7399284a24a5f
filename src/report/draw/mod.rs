//! Drawing: from panels of marks in the data's own units to an SVG.
//!
//! A general plotting library was tried on paper and left: `plotters` rounds marks to whole
//! pixels, puts legends onto the data and can't attach numbers to what it draws, so a figure's
//! values could not be read back from it.

mod axis;
mod cells;
mod legend;
mod marks;
mod numbers;
mod panel;
mod shapes;
mod sheet;
mod style;
mod svg;

pub(super) use axis::Axis;
pub(super) use cells::Shade;
pub(super) use legend::{LegendEntry, LegendSample, Scalebar};
pub(super) use marks::Mark;
pub(super) use numbers::{counted, minus, short, signed};
pub(super) use panel::Panel;
pub(super) use shapes::{Area, MarkShape};
pub(super) use sheet::{PanelRow, Sheet};
pub(super) use style::{Stroke, TITLE_SIZE};
pub use svg::is_hidden;
pub(super) use svg::{Anchor, Label, document};
