//! Tables, figures and the page answer the same question with the same number.

mod figure;
mod recorded;

use std::sync::LazyLock;

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::program::burn_lca;

use figure::DrawnFigure;
use recorded::NAMES;

/// A run that is recorded once for all tests.
static RUN: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempdir().unwrap();
    recorded::record(&folder.path().join("lca"));
    folder
});

static PAGE: LazyLock<Value> = LazyLock::new(|| page(&run()));

fn run() -> String {
    RUN.path().join("lca").display().to_string()
}

fn output(arguments: &[&str]) -> String {
    let answer = burn_lca(arguments);
    assert_eq!(answer.code, Some(0), "{arguments:?}: {answer:?}");
    answer.text().to_owned()
}

/// Returns what a command answers about the run, as JSON.
fn table(command: &str, more: &[&str]) -> Value {
    let run = run();
    let arguments = [&[command, &run, "--format", "json"], more].concat();
    serde_json::from_str(&output(&arguments)).unwrap()
}

fn figure(name: &str) -> String {
    output(&["plot", &run(), name])
}

/// Returns the data that the page's script draws.
fn page(run: &str) -> Value {
    let page = output(&["report", run]);
    let (_, data) = page.split_once("id=\"data\">").unwrap();
    let (data, _) = data.split_once("</script>").unwrap();
    serde_json::from_str(data).unwrap()
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

fn numbers<'a>(rows: &'a Value, field: &'a str) -> Vec<f64> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| number(&row[field])).collect()
}

/// Numbers that are shown are sums of the same terms, maybe in another order.
#[track_caller]
fn same(a: &[f64], b: &[f64]) {
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * b.abs();
    assert!(!a.is_empty() && a.len() == b.len(), "{a:?} {b:?}");
    assert!(a.iter().zip(b).all(near), "{a:?} {b:?}");
}

#[test]
fn the_page_holds_what_the_commands_print() {
    let (page, noise) = (&PAGE["runs"][0], table("noise", &[]));
    assert_eq!(page["summary"], table("summary", &[]));
    for part in ["distribution", "heroes", "oscillation", "concentration"] {
        assert!(noise[part].is_object() || noise[part].is_array(), "{part}");
        assert_eq!(page[part], noise[part], "{part}");
    }
    assert_eq!(page["peaks"], table("peaks", &[]));
    assert_eq!(PAGE["candidates"], table("candidates", &[]));
}

#[test]
fn bars_of_layers_are_their_sums() {
    let svg = figure("layers");
    let figure = DrawnFigure::parse(&svg);
    let layers = &table("layers", &[])["layers"];
    for (panel, field) in [("sum", "lca"), ("per parameter", "lca_per_parameter")] {
        let bars = figure.values(panel);
        assert_eq!(bars.len(), layers.as_array().unwrap().len());
        for layer in layers.as_array().unwrap() {
            let bar = bars.iter().find(|(name, _)| layer["name"] == *name);
            assert_eq!(bar.unwrap().1, number(&layer[field]), "{layer}");
        }
    }
}

#[test]
fn trajectories_end_at_the_sums_of_layers() {
    let svg = figure("trajectories");
    let figure = DrawnFigure::parse(&svg);
    for layer in table("layers", &[])["layers"].as_array().unwrap() {
        let (end, rounding) = figure.end("training", layer["name"].as_str().unwrap());
        let sum = number(&layer["lca"]);
        assert!((end - sum).abs() <= rounding, "{layer}: {end}");
    }
}

#[test]
fn cells_of_classes_are_the_sums_of_layers_by_class() {
    let svg = figure("classes");
    let figure = DrawnFigure::parse(&svg);
    let cells = figure.values("layers");
    let columns = cells.len() / NAMES.len();
    let rows: Vec<Vec<f64>> = cells
        .chunks(columns)
        .map(|row| row.iter().map(|(_, value)| *value).collect())
        .collect();
    for class in 0..NAMES.len() {
        let layers = table("layers", &["--class", &class.to_string()]);
        let sums = numbers(&layers["layers"], "lca");
        same(&rows[class], &sums);
    }
    for name in NAMES {
        assert!(
            figure.texts().iter().any(|text| text.contains(name)),
            "{name}"
        );
    }
}

#[test]
fn bars_of_heroes_are_the_bins_of_the_table() {
    let svg = figure("heroes");
    let figure = DrawnFigure::parse(&svg);
    let bars = figure.values("heroes");
    let bars: Vec<f64> = bars.iter().map(|(_, count)| *count).collect();
    let bins = numbers(&table("noise", &[])["heroes"]["bins"], "parameters");
    assert_eq!(bars, bins);
}

#[test]
fn bars_of_the_distribution_hold_all_values_that_are_not_zero() {
    let svg = figure("distribution");
    let figure = DrawnFigure::parse(&svg);
    let distribution = &table("noise", &[])["distribution"];
    for side in ["helping", "hurting"] {
        let bars = figure.values("linear");
        let bars = bars.iter().filter(|(name, _)| name == side);
        assert_eq!(
            bars.map(|(_, count)| count).sum::<f64>(),
            number(&distribution[side])
        );
    }
}
