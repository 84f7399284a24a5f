//! Claiming a folder: new, occupied, locked, left behind.

use std::fs;

use super::*;

fn refusal(recorder: &Recorder) -> String {
    RunWriter::create(recorder, info(), None)
        .err()
        .expect("a refusal")
        .to_string()
}

#[test]
fn a_run_that_is_there_is_refused_with_both_ways_out() {
    let folder = tempfile::tempdir().unwrap();
    begin(folder.path()).finish(RunState::Finished).unwrap();
    let message = refusal(&Recorder::new(folder.path()));
    assert!(
        message.contains(".overwrite()") && message.contains(".resume()"),
        "{message}"
    );
    assert!(
        message.contains(folder.path().to_str().unwrap()),
        "{message}"
    );
}

#[test]
fn overwriting_removes_the_run_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let writer = begin(folder.path());
    writer.write(rows(0));
    writer.finish(RunState::Finished).unwrap();
    let foreign = ["notes.txt", "steps/mine.csv", "checkpoint/model.mpk"];
    fs::create_dir(folder.path().join("checkpoint")).unwrap();
    foreign
        .iter()
        .for_each(|name| fs::write(folder.path().join(name), "mine").unwrap());
    let recorder = Recorder::new(folder.path()).overwrite();
    let writer = RunWriter::create(&recorder, info(), None).unwrap();
    writer.write(rows(5));
    writer.finish(RunState::Finished).unwrap();
    assert_eq!(iterations(folder.path(), Table::Steps), [5]);
    for name in foreign {
        assert_eq!(
            fs::read_to_string(folder.path().join(name)).unwrap(),
            "mine"
        );
    }
}

#[test]
fn a_removal_that_was_cut_short_leaves_no_run_and_is_ended_by_the_next_one() {
    let settings: [fn(Recorder) -> Recorder; 3] =
        [|recorder| recorder, Recorder::overwrite, Recorder::resume];
    for set in settings {
        let folder = tempfile::tempdir().unwrap();
        let writer = begin(folder.path());
        writer.write(rows(0));
        writer.epoch_end(1, 1);
        writer.finish(RunState::Finished).unwrap();
        // The first thing that is done, and then one table is gone.
        let run = folder.path().join("run.json");
        fs::rename(run, folder.path().join(".run.json.removed")).unwrap();
        fs::remove_dir_all(folder.path().join("steps")).unwrap();
        let error = Run::open(folder.path()).unwrap_err();
        assert!(matches!(error, LcaError::NoRun { .. }), "{error}");
        let recorder = set(Recorder::new(folder.path()));
        let writer = RunWriter::create(&recorder, info(), None).unwrap();
        assert!(parts(folder.path(), Table::Parameters).is_empty());
        writer.write(rows(0));
        writer.finish(RunState::Finished).unwrap();
        assert_eq!(iterations(folder.path(), Table::Parameters), [0; 4]);
        assert!(!folder.path().join(".run.json.removed").exists());
    }
}

/// What can't be removed is known before anything is: the old run stays whole.
#[test]
fn a_run_of_which_a_file_can_not_be_removed_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let writer = begin(folder.path());
    writer.write(rows(0));
    writer.epoch_end(1, 1);
    writer.finish(RunState::Finished).unwrap();
    let files = |folder: &Path| -> Vec<PathBuf> {
        let tables = Table::ALL.into_iter();
        tables.flat_map(|table| parts(folder, table)).collect()
    };
    let before = files(folder.path());
    assert_eq!(before.len(), 2);
    for part in &before {
        // Where a file can't be created, none can be removed. Permissions would not stop root, so
        // the name that is tried is taken by a folder.
        let taken = PathBuf::from(format!("{}.removable", part.display()));
        fs::create_dir(&taken).unwrap();
        let message = refusal(&Recorder::new(folder.path()).overwrite());
        assert!(message.contains(part.to_str().unwrap()), "{message}");
        fs::remove_dir(&taken).unwrap();
        // A file is what a process has left that died while it tried.
        fs::write(&taken, "").unwrap();
        assert_eq!(files(folder.path()), before);
        let run = Run::open(folder.path()).unwrap();
        assert_eq!(*run.status(), RunStatus::Finished);
        assert_eq!(iterations(folder.path(), Table::Parameters), [0; 4]);
    }
    let recorder = Recorder::new(folder.path()).overwrite();
    drop(RunWriter::create(&recorder, info(), None).unwrap());
    assert!(files(folder.path()).is_empty());
    assert_only_parts(folder.path());
}

#[test]
fn merging_and_resuming_keep_the_files_of_others() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::new(folder.path()).part_rows(1);
    let writer = RunWriter::create(&recorder, info(), None).unwrap();
    (0..4).for_each(|iteration| writer.write(rows(iteration)));
    writer.epoch_end(1, 4);
    let foreign = ["steps/notes.txt", "steps/sub/x.txt", "parameters/mine.csv"];
    fs::create_dir(folder.path().join("steps/sub")).unwrap();
    let assert_kept = || {
        for name in foreign {
            let text = fs::read_to_string(folder.path().join(name));
            assert_eq!(text.unwrap(), "mine", "{name}");
        }
    };
    for name in foreign {
        fs::write(folder.path().join(name), "mine").unwrap();
    }
    (4..8).for_each(|iteration| writer.write(rows(iteration)));
    writer.epoch_end(2, 8);
    writer.finish(RunState::Interrupted).unwrap();
    assert_eq!(parts(folder.path(), Table::Steps).len(), 1);
    assert_kept();
    // The end of the first epoch is in the middle of the merged part.
    let recorder = Recorder::new(folder.path()).resume();
    drop(RunWriter::create(&recorder, info(), Some(1)).unwrap());
    assert_eq!(iterations(folder.path(), Table::Steps), [0, 1, 2, 3]);
    assert_kept();
}

#[cfg(unix)]
#[test]
fn no_link_is_followed_out_of_the_run() {
    let elsewhere = tempfile::tempdir().unwrap();
    begin(elsewhere.path()).write(rows(0));
    let precious = parts(elsewhere.path(), Table::Steps).remove(0);
    for (name, target) in [
        ("steps", elsewhere.path().join("steps")),
        (".steps.old", elsewhere.path().join("steps")),
        (".writing", elsewhere.path().join("steps")),
        ("run.json", elsewhere.path().join("run.json")),
        ("lock", elsewhere.path().join("run.json")),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(target, folder.path().join(name)).unwrap();
        for recorder in [
            Recorder::new(folder.path()),
            Recorder::new(folder.path()).overwrite(),
            Recorder::new(folder.path()).resume(),
        ] {
            assert!(refusal(&recorder).contains(name), "{name}");
        }
    }
    assert!(precious.exists());
    assert_eq!(iterations(elsewhere.path(), Table::Steps), [0]);
}

#[test]
fn a_file_called_lock_that_is_not_ours_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lock");
    fs::write(&file, "mine").unwrap();
    assert!(refusal(&Recorder::new(folder.path())).contains("lock"));
    assert_eq!(fs::read_to_string(file).unwrap(), "mine");
}

#[test]
fn foreign_parquet_files_are_neither_mixed_with_nor_removed() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("units")).unwrap();
    let file = folder.path().join("units/other.parquet");
    fs::write(&file, "mine").unwrap();
    for recorder in [
        Recorder::new(folder.path()),
        Recorder::new(folder.path()).overwrite(),
    ] {
        assert!(refusal(&recorder).contains("units"));
    }
    assert!(file.exists());
}

#[test]
fn a_second_writer_is_told_who_the_first_is() {
    let folder = tempfile::tempdir().unwrap();
    let first = begin(folder.path());
    for recorder in [
        Recorder::new(folder.path()),
        Recorder::new(folder.path()).overwrite(),
        Recorder::new(folder.path()).resume(),
    ] {
        let message = refusal(&recorder);
        assert!(
            message.contains(&format!("process {}", std::process::id())),
            "{message}"
        );
    }
    assert_eq!(
        *Run::open(folder.path()).unwrap().status(),
        RunStatus::Running
    );
    first.finish(RunState::Finished).unwrap();
    let recorder = Recorder::new(folder.path()).resume();
    RunWriter::create(&recorder, info(), None)
        .unwrap()
        .finish(RunState::Finished)
        .unwrap();
}

#[test]
fn a_lock_file_of_a_dead_process_does_not_block() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lock"), "process 1 on elsewhere").unwrap();
    begin(folder.path()).finish(RunState::Finished).unwrap();
}

#[test]
fn a_folder_that_can_not_be_made_is_an_error_before_training() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("below")] {
        let message = refusal(&Recorder::new(&path));
        assert!(message.contains(path.to_str().unwrap()), "{message}");
    }
}

#[test]
fn settings_that_can_not_work_are_named_before_anything_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let recorder = || Recorder::new(&path);
    for (recorder, setting) in [
        (recorder().units_every(0), "Recorder::units_every"),
        (recorder().histogram_window(0), "Recorder::histogram_window"),
        (recorder().part_rows(0), "Recorder::part_rows"),
        (
            recorder().parameters(ParameterSelection::all().tensors("x*")),
            "ParameterSelection::tensors",
        ),
    ] {
        let message = refusal(&recorder);
        assert!(message.starts_with(setting), "{message}");
    }
    assert!(!path.exists());
}

#[test]
fn rows_are_readable_within_their_age_while_nothing_else_happens() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::new(folder.path()).part_age(Duration::from_millis(100));
    let writer = RunWriter::create(&recorder, info(), None).unwrap();
    writer.write(rows(0));
    wait_until("both parts", || {
        Run::open(folder.path()).unwrap().tables().unwrap() == [Table::Steps, Table::Parameters]
    });
    assert_eq!(iterations(folder.path(), Table::Parameters), [0; 4]);
    writer.finish(RunState::Finished).unwrap();
}

#[test]
fn a_writer_that_is_dropped_leaves_an_interrupted_run_with_all_rows() {
    let folder = tempfile::tempdir().unwrap();
    let writer = begin(folder.path());
    writer.write(rows(0));
    drop(writer);
    assert_eq!(
        *Run::open(folder.path()).unwrap().status(),
        RunStatus::Interrupted
    );
    assert_eq!(iterations(folder.path(), Table::Steps), [0]);
}

#[test]
fn a_folder_without_a_run_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let error = Run::open(folder.path()).unwrap_err();
    assert!(matches!(error, LcaError::NoRun { .. }), "{error}");
}

#[test]
fn the_folder_says_what_it_is_and_keeps_what_somebody_else_says_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let readme = folder.path().join("README.md");
    begin(folder.path()).finish(RunState::Finished).unwrap();
    let text = fs::read_to_string(&readme).unwrap();
    assert!(text.contains("4 parameters in 1 tensors"), "{text}");
    for table in Table::ALL {
        assert!(text.contains(&format!("### {table}\n")), "{table}");
        for column in table.columns() {
            assert!(
                text.contains(&format!("- `{}`", column.name)),
                "{}",
                column.name
            );
        }
    }
    // An older one of the recorder's own is brought up to date, another one stays.
    let again = || {
        let recorder = Recorder::new(folder.path()).overwrite();
        let writer = RunWriter::create(&recorder, info(), None).unwrap();
        writer.finish(RunState::Finished).unwrap();
        fs::read_to_string(&readme).unwrap()
    };
    fs::write(&readme, text[..60].to_owned() + " long ago").unwrap();
    assert_eq!(again(), text);
    for other in ["", "# Mine", "# A training run, recorded by me"] {
        fs::write(&readme, other).unwrap();
        assert_eq!(again(), other);
    }
}
