//! Tables, figures and the page answer the same question with the same number.

mod figure;
mod page;
mod recorded;

use std::sync::LazyLock;

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::program::burn_lca;

use figure::DrawnFigure;
use recorded::{NAMES, STEPS};

/// A run that is recorded once for all tests.
static RUN: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempdir().unwrap();
    recorded::record(&folder.path().join("lca"));
    folder
});

static PAGE: LazyLock<Value> = LazyLock::new(|| page::parse(&output(&["report", &run()])));

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

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

fn objects(rows: &Value) -> impl Iterator<Item = &Value> {
    rows.as_array().unwrap().iter()
}

fn numbers<'a>(rows: &'a Value, field: &'a str) -> Vec<f64> {
    objects(rows).map(|row| number(&row[field])).collect()
}

/// Fails unless numbers are the same but for the order in which their terms were added.
#[track_caller]
fn same(a: &[f64], b: &[f64]) {
    near(a, b, 1e-9);
}

#[track_caller]
fn near(a: &[f64], b: &[f64], tolerance: f64) {
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= tolerance * b.abs();
    assert!(!a.is_empty() && a.len() == b.len(), "{a:?} {b:?}");
    assert!(a.iter().zip(b).all(near), "{a:?} {b:?}");
}

#[test]
fn the_page_holds_what_the_commands_print() {
    let (page, noise) = (&PAGE["runs"][0], table("noise", &[]));
    let mut summary = page["summary"].clone();
    summary["verdict"] = page["verdict"].clone();
    let mut printed = table("summary", &[]);
    // Which the page doesn't show.
    printed["quantiles"] = Value::Null;
    assert_eq!(summary, printed);
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
            // JSON is read to the last digit but one.
            near(&[bar.unwrap().1], &[number(&layer[field])], f64::EPSILON);
        }
    }
}

#[test]
fn trajectories_end_at_the_sums_of_layers() {
    let svg = figure("trajectories");
    let figure = DrawnFigure::parse(&svg);
    for (index, probe) in ["training", "validation"].into_iter().enumerate() {
        let drawn = &PAGE["runs"][0]["trajectories"][index];
        assert_eq!(drawn["probe"], probe);
        let layers = &table("layers", &["--probe", probe])["layers"];
        for (layer, drawn) in objects(layers).zip(objects(&drawn["layers"])) {
            assert_eq!(layer["name"], drawn["layer"]);
            let sum = number(&layer["lca"]);
            let (end, rounding) = figure.end(probe, layer["name"].as_str().unwrap());
            assert!((end - sum).abs() <= rounding, "{layer}: {end}");
            same(&page::column(&drawn["sums"])[STEPS - 1..], &[sum]);
        }
    }
}

#[test]
fn losses_end_where_the_summary_says() {
    let summary = &table("summary", &[])["reconciliation"];
    for (probe, drawn) in objects(summary).zip(objects(&PAGE["runs"][0]["loss"])) {
        assert_eq!(probe["probe"], drawn["probe"]);
        same(&[number(&drawn["start"])], &[number(&probe["loss_before"])]);
        let last = |name: &str| page::column(&drawn[name])[STEPS - 1];
        same(&[last("loss")], &[number(&probe["loss_after"])]);
        let explained = number(&probe["loss_before"]) + number(&probe["lca"]);
        same(&[last("explained")], &[explained]);
    }
}

#[test]
fn the_smoothed_helping_curve_ends_at_one_height() {
    let drawn = &PAGE["runs"][0]["helping"];
    let last = 100.0 * page::column(&drawn["smoothed"])[STEPS - 1];
    let svg = figure("helping");
    let figure = DrawnFigure::parse(&svg);
    let (end, rounding) = figure.end("helping", "of those not zero smoothed");
    assert!((end - last).abs() <= rounding, "{end} {last}");
    // It is no single step's, which would be no smoothing.
    let steps = &table("noise", &[])["helping"]["steps"];
    let step = &steps[STEPS - 1];
    same(&[last], &[100.0 * number(&step["smoothed_of_nonzero"])]);
    let raw = number(&step["helping"]) / (number(&step["helping"]) + number(&step["hurting"]));
    same(&page::column(&drawn["fraction"])[STEPS - 1..], &[raw]);
    assert!((100.0 * raw - last).abs() > 0.05, "{raw} {last}");
}

#[test]
fn the_helping_fraction_of_the_run_is_one() {
    let summary = &table("summary", &[])["helping"][0];
    let all = &table("noise", &[])["helping"]["all"];
    for count in ["helping", "hurting", "zero"] {
        assert_eq!(summary[count], all[count], "{count}");
        let column = page::column(&PAGE["runs"][0]["helping"][count]);
        assert_eq!(column.iter().sum::<f64>(), number(&all[count]));
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
        let mut sums = numbers(&layers["layers"], "lca");
        same(&rows[class], &sums);
        let drawn = &PAGE["runs"][0]["class_series"][0];
        assert_eq!(drawn["classes"][class]["name"], NAMES[class]);
        // All layers together come last; changes travel in single precision.
        sums.push(number(&layers["lca"]));
        let drawn = page::last_sums(&drawn["sums"]);
        let drawn = drawn.iter().skip(class).step_by(NAMES.len());
        near(&drawn.copied().collect::<Vec<_>>(), &sums, 1e-6);
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
fn bars_of_the_distribution_are_those_of_the_table_also_next_to_zero() {
    let svg = figure("distribution");
    let figure = DrawnFigure::parse(&svg);
    let histogram = &table("noise", &[])["distribution"]["histogram"];
    let mut counts = numbers(&histogram["bars"], "count");
    counts.retain(|count| *count > 0.0);
    for panel in ["linear", "log"] {
        let bars = figure.values(panel);
        let bars: Vec<f64> = bars.iter().map(|(_, count)| *count).collect();
        assert_eq!(bars, counts, "{panel}");
    }
}

#[test]
fn summary_and_noise_have_the_same_quantiles() {
    let summary = table("summary", &[]);
    let noise = table("noise", &[]);
    let known = &noise["distribution"]["quantiles"];
    let mut compared = 0;
    for quantile in objects(&summary["quantiles"]["quantiles"]) {
        assert!(objects(known).any(|known| known == quantile), "{quantile}");
        compared += 1;
    }
    assert!(compared >= 5, "{compared}");
}

#[test]
fn film_and_page_give_full_colour_to_the_same_magnitude_however_many_steps_they_show() {
    let film = RUN.path().join("film.gif");
    let film = |quantity: &str, frames: &str| {
        let output = film.to_str().unwrap();
        let arguments = ["--quantity", quantity, "--frames", frames, "-o", output];
        table("film", &arguments)["scale"]["full"].clone()
    };
    for drawn in objects(&PAGE["runs"][0]["microscope"]["pictures"]) {
        let quantity = drawn["quantity"].as_str().unwrap();
        for frames in ["1", "7"] {
            assert_eq!(drawn["full"], film(quantity, frames), "{quantity} {frames}");
        }
    }
}
