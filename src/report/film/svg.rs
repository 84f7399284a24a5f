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

/// A picture that is being drawn, on white.
pub(super) struct Svg(String);

impl Svg {
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             font-family=\"{}\" xml:space=\"preserve\">",
            font::FAMILY
        ))
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

    pub(super) fn finish(mut self) -> String {
        self.0.push_str("</svg>");
        self.0
    }
}
