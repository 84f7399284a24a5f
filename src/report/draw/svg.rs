//! Elements of an SVG, escaped.

use std::fmt::{self, Display, Write};

use crate::report::font;
use crate::report::palette::{Color, INK, PAPER};

/// Size of raised letters relative to the others.
const RAISED: f64 = 0.75;

/// An element with its attributes and content.
#[derive(Debug, Clone)]
pub(in crate::report) struct Element {
    name: &'static str,
    attributes: String,
    content: String,
}

impl Element {
    /// Returns an empty element.
    ///
    /// Not inlined: optimised builds of Rust 1.95 confuse two equal new elements in one function,
    /// although the first has been moved (rust-lang/rust#155241).
    #[inline(never)]
    pub(in crate::report) fn new(name: &'static str) -> Self {
        Self {
            name,
            attributes: String::with_capacity(96),
            content: String::new(),
        }
    }

    /// Sets an attribute; numbers that are positions go through [`at`](Self::at).
    pub(in crate::report) fn set(mut self, name: &str, value: impl Display) -> Self {
        // Writing to a string can't fail.
        let _ = write!(
            self.attributes,
            " {name}=\"{}\"",
            Escaped(&value.to_string())
        );
        self
    }

    /// Sets a position or length, to a thousandth of a point.
    pub(in crate::report) fn at(self, name: &str, value: f64) -> Self {
        self.set(name, Short(value))
    }

    pub(in crate::report) fn text(mut self, text: &str) -> Self {
        let _ = write!(self.content, "{}", Escaped(text));
        self
    }

    pub(in crate::report) fn push(&mut self, child: &Self) {
        let _ = write!(self.content, "{child}");
    }

    pub(in crate::report) fn with(mut self, child: &Self) -> Self {
        self.push(child);
        self
    }
}

/// Returns an empty picture of this size, with its background and typeface.
pub(in crate::report) fn document(width: f64, height: f64) -> Element {
    let paper = Element::new("rect")
        .set("width", "100%")
        .set("height", "100%")
        .set("fill", PAPER.hex());
    Element::new("svg")
        .set("xmlns", "http://www.w3.org/2000/svg")
        .at("width", width)
        .at("height", height)
        .set("viewBox", format!("0 0 {width} {height}"))
        .set("font-family", font::FAMILY)
        .with(&paper)
}

impl Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            attributes,
            content,
        } = self;
        if content.is_empty() {
            write!(f, "<{name}{attributes}/>")?;
        } else {
            write!(f, "<{name}{attributes}>{content}</{name}>")?;
        }
        // A line break within a text would show as a space.
        match *name {
            "tspan" => Ok(()),
            _ => f.write_str("\n"),
        }
    }
}

/// A length to a thousandth of a point, without trailing zeros.
pub(super) struct Short(pub(super) f64);

impl Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // −0 would be written with its sign.
        let rounded = (self.0 * 1000.0).round() / 1000.0 + 0.0;
        write!(f, "{rounded}")
    }
}

/// Returns whether a character is a control character, or has no glyph and turns the direction of
/// writing (Unicode's property `Bidi_Control`).
#[must_use]
pub fn is_hidden(character: char) -> bool {
    let turns = matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    turns || character.is_control()
}

struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                // XML has no way to write most control characters, nor these two.
                '\u{fffe}' | '\u{ffff}' => f.write_str("�")?,
                hidden if is_hidden(hidden) => f.write_str("�")?,
                letter => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}

/// Where a text lies relative to its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Anchor {
    Start,
    Middle,
    End,
}

/// A line of text on its baseline.
#[derive(Debug, Clone)]
pub(in crate::report) struct Label<'a> {
    pub(in crate::report) text: &'a str,
    pub(in crate::report) size: f64,
    pub(in crate::report) color: Color,
    pub(in crate::report) anchor: Anchor,
    /// Degrees, clockwise, around the position.
    pub(in crate::report) turned: f64,
}

impl<'a> Label<'a> {
    pub(in crate::report) fn new(text: &'a str, size: f64, anchor: Anchor) -> Self {
        Self {
            text,
            size,
            color: INK,
            anchor,
            turned: 0.0,
        }
    }

    pub(in crate::report) fn draw(&self, x: f64, y: f64) -> Element {
        self.element(x, y).text(self.text)
    }

    /// Draws the label of a tick: `10^−3` is a power of ten.
    pub(super) fn draw_number(&self, x: f64, y: f64) -> Element {
        let Some((base, power, rest)) = powers(self.text) else {
            return self.draw(x, y);
        };
        let raised = Element::new("tspan")
            .at("dy", -0.4 * self.size)
            .at("font-size", RAISED * self.size)
            .text(power);
        let element = self.element(x, y).text(base).with(&raised);
        if rest.is_empty() {
            element
        } else {
            element.with(&Element::new("tspan").at("dy", 0.4 * self.size).text(rest))
        }
    }

    fn element(&self, x: f64, y: f64) -> Element {
        let anchor = match self.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let element = Element::new("text")
            .at("x", x)
            .at("y", y)
            .at("font-size", self.size)
            .set("fill", self.color.hex())
            .set("text-anchor", anchor);
        if self.turned == 0.0 {
            return element;
        }
        let turn = format!("rotate({} {} {})", self.turned, Short(x), Short(y));
        element.set("transform", turn)
    }
}

/// Returns the width of a tick's label.
pub(super) fn number_width(text: &str, size: f64) -> f64 {
    match powers(text) {
        Some((base, power, rest)) => {
            font::width(base, size) + font::width(power, RAISED * size) + font::width(rest, size)
        }
        None => font::width(text, size),
    }
}

/// Splits the number that a `^` raises from the text before and after it.
fn powers(text: &str) -> Option<(&str, &str, &str)> {
    let (base, rest) = text.split_once('^')?;
    let end = rest.find(|letter: char| letter != '−' && !letter.is_ascii_digit());
    let (power, rest) = rest.split_at(end.unwrap_or(rest.len()));
    Some((base, power, rest))
}
