//! Whatever is wrong with a run, there is a message that names it and the documented exit code.

use std::fs;
use std::path::Path;

use burn_lca::Table;
use rstest::rstest;
use tempfile::{TempDir, tempdir};

use crate::fixture::{Fixture, part_path};
use crate::program::{Answer, burn_lca, commands, drawings, on};

const ANSWERED: i32 = 0;
const NO_RUN: i32 = 3;
const DAMAGED: i32 = 4;
const NOT_RECORDED: i32 = 5;

fn written(fixture: &Fixture) -> TempDir {
    let folder = tempdir().unwrap();
    fixture.write(folder.path());
    folder
}

/// Runs every command, and checks what holds of all answers: one of these exit codes, and with a
/// failure a message of the program, not of a panic, that names the file.
fn all(run: &Path, codes: &[i32], named: &str) -> Vec<Answer> {
    let films = tempdir().unwrap();
    let printing = commands().into_iter().map(|command| on(&command, run));
    let drawing = drawings(run, films.path());
    let answers = printing.chain(drawing).map(|command| {
        let answer = burn_lca(&command);
        let said = format!("{command:?}: {answer:?}");
        let code = answer.code.expect(&said);
        assert!(codes.contains(&code), "{said}");
        assert!(!answer.stderr.contains("panicked"), "{said}");
        if code != ANSWERED {
            assert!(answer.stderr.starts_with("burn-lca: "), "{said}");
            assert!(answer.stderr.contains(named), "{said}");
            assert!(answer.stdout.is_empty(), "{said}");
        }
        answer
    });
    answers.collect()
}

#[test]
fn a_folder_that_is_missing_or_empty_or_a_file_holds_no_run() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "text").unwrap();
    all(&folder.path().join("missing"), &[NO_RUN], "missing");
    all(folder.path(), &[NO_RUN], folder.path().to_str().unwrap());
    all(&file, &[NO_RUN], "file");
}

#[rstest]
#[case(b"")]
#[case(b"{")]
#[case(b"{}")]
#[case(b"[1]")]
#[case(b"\xff\xfe\x00")]
#[case(br#"{"schema_version": 1, "state": "running", "tensors": 3}"#)]
#[case(br#"{"schema_version": -1}"#)]
fn a_run_json_that_is_none_is_damaged(#[case] text: &[u8]) {
    let folder = written(&Fixture::default());
    fs::write(folder.path().join("run.json"), text).unwrap();
    all(folder.path(), &[DAMAGED], "run.json");
}

#[test]
fn a_run_json_that_cannot_be_read_is_named() {
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("run.json")).unwrap();
    all(folder.path(), &[NO_RUN], "run.json");
}

#[test]
fn a_future_schema_is_refused_with_the_way_out() {
    let future = Fixture {
        schema_version: 999,
        ..Fixture::default()
    };
    let folder = written(&future);
    for answer in all(folder.path(), &[DAMAGED], "run.json") {
        assert!(answer.stderr.contains("update burn-lca"), "{answer:?}");
    }
    // Parts of the future in a run of today.
    let today = written(&Fixture::default());
    fs::copy(
        today.path().join("run.json"),
        folder.path().join("run.json"),
    )
    .unwrap();
    for answer in all(folder.path(), &[DAMAGED], ".parquet") {
        assert!(answer.stderr.contains("update burn-lca"), "{answer:?}");
    }
}

#[test]
fn a_run_without_steps_or_tables_has_not_recorded_what_is_needed() {
    for state in ["running", "finished", "interrupted"] {
        let empty = Fixture {
            steps: 0,
            state,
            ..Fixture::default()
        };
        let folder = written(&empty);
        all(
            folder.path(),
            &[NOT_RECORDED],
            folder.path().to_str().unwrap(),
        );
        let bare = Fixture {
            tensors: Vec::new(),
            ..empty
        };
        let folder = written(&bare);
        all(
            folder.path(),
            &[NOT_RECORDED],
            folder.path().to_str().unwrap(),
        );
    }
}

#[test]
fn half_a_run_is_analysed_or_the_missing_table_is_named() {
    for table in Table::ALL {
        let folder = written(&Fixture::default());
        fs::remove_dir_all(folder.path().join(table.name())).unwrap();
        all(folder.path(), &[ANSWERED, NOT_RECORDED], table.name());
    }
    for only in Table::ALL {
        let folder = written(&Fixture::default());
        for table in Table::ALL.into_iter().filter(|table| *table != only) {
            fs::remove_dir_all(folder.path().join(table.name())).unwrap();
        }
        let named = folder.path().to_str().unwrap();
        all(folder.path(), &[ANSWERED, NOT_RECORDED], named);
    }
}

#[test]
fn a_killed_run_is_analysed_and_said_to_be_one() {
    let killed = Fixture {
        state: "running",
        ..Fixture::default()
    };
    let folder = written(&killed);
    fs::write(folder.path().join("steps/000002.tmp"), "PAR1 half of a par").unwrap();
    for answer in all(folder.path(), &[ANSWERED], "") {
        let said = answer.text().contains("was killed") || answer.stderr.contains("was killed");
        assert!(said, "{answer:?}");
    }
}

/// Puts bytes in the place of a table's part and runs every command; those that read the table
/// name the file, and there is such a command.
fn with_part(table: Table, bytes: impl Fn(&[u8]) -> Vec<u8>) {
    let folder = written(&Fixture::default());
    let path = part_path(folder.path(), table);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, bytes(&whole)).unwrap();
    let answers = all(folder.path(), &[ANSWERED, DAMAGED], path.to_str().unwrap());
    let noticed = answers.iter().any(|answer| answer.code == Some(DAMAGED));
    assert!(
        noticed,
        "no command notices the file of {table}: {answers:?}"
    );
}

#[test]
fn a_part_that_is_cut_or_empty_or_changed_is_named() {
    for table in Table::ALL {
        with_part(table, |_| Vec::new());
        with_part(table, |whole| whole[..whole.len() / 2].into());
        // Every byte of the data: some column that is read has another checksum.
        with_part(table, |whole| {
            let length: [u8; 4] = whole[whole.len() - 8..whole.len() - 4].try_into().unwrap();
            let footer = whole.len() - 8 - u32::from_le_bytes(length) as usize;
            let flipped = whole[4..footer].iter().map(|byte| byte ^ 0x55);
            let (start, end) = (whole[..4].iter(), whole[footer..].iter());
            start.copied().chain(flipped).chain(end.copied()).collect()
        });
    }
}

#[test]
fn foreign_parquet_in_a_tables_folder_is_named() {
    let other = written(&Fixture::default());
    for table in Table::ALL {
        let foreign = match table {
            Table::Steps => Table::Tensors,
            _ => Table::Steps,
        };
        let bytes = fs::read(part_path(other.path(), foreign)).unwrap();
        with_part(table, |_| bytes.clone());
    }
}

#[test]
fn a_part_that_is_a_folder_and_a_table_that_is_a_file_are_named() {
    let folder = written(&Fixture::default());
    let steps = folder.path().join("steps");
    fs::create_dir(steps.join("9999999999-9999999999-000009.parquet")).unwrap();
    let codes = [ANSWERED, NO_RUN, DAMAGED];
    let answers = all(folder.path(), &codes, "000009.parquet");
    assert!(answers.iter().any(|answer| answer.code != Some(ANSWERED)));
    fs::remove_dir_all(&steps).unwrap();
    fs::write(&steps, "text").unwrap();
    let answers = all(folder.path(), &codes, "steps");
    assert!(answers.iter().any(|answer| answer.code != Some(ANSWERED)));
}

#[test]
fn the_smallest_runs_are_analysed_as_far_as_they_go() {
    for (tensors, steps, classes) in [(4, 1, 2), (1, 60, 2), (1, 1, 1), (1, 2, 0), (1, 3, 1)] {
        let mut small = Fixture {
            steps,
            classes,
            validation: false,
            ..Fixture::default()
        };
        small.tensors.truncate(tensors);
        let folder = written(&small);
        let named = folder.path().to_str().unwrap();
        all(folder.path(), &[ANSWERED, NOT_RECORDED], named);
        small.tensors = vec![("weight".into(), 1)];
        let folder = written(&small);
        let named = folder.path().to_str().unwrap();
        all(folder.path(), &[ANSWERED, NOT_RECORDED], named);
    }
}

#[test]
fn numbers_that_are_none_or_all_alike_make_no_command_fail() {
    for number in [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        f64::MAX,
        f64::MIN_POSITIVE,
    ] {
        let odd = Fixture {
            every_number: Some(number),
            ..Fixture::default()
        };
        let folder = written(&odd);
        let named = folder.path().to_str().unwrap();
        all(folder.path(), &[ANSWERED, NOT_RECORDED], named);
    }
}

#[test]
fn counts_that_no_run_can_have_are_no_panic() {
    for count in [0, u64::MAX, 1 << 40] {
        let odd = Fixture {
            every_count: Some(count),
            ..Fixture::default()
        };
        let folder = written(&odd);
        let named = folder.path().to_str().unwrap();
        all(folder.path(), &[ANSWERED, DAMAGED, NOT_RECORDED], named);
    }
    let outside = Fixture {
        every_index: Some(u32::MAX),
        ..Fixture::default()
    };
    let folder = written(&outside);
    let named = folder.path().to_str().unwrap();
    all(folder.path(), &[ANSWERED, DAMAGED, NOT_RECORDED], named);
    let late = Fixture {
        first_iteration: u64::MAX - 30,
        ..Fixture::default()
    };
    let folder = written(&late);
    let named = folder.path().to_str().unwrap();
    all(folder.path(), &[ANSWERED, DAMAGED], named);
}

#[test]
fn rows_of_tensors_that_run_json_does_not_know_are_no_panic() {
    let folder = written(&Fixture::default());
    let text = fs::read_to_string(folder.path().join("run.json")).unwrap();
    for (from, to) in [
        ("fc1.", "other."),
        ("\"units\":", "\"units_\":"),
        ("training", "else"),
    ] {
        fs::write(folder.path().join("run.json"), text.replace(from, to)).unwrap();
        let named = folder.path().to_str().unwrap();
        all(folder.path(), &[ANSWERED, DAMAGED, NOT_RECORDED], named);
    }
}

#[rstest]
#[case(&["unheard-of"])]
#[case(&["summary"])]
#[case(&["compare", "RUN"])]
#[case(&["summary", "RUN", "--format", "xml"])]
#[case(&["summary", "RUN", "--table", "unheard-of"])]
#[case(&["peaks", "RUN", "--smooth", "4"])]
#[case(&["trace", "RUN", "fc9.weight", "0"])]
#[case(&["trace", "RUN", "fc1.weight", "99"])]
fn a_wrong_command_line_is_said_to_be_one(#[case] arguments: &[&str]) {
    let folder = written(&Fixture::default());
    let run = folder.path().to_str().unwrap();
    let arguments = arguments.iter().map(|argument| match *argument {
        "RUN" => run,
        argument => argument,
    });
    let answer = burn_lca(arguments);
    assert_eq!(answer.code, Some(2), "{answer:?}");
    assert!(
        !answer.stderr.is_empty() && answer.stdout.is_empty(),
        "{answer:?}"
    );
}
