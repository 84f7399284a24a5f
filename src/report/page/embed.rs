//! Puts data, script and style into one HTML file.

use serde::Serialize;

use crate::LcaError;

const PAGE: &str = include_str!("assets/page.html");
const STYLE: &str = include_str!("assets/page.css");
/// In the order in which they run.
const SCRIPT: [&str; 10] = [
    include_str!("assets/base.js"),
    include_str!("assets/view.js"),
    include_str!("assets/axes.js"),
    include_str!("assets/timechart.js"),
    include_str!("assets/bars.js"),
    include_str!("assets/maps.js"),
    include_str!("assets/sections.js"),
    include_str!("assets/sections-classes.js"),
    include_str!("assets/microscope.js"),
    include_str!("assets/main.js"),
];

/// Returns the page with the data in it.
pub(super) fn page(data: &impl Serialize) -> Result<String, LcaError> {
    let json = serde_json::to_string(data).map_err(|error| {
        LcaError::internal(format!("the page's data can't be written as JSON: {error}"))
    })?;
    let script = format!("\"use strict\";\n{}", SCRIPT.join("\n"));
    // In the order of the page, so that nothing in a part can be taken for the next mark.
    let mut text = String::with_capacity(json.len() + 100_000);
    let mut rest = PAGE;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((mark, after)) = after.split_once("}}") else {
            break;
        };
        text.push_str(before);
        match mark {
            "version" => text.push_str(env!("CARGO_PKG_VERSION")),
            "style" => text.push_str(STYLE),
            "data" => text.push_str(&inert(&json)),
            _ => text.push_str(&script),
        }
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

/// Returns JSON that no HTML parser and no JavaScript parser can take for anything else.
///
/// Within a script element the text ends at `</script`, and `<!--` changes how it is read; both
/// begin with `<`. JSON has these characters in strings only, where an escape means the same.
fn inert(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            _ => text.push(character),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_breaks_out_of_the_data() {
        let name = "</script><script>alert(1)</script><!-- \" ' \u{2028} {{script}} ]]>";
        let text = page(&[name]).unwrap();
        let (_, after) = text
            .split_once("<script type=\"application/json\" id=\"data\">")
            .unwrap();
        let (data, after) = after.split_once("</script>").unwrap();
        assert!(!data.contains(['<', '>', '&', '\u{2028}']), "{data}");
        assert_eq!(serde_json::from_str::<[String; 1]>(data).unwrap()[0], name);
        // What follows is the page's own script, once.
        assert!(after.trim_start().starts_with("<script>\n\"use strict\""));
        assert_eq!(text.matches("\"use strict\"").count(), 1);
    }

    #[test]
    fn the_page_asks_for_nothing_from_a_network() {
        let text = page(&[0; 0]).unwrap();
        for address in ["http:", "https:", "src=", "@import", "url("] {
            let found: Vec<&str> = text.lines().filter(|line| line.contains(address)).collect();
            // The name of a kind of element is an address in form only.
            let all_names = found
                .iter()
                .all(|line| line.contains("www.w3.org/2000/svg"));
            assert!(all_names, "{address}: {found:?}");
        }
        assert!(text.contains("default-src 'none'"));
    }
}
