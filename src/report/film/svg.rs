//! An SVG of texts and lines, in pixels from the upper left corner.

use crate::report::draw::{Element, Label};
use crate::report::font;
use crate::report::palette::Color;

pub(super) use crate::report::draw::Anchor;

/// What is drawn so far.
pub(super) struct Svg(Element);

impl Svg {
    pub(super) fn new() -> Self {
        Self(
            Element::new("svg")
                .set("xmlns", "http://www.w3.org/2000/svg")
                .set("font-family", font::FAMILY)
                .set("xml:space", "preserve"),
        )
    }

    pub(super) fn text(
        &mut self,
        [x, y]: [f64; 2],
        size: f64,
        color: Color,
        anchor: Anchor,
        text: &str,
    ) {
        let label = Label {
            color,
            ..Label::new(text, size, anchor)
        };
        self.0.push(&label.draw(x, y));
    }

    /// Draws a line through points, with gaps where one is not finite.
    pub(super) fn line(&mut self, points: &[[f64; 2]], width: f64, color: Color) {
        let mut path = String::new();
        let mut letter = 'M';
        for [x, y] in points {
            if x.is_finite() && y.is_finite() {
                path.push_str(&format!("{letter}{x:.2} {y:.2}"));
                letter = 'L';
            } else {
                letter = 'M';
            }
        }
        let line = Element::new("path")
            .set("fill", "none")
            .set("stroke", color.hex())
            .set("stroke-width", width)
            .set("d", path);
        self.0.push(&line);
    }

    /// Returns the file of a picture of this size.
    pub(super) fn finish(self, width: usize, height: usize) -> String {
        self.0.set("width", width).set("height", height).to_string()
    }
}
