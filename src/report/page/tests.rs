//! Pages of runs of every kind. With `BURN_LCA_PAGES` set to a folder they are kept there, for the
//! tests in a browser.

use std::fs;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::analysis::class_maps;
use crate::analysis::classes::ClassMapOptions;
use crate::analysis::tests::random::noise_at;
use crate::analysis::tests::synthetic::Synthetic;
use crate::record::Run;

use super::{Served, page};

mod served;

/// The page of a run, and its data.
fn written(name: &str, run: &Synthetic) -> (String, Value) {
    let folder = tempfile::tempdir().unwrap();
    page_of(name, run.write(folder.path()))
}

fn page_of(name: &str, run: Run) -> (String, Value) {
    let text = page(&[run]).unwrap();
    if let Some(kept) = std::env::var_os("BURN_LCA_PAGES") {
        let kept = PathBuf::from(kept);
        fs::create_dir_all(&kept).unwrap();
        fs::write(kept.join(format!("{name}.html")), &text).unwrap();
    }
    let (_, after) = text.split_once("id=\"data\">").unwrap();
    let (data, _) = after.split_once("</script>").unwrap();
    let data = serde_json::from_str(data).unwrap();
    (text, data)
}

/// The numbers of a column, as the page's script reads them.
fn numbers(column: &Value) -> Vec<f64> {
    let bytes = STANDARD.decode(column["f64"].as_str().unwrap()).unwrap();
    let numbers = bytes.chunks(8);
    numbers
        .map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap()))
        .collect()
}

/// The rows of a column of sums.
fn running_sums(column: &Value) -> Vec<Vec<f64>> {
    let bytes = STANDARD.decode(column["f32"].as_str().unwrap()).unwrap();
    let changes = bytes.chunks(4);
    let changes: Vec<f64> = changes
        .map(|bytes| f64::from(f32::from_le_bytes(bytes.try_into().unwrap())))
        .collect();
    let rows = changes.chunks(column["row"].as_u64().unwrap() as usize);
    let before = column["before"].as_array().unwrap();
    let rows = rows.zip(before);
    let sums = |(row, before): (&[f64], &Value)| {
        let mut sum = before.as_f64().unwrap();
        row.iter()
            .map(|change| {
                sum += change;
                sum
            })
            .collect()
    };
    rows.map(sums).collect()
}

#[test]
fn one_parameter_and_one_step_are_a_page() {
    let (_, data) = written("one", &Synthetic::new(&[("w", 1)], 1));
    let run = &data["runs"][0];
    assert_eq!(run["summary"]["steps"], 1);
    assert_eq!(run["microscope"]["cells"], 1);
    assert_eq!(run["microscope"]["iterations"].as_array().unwrap().len(), 1);
}

#[test]
fn a_run_of_nothing_but_nan_is_a_page() {
    let run = Synthetic::new(&[("a.weight", 4), ("b.weight", 2)], 12)
        .classes(2)
        .validation()
        .lca(|_| f64::NAN);
    let (_, data) = written("nan", &run);
    assert_eq!(
        data["runs"][0]["summary"]["reconciliation"][0]["not_finite"],
        12
    );
}

#[test]
fn what_is_not_recorded_is_said_to_be_missing() {
    let run = Synthetic::new(&[("a.weight", 4), ("b.weight", 2)], 12).without_parameters();
    let (_, data) = written("sparse", &run);
    let run = &data["runs"][0];
    assert!(run["microscope"].is_null());
    let missing = run["microscope_missing"].as_str().unwrap();
    assert!(missing.contains("Recorder::full"), "{missing}");
    assert!(run["trace"].is_null() && run["class_series"].as_array().unwrap().is_empty());
}

#[test]
fn names_made_to_break_out_stay_names() {
    let name = "</script><script>window.broken=1</script><!-- <img src=x onerror='window.broken=1'>\".w\u{2028}";
    let run = Synthetic::new(&[(name, 4), ("b.weight", 2)], 60)
        .classes(2)
        .validation()
        .lca(|at| -0.01 * ((at.iteration % 7) as f64) + 0.001 * at.index as f64);
    let (text, data) = written("hostile", &run);
    assert_eq!(data["runs"][0]["microscope"]["blocks"][0]["tensor"], name);
    // The name is within the data only, where no letter begins a tag.
    let (_, after) = text.split_once("id=\"data\">").unwrap();
    let (json, _) = after.split_once("</script>").unwrap();
    let found = json.matches("window.broken=1").count();
    assert!(found > 0 && found == text.matches("window.broken=1").count());
    assert!(!json.contains('<'));
}

#[test]
fn a_long_run_of_many_layers_stays_small_enough_to_send() {
    let names: Vec<String> = (0..20)
        .map(|layer| format!("block{layer}.conv.weight"))
        .collect();
    let tensors: Vec<(&str, usize)> = names.iter().map(|name| (name.as_str(), 10)).collect();
    let run = Synthetic::new(&tensors, 1000)
        .classes(10)
        .validation()
        .lca(|at| (noise_at(at) - 0.2) * 0.5e-4);
    let folder = tempfile::tempdir().unwrap();
    let run = run.write(folder.path());
    let maps = class_maps(&run, &ClassMapOptions::default()).unwrap();
    let (text, data) = page_of("long", run);
    assert!(text.len() < 5_000_000, "{} bytes", text.len());
    let run = &data["runs"][0];
    // 70,000 numbers for 20 layers on two probes, 90,000 for 20 layers of 10 classes on two.
    assert_eq!(run["trajectories"][0]["every"], 1);
    let classes = &run["class_series"][0];
    assert_eq!(classes["every"], 5);
    let ends = numbers(&classes["iterations"]);
    assert_eq!((ends[0], ends[199], ends.len()), (4.0, 999.0, 200));
    // The sums of all classes' layers end where their own rows do.
    let sums = running_sums(&classes["sums"]);
    let last = |layer: usize, class: usize| sums[layer * 10 + class][199];
    let known = &maps[0];
    for (class, row) in known.classes.iter().enumerate() {
        for (layer, lca) in row.lca.iter().enumerate() {
            assert!((last(layer, class) - lca).abs() < 1e-9, "{layer} {class}");
        }
    }
}

#[test]
fn five_thousand_steps_are_thinned_without_losing_what_adds_up() {
    let synthetic = Synthetic::new(&[("a.weight", 3), ("b.weight", 2)], 5000)
        .lca(|at| if at.iteration % 5 < 2 { 0.001 } else { -0.002 })
        .residual(|iteration| 1e-6 * (iteration % 3) as f64);
    let (text, data) = written("steps", &synthetic);
    assert!(text.len() < 5_000_000, "{} bytes", text.len());
    let run = &data["runs"][0];
    let sum = |values: &Value| numbers(values).iter().sum::<f64>();

    let loss = &run["loss"][0];
    assert_eq!(loss["every"], 2);
    assert_eq!(numbers(&loss["iterations"]).last(), Some(&4999.0));
    // 1666 times 0, 1 and 2, and once 0 and 1.
    let residuals = 1e-6 * (1666.0 * 3.0 + 1.0);
    assert!((sum(&loss["residual"]) - residuals).abs() < 1e-9);
    // Two of five steps hurt.
    assert_eq!(sum(&run["helping"]["hurting"]), 2000.0 * 5.0);
    assert_eq!(sum(&run["helping"]["helping"]), 3000.0 * 5.0);
    let trace = &run["trace"][0];
    assert_eq!(trace["every"], 4);
    assert!((sum(&trace["lca"]) - (2.0 - 6.0)).abs() < 1e-4);
    assert!((sum(&trace["step"]) + 0.01 * 5000.0).abs() < 1e-4);
    assert!(
        numbers(&trace["gradient"])
            .iter()
            .all(|at| (at - 0.1).abs() < 1e-6)
    );
}

#[test]
fn a_million_parameters_are_binned() {
    let (text, data) = written("parameters", &Synthetic::new(&[("a.weight", 1_000_000)], 2));
    assert!(text.len() < 5_000_000, "{} bytes", text.len());
    let columns = &data["runs"][0]["microscope"]["blocks"][0]["columns"];
    assert!(columns["bin"].as_u64().unwrap() > 1);
}

#[test]
fn numbers_are_those_of_the_analyses_to_the_last_bit() {
    let folder = tempfile::tempdir().unwrap();
    let synthetic = Synthetic::new(&[("a.weight", 3), ("b.weight", 2)], 30)
        .lca(|at| -0.1 / (at.iteration + 1) as f64 + at.index as f64 * 0.01);
    let run = synthetic.write(folder.path());
    let known = crate::analysis::trajectories(&run).unwrap();
    let (_, data) = written("exact", &synthetic);
    let values = numbers(&data["runs"][0]["trajectories"][0]["layers"][1]["sums"]);
    assert_eq!(values, known[0].layers[1].cumulative);
}

#[test]
fn a_page_about_samples_says_how_sure_its_sums_are_and_what_noise_makes_of_signs() {
    let sampled = Synthetic::new(&[("fc1.weight", 4), ("fc2.weight", 2)], 40)
        .lca(noise_at)
        .halves(|_| 0.001);
    let (_, data) = written("sampled", &sampled);
    let note = data["notes"][0].as_str().unwrap();
    assert!(note.contains("10 of 100 training examples"), "{note}");
    assert!(note.contains("noisy estimates"), "{note}");
    // By its name on the page, not by where it is on this machine.
    let name = data["runs"][0]["name"].as_str().unwrap();
    assert!(
        note.starts_with(&format!("{name}: ")) && !name.starts_with('/'),
        "{note}"
    );
    let run = &data["runs"][0];
    // The halves of two tensors differ alike: √40 · 0.002 · 1.96.
    let margin = run["summary"]["reconciliation"][0]["margin"].as_f64();
    assert!((margin.unwrap() - 1.959_963_984_540_054 * 40_f64.sqrt() * 0.002).abs() < 1e-12);
    assert!(run["layers"][0]["layers"][0]["margin"].as_f64() > Some(0.0));
    assert!(run["peaks"].is_null());
    let missing = run["peaks_missing"].as_str().unwrap();
    assert!(missing.contains("training is sampled"), "{missing}");
}

#[test]
fn behind_a_zoom_is_every_step_and_sums_go_on_from_before_it() {
    let synthetic = Synthetic::new(&[("a.weight", 3), ("b.weight", 2)], 5000)
        .classes(2)
        .lca(|at| -1e-4 * (1.0 + (at.iteration % 7) as f64) * (at.index + 1) as f64)
        .residual(|iteration| 1e-6 * (iteration % 3) as f64);
    let folder = tempfile::tempdir().unwrap();
    let run = synthetic.write(folder.path());
    let known = &crate::analysis::trajectories(&run).unwrap()[0];
    let served = Served::new(vec![folder.path().to_owned()]);
    // Before and after the rows stay in memory.
    for _ in 0..2 {
        let zoom: Value = serde_json::from_str(&served.zoom(1000, 1099).unwrap()).unwrap();
        let of_run = &zoom["runs"][0];
        let wanted: Vec<f64> = (1000..1100).map(f64::from).collect();
        assert_eq!(of_run["loss"][0]["every"], 1);
        assert_eq!(numbers(&of_run["loss"][0]["iterations"]), wanted);
        assert_eq!(numbers(&of_run["helping"]["iterations"]), wanted);
        let part = &of_run["trajectories"][0];
        assert_eq!(numbers(&part["iterations"]), wanted);
        for (layer, curve) in known.layers.iter().enumerate() {
            let layer = &part["layers"][layer];
            assert_eq!(layer["before"].as_f64(), Some(curve.cumulative[999]));
            assert_eq!(numbers(&layer["sums"]), curve.cumulative[1000..1100]);
        }
        let classes = &of_run["class_series"][0];
        assert_eq!(classes["every"], 1);
        assert_eq!(numbers(&classes["iterations"]), wanted);
        let (sums, before) = (running_sums(&classes["sums"]), numbers(&classes["before"]));
        // A class's LCA is that of its rows, summed here without windows.
        let all = ClassMapOptions::default().window_sums(usize::MAX);
        let whole = &class_maps(&run, &all).unwrap()[0].windows;
        assert_eq!(whole.steps_per_window, 1);
        for (row, sums) in sums.iter().enumerate() {
            let known = &whole.cumulative[row * 5000..][..5000];
            assert!((before[row] - known[999]).abs() < 1e-12);
            for (step, sum) in sums.iter().enumerate() {
                assert!((sum - known[1000 + step]).abs() < 1e-9, "{row} {step}");
            }
        }
    }
    let text = served.microscope(4990, 4999).unwrap();
    let found: Value = serde_json::from_str(&text).unwrap();
    let microscope = &found["runs"][0]["microscope"];
    assert_eq!(microscope["iterations"].as_array().unwrap().len(), 10);
    assert_eq!(microscope["recorded_iterations"], 10);
    let text = served.trace(0, 1, 1, (20, 29)).unwrap();
    let found: Value = serde_json::from_str(&text).unwrap();
    let trace = &found["runs"][0];
    assert_eq!(
        (&trace["tensor"], trace["every"].as_u64()),
        (&"b.weight".into(), Some(1))
    );
    assert_eq!(
        numbers(&trace["iterations"]),
        (20..30).map(f64::from).collect::<Vec<_>>()
    );
}
