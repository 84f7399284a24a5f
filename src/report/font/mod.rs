//! The typeface of figures: how wide a text is, and the file for pictures that carry it.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use resvg::usvg::{self, fontdb};
use ttf_parser::Face;

/// The file. Its widths are those of Arial and Helvetica, one of which most readers have.
pub(super) const FILE: &[u8] = include_bytes!("LcaSans-Regular.ttf");
/// The name in the file.
pub(super) const NAME: &str = "LCA Sans";
/// What an SVG asks for.
pub(super) const FAMILY: &str = "'LCA Sans', 'Liberation Sans', Arial, Helvetica, sans-serif";

/// Returns how an SVG is to be read: with this typeface for whatever it asks for.
pub(super) fn options() -> usvg::Options<'static> {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(FILE.to_vec());
    fonts.set_sans_serif_family(NAME);
    usvg::Options {
        fontdb: Arc::new(fonts),
        font_family: NAME.into(),
        ..usvg::Options::default()
    }
}

/// Returns the width of a text, as `size` has it; letters that the font lacks count as wide.
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
    if width(text, size) <= most {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().collect();
    let cut = |kept: usize| -> String {
        let front = kept.div_ceil(2);
        let back = letters.len() - (kept - front);
        letters[..front]
            .iter()
            .chain(&['…'])
            .chain(&letters[back..])
            .collect()
    };
    let fits = (0..letters.len())
        .rev()
        .map(cut)
        .find(|text| width(text, size) <= most);
    fits.unwrap_or_else(|| "…".into())
}

/// Returns names shortened, and still told apart: where shortening alone would make two of them
/// the same, `…` stands for the parts of their paths that all have in common.
pub(super) fn shorten_apart<'a>(
    names: impl IntoIterator<Item = &'a str>,
    size: f64,
    most: f64,
) -> Vec<String> {
    let names: Vec<&str> = names.into_iter().collect();
    let short = |names: &[&str]| -> Vec<String> {
        let names = names.iter();
        names.map(|name| shorten(name, size, most)).collect()
    };
    let different = |names: &[String]| names.iter().collect::<HashSet<_>>().len();
    let plain = short(&names);
    let paths: Vec<Vec<&str>> = names.iter().map(|name| name.split('.').collect()).collect();
    let Some((first, others)) = paths.split_first() else {
        return plain;
    };
    let shortest = paths.iter().map(Vec::len).min().unwrap_or(0);
    // Something is left of each name.
    let alike = |same: &dyn Fn(&[&str], usize) -> bool, most: usize| {
        (0..most)
            .take_while(|place| others.iter().all(|other| same(other, *place)))
            .count()
    };
    let front = alike(&|path, place| path[place] == first[place], shortest - 1);
    let back = alike(
        &|path, place| path[path.len() - 1 - place] == first[first.len() - 1 - place],
        shortest - 1 - front,
    );
    let middles: Vec<String> = paths
        .iter()
        .map(|path| {
            let middle = path[front..path.len() - back].join(".");
            let dots = |parts: usize| if parts > 0 { "…" } else { "" };
            shorten(
                &format!("{}{middle}{}", dots(front), dots(back)),
                size,
                most,
            )
        })
        .collect();
    match different(&middles) > different(&plain) {
        true => middles,
        false => plain,
    }
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

    #[test]
    fn long_names_that_differ_in_their_middle_stay_different() {
        let names: Vec<String> = (8..12)
            .map(|layer| format!("encoder.layers.{layer}.attention.query.projection"))
            .collect();
        let short = shorten_apart(names.iter().map(String::as_str), 11.0, 120.0);
        assert_eq!(short, ["…8…", "…9…", "…10…", "…11…"]);
        let known = ["fc1", "fc1.weight", "a.b"];
        assert_eq!(shorten_apart(known, 11.0, 120.0), known);
        assert_eq!(shorten_apart(["only.one"], 11.0, 10.0).len(), 1);
    }

    #[test]
    fn a_long_name_keeps_both_ends() {
        let short = shorten("encoder.layers.11.attention.query.weight", 11.0, 120.0);
        assert!(
            short.starts_with("enc") && short.ends_with("ight"),
            "{short}"
        );
        assert!(width(&short, 11.0) <= 120.0);
    }
}
