//! An SVG of texts, lines and points.

use std::fmt::Write;

use crate::report::font;
use crate::report::palette::Color;

/// Where a text stands against its position.
#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// What is drawn so far, in pixels from the upper left corner.
pub(super) struct Svg(String);

impl Svg {
    pub(super) fn new() -> Self {
        Self(String::new())
    }

    pub(super) fn text(
        &mut self,
        [x, y]: [f64; 2],
        size: f64,
        color: Color,
        anchor: Anchor,
        text: &str,
    ) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        // Writing to a string can't fail.
        let _ = write!(
            self.0,
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" fill=\"{}\" \
             text-anchor=\"{anchor}\">",
            color.hex()
        );
        for letter in text.chars() {
            match letter {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                letter if letter.is_control() => self.0.push('\u{fffd}'),
                letter => self.0.push(letter),
            }
        }
        self.0.push_str("</text>");
    }

    /// Draws a line through points, with gaps where one is not finite.
    pub(super) fn line(&mut self, points: &[[f64; 2]], width: f64, color: Color) {
        let _ = write!(
            self.0,
            "<path fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\" d=\"",
            color.hex()
        );
        let mut letter = 'M';
        for [x, y] in points {
            if x.is_finite() && y.is_finite() {
                let _ = write!(self.0, "{letter}{x:.2} {y:.2}");
                letter = 'L';
            } else {
                letter = 'M';
            }
        }
        self.0.push_str("\"/>");
    }

    /// Returns the file of a picture of this size.
    pub(super) fn finish(&self, width: usize, height: usize) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             font-family=\"{}\" xml:space=\"preserve\">{}</svg>",
            font::FAMILY,
            self.0
        )
    }
}
