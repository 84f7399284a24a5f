//! Whatever is wrong with a run, there is a message that names it and the documented exit code.

use std::fs;

use burn_lca::Table;
use rstest::rstest;
use tempfile::{TempDir, tempdir};

use crate::every_command::{ALL, ANSWERED, DAMAGED, NO_RUN, NOT_RECORDED, all, needing, readers};
use crate::fixture::{Fixture, part_path};

fn written(fixture: &Fixture) -> TempDir {
    let folder = tempdir().unwrap();
    fixture.write(folder.path());
    folder
}

#[test]
fn a_folder_that_is_missing_or_empty_or_a_file_holds_no_run() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "text").unwrap();
    all(&folder.path().join("missing"), ALL, NO_RUN, "missing");
    all(folder.path(), ALL, NO_RUN, folder.path().to_str().unwrap());
    all(&file, ALL, NO_RUN, "file");
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
    all(folder.path(), ALL, DAMAGED, "run.json");
}

#[test]
fn a_run_json_that_cannot_be_read_is_named() {
    let folder = tempdir().unwrap();
    fs::create_dir(folder.path().join("run.json")).unwrap();
    all(folder.path(), ALL, NO_RUN, "run.json");
}

#[test]
fn a_future_schema_is_refused_with_the_way_out() {
    let future = Fixture {
        schema_version: 999,
        ..Fixture::default()
    };
    let folder = written(&future);
    for answer in all(folder.path(), ALL, DAMAGED, "run.json") {
        assert!(answer.stderr.contains("update burn-lca"), "{answer:?}");
    }
    // Parts of the future in a run of today.
    let today = written(&Fixture::default());
    fs::copy(
        today.path().join("run.json"),
        folder.path().join("run.json"),
    )
    .unwrap();
    for answer in all(folder.path(), ALL, DAMAGED, ".parquet") {
        assert!(answer.stderr.contains("update burn-lca"), "{answer:?}");
    }
}

#[test]
fn a_run_without_steps_or_tables_has_not_recorded_what_is_needed() {
    for state in ["running", "finished", "interrupted", "failed"] {
        let empty = Fixture {
            steps: 0,
            state,
            replaced: vec![("\"failed\"", "\"failed\",\"reason\":\"the disk is full\"")],
            ..Fixture::default()
        };
        let folder = written(&empty);
        let named = folder.path().to_str().unwrap();
        for answer in all(folder.path(), ALL, NOT_RECORDED, named) {
            // Nobody writes any of them.
            assert!(!answer.stderr.contains("wait"), "{answer:?}");
            let killed = answer.stderr.contains("was killed");
            assert!(killed || state != "running", "{answer:?}");
            let full = answer.stderr.contains("the disk is full");
            assert!(full || state != "failed", "{answer:?}");
        }
        let bare = Fixture {
            tensors: Vec::new(),
            ..empty
        };
        let folder = written(&bare);
        all(
            folder.path(),
            ALL,
            NOT_RECORDED,
            folder.path().to_str().unwrap(),
        );
    }
}

#[test]
fn half_a_run_is_analysed_or_the_missing_table_is_named() {
    for table in Table::ALL {
        let folder = written(&Fixture::default());
        fs::remove_dir_all(folder.path().join(table.name())).unwrap();
        all(folder.path(), needing(table), NOT_RECORDED, table.name());
    }
    for only in Table::ALL {
        let folder = written(&Fixture::default());
        let mut failing = Vec::new();
        for table in Table::ALL.into_iter().filter(|table| *table != only) {
            fs::remove_dir_all(folder.path().join(table.name())).unwrap();
            failing.extend(needing(table));
        }
        // It takes its values from the parameters or the histograms.
        if only == Table::Steps {
            failing.push("plot-distribution");
        }
        let named = folder.path().to_str().unwrap();
        all(folder.path(), &failing, NOT_RECORDED, named);
    }
}

#[test]
fn a_table_that_was_recorded_and_is_gone_is_damage() {
    let counted = Fixture {
        replaced: vec![(
            "\"device\":\"none\"",
            "\"device\":\"none\",\"rows\":{\"tensors\":1}",
        )],
        ..Fixture::default()
    };
    let folder = written(&counted);
    all(folder.path(), &[], ANSWERED, "");
    fs::remove_dir_all(folder.path().join("tensors")).unwrap();
    let failing = needing(Table::Tensors);
    all(folder.path(), failing, DAMAGED, "run.json counts 1");
}

#[test]
fn a_killed_run_is_analysed_and_said_to_be_one() {
    let killed = Fixture {
        state: "running",
        ..Fixture::default()
    };
    let folder = written(&killed);
    fs::write(folder.path().join("steps/000002.tmp"), "PAR1 half of a par").unwrap();
    for answer in all(folder.path(), &[], ANSWERED, "") {
        let note = "killed; this is as far";
        let said = answer.text().contains(note) || answer.stderr.contains(note);
        assert!(said, "{answer:?}");
    }
}

/// Puts bytes in the place of a table's part and runs every command; those that read the table
/// name the file.
fn with_part(table: Table, bytes: impl Fn(&[u8]) -> Vec<u8>) {
    let folder = written(&Fixture::default());
    let path = part_path(folder.path(), table);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, bytes(&whole)).unwrap();
    all(
        folder.path(),
        readers(table),
        DAMAGED,
        path.to_str().unwrap(),
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
    let failing = readers(Table::Steps);
    all(folder.path(), failing, DAMAGED, "000009.parquet");
    fs::remove_dir_all(&steps).unwrap();
    fs::write(&steps, "text").unwrap();
    all(folder.path(), failing, NO_RUN, "steps");
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
        let failing: &[&str] = if classes == 0 { &["plot-classes"] } else { &[] };
        small.tensors.truncate(tensors);
        let folder = written(&small);
        let named = folder.path().to_str().unwrap();
        all(folder.path(), failing, NOT_RECORDED, named);
        small.tensors = vec![("weight".into(), 1)];
        let folder = written(&small);
        let named = folder.path().to_str().unwrap();
        all(folder.path(), failing, NOT_RECORDED, named);
    }
}

#[rstest]
#[case::nan(f64::NAN, false)]
#[case::infinity(f64::INFINITY, false)]
#[case::minus_infinity(f64::NEG_INFINITY, false)]
#[case::too_large_to_sum(f64::MAX, false)]
#[case::zero(0.0, true)]
#[case::tiny(f64::MIN_POSITIVE, true)]
fn numbers_that_are_all_alike_or_not_finite_are_analysed(#[case] number: f64, #[case] sums: bool) {
    let odd = Fixture {
        every_number: Some(number),
        ..Fixture::default()
    };
    let folder = written(&odd);
    let named = folder.path().to_str().unwrap();
    // These have nothing to say without a single step that can be summed.
    let summing: &[&str] = &[
        "layers",
        "candidates",
        "setting",
        "plot-layers",
        "plot-setting",
    ];
    let failing = if sums { &[] } else { summing };
    all(folder.path(), failing, NOT_RECORDED, named);
}

#[rstest]
#[case::none(0, &[])]
#[case::more_than_there_are(1 << 40, &[])]
#[case::too_many_to_add(u64::MAX, &[
    "summary", "layers", "noise", "candidates", "compare", "setting", "plot-loss", "plot-helping",
    "plot-distribution", "plot-heroes", "plot-layers", "plot-setting", "report", "film",
])]
fn counts_that_can_not_be_added_are_damage(#[case] count: u64, #[case] failing: &[&str]) {
    let odd = Fixture {
        every_count: Some(count),
        ..Fixture::default()
    };
    let folder = written(&odd);
    let named = folder.path().to_str().unwrap();
    all(folder.path(), failing, DAMAGED, named);
}

#[rstest]
#[case::none(0, &[])]
#[case::more_than_there_are(1 << 40, &[])]
#[case::too_many_to_add(u64::MAX, &[
    "summary", "noise", "peaks", "candidates", "compare", "plot-loss", "plot-helping",
    "plot-trajectories", "plot-distribution", "plot-peaks", "plot-classes", "plot-units", "report",
    "film",
])]
fn spans_of_steps_that_no_training_has_are_damage(#[case] span: u64, #[case] failing: &[&str]) {
    let odd = Fixture {
        every_span: span,
        ..Fixture::default()
    };
    let folder = written(&odd);
    let named = folder.path().to_str().unwrap();
    all(folder.path(), failing, DAMAGED, named);
}

#[test]
fn an_index_outside_of_its_tensor_is_damage_to_what_is_laid_out_by_it() {
    let outside = Fixture {
        every_index: Some(u32::MAX),
        ..Fixture::default()
    };
    let folder = written(&outside);
    let failing = ["candidates", "report", "film"];
    all(folder.path(), &failing, DAMAGED, "4294967295");
}

#[test]
fn iterations_that_run_backwards_are_damage_to_series() {
    let late = Fixture {
        first_iteration: u64::MAX - 30,
        ..Fixture::default()
    };
    let folder = written(&late);
    let failing = [
        "summary",
        "compare",
        "layers",
        "peaks",
        "candidates",
        "setting",
        "plot-layers",
        "plot-setting",
        "plot-trajectories",
        "plot-peaks",
        "plot-classes",
        "report",
        "film",
    ];
    all(folder.path(), &failing, DAMAGED, "comes after iteration");
}

#[rstest]
#[case::tensors("fc1.", "other.", &["summary", "layers", "compare", "setting", "plot-layers", "plot-setting", "report"],
    DAMAGED, "fc1.weight")]
#[case::probe(
    "training",
    "else",
    &["layers", "peaks", "candidates", "setting", "plot-layers", "plot-setting", "plot-peaks"],
    NOT_RECORDED,
    "probe"
)]
fn rows_of_what_run_json_does_not_know_are_named(
    #[case] from: &'static str,
    #[case] to: &'static str,
    #[case] failing: &[&str],
    #[case] code: i32,
    #[case] named: &str,
) {
    let other = Fixture {
        replaced: vec![(from, to)],
        ..Fixture::default()
    };
    all(written(&other).path(), failing, code, named);
}

#[test]
fn a_run_json_that_was_edited_or_contradicts_itself_is_damaged() {
    for (from, to) in [
        ("\"parameters\":6", "\"parameters\":7"),
        ("\"parameters\":", "\"parameter\":"),
        ("\"units\":", "\"units_\":"),
        ("fc1.bias", "fc2.bias"),
        ("[6]", "[4294967296,4294967296]"),
    ] {
        let contradicting = Fixture {
            replaced: vec![(from, to)],
            ..Fixture::default()
        };
        all(written(&contradicting).path(), ALL, DAMAGED, "run.json");
    }
    let folder = written(&Fixture::default());
    let path = folder.path().join("run.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("made up", "made UP")).unwrap();
    all(folder.path(), ALL, DAMAGED, "run.json");
}

#[test]
fn a_run_json_of_other_tensors_is_not_believed() {
    let folder = written(&Fixture::default());
    let other = Fixture {
        replaced: vec![("fc2.", "fc3.")],
        ..Fixture::default()
    };
    fs::write(folder.path().join("run.json"), other.run_json()).unwrap();
    all(folder.path(), ALL, DAMAGED, "other tensors than run.json");
}

#[test]
fn a_part_of_another_run_or_with_the_rows_of_another_part_is_named() {
    let another = Fixture {
        run_id: "another run",
        ..Fixture::default()
    };
    let later = Fixture {
        first_row: 7,
        ..Fixture::default()
    };
    for (strange, named) in [(another, "another run"), (later, "rows 0 to 6")] {
        for table in Table::ALL {
            let folder = written(&Fixture::default());
            let strange = written(&strange);
            let path = part_path(folder.path(), table);
            fs::copy(part_path(strange.path(), table), path).unwrap();
            all(folder.path(), readers(table), DAMAGED, named);
        }
    }
    for table in Table::ALL {
        let folder = written(&Fixture::default());
        let path = part_path(folder.path(), table);
        fs::copy(&path, path.with_file_name("copy.parquet")).unwrap();
        all(folder.path(), readers(table), DAMAGED, "twice");
    }
}
