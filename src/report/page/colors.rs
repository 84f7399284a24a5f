//! The page's colours as custom properties of its style sheet.

use crate::report::palette::{Palette, SCREEN, ScreenColor};

/// Returns the rules that give the style sheet its colours, for light and dark screens.
pub(super) fn properties() -> String {
    let [default, other] = [Palette::GreenRed, Palette::BlueOrange].map(Palette::screen);
    // Signs of what neither helps nor hurts have the other colours with either palette.
    let signs = other.iter().filter_map(|color| {
        let (side, part) = color.name.split_once('-')?;
        let sign = match side {
            "help" => "negative",
            _ => "positive",
        };
        Some(property(&format!("{sign}-{part}"), color))
    });
    let colors = SCREEN.iter().chain(&default);
    let root = colors.map(|color| property(color.name, color)).chain(signs);
    let blue = other.iter().map(|color| property(color.name, color));
    rule(":root", root) + &rule(":root[data-palette=\"blue\"]", blue)
}

fn property(name: &str, color: &ScreenColor) -> String {
    let (light, dark) = (color.light.hex(), color.dark.hex());
    format!("--{name}: light-dark({light}, {dark});")
}

fn rule(selector: &str, properties: impl Iterator<Item = String>) -> String {
    let lines: Vec<String> = properties.map(|line| format!("  {line}\n")).collect();
    format!("{selector} {{\n{}}}\n", lines.concat())
}
