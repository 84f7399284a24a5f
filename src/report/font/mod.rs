//! The typeface of figures: how wide a text is, and the file for pictures that carry it.

use std::sync::{Arc, OnceLock};

use resvg::usvg::{self, fontdb};
use ttf_parser::Face;

use crate::analysis::names;

/// The file, made by `subset.py`. Its widths are those of Arial and Helvetica, one of which most
/// readers have.
const FILE: &[u8] = include_bytes!("LcaSans-Regular.ttf");
/// The name in the file.
const NAME: &str = "LCA Sans";
/// The families that an SVG asks for.
pub(super) const FAMILY: &str = "'LCA Sans', 'Liberation Sans', Arial, Helvetica, sans-serif";

/// Returns how an SVG is read: with this typeface, whatever it asks for.
pub(super) fn options() -> &'static usvg::Options<'static> {
    static OPTIONS: OnceLock<usvg::Options> = OnceLock::new();
    OPTIONS.get_or_init(|| {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(FILE.to_vec());
        fonts.set_sans_serif_family(NAME);
        usvg::Options {
            fontdb: Arc::new(fonts),
            font_family: NAME.into(),
            ..usvg::Options::default()
        }
    })
}

/// Returns the width of a text in the unit of `size`; letters that the font lacks are taken to be
/// as wide as they are high.
pub(super) fn width(text: &str, size: f64) -> f64 {
    static FACE: OnceLock<Option<Face<'static>>> = OnceLock::new();
    let face = FACE.get_or_init(|| Face::parse(FILE, 0).ok());
    let advance = |letter: char| -> f64 {
        let known = face.as_ref().and_then(|face| {
            let advance = face.glyph_hor_advance(face.glyph_index(letter)?)?;
            Some(f64::from(advance) / f64::from(face.units_per_em()))
        });
        known.unwrap_or(1.0)
    };
    text.chars().map(advance).sum::<f64>() * size
}

/// Returns the text, or its beginning and end with `…` between where it is too wide.
pub(super) fn shorten(text: &str, size: f64, most: f64) -> String {
    names::shorten(text, |text| width(text, size) <= most)
}

/// Returns names no wider than `most` and still distinct; see [`names::shorten_apart`].
pub(super) fn shorten_apart<'a>(
    names: impl IntoIterator<Item = &'a str>,
    size: f64,
    most: f64,
) -> Vec<String> {
    names::shorten_apart(names, |name| width(name, size) <= most)
}

/// Returns the lines of a text, broken between words; a word that is too wide is shortened.
pub(super) fn wrapped(text: &str, size: f64, most: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), size) <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(shorten(word, size, most)),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_as_wide_as_in_arial() {
        assert!((width("0123456789", 100.0) - 556.0).abs() < 1.0);
    }
}
