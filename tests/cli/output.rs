//! What is printed fits the screen, and every form of it says the same.

use std::fs;
use std::path::Path;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, UInt64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value as Json;
use tempfile::{TempDir, tempdir};
use unicode_width::UnicodeWidthStr;

use crate::fixture::Fixture;
use crate::program::{burn_lca, commands, on};

fn written(fixture: &Fixture) -> TempDir {
    let folder = tempdir().unwrap();
    fixture.write(folder.path());
    folder
}

/// A run with long names, which need quotes, and with numbers of many digits.
fn wide() -> Fixture {
    let mut wide = Fixture {
        first_iteration: u64::MAX - 100,
        ..Fixture::default()
    };
    for (layer, (path, _)) in wide.tensors.iter_mut().enumerate() {
        *path = format!(" encoder.层.{layer}.self_attention,\"of\"\n'many'\theads.output.{path}");
    }
    wide
}

/// Returns the standard output of a command that succeeds.
fn answer(command: &str, run: &Path, more: &[&str]) -> Vec<u8> {
    let mut arguments = on(command, run);
    arguments.extend(more.iter().map(|argument| String::from(*argument)));
    let answer = burn_lca(&arguments);
    assert_eq!(answer.code, Some(0), "{arguments:?}: {answer:?}");
    answer.stdout
}

/// Returns the names of a command's tables, as its refusal of another lists them.
fn tables(command: &str, run: &Path) -> Vec<String> {
    let mut arguments = on(command, run);
    arguments.extend(["--table".into(), "?".into()]);
    let refusal = burn_lca(arguments).stderr;
    let (_, names) = refusal.split_once("give one of ").expect(&refusal);
    names.trim().split(", ").map(Into::into).collect()
}

#[test]
fn tables_fit_100_columns_and_hold_no_escape_codes_where_nobody_watches() {
    let huge = Fixture {
        every_number: Some(-1.234_567e-300),
        every_count: Some(1 << 29),
        ..wide()
    };
    for fixture in [Fixture::default(), wide(), huge] {
        let folder = written(&fixture);
        for command in commands() {
            let text = String::from_utf8(answer(&command, folder.path(), &[])).unwrap();
            for line in text
                .lines()
                .filter(|line| !line.contains(folder.path().to_str().unwrap()))
            {
                assert!(line.width() <= 100, "{command}: {line}\n{text}");
            }
            assert!(!text.contains('\x1b'), "{command}: {text}");
        }
    }
}

#[test]
fn csv_and_parquet_hold_the_same_cells_of_every_table() {
    let (mut texts, mut counts, mut numbers, mut missing) = (0, 0, 0, 0);
    for fixture in [Fixture::default(), wide()] {
        let folder = written(&fixture);
        for command in commands() {
            for table in tables(&command, folder.path()) {
                let of = ["--table", &table, "--format"];
                let text = answer(&command, folder.path(), &[&of[..], &["csv"]].concat());
                let csv = records(&String::from_utf8(text).unwrap());
                let file = folder.path().join("answer.parquet");
                let to_file = ["parquet", "--output", file.to_str().unwrap()];
                let silent = answer(&command, folder.path(), &[&of[..], &to_file[..]].concat());
                assert!(silent.is_empty());
                let piped = answer(&command, folder.path(), &[&of[..], &["parquet"]].concat());
                assert!(piped == fs::read(&file).unwrap(), "{command} {table}");
                let (names, parquet) = parquet_records(&file);
                assert_eq!(csv[0], names, "{command} {table}");
                assert_eq!(csv.len() - 1, parquet.len(), "{command} {table}");
                for (fields, values) in csv[1..].iter().zip(&parquet) {
                    assert_eq!(fields.len(), values.len(), "{command} {table}");
                    for (field, value) in fields.iter().zip(values) {
                        let (same, seen) = match value {
                            Value::Text(text) => (field == text, &mut texts),
                            Value::Count(count) => (field.parse() == Ok(*count), &mut counts),
                            Value::Number(number) => {
                                let parsed: f64 = field.parse().unwrap();
                                (parsed.to_bits() == number.to_bits(), &mut numbers)
                            }
                            Value::Missing => (field.is_empty(), &mut missing),
                        };
                        assert!(same, "{command} {table}: {field:?} {value:?}");
                        *seen += 1;
                    }
                }
            }
        }
    }
    // Each kind was among them, with the longest counts.
    assert!(texts > 100 && counts > 100 && numbers > 100 && missing > 10);
}

#[test]
fn counts_beyond_what_a_float_holds_are_exact() {
    let fixture = wide();
    let folder = written(&fixture);
    let arguments = ["--format", "csv", "--table", "runs"];
    let text = String::from_utf8(answer("compare", folder.path(), &arguments)).unwrap();
    let last = fixture.first_iteration + fixture.steps - 1;
    let runs = records(&text);
    assert_eq!(
        runs[1][3..],
        [fixture.first_iteration.to_string(), last.to_string()]
    );
}

#[test]
fn json_holds_the_numbers_of_the_tables() {
    let folder = written(&Fixture::default());
    for command in commands() {
        let text = answer(&command, folder.path(), &["--format", "json"]);
        let json: Json = serde_json::from_slice(&text).unwrap();
        assert!(json.is_object() || json.is_array(), "{command}: {json}");
    }
    let text = answer("summary", folder.path(), &["--format", "json"]);
    let json: Json = serde_json::from_slice(&text).unwrap();
    for table in ["reconciliation", "helping"] {
        let arguments = ["--format", "csv", "--table", table];
        let text = String::from_utf8(answer("summary", folder.path(), &arguments)).unwrap();
        let csv = records(&text);
        let rows = json[table].as_array().unwrap();
        assert_eq!((csv.len() - 1, rows.len()), (2, 2), "{table}");
        let mut compared = 0;
        for (record, row) in csv[1..].iter().zip(rows) {
            for (name, cell) in csv[0].iter().zip(record) {
                if let Some(number) = row[name].as_f64() {
                    let cell: f64 = cell.parse().unwrap();
                    // serde_json reads numbers to within one unit of the last place.
                    let close = (cell - number).abs() <= f64::EPSILON * number.abs();
                    assert!(close, "{table} {name}: {cell} {number}");
                    compared += 1;
                }
            }
        }
        assert!(compared >= 10, "{table}: {compared}");
    }
}

#[test]
fn layers_of_the_first_steps_and_of_the_others_add_up_to_those_of_the_run() {
    let folder = written(&Fixture::default());
    let lca = |more: &[&str]| -> Vec<f64> {
        let text = answer(
            "layers",
            folder.path(),
            &[more, &["--format", "json"]].concat(),
        );
        let json: Json = serde_json::from_slice(&text).unwrap();
        let layers = json["layers"].as_array().unwrap().iter();
        layers.map(|layer| layer["lca"].as_f64().unwrap()).collect()
    };
    let (whole, first, rest) = (lca(&[]), lca(&["--to", "6"]), lca(&["--from", "7"]));
    assert!(whole.len() > 1);
    for (layer, whole) in whole.iter().enumerate() {
        assert!((whole - first[layer] - rest[layer]).abs() < 1e-12);
        assert!(first[layer] != 0.0 && rest[layer] != 0.0);
    }
}

#[test]
fn steps_beyond_the_end_of_a_run_are_named_with_those_it_has() {
    let folder = written(&Fixture::default());
    let run = folder.path().to_str().unwrap();
    for (wrong, arguments) in [
        ("--from 60", vec!["layers", run, "--from", "60"]),
        (
            "--from 99",
            vec!["trace", run, "fc1.weight", "0", "--from", "99"],
        ),
        (
            "--from 60",
            vec!["plot", run, "loss", "--from", "60", "--to", "70"],
        ),
    ] {
        let refused = burn_lca(&arguments);
        assert_eq!(refused.code, Some(2), "{arguments:?}: {refused:?}");
        assert!(refused.stderr.contains(wrong), "{refused:?}");
        assert!(refused.stderr.contains("iterations 0 to 59"), "{refused:?}");
    }
    // An end beyond the end leaves nothing out, and is not said to.
    let [all, more] = [&[][..], &["--to", "99"]].map(|more| answer("layers", folder.path(), more));
    assert_eq!(more, all);
}

#[test]
fn no_answer_takes_the_place_of_a_runs_own_files() {
    let folder = written(&Fixture::default());
    let run = folder.path().to_str().unwrap();
    let files = || -> Vec<_> {
        let all = walk(folder.path()).into_iter();
        all.map(|path| (fs::read(&path).unwrap(), path)).collect()
    };
    let before = files();
    for (command, file) in [
        ("layers", "run.json"),
        ("report", "README.md"),
        ("plot", "lock"),
        ("layers", "steps/0000000000-0000000059-000001.parquet"),
        ("report", "steps/page.html"),
        ("film", "."),
        ("film", "steps/film.gif"),
    ] {
        let target = folder.path().join(file);
        let target = target.to_str().unwrap();
        let more: &[&str] = if command == "plot" { &["loss"] } else { &[] };
        let arguments = [&[command, run][..], more, &["-o", target]].concat();
        let refused = burn_lca(&arguments);
        assert_eq!(refused.code, Some(2), "{arguments:?}: {refused:?}");
        assert!(refused.stderr.contains("own files"), "{refused:?}");
        assert_eq!(files(), before, "{arguments:?}");
    }
    // Beside them there is room.
    fs::create_dir(folder.path().join("pages")).unwrap();
    for page in ["report.html", "pages/report.html"] {
        let page = folder.path().join(page);
        answer("report", folder.path(), &["-o", page.to_str().unwrap()]);
        assert!(page.exists());
    }
}

/// All files below a folder, in order.
fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path)
            } else {
                vec![path]
            }
        })
        .collect();
    files.sort();
    files
}

#[test]
fn the_form_of_an_answer_follows_the_name_of_its_file() {
    let folder = written(&Fixture::default());
    let there = tempdir().unwrap();
    for (name, first) in [
        ("a.csv", "layer,"),
        ("a.json", "{"),
        ("a.txt", "LCA by layer"),
    ] {
        let path = there.path().join(name);
        answer("layers", folder.path(), &["-o", path.to_str().unwrap()]);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(first), "{name}: {text}");
    }
}

#[test]
fn the_summary_of_a_run_says_what_was_planted() {
    let fixture = Fixture::default();
    let folder = written(&fixture);
    let text = answer("summary", folder.path(), &["--format", "json"]);
    let json: Json = serde_json::from_slice(&text).unwrap();
    let training = &json["reconciliation"][0];
    let change =
        training["loss_after"].as_f64().unwrap() - training["loss_before"].as_f64().unwrap();
    assert!((training["lca"].as_f64().unwrap() - change).abs() < 1e-9);
    assert_eq!(training["steps"], 60);
    assert_eq!(json["parameters"], 14);
    let helping = &json["helping"][0];
    let values: u64 = ["helping", "hurting", "zero"]
        .iter()
        .map(|count| helping[count].as_u64().unwrap())
        .sum();
    assert_eq!(values, 14 * 60);
}

/// 60 steps with a standard error of 0.001: √60 · 0.001 · 1.96 = 0.01518. A layer is two tensors
/// whose halves differ alike: twice that.
#[test]
fn sums_of_a_sampled_run_have_their_margin_and_counts_of_signs_their_warning() {
    let folder = written(&Fixture {
        sampled: true,
        ..Fixture::default()
    });
    for command in commands() {
        let more: &[&str] = match &*command {
            "peaks" => &["--quantity", "step"],
            _ => &[],
        };
        let text = String::from_utf8(answer(&command, folder.path(), more)).unwrap();
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            words.contains("8 of 20 training examples and 8 of 20 validation"),
            "{text}"
        );
        assert!(words.contains("those of noisy estimates"), "{text}");
    }
    let table = |command: &str, more: &[&str]| {
        let text = answer(command, folder.path(), more);
        records(&String::from_utf8(text).unwrap())
    };
    let margin = |records: &[Vec<String>]| -> f64 {
        let column = records[0].iter().position(|name| name == "lca_margin");
        records[1][column.expect("a margin")].parse().unwrap()
    };
    let expected = 60_f64.sqrt() * 1e-3 * 1.959_963_984_540_054;
    let summary = margin(&table("summary", &["--format", "csv"]));
    assert!((summary - expected).abs() < 1e-9, "{summary}");
    let layer = margin(&table("layers", &["--format", "csv"]));
    assert!((layer - 2.0 * expected).abs() < 1e-9, "{layer}");
    let tensor = margin(&table("layers", &["--by", "tensor", "--format", "csv"]));
    assert!((tensor - expected).abs() < 1e-9, "{tensor}");
    let every = |of: &Fixture| {
        let folder = written(of);
        let arguments = on("layers", folder.path()).into_iter();
        let csv = burn_lca(arguments.chain(["--format".into(), "csv".into()]));
        let rows = records(&String::from_utf8(csv.stdout).unwrap())
            .into_iter()
            .skip(1);
        let verdicts = rows.map(|row| row.last().unwrap().clone());
        verdicts.collect::<Vec<_>>()
    };
    // LCA of −4 and, of two steps with halves that differ by 2, a margin of 1.96 · √8 = 5.5.
    let sampled = |every_number| Fixture {
        sampled: true,
        every_number,
        steps: 2,
        tensors: ["a.weight", "a.bias", "b.weight", "b.bias"]
            .map(|path| (path.into(), 1))
            .into(),
        ..Fixture::default()
    };
    assert_eq!(every(&sampled(Some(-1.0))), ["unclear", "unclear"]);
    let whole = Fixture {
        sampled: false,
        ..sampled(Some(-1.0))
    };
    assert_eq!(every(&whole), ["helps", "helps"]);
    let each = margin(&table("layers", &["--per-parameter", "--format", "csv"]));
    assert!((each - 2.0 * expected / 8.0).abs() < 1e-9, "{each}");
}

#[test]
fn a_file_that_cannot_be_written_is_an_error_of_output() {
    let folder = written(&Fixture::default());
    let missing = folder.path().join("missing").join("answer.json");
    let mut arguments = on("summary", folder.path());
    arguments.extend(["--output".into(), missing.display().to_string()]);
    let answer = burn_lca(arguments);
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(answer.stderr.contains("answer.json"), "{answer:?}");
}

/// Parses CSV after RFC 4180.
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut field) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            character => field.push(character),
        }
    }
    assert!(record.is_empty() && field.is_empty() && !quoted, "{text}");
    records
}

/// A cell of a Parquet file.
#[derive(Debug)]
enum Value {
    Text(String),
    Count(u64),
    Number(f64),
    Missing,
}

/// Returns the names of the columns of a Parquet file, and its rows.
fn parquet_records(path: &Path) -> (Vec<String>, Vec<Vec<Value>>) {
    let file = fs::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let names = reader.schema().fields().iter();
    let names = names.map(|field| field.name().clone()).collect();
    let mut records = Vec::new();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().map(|column| {
                if column.is_null(row) {
                    return Value::Missing;
                }
                if let Some(texts) = column.as_string_opt::<i32>() {
                    return Value::Text(texts.value(row).into());
                }
                match column.as_primitive_opt::<UInt64Type>() {
                    Some(counts) => Value::Count(counts.value(row)),
                    None => Value::Number(column.as_primitive::<Float64Type>().value(row)),
                }
            });
            records.push(cells.collect());
        }
    }
    (names, records)
}
