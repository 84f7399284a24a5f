//! A process that is killed at any moment, over and over.

use std::fs::{self, File};
use std::io::Write;
use std::process::Stdio;
use std::time::{SystemTime, UNIX_EPOCH};

use super::*;

/// Steps of one epoch of the child.
const EPOCH: u64 = 40;

/// Trains epoch after epoch, each in a run that it resumes and finishes, or replaces after so many
/// epochs: so a kill can hit writing, closing, merging, truncating, removing and beginning.
fn train_until_killed(folder: &Path, epochs: u32) {
    let start = Instant::now();
    // An end of its own, for when the parent fails before it kills.
    while start.elapsed() < Duration::from_secs(20) {
        train_epoch(folder, epochs);
    }
}

fn train_epoch(folder: &Path, epochs: u32) {
    let done = Run::open(folder)
        .ok()
        .and_then(|run| run.info().epochs.last().copied());
    let done = done.filter(|done| done.epoch < epochs);
    let done = done.unwrap_or(EpochInfo {
        epoch: 0,
        next_iteration: 0,
    });
    let recorder = Recorder::new(folder);
    let recorder = if done.epoch == 0 {
        recorder.overwrite()
    } else {
        recorder.resume()
    };
    let recorder = recorder.part_age(Duration::from_millis(3)).part_rows(20);
    let mut writer = RunWriter::create(&recorder, info(), Some(done.epoch)).unwrap();
    let first = writer.first_iteration();
    assert_eq!(first, done.next_iteration);
    let before = writer.take_totals();
    assert_eq!(before, (first > 0).then(|| totals(first)));
    for iteration in first..first + EPOCH {
        writer.write(rows(iteration));
        std::thread::sleep(Duration::from_micros(300));
    }
    writer.write(vec![Rows::Totals(totals(first + EPOCH))]);
    writer.epoch_end(done.epoch + 1, first + EPOCH);
    writer.finish(RunState::Interrupted).unwrap();
}

fn totals(next: u64) -> Vec<ParameterTotalRows> {
    let counts = vec![next as u32; 4];
    vec![ParameterTotalRows {
        tensor: "fc1.weight".into(),
        index: ElementIndices::All,
        lca: vec![next as f64; 4],
        lca_validation: None,
        helping: counts.clone(),
        hurting: counts.clone(),
        zero: counts.clone(),
        step_sign_changes: counts.clone(),
        gradient_sign_changes: counts,
        initial: vec![0.0; 4],
        last: vec![next as f32; 4],
        step_sign: vec![1; 4],
        gradient_sign: vec![-1; 4],
    }]
}

#[test]
fn twenty_kills_leave_no_row_double_and_none_missing() {
    if let Some(folder) = child_folder() {
        return train_until_killed(&folder, 3);
    }
    let folder = tempfile::tempdir().unwrap();
    // Any sequence does; the moments are random anyway, by what the machine is busy with.
    let mut wait = 7;
    for _ in 0..20 {
        let test = "kill::twenty_kills_leave_no_row_double_and_none_missing";
        let mut child = child(test, folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        wait_until("the child has begun", || {
            Run::open(folder.path()).is_ok_and(|run| *run.status() == RunStatus::Running)
        });
        wait = wait * 37 % 251;
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();

        let run = match Run::open(folder.path()) {
            Ok(run) => run,
            // Killed between two runs, of which the old one is in pieces.
            Err(LcaError::NoRun { .. }) => continue,
            Err(error) => panic!("{error}"),
        };
        for table in Table::ALL {
            // What sees whether a run can be removed is there for a moment, and until the next one.
            for (name, path) in files::entries(&RunFolder::new(folder.path()).table(table)).unwrap()
            {
                let is_expected = name.ends_with(".parquet") || name.ends_with(".removable");
                assert!(is_expected, "{}", path.display());
            }
        }
        assert!(*run.status() != RunStatus::Running, "{:?}", run.status());
        let durable = run
            .info()
            .epochs
            .last()
            .map_or(0, |epoch| epoch.next_iteration);
        for (table, per_step) in [(Table::Steps, 1), (Table::Parameters, 4)] {
            let found = iterations(folder.path(), table);
            let steps = found.len() as u64 / per_step;
            let expected: Vec<u64> = (0..steps)
                .flat_map(|step| (0..per_step).map(move |_| step))
                .collect();
            assert_eq!(found, expected, "{table}");
            assert!(steps >= durable, "{table} has {steps} of {durable} steps");
        }
    }
    train_epoch(folder.path(), 3);
    assert_only_parts(folder.path());
    let info = Run::open(folder.path()).unwrap().info().clone();
    let steps = info.epochs.last().unwrap().next_iteration;
    assert_eq!(info.totals.unwrap().steps, steps);
    assert_eq!(
        iterations(folder.path(), Table::Steps),
        (0..steps).collect::<Vec<_>>()
    );
    assert_eq!(
        iterations(folder.path(), Table::Parameters).len() as u64,
        4 * steps
    );
}

/// Rows wait this long for their part in the next test.
const AGE: Duration = Duration::from_millis(100);
/// What opening, writing and syncing a part may take on a busy machine.
const BUSY: Duration = Duration::from_millis(1500);

/// Writes steps, and when the rows of each were handed over.
fn write_until_killed(folder: &Path) {
    let recorder = Recorder::new(folder).part_age(AGE);
    let writer = RunWriter::create(&recorder, info(), None).unwrap();
    let mut handed_over = File::create(folder.join("handed_over")).unwrap();
    let start = Instant::now();
    for iteration in 0.. {
        writer.write(rows(iteration));
        writeln!(handed_over, "{}", since_1970().as_millis()).unwrap();
        std::thread::sleep(Duration::from_millis(2));
        assert!(start.elapsed() < Duration::from_secs(20), "never killed");
    }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

#[test]
fn a_kill_loses_no_rows_older_than_the_part_age() {
    if let Some(folder) = child_folder() {
        return write_until_killed(&folder);
    }
    // Where syncing takes no time, if there is such a place: a busy disk may take longer.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let folder = folder.unwrap();
    let test = "kill::a_kill_loses_no_rows_older_than_the_part_age";
    let mut child = child(test, folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the child has begun", || Run::open(folder.path()).is_ok());
    std::thread::sleep(AGE + BUSY + Duration::from_millis(900));
    let killed = since_1970();
    child.kill().unwrap();
    child.wait().unwrap();
    let text = fs::read_to_string(folder.path().join("handed_over")).unwrap();
    let due = (killed - AGE - BUSY).as_millis();
    let due = text
        .lines()
        .filter(|line| line.parse::<u128>().unwrap() < due)
        .count();
    assert!(due > 50, "{due} steps in time");
    for (table, per_step) in [(Table::Steps, 1), (Table::Parameters, 4)] {
        let found = iterations(folder.path(), table).len();
        assert!(
            found >= due * per_step,
            "{table}: {found} rows of {due} steps"
        );
    }
}

#[test]
fn a_read_at_any_moment_gives_the_rows_so_far_or_asks_to_read_again() {
    let folder = tempfile::tempdir().unwrap();
    train_epoch(folder.path(), 3);
    let path = folder.path().to_owned();
    let training = std::thread::spawn(move || (0..10).for_each(|_| train_epoch(&path, u32::MAX)));
    let mut read = 0;
    while !training.is_finished() {
        assert_only_parts(folder.path());
        let batches = Run::open(folder.path())
            .unwrap()
            .scan(Table::Steps)
            .columns(["iteration"])
            .batches()
            .unwrap();
        match batches.collect::<Result<Vec<_>, _>>() {
            Ok(batches) => {
                let found: Vec<u64> = batches
                    .iter()
                    .flat_map(|batch| batch.column(0).as_primitive::<UInt64Type>().values())
                    .copied()
                    .collect();
                assert!(found.len() as u64 >= EPOCH);
                assert_eq!(found, (0..found.len() as u64).collect::<Vec<_>>());
                read += 1;
            }
            // Parts were merged, or a run that had ended was resumed.
            Err(error) => {
                let error = error.to_string();
                let asks = ["read the table again", "open it again"];
                assert!(asks.iter().any(|asks| error.contains(asks)), "{error}");
            }
        }
    }
    training.join().unwrap();
    assert!(read > 10, "{read} reads");
}

/// Writes steps until the process ends; at a signal as the observer of a training does, or not.
#[cfg(unix)]
fn write_until_signalled(folder: &Path, looks: bool) {
    let writer = begin(folder);
    let mut handed_over = File::create(folder.join("handed_over")).unwrap();
    for iteration in 0..40 {
        writer.write(rows(iteration));
        writeln!(handed_over, "{iteration}").unwrap();
    }
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(10));
        if looks && writer.is_signalled() {
            writer.write(rows(40));
            drop(writer.finish(RunState::Interrupted));
            unreachable!("the process has ended");
        }
    }
}

#[cfg(unix)]
#[rstest::rstest]
#[case::at_the_next_step("TERM", 15, true)]
#[case::without_a_step("INT", 2, false)]
fn a_signal_ends_the_record_as_interrupted_and_then_the_process(
    #[case] name: &str,
    #[case] number: i32,
    #[case] looks: bool,
) {
    use std::os::unix::process::ExitStatusExt;

    if let Some(folder) = child_folder() {
        return write_until_signalled(&folder, looks);
    }
    let folder = tempfile::tempdir().unwrap();
    let case = if looks {
        "case_1_at_the_next_step"
    } else {
        "case_2_without_a_step"
    };
    let test = "kill::a_signal_ends_the_record_as_interrupted_and_then_the_process";
    let mut child = child(&format!("{test}::{case}"), folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("all rows are handed over", || {
        fs::read_to_string(folder.path().join("handed_over"))
            .is_ok_and(|text| text.lines().count() == 40)
    });
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-s", name, &pid]).status();
    assert!(sent.unwrap().success());
    assert_eq!(child.wait().unwrap().signal(), Some(number));
    let run = Run::open(folder.path()).unwrap();
    assert_eq!(*run.status(), RunStatus::Interrupted);
    let steps = if looks { 41 } else { 40 };
    assert_eq!(
        iterations(folder.path(), Table::Steps),
        (0..steps).collect::<Vec<_>>()
    );
    assert_eq!(run.info().totals.unwrap().steps, steps);
    assert!(!folder.path().join(".writing").exists());
}
