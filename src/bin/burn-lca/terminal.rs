//! Texts from files on their way to a terminal.

use std::fmt::Display;

use burn_lca::report::is_hidden;

/// Says something on stderr.
pub fn say(message: impl Display) {
    eprintln!("burn-lca: {}", printable(&message.to_string()));
}

/// Returns a text without characters that would control a terminal or turn the direction of
/// writing; names come from files.
pub fn printable(text: &str) -> String {
    let visible = |character: char| {
        if is_hidden(character) {
            char::REPLACEMENT_CHARACTER
        } else {
            character
        }
    };
    text.chars().map(visible).collect()
}
