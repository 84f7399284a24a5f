//! Totals that go on to be counted when a run is resumed.

use std::fs;
use std::sync::Mutex;

use arrow::datatypes::Float64Type;

use super::*;

/// What was logged by any test; a folder's name tells them apart.
static LOGGED: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Memory;

impl log::Log for Memory {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        LOGGED.lock().unwrap().push(record.args().to_string());
    }

    fn flush(&self) {}
}

fn listen() {
    // Fails for all but the first.
    let _ = log::set_logger(&Memory);
    log::set_max_level(log::LevelFilter::Warn);
}

/// The warnings that name a folder or a file in it.
fn warnings(folder: &Path) -> Vec<String> {
    let name = folder.to_str().unwrap();
    let logged = LOGGED.lock().unwrap();
    let about = logged.iter().filter(|message| message.contains(name));
    about.cloned().collect()
}

/// The totals of the iterations before `next`, recognizable by it.
fn totals(next: u64) -> Vec<ParameterTotalRows> {
    let count = next as u32;
    vec![ParameterTotalRows {
        tensor: "fc1.weight".into(),
        index: ElementIndices::All,
        lca: vec![next as f64, f64::NEG_INFINITY, 0.0, -0.5],
        lca_validation: next.is_multiple_of(20).then(|| vec![0.5 * next as f64; 4]),
        helping: vec![count, 0, 1, 2],
        hurting: vec![0, count, 1, 2],
        zero: vec![1; 4],
        step_sign_changes: vec![2, 3, 5, 7],
        gradient_sign_changes: vec![11, 13, 17, 19],
        initial: vec![0.5; 4],
        last: vec![1.5, -1.5, 0.0, next as f32],
        step_sign: vec![-1, 0, 1, -1],
        gradient_sign: vec![1, -1, 0, 0],
    }]
}

/// Ten steps, and the end of their epoch.
fn train_epoch(writer: &RunWriter, epoch: u32) {
    let next = 10 * u64::from(epoch);
    (next - 10..next).for_each(|iteration| writer.write(rows(iteration)));
    writer.write(vec![Rows::Totals(totals(next))]);
    writer.epoch_end(epoch, next);
}

fn train(folder: &Path, epochs: u32) -> RunWriter {
    listen();
    let writer = begin(folder);
    (1..=epochs).for_each(|epoch| train_epoch(&writer, epoch));
    writer
}

fn resume(folder: &Path, epoch: u32) -> RunWriter {
    RunWriter::create(&Recorder::new(folder).resume(), info(), Some(epoch)).unwrap()
}

fn kept(folder: &Path) -> Vec<u64> {
    let kept = RunFolder::new(folder).kept_snapshots().unwrap();
    kept.into_iter().map(|(next, _)| next).collect()
}

fn totals_from(folder: &Path) -> u64 {
    Run::open(folder).unwrap().info().totals_from
}

/// The first value of a column that says up to where the table counts.
fn counted(folder: &Path) -> f64 {
    read(folder, Table::ParameterTotals)["lca"]
        .as_primitive::<Float64Type>()
        .value(0)
}

#[test]
fn totals_go_on_from_any_epoch_of_a_run_that_ended_or_did_not() {
    for ended in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let writer = train(path, 4);
        if ended {
            writer.write(vec![Rows::Totals(totals(40))]);
            writer.finish(RunState::Finished).unwrap();
        } else {
            // Half an epoch more, with totals that no checkpoint belongs to.
            (40..45).for_each(|iteration| writer.write(rows(iteration)));
            writer.write(vec![Rows::Totals(totals(45))]);
            drop(writer);
        }
        for (epoch, left) in [
            (4, &[10, 20, 30, 40][..]),
            (3, &[10, 20, 30]),
            (1, &[10]),
            (1, &[10]),
        ] {
            let next = u64::from(10 * epoch);
            let mut writer = resume(path, epoch);
            assert_eq!(writer.take_totals(), Some(totals(next)));
            assert_eq!(writer.take_totals(), None);
            drop(writer);
            assert_eq!(counted(path), next as f64);
            assert_eq!(kept(path), left);
            assert_eq!(totals_from(path), 0);
        }
        let writer = resume(path, 1);
        train_epoch(&writer, 2);
        writer.finish(RunState::Finished).unwrap();
        assert_eq!((counted(path), kept(path)), (20.0, vec![10, 20]));
        assert!(warnings(path).is_empty(), "{:?}", warnings(path));
        // From the beginning there is nothing to go on with, and nothing lost.
        assert_eq!(resume(path, 0).take_totals(), None);
        assert_eq!((totals_from(path), kept(path)), (0, vec![]));
        assert!(parts(path, Table::ParameterTotals).is_empty());
        assert!(warnings(path).is_empty(), "{:?}", warnings(path));
    }
}

#[test]
fn only_totals_taken_right_at_the_end_of_an_epoch_are_kept_and_only_the_newest() {
    let folder = tempfile::tempdir().unwrap();
    let writer = train(folder.path(), 10);
    writer.write(rows(100));
    // The last totals are those of iteration 100.
    writer.epoch_end(11, 101);
    writer.finish(RunState::Finished).unwrap();
    let newest: Vec<u64> = (3..=10).map(|epoch| 10 * epoch).collect();
    assert_eq!(kept(folder.path()), newest);
    let hidden = RunFolder::new(folder.path()).kept();
    assert_eq!(fs::read_dir(&hidden).unwrap().count(), newest.len());
    let recorder = Recorder::new(folder.path()).overwrite();
    drop(RunWriter::create(&recorder, info(), None).unwrap());
    assert!(!hidden.exists());
}

#[test]
fn kept_totals_that_outlived_their_run_are_not_those_of_the_next() {
    let folder = tempfile::tempdir().unwrap();
    train(folder.path(), 3).finish(RunState::Finished).unwrap();
    // As `rm -r folder/*` does.
    for entry in fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
        if !entry.file_name().to_string_lossy().starts_with('.') {
            let path = entry.path();
            fs::remove_dir_all(&path)
                .or_else(|_| fs::remove_file(&path))
                .unwrap();
        }
    }
    assert_eq!(kept(folder.path()), [10, 20, 30]);
    train(folder.path(), 1);
    assert_eq!(kept(folder.path()), [10]);
}

/// Resumes after epoch 2, whose totals are not to be had.
fn resume_without(folder: &Path, reason: &str) {
    let mut writer = resume(folder, 2);
    assert_eq!(writer.take_totals(), None);
    assert_eq!((totals_from(folder), kept(folder)), (20, vec![10]));
    assert!(parts(folder, Table::ParameterTotals).is_empty());
    let warnings = warnings(folder);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("iteration 20") && warnings[0].contains(reason),
        "{warnings:?}"
    );
    train_epoch(&writer, 3);
    writer.finish(RunState::Finished).unwrap();
}

#[test]
fn totals_that_are_lost_are_counted_anew_from_there_and_that_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    drop(train(path, 3));
    files::remove(&RunFolder::new(path).kept_snapshot(20)).unwrap();
    resume_without(path, "not kept");
    // A process that died before the first new snapshot leaves nothing else to say.
    resume_without(path, "not kept");
    // What was counted from there goes on, and so does what was counted before.
    for (epoch, from) in [(3, 20), (1, 0)] {
        let next = u64::from(10 * epoch);
        assert_eq!(resume(path, epoch).take_totals(), Some(totals(next)));
        assert_eq!(totals_from(path), from);
    }
}

#[test]
fn damaged_totals_are_named_and_as_good_as_lost() {
    let sound = {
        let folder = tempfile::tempdir().unwrap();
        drop(train(folder.path(), 2));
        fs::read(RunFolder::new(folder.path()).snapshot()).unwrap()
    };
    let mut flipped = sound.clone();
    flipped[20] ^= 1;
    for damage in [&flipped, &sound[..sound.len() - 9], b"", b"PAR1"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        drop(train(path, 3));
        let file = RunFolder::new(path).kept_snapshot(20);
        fs::write(&file, damage).unwrap();
        resume_without(path, file.to_str().unwrap());
    }
    // Both names of one file, and the present table.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    drop(train(path, 2));
    fs::write(RunFolder::new(path).snapshot(), flipped).unwrap();
    resume_without(path, "20.parquet");
}

#[test]
fn totals_of_a_tensor_of_another_size_are_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let writer = train(path, 1);
    (10..20).for_each(|iteration| writer.write(rows(iteration)));
    let short = ParameterTotalRows {
        tensor: "fc1.weight".into(),
        index: ElementIndices::All,
        lca: vec![1.0],
        lca_validation: None,
        helping: vec![1],
        hurting: vec![1],
        zero: vec![1],
        step_sign_changes: vec![1],
        gradient_sign_changes: vec![1],
        initial: vec![1.0],
        last: vec![1.0],
        step_sign: vec![1],
        gradient_sign: vec![1],
    };
    writer.write(vec![Rows::Totals(vec![short])]);
    writer.epoch_end(2, 20);
    drop(writer);
    resume_without(path, "fc1.weight");
}

#[test]
fn a_recording_that_begins_while_training_goes_on_counts_from_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    listen();
    let begin = || {
        let info = RunInfo {
            first_iteration: 20,
            ..info()
        };
        RunWriter::create(&Recorder::new(path).resume(), info, Some(2)).unwrap()
    };
    // Again after a process that died in the first epoch that was recorded.
    for _ in 0..2 {
        let mut writer = begin();
        assert_eq!(writer.first_iteration(), 20);
        assert_eq!(writer.take_totals(), None);
        writer.write(rows(20));
        drop(writer);
        assert_eq!(totals_from(path), 20);
        assert_eq!(iterations(path, Table::Steps), [20]);
    }
    let writer = begin();
    train_epoch(&writer, 3);
    let info = writer.finish(RunState::Finished).unwrap();
    assert_eq!((info.totals_from, info.totals.unwrap().steps), (20, 10));
    assert_eq!(resume(path, 3).take_totals(), Some(totals(30)));
    assert_eq!(totals_from(path), 20);
    assert!(warnings(path).is_empty(), "{:?}", warnings(path));
}

#[test]
fn a_run_resumed_without_totals_gives_none_and_says_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    drop(train(path, 2));
    for epoch in [2, 1] {
        let recorder = Recorder::new(path).resume().economy();
        let mut writer = RunWriter::create(&recorder, info(), Some(epoch)).unwrap();
        assert_eq!(writer.take_totals(), None);
        drop(writer);
        assert_eq!(counted(path), f64::from(10 * epoch));
    }
    assert!(warnings(path).is_empty(), "{:?}", warnings(path));
}

#[test]
fn totals_of_an_earlier_epoch_do_not_pass_for_those_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    drop(train(folder.path(), 3));
    let run = RunFolder::new(folder.path());
    fs::copy(run.kept_snapshot(20), run.snapshot()).unwrap();
    let scan = Run::open(folder.path())
        .unwrap()
        .scan(Table::ParameterTotals);
    let error = scan.batches().unwrap().next().unwrap().unwrap_err();
    assert!(error.to_string().contains("epoch 3"), "{error}");
    // Resuming there finds its own.
    assert_eq!(resume(folder.path(), 2).take_totals(), Some(totals(20)));
    assert_eq!(counted(folder.path()), 20.0);
}
