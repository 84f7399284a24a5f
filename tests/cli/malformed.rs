//! What is no run, or half a one: a message and the documented exit code from every command.

use std::fs;
use std::path::{Path, PathBuf};

use burn_lca::Table;

use crate::program::{Answer, burn_lca};
use crate::written::Run;

/// Asks every command about a run; `compare` and `layers` also beside one that is whole.
fn every_command(folder: &Path) -> Vec<(String, Answer)> {
    let beside = tempfile::tempdir().unwrap();
    Run::default().write(beside.path());
    let (run, whole) = (folder.to_str().unwrap(), beside.path().to_str().unwrap());
    let commands: [&[&str]; 9] = [
        &["summary", run],
        &["layers", run],
        &["layers", whole, run],
        &["noise", run],
        &["trace", run],
        &["trace", run, "fc1.weight", "0"],
        &["peaks", run],
        &["candidates", run],
        &["compare", whole, run],
    ];
    commands
        .iter()
        .map(|command| (command.join(" "), burn_lca(*command)))
        .collect()
}

/// Fails unless every command ends with the code and a message that holds a word.
fn all_refuse(folder: &Path, code: i32, word: &str) {
    for (command, answer) in every_command(folder) {
        assert_eq!(answer.code, code, "{command}: {answer:?}");
        assert!(answer.stderr.contains(word), "{command}: {answer:?}");
        assert!(answer.stdout.is_empty(), "{command}: {answer:?}");
    }
}

/// Fails unless every command answers, or says in the documented way why it can't.
fn all_answer_or_say_why(folder: &Path) {
    for (command, answer) in every_command(folder) {
        match answer.code {
            0 => assert!(!answer.stdout.is_empty(), "{command}: {answer:?}"),
            2 | 5 => assert!(
                answer.stderr.starts_with("burn-lca: "),
                "{command}: {answer:?}"
            ),
            _ => panic!("{command}: {answer:?}"),
        }
    }
}

fn part(folder: &Path, table: Table) -> PathBuf {
    let mut entries = fs::read_dir(folder.join(table.name())).unwrap();
    entries.next().unwrap().unwrap().path()
}

#[test]
fn a_folder_without_a_run_has_exit_code_3() {
    let folder = tempfile::tempdir().unwrap();
    all_refuse(folder.path(), 3, "run.json");
    all_refuse(&folder.path().join("missing"), 3, "missing");
    let file = folder.path().join("file");
    fs::write(&file, "text").unwrap();
    all_refuse(&file, 3, "file");
}

#[test]
fn a_broken_run_json_and_a_newer_schema_have_exit_code_4() {
    let folder = tempfile::tempdir().unwrap();
    let texts: [&[u8]; 6] = [
        b"",
        b"{",
        b"\xff\xfe",
        b"[1]",
        br#"{"schema_version": 1, "tensors": 7}"#,
        br#"{"schema_version": 999, "state": "running"}"#,
    ];
    for text in texts {
        fs::write(folder.path().join("run.json"), text).unwrap();
        all_refuse(folder.path(), 4, "run.json");
    }
}

#[test]
fn a_run_without_steps_has_exit_code_5() {
    let folder = tempfile::tempdir().unwrap();
    Run {
        steps: 0,
        ..Run::default()
    }
    .write(folder.path());
    all_refuse(folder.path(), 5, folder.path().to_str().unwrap());
}

#[test]
fn half_a_part_and_foreign_parquet_have_exit_code_4_wherever_the_table_is_read() {
    let folder = tempfile::tempdir().unwrap();
    Run::default().write(folder.path());
    let steps = fs::read(part(folder.path(), Table::Steps)).unwrap();
    for table in Table::ALL {
        let path = part(folder.path(), table);
        let whole = fs::read(&path).unwrap();
        let foreign = if table == Table::Steps {
            fs::read(part(folder.path(), Table::Units)).unwrap()
        } else {
            steps.clone()
        };
        for bytes in [&whole[..whole.len() / 2], &[], b"PAR1PAR1", &foreign] {
            fs::write(&path, bytes).unwrap();
            let answers = every_command(folder.path());
            assert!(
                answers.iter().any(|(_, answer)| answer.code == 4),
                "{table}"
            );
            for (command, answer) in answers {
                assert!(
                    [0, 4].contains(&answer.code),
                    "{table}, {command}: {answer:?}"
                );
                if answer.code == 4 {
                    assert!(
                        answer.stderr.contains(table.name()),
                        "{command}: {answer:?}"
                    );
                }
            }
        }
        fs::write(&path, whole).unwrap();
    }
}

#[test]
fn one_table_alone_and_all_but_one_are_answered_or_said_to_be_missing() {
    for table in Table::ALL {
        let others = Table::ALL.into_iter().filter(|other| *other != table);
        for tables in [vec![table], others.collect()] {
            let folder = tempfile::tempdir().unwrap();
            Run {
                tables,
                ..Run::default()
            }
            .write(folder.path());
            all_answer_or_say_why(folder.path());
        }
    }
}

#[test]
fn one_step_one_tensor_and_nan_are_no_reason_to_fail() {
    for run in [
        Run {
            steps: 1,
            ..Run::default()
        },
        Run {
            steps: 2,
            ..Run::default()
        },
        Run {
            tensors: vec!["weight"],
            ..Run::default()
        },
        Run {
            tensors: vec![],
            ..Run::default()
        },
        Run {
            lca: f64::NAN,
            ..Run::default()
        },
        Run {
            lca: 0.0,
            ..Run::default()
        },
        Run {
            lca: 1e300,
            ..Run::default()
        },
    ] {
        let folder = tempfile::tempdir().unwrap();
        run.write(folder.path());
        all_answer_or_say_why(folder.path());
    }
}

#[test]
fn a_wrong_command_line_has_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    Run::default().write(folder.path());
    let run = folder.path().to_str().unwrap();
    let wrong: [&[&str]; 8] = [
        &[],
        &["unheard-of"],
        &["summary"],
        &["summary", run, "--table", "unheard-of"],
        &["layers", run, "--class", "7"],
        &["layers", run, "--class", "cat"],
        &["layers", run, "--probe", "test"],
        &["layers", run, run],
    ];
    for arguments in wrong {
        let answer = burn_lca(arguments);
        assert_eq!(answer.code, 2, "{arguments:?}: {answer:?}");
    }
}

#[test]
fn an_answer_that_cannot_be_written_has_exit_code_1() {
    let folder = tempfile::tempdir().unwrap();
    Run::default().write(folder.path());
    let output = folder.path().join("missing/file.csv");
    let arguments = [
        "summary",
        folder.path().to_str().unwrap(),
        "-o",
        output.to_str().unwrap(),
    ];
    let answer = burn_lca(arguments);
    assert_eq!(answer.code, 1, "{answer:?}");
    assert!(answer.stderr.contains("file.csv"), "{answer:?}");
}
