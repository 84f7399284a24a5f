//! A disk that fails while training runs.

use std::fs;

use super::*;

#[test]
fn a_table_that_can_not_be_written_stops_the_recording_and_not_the_training() {
    let folder = tempfile::tempdir().unwrap();
    let writer = begin(folder.path());
    // A file where the table's folder should be.
    fs::write(folder.path().join("parameters"), "").unwrap();
    assert_eq!(writer.failure(), None);
    for iteration in 0..100 {
        writer.write(rows(iteration));
    }
    writer.epoch_end(1, 100);
    assert!(writer.failure().unwrap().contains("parameters"));
    writer.write(rows(100));
    writer.epoch_end(2, 101);
    let status = Run::open(folder.path()).unwrap().status().clone();
    assert!(matches!(status, RunStatus::Failed(reason) if reason.contains("parameters")));
    let error = writer.finish(RunState::Finished).unwrap_err().to_string();
    assert!(
        error.contains(folder.path().join("parameters").to_str().unwrap()),
        "{error}"
    );
}

/// On a full disk only what the run gives back is free: this must be as much as a `run.json` with
/// the reason takes, however many epochs it has.
#[test]
fn room_for_the_last_word_is_kept_as_long_as_a_run_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let reserve = folder.path().join(".writing/reserve.tmp");
    let size = |path: &Path| fs::metadata(path).unwrap().len();
    let writer = begin(folder.path());
    for epoch in 1..=1500 {
        if epoch % 100 == 0 {
            writer.write(rows(epoch));
        }
        writer.epoch_end(epoch as u32, epoch + 1);
        let needed = size(&folder.path().join("run.json")) + 4096;
        assert!(size(&reserve) > needed, "epoch {epoch}");
    }
    // No part has a line for every epoch.
    let sizes = parts(folder.path(), Table::Steps);
    let sizes: Vec<u64> = sizes.iter().map(|part| size(part)).collect();
    assert!(sizes[14] < sizes[0] + 200, "{sizes:?}");
    fs::remove_dir_all(folder.path().join("parameters")).unwrap();
    fs::write(folder.path().join("parameters"), "").unwrap();
    writer.write(rows(1501));
    writer.epoch_end(1501, 1502);
    assert!(!reserve.exists());
    let status = Run::open(folder.path()).unwrap().status().clone();
    assert!(matches!(status, RunStatus::Failed(_)), "{status:?}");
}

#[test]
fn a_part_that_can_not_be_renamed_is_named() {
    let folder = tempfile::tempdir().unwrap();
    // A folder where the first part's final name should go.
    fs::create_dir_all(
        folder
            .path()
            .join("steps/0000000000-0000000000-000001.parquet"),
    )
    .unwrap();
    let recorder = Recorder::new(folder.path());
    assert!(
        RunWriter::create(&recorder, info(), None).is_err(),
        "it looks like a part"
    );

    let folder = tempfile::tempdir().unwrap();
    let writer = begin(folder.path());
    fs::create_dir_all(
        folder
            .path()
            .join("steps/0000000000-0000000000-000001.parquet"),
    )
    .unwrap();
    writer.write(rows(0));
    let error = writer.finish(RunState::Finished).unwrap_err().to_string();
    assert!(error.contains("000001.parquet"), "{error}");
}

#[test]
fn a_folder_that_is_moved_away_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let writer = begin(&path);
    writer.write(rows(0));
    writer.epoch_end(1, 1);
    fs::rename(&path, folder.path().join("moved")).unwrap();
    writer.write(rows(1));
    writer.epoch_end(2, 2);
    assert!(writer.failure().is_some());
    assert!(
        writer
            .finish(RunState::Finished)
            .unwrap_err()
            .to_string()
            .contains("run")
    );
    assert_eq!(iterations(&folder.path().join("moved"), Table::Steps), [0]);
}

/// Writes more than fits under a limit of 64 KiB a file.
#[cfg(target_os = "linux")]
fn write_more_than_fits(folder: &Path) {
    let writer = begin(folder);
    writer.write(rows(0));
    writer.epoch_end(1, 1);
    let noise: Vec<f32> = (0..100_000_u32)
        .map(|n| f32::from_bits(n.wrapping_mul(2_654_435_761) >> 2))
        .collect();
    for iteration in 1..50 {
        let (tensor, lca) = ("fc1.weight".into(), noise.clone());
        writer.write(vec![Rows::Units(UnitRows {
            iteration,
            span: 1,
            tensor,
            unit: ElementIndices::All,
            lca,
        })]);
    }
    writer.epoch_end(2, 50);
    let failure = writer.failure().expect("a failure");
    let error = writer.finish(RunState::Finished).unwrap_err().to_string();
    assert_eq!(error, failure);
    println!("as expected: {error}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_stops_the_recording_and_not_the_training() {
    if let Some(folder) = child_folder() {
        return write_more_than_fits(&folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let test = "failure::a_full_disk_stops_the_recording_and_not_the_training";
    let child = child(test, folder.path());
    let mut shell = Command::new("sh");
    // Ignoring the signal makes a write over the limit an error, as on a full disk.
    shell.args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$@\"", "sh"]);
    shell
        .arg(child.get_program())
        .args(child.get_args())
        .env(CHILD, folder.path());
    let output = shell.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{told}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        told.contains("as expected") && told.contains("units-000001"),
        "{told}"
    );
    assert!(told.contains("free some space"), "{told}");

    let run = Run::open(folder.path()).unwrap();
    assert!(matches!(run.status(), RunStatus::Failed(_)));
    assert_eq!(iterations(folder.path(), Table::Steps), [0]);
    assert!(parts(folder.path(), Table::Units).is_empty());
}
