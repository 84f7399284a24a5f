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

#[test]
fn a_part_too_few_or_too_many_of_a_run_that_has_ended_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (steps, parameters) = run(folder.path());
    fs::copy(&steps, steps.with_file_name("copy.parquet")).unwrap();
    let error = try_read(folder.path(), Table::Steps).unwrap_err();
    assert!(error.to_string().contains("20 rows"), "{error}");
    fs::remove_dir_all(parameters.parent().unwrap()).unwrap();
    let error = try_read(folder.path(), Table::Parameters).unwrap_err();
    assert!(error.to_string().contains("counts 40"), "{error}");
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
