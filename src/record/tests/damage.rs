//! Files that are not what was written.

use std::fs;

use super::*;

/// A run of ten steps with one part per table; the parts' paths.
fn run(folder: &Path) -> (PathBuf, PathBuf) {
    let writer = begin(folder);
    (0..10).for_each(|iteration| writer.write(rows(iteration)));
    writer.finish(RunState::Finished).unwrap();
    (
        parts(folder, Table::Steps).remove(0),
        parts(folder, Table::Parameters).remove(0),
    )
}

/// Reads a whole table.
fn try_read(folder: &Path, table: Table) -> Result<Vec<RecordBatch>, LcaError> {
    Run::open(folder)?.scan(table).batches()?.collect()
}

#[test]
fn a_truncated_part_is_named_and_other_tables_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let (steps, _) = run(folder.path());
    let bytes = fs::read(&steps).unwrap();
    for length in [0, 3, 8, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&steps, &bytes[..length]).unwrap();
        let error = try_read(folder.path(), Table::Steps).unwrap_err();
        assert!(
            matches!(&error, LcaError::Damaged { path, .. } if *path == steps),
            "{error}"
        );
        assert_eq!(iterations(folder.path(), Table::Parameters).len(), 40);
    }
}

#[test]
fn no_flipped_bit_changes_what_is_read_without_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (_, part) = run(folder.path());
    let sound = try_read(folder.path(), Table::Parameters).unwrap();
    let bytes = fs::read(&part).unwrap();
    let mut found = 0;
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        fs::write(&part, flipped).unwrap();
        match try_read(folder.path(), Table::Parameters) {
            // A bit of the metadata that the rows don't depend on.
            Ok(rows) => assert_eq!(rows, sound, "byte {at} of {}", bytes.len()),
            Err(error) => {
                found += 1;
                assert!(
                    error.to_string().contains(part.to_str().unwrap()),
                    "{error}"
                );
            }
        }
    }
    assert!(found > bytes.len() / 10, "{found} of {}", bytes.len());
}

#[test]
fn no_flipped_bit_hides_rows_from_a_filter() {
    let folder = tempfile::tempdir().unwrap();
    let (_, part) = run(folder.path());
    let sound = fs::read(&part).unwrap();
    let filtered = || -> Result<Vec<RecordBatch>, LcaError> {
        let scan = Run::open(folder.path())?.scan(Table::Parameters);
        scan.tensor("fc1.weight")
            .iterations(3..7)
            .batches()?
            .collect()
    };
    let expected = filtered().unwrap();
    // The footer, with the statistics, is at the end.
    for at in sound.len() / 2..sound.len() {
        for bit in [0, 2, 5] {
            let mut flipped = sound.clone();
            flipped[at] ^= 1 << bit;
            fs::write(&part, flipped).unwrap();
            if let Ok(rows) = filtered() {
                assert_eq!(rows, expected, "bit {bit} of byte {at}");
            }
        }
    }
}

/// Three epochs of ten steps, one part each; killed in the fourth or ended and then torn apart.
fn parts_of_a_killed_run(folder: &Path) -> Vec<PathBuf> {
    let writer = begin(folder);
    for epoch in 1..=3 {
        (10 * (epoch - 1)..10 * epoch).for_each(|iteration| writer.write(rows(iteration)));
        writer.epoch_end(epoch as u32, 10 * epoch);
    }
    let copy = tempfile::tempdir().unwrap();
    let run = fs::read(folder.join("run.json")).unwrap();
    let killed = parts(folder, Table::Steps);
    for part in &killed {
        fs::copy(part, copy.path().join(part.file_name().unwrap())).unwrap();
    }
    // Ends the thread, and brings back what a kill would have left.
    drop(writer);
    for part in parts(folder, Table::Steps) {
        fs::remove_file(part).unwrap();
    }
    for part in &killed {
        fs::copy(copy.path().join(part.file_name().unwrap()), part).unwrap();
    }
    fs::write(folder.join("run.json"), run).unwrap();
    assert_eq!(*Run::open(folder).unwrap().status(), RunStatus::Killed);
    assert_eq!(iterations(folder, Table::Steps).len(), 30);
    killed
}

#[test]
fn a_part_that_is_missing_doubled_or_of_another_run_is_named_even_if_the_run_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let parts = parts_of_a_killed_run(folder.path());
    let others = parts_of_a_killed_run(other.path());
    let fails = |problem: &str, named: &Path| {
        let error = try_read(folder.path(), Table::Steps).unwrap_err();
        let message = error.to_string();
        assert!(matches!(error, LcaError::Damaged { .. }), "{message}");
        assert!(message.contains(problem), "{message}");
        assert!(message.contains(named.to_str().unwrap()), "{message}");
    };
    for part in &parts {
        let copy = part.with_file_name("9-copy.parquet");
        fs::copy(part, &copy).unwrap();
        fails("twice", &copy);
        fs::remove_file(copy).unwrap();
    }
    for (part, other) in parts.iter().zip(&others) {
        let sound = fs::read(part).unwrap();
        fs::copy(other, part).unwrap();
        fails("another run", part);
        fs::write(part, sound).unwrap();
    }
    // The last one was on disk at the end of its epoch, and so is known to be missing.
    let ends = [
        parts[1].clone(),
        parts[2].clone(),
        folder.path().join("steps"),
    ];
    let missing = [
        "rows 0 to 9",
        "rows 10 to 19",
        "20 rows, but run.json counts 30",
    ];
    for ((part, named), problem) in parts.iter().zip(ends).zip(missing) {
        let sound = fs::read(part).unwrap();
        fs::remove_file(part).unwrap();
        fails(problem, &named);
        // What is there can be read on.
        let batches = Run::open(folder.path()).unwrap().scan(Table::Steps);
        let read = batches.batches().unwrap().filter_map(Result::ok);
        assert_eq!(read.map(|batch| batch.num_rows()).sum::<usize>(), 20);
        fs::write(part, sound).unwrap();
    }
    assert_eq!(iterations(folder.path(), Table::Steps).len(), 30);
}

#[test]
fn a_table_whose_files_are_gone_is_not_read_as_none() {
    let folder = tempfile::tempdir().unwrap();
    let (_, parameters) = run(folder.path());
    fs::remove_dir_all(parameters.parent().unwrap()).unwrap();
    let error = try_read(folder.path(), Table::Parameters).unwrap_err();
    assert!(error.to_string().contains("counts 40"), "{error}");
    // This one never had rows.
    assert!(try_read(folder.path(), Table::Units).unwrap().is_empty());
}

#[test]
fn parts_of_another_run_are_neither_merged_nor_resumed_from() {
    let folder = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let foreign = parts_of_a_killed_run(other.path()).remove(2);
    let writer = begin(folder.path());
    (0..2).for_each(|iteration| {
        writer.write(rows(iteration));
        writer.epoch_end(iteration as u32 + 1, iteration + 1);
    });
    let place = parts(folder.path(), Table::Steps)[0].with_file_name(foreign.file_name().unwrap());
    fs::copy(&foreign, &place).unwrap();
    let named = place.to_str().unwrap();
    let error = writer.finish(RunState::Finished).unwrap_err().to_string();
    assert!(error.contains(named), "{error}");
    assert_eq!(parts(folder.path(), Table::Steps).len(), 3);
    for epoch in [Some(1), None] {
        let recorder = Recorder::new(folder.path()).resume();
        let error = RunWriter::create(&recorder, info(), epoch).err().unwrap();
        assert!(error.to_string().contains(named), "{error}");
    }
    fs::remove_file(place).unwrap();
    assert_eq!(iterations(folder.path(), Table::Steps), [0, 1]);
}

#[test]
fn a_foreign_file_is_named_and_the_next_part_can_still_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let (steps, parameters) = run(folder.path());
    // A part of another table, which sorts first.
    let foreign = steps.with_file_name("0-other.parquet");
    fs::copy(parameters, &foreign).unwrap();
    let results: Vec<_> = Run::open(folder.path())
        .unwrap()
        .scan(Table::Steps)
        .batches()
        .unwrap()
        .collect();
    let error = results[0].as_ref().unwrap_err().to_string();
    assert!(
        error.contains("0-other.parquet") && error.contains("steps"),
        "{error}"
    );
    assert_eq!(results[1].as_ref().unwrap().num_rows(), 10);
}

#[test]
fn a_part_of_a_newer_schema_is_not_guessed_at() {
    let folder = tempfile::tempdir().unwrap();
    let (steps, _) = run(folder.path());
    let mut bytes = fs::read(&steps).unwrap();
    let key = b"burn_lca.schema_version";
    let at = bytes
        .windows(key.len())
        .position(|window| window == key)
        .unwrap()
        + key.len();
    let digit = at + bytes[at..].iter().position(|byte| *byte == b'1').unwrap();
    bytes[digit] = b'9';
    fs::write(&steps, bytes).unwrap();
    let error = try_read(folder.path(), Table::Steps).unwrap_err();
    assert!(
        matches!(error, LcaError::NewerSchema { found: 9, .. }),
        "{error}"
    );
}

#[test]
fn a_damaged_part_stays_detectable_when_the_run_is_merged() {
    let folder = tempfile::tempdir().unwrap();
    let writer = begin(folder.path());
    (0..2).for_each(|iteration| {
        writer.write(rows(iteration));
        writer.epoch_end(iteration as u32 + 1, iteration + 1);
    });
    let first = parts(folder.path(), Table::Steps).remove(0);
    let mut bytes = fs::read(&first).unwrap();
    bytes[20] ^= 1;
    fs::write(&first, bytes).unwrap();
    // Merging finds the damage and leaves the table as it is; counting fails the end.
    let error = writer.finish(RunState::Finished).unwrap_err();
    assert!(
        error.to_string().contains(first.to_str().unwrap()),
        "{error}"
    );
    assert_eq!(parts(folder.path(), Table::Steps).len(), 2);
    assert_eq!(iterations(folder.path(), Table::Parameters).len(), 8);
}

#[test]
fn a_run_that_has_lost_rows_is_not_resumed() {
    for lost in [Table::Steps, Table::Parameters] {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::new(folder.path()).part_rows(1);
        let writer = RunWriter::create(&recorder, info(), None).unwrap();
        for iteration in 0..3 {
            writer.write(rows(iteration));
        }
        writer.epoch_end(1, 3);
        drop(writer);
        fs::remove_file(parts(folder.path(), lost).pop().unwrap()).unwrap();
        let before = fs::read(folder.path().join("run.json")).unwrap();
        let recorder = recorder.resume();
        let error = RunWriter::create(&recorder, info(), Some(1))
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains(lost.name()) && error.contains("run.json counts"),
            "{error}"
        );
        assert!(error.contains(".overwrite()"), "{error}");
        assert_eq!(fs::read(folder.path().join("run.json")).unwrap(), before);
    }
}
