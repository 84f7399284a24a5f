//! Texts from files on their way to a terminal.

use std::fmt::Display;

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

/// Returns whether a character controls a terminal or turns the direction of writing.
pub fn is_hidden(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
