//! Answers to read, and answers for machines.

use std::fs::File;

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tempfile::TempDir;

use crate::program::burn_lca;
use crate::written::Run;

/// A run of 30 steps: fc1 helps by 0.008 a step, fc2 hurts by 0.002.
fn run() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    Run::default().write(folder.path());
    folder
}

fn path(folder: &TempDir) -> &str {
    folder.path().to_str().unwrap()
}

#[test]
fn every_command_fits_in_100_columns_and_has_no_colours_without_a_terminal() {
    let (folder, other) = (run(), run());
    let (run, other) = (path(&folder), path(&other));
    let commands: [&[&str]; 8] = [
        &["summary", run],
        &["layers", run],
        &["layers", run, other],
        &["noise", run],
        &["trace", run],
        &["peaks", run],
        &["candidates", run],
        &["compare", run, other],
    ];
    for command in commands {
        let answer = burn_lca(command);
        assert_eq!(answer.code, 0, "{command:?}: {answer:?}");
        assert!(answer.stderr.is_empty(), "{command:?}: {answer:?}");
        assert!(!answer.stdout.contains('\x1b'), "{command:?}: {answer:?}");
        for line in answer.stdout.lines() {
            assert!(line.chars().count() <= 100, "{command:?}: {line}");
        }
    }
}

#[test]
fn every_help_has_an_example_and_the_exit_codes_are_listed() {
    let help = burn_lca(["--help"]).stdout;
    assert!(
        (0..=5).all(|code| help.contains(&format!("\n  {code}  "))),
        "{help}"
    );
    for command in [
        "summary",
        "layers",
        "noise",
        "trace",
        "plot",
        "film",
        "peaks",
        "candidates",
        "compare",
    ] {
        assert!(help.contains(command), "{help}");
        let help = burn_lca([command, "--help"]).stdout;
        assert!(
            help.contains("Example") && help.contains(&format!("burn-lca {command} ")),
            "{help}"
        );
    }
}

#[test]
fn a_hurting_layer_is_marked_in_every_form() {
    let folder = run();
    let table = burn_lca(["layers", path(&folder)]).stdout;
    let fc2 = table.lines().find(|line| line.starts_with("fc2")).unwrap();
    assert!(
        fc2.contains("+0.06000") && fc2.ends_with("hurts"),
        "{table}"
    );

    let json = burn_lca(["layers", path(&folder), "--format", "json"]).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let lca = [0, 1].map(|layer| json["layers"][layer]["lca"].as_f64().unwrap());
    assert!(
        (lca[0] + 0.24).abs() < 1e-9 && (lca[1] - 0.06).abs() < 1e-9,
        "{json}"
    );
    assert_eq!(json["layers"][1]["hurts"], true);

    let csv = burn_lca(["layers", path(&folder), "--format", "csv"]).stdout;
    let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines[0][..3], ["name", "parameters", "lca"], "{csv}");
    assert_eq!(lines[2][..2], ["fc2", "4"], "{csv}");
    assert_eq!(lines[2][2].parse::<f64>().unwrap(), lca[1]);

    let file = folder.path().join("layers.parquet");
    let output = file.to_str().unwrap();
    let answer = burn_lca(["layers", path(&folder), "--format", "parquet", "-o", output]);
    assert_eq!((answer.code, answer.stdout.as_str()), (0, ""), "{answer:?}");
    let file = File::open(file).unwrap();
    let mut batches = ParquetRecordBatchReaderBuilder::try_new(file)
        .unwrap()
        .build()
        .unwrap();
    let batch = batches.next().unwrap().unwrap();
    assert_eq!(batch["lca"].as_primitive::<Float64Type>().value(1), lca[1]);
}

#[test]
fn the_summary_begins_with_the_reconciliation_and_gives_any_table() {
    let folder = run();
    let table = burn_lca(["summary", path(&folder)]).stdout;
    let training = table.lines().nth(2).unwrap();
    assert!(
        training.starts_with("training     30  2.500  2.320  -0.1800     -0.1800"),
        "{table}"
    );
    let csv = burn_lca([
        "summary",
        path(&folder),
        "--format",
        "csv",
        "--table",
        "cost",
    ])
    .stdout;
    assert_eq!(
        csv,
        "sweeps,probe_seconds,wall_seconds,percent_of_time\n30,15,100,15\n"
    );
}

#[test]
fn a_killed_run_is_answered_and_said_to_be_killed() {
    let folder = tempfile::tempdir().unwrap();
    Run {
        state: "running",
        ..Run::default()
    }
    .write(folder.path());
    let table = burn_lca(["summary", path(&folder)]);
    assert!(
        table.code == 0 && table.stdout.contains("was killed"),
        "{table:?}"
    );
    let json = burn_lca(["summary", path(&folder), "--format", "json"]);
    assert!(
        json.code == 0 && json.stderr.contains("was killed"),
        "{json:?}"
    );
    assert!(
        serde_json::from_str::<serde_json::Value>(&json.stdout).is_ok(),
        "{json:?}"
    );
}
