//! Figures, and what is said where one can't be drawn.

use std::fs;

use crate::fixture::Fixture;
use crate::program::{burn_lca, figures, numbered};

#[test]
fn every_figure_is_written_in_the_form_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    Fixture::default().write(&run);
    let run = run.to_str().unwrap();
    for figure in figures() {
        for (extension, magic) in [("svg", "<svg"), ("png", "\u{89}PNG"), ("pdf", "%PDF-")] {
            let file = folder.path().join(format!("{figure}.{extension}"));
            let run = numbered(&figure, run);
            let answer = burn_lca(["plot", &run, &figure, "-o", file.to_str().unwrap()]);
            assert_eq!(answer.code, Some(0), "{figure}: {answer:?}");
            let magic: Vec<u8> = magic.chars().map(|letter| letter as u8).collect();
            assert!(
                fs::read(&file).unwrap().starts_with(&magic),
                "{figure}.{extension}"
            );
        }
    }
    let answer = burn_lca([
        "plot",
        run,
        "layers",
        "--probe",
        "validation",
        "--class",
        "1",
    ]);
    assert!(
        answer.text().contains("Probe validation, class 1"),
        "{answer:?}"
    );
    let answer = burn_lca(["plot", run, run, "layers"]);
    assert!(answer.stderr.contains("twice"), "{answer:?}");
}

#[test]
fn what_can_not_be_drawn_is_said_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    Fixture::default().write(folder.path());
    let run = folder.path().to_str().unwrap();
    let (named, other) = (format!("a={run}"), format!("b={run}"));
    let cases: [(&[&str], i32, &str); 23] = [
        (
            &["plot", run, "loss", "-o", "loss.gif"],
            2,
            ".svg, .png or .pdf",
        ),
        (
            &["plot", run, "loss", "--width", "3"],
            2,
            "give 200 to 4000",
        ),
        (&["plot", run, run, "loss"], 2, "given twice"),
        (&["plot", run, run, "classes"], 2, "given twice"),
        (&["plot", run, run, "trace"], 2, "each run for itself"),
        (
            &["plot", run, run, "distribution", "--linear"],
            2,
            "its own mean",
        ),
        (
            &["plot", &named, &other, "classes"],
            2,
            "each set for itself",
        ),
        (&["plot", run, &named, "layers"], 2, "give all runs one"),
        (
            &["plot", run, "heroes", "--from", "3"],
            2,
            "--from applies to",
        ),
        (
            &["plot", run, "loss", "--from", "9", "--to", "3"],
            2,
            "earlier",
        ),
        (&["plot", run, "loss", "--epochs"], 2, "leave it out"),
        (&["plot", run, "loss", "--index", "3"], 2, "to trace only"),
        (&["plot", run, "helping", "--layer", "fc1"], 2, "--by-layer"),
        (
            &["plot", run, "loss", "--class", "1"],
            2,
            "to layers, setting only",
        ),
        (&["plot", run, "setting"], 2, "NUMBER=RUN"),
        (&["plot", run, "layers", "--probe", "x"], 5, "only training"),
        (
            &["plot", run, "loss", "--format", "csv"],
            2,
            "unexpected argument",
        ),
        (
            &["plot", run, "units", "--layer", "fc9"],
            2,
            "its layers are fc1, fc2",
        ),
        (&["plot", run, "everything"], 2, "trajectories"),
        (&["plot", "no-run", "loss"], 3, "holds no run"),
        (&["report", run, run], 2, "given twice"),
        (
            &["report", run, "--format", "json"],
            2,
            "unexpected argument",
        ),
        (
            &["report", run, "--table", "runs"],
            2,
            "unexpected argument",
        ),
    ];
    for (command, code, way_out) in cases {
        let answer = burn_lca(command);
        assert_eq!(answer.code, Some(code), "{command:?}: {answer:?}");
        assert!(answer.stderr.contains(way_out), "{command:?}: {answer:?}");
        assert!(answer.stdout.is_empty(), "{command:?}: {answer:?}");
    }
}
