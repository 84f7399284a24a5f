//! Runs that mean harm: names that a terminal or a browser would obey, and sizes that no table has.

use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, StringArray, UInt32Array, UInt64Array};
use burn_lca::Table;
use rstest::rstest;
use tempfile::tempdir;

use crate::every_command::{DAMAGED, all};
use crate::fixture::Fixture;
use crate::program::{Answer, burn_lca, burn_lca_within, commands, drawings, on};

/// Clears the screen, sets the title, turns the direction of writing, ends a script, and is no XML.
const NAME: &str =
    "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}</script>\u{fffe}\u{2066}\r\u{61c}.weight";
/// The same within the JSON of `run.json`.
const ESCAPED: &str = "\\u001b[2J\\u001b]0;owned\\u0007\u{9b}31m\u{202e}\u{200f}\u{fffe}";
/// The characters that Unicode gives the property `Bidi_Control`.
const TURNING: &str = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";

fn hidden(text: &str) -> Option<char> {
    let is_hidden = |character: &char| match character {
        '\n' => false,
        character => character.is_control() || TURNING.contains(*character),
    };
    text.chars().find(is_hidden)
}

fn check(answer: &Answer, arguments: &[String]) {
    for text in [&*String::from_utf8_lossy(&answer.stdout), &*answer.stderr] {
        assert_eq!(hidden(text), None, "{arguments:?}: {text:?}");
    }
    assert!(!answer.stderr.contains("panicked"), "{answer:?}");
}

/// Returns the arguments of every command.
fn every_command(run: &std::path::Path) -> Vec<Vec<String>> {
    let printing = commands().into_iter().map(|command| on(&command, run));
    printing.chain(drawings(run, run)).collect()
}

#[test]
fn no_name_reaches_a_terminal_a_table_a_figure_or_a_page_as_it_is() {
    let hostile = Fixture {
        tensors: vec![(NAME.into(), 6), ("fc.bias".into(), 2)],
        replaced: vec![
            ("\"name\":\"c0\"", "\"name\":\"ESCAPED\""),
            ("\"made up\"", "\"ESCAPED\""),
            (
                "\"state\":\"finished\"",
                "\"state\":\"failed\",\"reason\":\"ESCAPED\"",
            ),
            ("ESCAPED", ESCAPED),
        ],
        ..Fixture::default()
    };
    let folder = tempdir().unwrap();
    hostile.write(folder.path());
    for command in commands() {
        for format in ["table", "csv", "json"] {
            let mut arguments = on(&command, folder.path());
            arguments.extend(["--format".into(), format.into()]);
            if command == "trace" {
                arguments.extend([NAME.into(), "0".into()]);
            }
            let answer = burn_lca(&arguments);
            assert_eq!(answer.code, Some(0), "{arguments:?}: {answer:?}");
            check(&answer, &arguments);
        }
    }
    for arguments in drawings(folder.path(), folder.path()) {
        let answer = burn_lca(&arguments);
        assert_eq!(answer.code, Some(0), "{arguments:?}: {answer:?}");
        check(&answer, &arguments);
        if arguments[0] == "plot" {
            let parsed = roxmltree::Document::parse(answer.text());
            assert!(parsed.is_ok(), "{arguments:?}: {parsed:?}");
        }
    }
    for unknown in [["nope", "0"], [NAME, "99"]] {
        let mut arguments = on("trace", folder.path());
        arguments.extend(unknown.map(String::from));
        let answer = burn_lca(&arguments);
        assert_ne!(answer.code, Some(0), "{answer:?}");
        check(&answer, &arguments);
    }
}

#[test]
fn an_error_names_a_hostile_path_without_obeying_it() {
    let folder = tempdir().unwrap();
    let none = folder.path().join("\u{1b}[31m\u{202e}");
    fs::create_dir(&none).unwrap();
    for arguments in every_command(&none) {
        let answer = burn_lca(&arguments);
        assert_eq!(answer.code, Some(3), "{answer:?}");
        check(&answer, &arguments);
    }
}

/// Sizes that `run.json` and the parts agree on, and that the rows don't have.
#[rstest]
#[case::square(["[65536,65536]", "4294967296", "65536"])]
#[case::vector(["[1000000000]", "1000000000", "1000000000"])]
#[case::kernels(["[4,2,32768,16384]", "4294967296", "4"])]
fn no_command_takes_more_memory_than_the_tables_hold(#[case] sizes: [&'static str; 3]) {
    let [shape, parameters, units] = sizes;
    let folder = tempdir().unwrap();
    let large = Fixture {
        replaced: vec![
            ("[6]", shape),
            ("\"parameters\":6", "\"parameters\":PARAMETERS"),
            ("PARAMETERS", parameters),
            ("\"units\":6", "\"units\":UNITS"),
            ("UNITS", units),
        ],
        ..Fixture::default()
    };
    large.write(folder.path());
    for arguments in every_command(folder.path()) {
        let answer = burn_lca_within(1 << 20, 60, &arguments);
        assert!(
            matches!(answer.code, Some(0 | 4)),
            "{arguments:?}: {answer:?}"
        );
    }
}

#[test]
fn the_last_iterations_that_a_number_can_hold_are_read() {
    let folder = tempdir().unwrap();
    let late = Fixture {
        first_iteration: u64::MAX - 59,
        ..Fixture::default()
    };
    late.write(folder.path());
    for arguments in every_command(folder.path()) {
        let answer = burn_lca(&arguments);
        assert!(
            matches!(answer.code, Some(0 | 4)),
            "{arguments:?}: {answer:?}"
        );
    }
}

/// What took the square of the number of tensors took minutes here.
#[test]
fn a_model_of_very_many_tensors_is_answered_about() {
    let folder = tempdir().unwrap();
    let many = Fixture {
        tensors: (0..30_000)
            .map(|layer| (format!("layers.{layer}.bias"), 1))
            .collect(),
        steps: 2,
        classes: 0,
        validation: false,
        ..Fixture::default()
    };
    many.write(folder.path());
    for command in [
        "candidates",
        "layers",
        "noise",
        "summary",
        "compare",
        "peaks",
    ] {
        let answer = burn_lca_within(1 << 20, 20, on(command, folder.path()));
        assert_eq!(answer.code, Some(0), "{command}: {}", answer.stderr);
    }
    for figure in ["layers", "trajectories", "peaks", "units", "heroes"] {
        let mut arguments = on("plot", folder.path());
        arguments.push(figure.into());
        let answer = burn_lca_within(1 << 20, 20, arguments);
        assert_eq!(answer.code, Some(0), "{figure}: {}", answer.stderr);
    }
    let mut unknown = on("trace", folder.path());
    unknown.push("layers.nope".into());
    let answer = burn_lca_within(1 << 20, 20, unknown);
    assert_eq!(answer.code, Some(2));
    let some = "layers.19.bias and 29980 more\n";
    assert!(answer.stderr.ends_with(some), "{}", answer.stderr);
}

/// Three steps of a thousand layers of one parameter.
fn thousand_layers() -> Fixture {
    Fixture {
        tensors: (0..1000)
            .map(|layer| (format!("layers.{layer}.bias"), 1))
            .collect(),
        steps: 3,
        classes: 1,
        validation: false,
        ..Fixture::default()
    }
}

/// A row at each step, of another tensor every time: laid out by step and tensor, a file of a few
/// kilobytes would fill any memory.
#[test]
fn steps_that_hardly_any_tensor_has_rows_of_are_damage_to_series() {
    let sparse = thousand_layers();
    let folder = tempdir().unwrap();
    sparse.write_changed(folder.path(), &sparse.run_json(), |table, mut columns| {
        if table == Table::Tensors {
            let rows = columns[0].len() as u64;
            columns[0] = Arc::new(UInt64Array::from_iter_values(0..rows));
        }
        columns
    });
    let failing = [
        "candidates",
        "peaks",
        "plot-classes",
        "plot-peaks",
        "plot-trajectories",
        "report",
    ];
    all(folder.path(), &failing, DAMAGED, "has only");
}

/// A class of its own for every layer: laid out by layer and class, that is the square of the rows.
#[test]
fn classes_that_hardly_any_layer_has_rows_of_are_damage_to_tables_of_both() {
    let sparse = thousand_layers();
    let folder = tempdir().unwrap();
    sparse.write_changed(folder.path(), &sparse.run_json(), |table, mut columns| {
        if table == Table::Tensors {
            // At each step all classes together, and then class 0.
            let classes =
                (0..columns[0].len() as i32).map(|row| (row % 2000 >= 1000).then_some(row % 1000));
            columns[3] = Arc::new(Int32Array::from_iter(classes));
        }
        columns
    });
    let failing = ["plot-classes", "report"];
    all(folder.path(), &failing, DAMAGED, "has only");
}

/// How long a chance takes to compute must not depend on what a cell says.
#[test]
fn counts_of_steps_as_great_as_they_can_be_are_answered_about() {
    let parameters = 20_000;
    let counted = Fixture {
        tensors: vec![("fc.weight".into(), parameters)],
        steps: 1,
        classes: 0,
        validation: false,
        ..Fixture::default()
    };
    let folder = tempdir().unwrap();
    counted.write_changed(folder.path(), &counted.run_json(), |table, mut columns| {
        if table == Table::ParameterTotals {
            let most = 1 << 30;
            let helping = (0..parameters).map(|row| most - row * 50_000);
            columns[4] = Arc::new(UInt32Array::from_iter_values(helping));
            columns[5] = Arc::new(UInt32Array::from_iter_values(0..parameters));
        }
        columns
    });
    let arguments = on("noise", folder.path());
    let answer = burn_lca_within(1 << 20, 20, &arguments);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
}

/// Layers of 300 units in `run.json`, and rows of 480 steps of a unit of `fc`: a picture of every
/// layer, with all its units at all these steps, would take gigabytes.
#[test]
fn layers_without_rows_of_units_take_no_room() {
    let layers: String = (0..2000)
        .map(|layer| {
            format!(
                r#"{{"path":"layers.{layer}.bias","shape":[300],"parameters":300,"unit_axis":0,"units":300,"trainable":true}},"#
            )
        })
        .collect();
    let named = Fixture {
        tensors: vec![("fc.weight".into(), 1)],
        steps: 600,
        classes: 0,
        validation: false,
        replaced: vec![("\"tensors\":[", format!("\"tensors\":[{layers}").leak())],
        ..Fixture::default()
    };
    let folder = tempdir().unwrap();
    named.write(folder.path());
    let mut arguments = on("plot", folder.path());
    arguments.push("units".into());
    let answer = burn_lca_within(1 << 20, 20, &arguments);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    // One row each of some of the layers.
    named.write_changed(folder.path(), &named.run_json(), |table, mut columns| {
        if table == Table::Units {
            let tensor = |row| match row {
                0..480 => "fc.weight".into(),
                row => format!("layers.{row}.bias"),
            };
            let tensors: ArrayRef = Arc::new(StringArray::from_iter_values((0..600).map(tensor)));
            columns[0] = Arc::new(UInt64Array::from_iter_values((0..600).map(|row| row % 480)));
            columns[2] = tensors;
        }
        columns
    });
    let answer = burn_lca_within(1 << 20, 20, &arguments);
    assert_eq!(answer.code, Some(DAMAGED), "{}", answer.stderr);
    assert!(
        answer.stderr.contains("has only 600 rows"),
        "{}",
        answer.stderr
    );
}
