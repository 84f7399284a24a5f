//! Puts data, script and style into one HTML file.

use serde::Serialize;

use crate::error::LcaError;

use crate::report::draw::is_hidden;

use super::colors;

const PAGE: &str = include_str!("assets/page.html");
const STYLE: &str = include_str!("assets/page.css");

/// A module of the page's script, by its path.
macro_rules! modules {
    ($($path:literal),* $(,)?) => {
        [$(Module { path: $path, text: include_str!(concat!("assets/script/", $path)) }),*]
    };
}

struct Module {
    path: &'static str,
    text: &'static str,
}

/// The modules of the script; each imports from those before it only.
const MODULES: [Module; 42] = modules![
    "format.js",
    "dom.js",
    "data.js",
    "view.js",
    "address.js",
    "choices.js",
    "place.js",
    "closer.js",
    "table.js",
    "runs.js",
    "charts/axes.js",
    "charts/names.js",
    "charts/save.js",
    "charts/figure.js",
    "charts/colours.js",
    "charts/timeplot.js",
    "charts/timechart.js",
    "charts/timemap.js",
    "charts/dots.js",
    "charts/bars.js",
    "charts/heatmap.js",
    "charts/histogram.js",
    "sums.js",
    "together.js",
    "microscope/block.js",
    "microscope/pictures.js",
    "questions/grounded.js",
    "questions/noise.js",
    "questions/layers.js",
    "questions/heroes.js",
    "questions/traces.js",
    "questions/distribution.js",
    "questions/sync.js",
    "questions/classes.js",
    "questions/validation.js",
    "questions/candidates.js",
    "microscope/stage.js",
    "microscope/controls.js",
    "microscope/microscope.js",
    "toolbar.js",
    "live.js",
    "main.js",
];

/// Returns data as JSON that is safe within a page.
pub(super) fn json(data: &impl Serialize) -> Result<String, LcaError> {
    let json = serde_json::to_string(data).map_err(|error| {
        LcaError::internal(format!("the page's data can't be written as JSON: {error}"))
    })?;
    Ok(inert(&json))
}

/// Returns a page with data in it.
pub(super) fn page(json: &str) -> String {
    filled(json, "")
}

/// Returns a page that asks its server for data.
pub(super) fn served() -> String {
    filled("null", "; connect-src 'self'")
}

/// Returns the page with data in it; `connect` is what it may ask for, beside that.
fn filled(json: &str, connect: &str) -> String {
    let script = joined(&MODULES);
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
            "style" => {
                text.push_str(&colors::properties());
                text.push_str(STYLE);
            }
            "data" => text.push_str(json),
            "connect" => text.push_str(connect),
            _ => text.push_str(&script),
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

/// Returns modules as a single one, without their comments.
///
/// A page that is opened from a disk can't load modules: browsers refuse to import a file beside
/// it, and modules within a page have no address that others could import. With all of them in
/// one scope, names are found without imports. So lines of imports go, `export` goes, and no two
/// modules may have the same name at their top; the tests see to that. What is left to the
/// formatter is that a statement begins a line, and an import ends with one.
fn joined(modules: &[Module]) -> String {
    let mut script = String::new();
    for module in modules {
        script.push_str(&format!("// {}\n", module.path));
        let mut lines = module.text.lines();
        while let Some(line) = lines.next() {
            let start = line.trim_start();
            if line.starts_with("import ") {
                skip_through(&mut lines, line, ";");
            } else if start.starts_with("/**") && !start.trim_end_matches("*/").contains("*/") {
                skip_through(&mut lines, line, "*/");
            } else if !start.starts_with("//") && !start.is_empty() {
                script.push_str(line.strip_prefix("export ").unwrap_or(line));
                script.push('\n');
            }
        }
    }
    script
}

/// Skips lines up to one that ends so; `line` is the first.
fn skip_through<'a>(lines: &mut impl Iterator<Item = &'a str>, line: &'a str, end: &str) {
    let mut line = Some(line);
    while line.is_some_and(|line| !line.ends_with(end)) {
        line = lines.next();
    }
}

/// Returns JSON that no HTML parser and no JavaScript parser can take for anything else.
///
/// Within a script element the text ends at `</script`, and `<!--` changes how it is read; both
/// begin with `<`. JSON has these characters in strings only, where an escape means the same.
/// Characters that turn the direction of writing are replaced, as in figures.
fn inert(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            '\n' => text.push(character),
            hidden if is_hidden(hidden) => text.push(char::REPLACEMENT_CHARACTER),
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
        let text = page(&json(&[name]).unwrap());
        let (_, after) = text
            .split_once("<script type=\"application/json\" id=\"data\">")
            .unwrap();
        let (data, after) = after.split_once("</script>").unwrap();
        assert!(!data.contains(['<', '>', '&', '\u{2028}']), "{data}");
        assert_eq!(serde_json::from_str::<[String; 1]>(data).unwrap()[0], name);
        // What follows is the page's own script, once.
        let script = joined(&MODULES);
        let (before, _) = after.split_once(&script).unwrap();
        assert_eq!(before.trim(), "<script type=\"module\">");
        assert_eq!(text.matches(&script).count(), 1);
    }

    #[test]
    fn the_page_asks_for_nothing_from_a_network() {
        let text = page(&json(&[0; 0]).unwrap());
        for address in ["http:", "https:", "src=", "@import", "url("] {
            let found: Vec<&str> = text.lines().filter(|line| line.contains(address)).collect();
            // The name of a kind of element is an address in form only.
            let all_names = found
                .iter()
                .all(|line| line.contains("www.w3.org/2000/svg"));
            assert!(all_names, "{address}: {found:?}");
        }
        assert!(text.contains("default-src 'none'"));
        assert!(!text.contains("connect-src"));
    }

    /// The names that a module declares at its top, and whether each is exported.
    fn declared(module: &Module) -> Vec<(&str, bool)> {
        let declaration = |line: &'static str| {
            let (line, exported) = match line.strip_prefix("export ") {
                Some(line) => (line, true),
                None => (line, false),
            };
            let line = line.strip_prefix("async ").unwrap_or(line);
            let kinds = ["const ", "let ", "function ", "class "];
            let rest = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
            let is_name = |letter: char| letter.is_ascii_alphanumeric() || "_$".contains(letter);
            let name = rest.split(|letter| !is_name(letter)).next()?;
            Some((name, exported))
        };
        module.text.lines().filter_map(declaration).collect()
    }

    /// The imports of a module: path within the script's folder, and names.
    fn imports(module: &Module) -> Vec<(String, Vec<&str>)> {
        let folder = module
            .path
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        let statements = module.text.split("\nimport ").skip(1);
        let import = |statement: &'static str| {
            let (statement, _) = statement.split_once(';').unwrap();
            let (names, path) = statement.split_once(" from ").unwrap();
            let names = names.strip_prefix('{').unwrap().strip_suffix('}').unwrap();
            let names = names
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty());
            let path = path.trim_matches('"');
            let path = match (path.strip_prefix("../"), path.strip_prefix("./")) {
                (Some(path), _) => path.to_owned(),
                (None, Some(path)) if folder.is_empty() => path.to_owned(),
                (None, Some(path)) => format!("{folder}/{path}"),
                (None, None) => panic!("{path} is no path of a module"),
            };
            (path, names.collect())
        };
        statements.map(import).collect()
    }

    #[test]
    fn modules_share_one_scope_without_a_name_twice() {
        let mut known: Vec<(&str, &str)> = Vec::new();
        for module in &MODULES {
            for (name, _) in declared(module) {
                let other = known.iter().find(|(known, _)| *known == name);
                assert_eq!(other, None, "{} declares {name}", module.path);
                known.push((name, module.path));
            }
        }
        assert!(known.len() > 100, "{}", known.len());
    }

    #[test]
    fn a_module_imports_from_those_before_it_what_they_export() {
        for (place, module) in MODULES.iter().enumerate() {
            for (path, names) in imports(module) {
                let before = MODULES[..place].iter().find(|other| other.path == path);
                let before = before.unwrap_or_else(|| panic!("{} imports {path}", module.path));
                for name in names {
                    // Under another name it would not be found in the shared scope.
                    assert!(
                        declared(before).contains(&(name, true)),
                        "{} imports {name} from {path}",
                        module.path
                    );
                }
            }
        }
    }

    #[test]
    fn joined_modules_keep_every_statement_but_imports() {
        let text = "// About it.\n\nimport {\n  a,\n} from \"./a.js\";\nimport { b } from \"./b.js\";\n\n\
                    /** @type {X} */\nexport const c = a;\n/**\n * Text; of two lines.\n */\n\
                    export async function d(/** @type {X} */ x) {\n  /** @type {X} */ (b);\n  \
                    return 1; // kept\n}\n";
        let module = Module { path: "m.js", text };
        let kept = "// m.js\nconst c = a;\nasync function d(/** @type {X} */ x) {\n  \
                    /** @type {X} */ (b);\n  return 1; // kept\n}\n";
        assert_eq!(joined(&[module]), kept);
        for line in joined(&MODULES).lines() {
            for odd in ["import ", "export ", "*"] {
                assert!(!line.trim_start().starts_with(odd), "{line}");
            }
        }
    }

    #[test]
    fn lines_of_the_assets_are_short() {
        let texts = MODULES.iter().map(|module| (module.path, module.text));
        for (path, text) in texts.chain([("page.html", PAGE), ("page.css", STYLE)]) {
            let long = text.lines().find(|line| line.chars().count() > 100);
            assert_eq!(long, None, "{path}");
        }
    }
}
