//! Merging and resuming: the same rows in fewer files, or exactly the earlier ones.

use std::fs;

use super::*;

fn many_parts(folder: &Path) -> Recorder {
    // A part per step.
    Recorder::new(folder).part_rows(1)
}

fn resume(folder: &Path, epoch: Option<u32>) -> RunWriter {
    RunWriter::create(&Recorder::new(folder).resume(), info(), epoch).unwrap()
}

/// Three epochs of ten steps, in parts of one step, not ended.
fn three_epochs(folder: &Path) -> RunWriter {
    let writer = RunWriter::create(&many_parts(folder), info(), None).unwrap();
    for epoch in 1..=3 {
        (10 * (epoch - 1)..10 * epoch).for_each(|iteration| writer.write(rows(iteration)));
        writer.epoch_end(epoch as u32, 10 * epoch);
    }
    writer
}

fn each_four_times(iterations: std::ops::Range<u64>) -> Vec<u64> {
    iterations.flat_map(|iteration| [iteration; 4]).collect()
}

#[test]
fn finishing_leaves_one_file_per_small_table_with_all_rows_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let writer = three_epochs(folder.path());
    assert_eq!(parts(folder.path(), Table::Steps).len(), 30);
    let info = writer.finish(RunState::Finished).unwrap();
    assert_eq!(info.totals.unwrap().steps, 30);
    for table in [Table::Steps, Table::Parameters] {
        assert_eq!(parts(folder.path(), table).len(), 1);
    }
    assert_eq!(
        iterations(folder.path(), Table::Steps),
        (0..30).collect::<Vec<_>>()
    );
    assert_eq!(
        iterations(folder.path(), Table::Parameters),
        each_four_times(0..30)
    );
    let hidden = fs::read_dir(folder.path()).unwrap().filter_map(Result::ok);
    assert!(
        hidden
            .map(|entry| entry.file_name())
            .all(|name| !name.to_string_lossy().starts_with('.'))
    );
}

#[test]
fn large_row_groups_are_merged_without_decoding_and_read_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let count = 1 << 16;
    let recorder = Recorder::new(folder.path()).part_rows(1);
    let writer = RunWriter::create(&recorder, RunInfo::default(), None).unwrap();
    for iteration in 0..4 {
        for tensor in ["a", "b"] {
            let lca = (0..count).map(|index| (index as f32).sin()).collect();
            writer.write(vec![Rows::Units(UnitRows {
                iteration,
                span: 1,
                tensor: tensor.into(),
                unit: ElementIndices::All,
                lca,
            })]);
        }
    }
    writer.epoch_end(1, 4);
    let before = read(folder.path(), Table::Units);
    writer.finish(RunState::Finished).unwrap();
    assert_eq!(parts(folder.path(), Table::Units).len(), 1);
    assert_eq!(before, read(folder.path(), Table::Units));
    let run = Run::open(folder.path()).unwrap();
    assert_eq!(
        read_scan(run.scan(Table::Units).iterations(2..3).tensor("b")).num_rows(),
        count
    );
}

#[test]
fn resuming_replaces_exactly_the_later_rows() {
    for ended in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let writer = three_epochs(folder.path());
        if ended {
            // One file per table now, which the end of epoch 2 lies in.
            writer.finish(RunState::Interrupted).unwrap();
        } else {
            drop(writer);
        }
        let writer = resume(folder.path(), Some(2));
        assert_eq!(writer.first_iteration(), 20);
        assert_eq!(
            *Run::open(folder.path()).unwrap().status(),
            RunStatus::Running
        );
        assert_eq!(
            iterations(folder.path(), Table::Steps),
            (0..20).collect::<Vec<_>>()
        );
        (20..25).for_each(|iteration| writer.write(rows(iteration)));
        writer.epoch_end(3, 25);
        let info = writer.finish(RunState::Finished).unwrap();
        assert_eq!(
            info.epochs.last(),
            Some(&EpochInfo {
                epoch: 3,
                next_iteration: 25
            })
        );
        assert_eq!(info.totals.unwrap().steps, 25);
        assert_eq!(
            iterations(folder.path(), Table::Steps),
            (0..25).collect::<Vec<_>>()
        );
        assert_eq!(
            iterations(folder.path(), Table::Parameters),
            each_four_times(0..25)
        );
    }
}

#[test]
fn training_from_the_beginning_and_without_checkpoints_can_be_resumed_too() {
    let folder = tempfile::tempdir().unwrap();
    drop(three_epochs(folder.path()));
    let writer = resume(folder.path(), None);
    assert_eq!(writer.first_iteration(), 30);
    drop(writer);
    assert_eq!(resume(folder.path(), Some(0)).first_iteration(), 0);
    assert!(iterations(folder.path(), Table::Steps).is_empty());
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(resume(empty.path(), Some(3)).first_iteration(), 0);
}

#[test]
fn an_epoch_that_never_ended_and_another_model_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(three_epochs(folder.path()));
    let recorder = Recorder::new(folder.path()).resume();
    let error = RunWriter::create(&recorder, info(), Some(4))
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("epoch 4") && error.contains("1, 2, 3"),
        "{error}"
    );
    let mut other = info();
    other.tensors[0] = TensorInfo::new("fc1.weight", &[3, 3], Some(1));
    let error = RunWriter::create(&recorder, other, Some(3))
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("fc1.weight") && error.contains("another model"),
        "{error}"
    );
    assert_eq!(iterations(folder.path(), Table::Steps).len(), 30);
}

#[test]
fn a_rewrite_cut_short_anywhere_is_read_whole_and_resumed_whole() {
    for renames in [
        &[][..],
        &[(".steps.building", ".steps.next")],
        &[(".steps.building", ".steps.next"), ("steps", ".steps.old")],
        &[
            (".steps.building", ".steps.next"),
            ("steps", ".steps.old"),
            (".steps.next", "steps"),
        ],
    ] {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        drop(three_epochs(folder.path()));
        // A copy stands in for the merged table: what it replaces has the same rows.
        fs::create_dir(at(".steps.building")).unwrap();
        for part in parts(folder.path(), Table::Steps) {
            fs::copy(&part, at(".steps.building").join(part.file_name().unwrap())).unwrap();
        }
        renames
            .iter()
            .for_each(|(from, to)| fs::rename(at(from), at(to)).unwrap());
        fs::create_dir(at(".writing")).unwrap();
        fs::write(at(".writing/parameters-000077.tmp"), "half a part").unwrap();

        let all: Vec<u64> = (0..30).collect();
        assert_eq!(iterations(folder.path(), Table::Steps), all);
        resume(folder.path(), Some(3))
            .finish(RunState::Finished)
            .unwrap();
        assert_eq!(iterations(folder.path(), Table::Steps), all);
        assert!(!at(".writing").exists() && !at(".steps.old").exists());
        assert!(!at(".steps.next").exists() && !at(".steps.building").exists());
    }
}
