//! A process that is killed at any moment, over and over.

use std::process::Stdio;

use super::*;

/// Steps of one epoch of the child.
const EPOCH: u64 = 40;

/// The child of the test below: trains epoch after epoch, each in a run that it resumes and
/// finishes, so that a kill can hit writing, closing, merging, cutting off and beginning.
#[test]
fn trains_until_it_is_killed() {
    let Some(folder) = child_folder() else { return };
    let start = Instant::now();
    // An end of its own, for when the parent fails before it kills.
    while start.elapsed() < Duration::from_secs(20) {
        train_epoch(&folder);
    }
}

fn train_epoch(folder: &Path) {
    let done = Run::open(folder)
        .ok()
        .and_then(|run| run.info().epochs.last().copied());
    let done = done.unwrap_or(EpochInfo {
        epoch: 0,
        next_iteration: 0,
    });
    let recorder = Recorder::new(folder)
        .resume()
        .part_age(Duration::from_millis(3))
        .part_rows(20);
    let writer = RunWriter::create(&recorder, info(), Some(done.epoch)).unwrap();
    let first = writer.first_iteration();
    assert_eq!(first, done.next_iteration);
    for iteration in first..first + EPOCH {
        writer.write(rows(iteration));
        std::thread::sleep(Duration::from_micros(300));
    }
    writer.epoch_end(done.epoch + 1, first + EPOCH);
    writer.finish(RunState::Interrupted).unwrap();
}

#[test]
fn twenty_kills_leave_no_row_double_and_none_missing() {
    let folder = tempfile::tempdir().unwrap();
    // Any sequence does; the moments are random anyway, by what the machine is busy with.
    let mut wait = 7;
    for _ in 0..20 {
        let mut child = child("kill::trains_until_it_is_killed")
            .env(CHILD, folder.path())
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

        let run = Run::open(folder.path()).unwrap();
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
    train_epoch(folder.path());
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

#[test]
fn a_read_at_any_moment_gives_the_rows_so_far_or_asks_to_read_again() {
    let folder = tempfile::tempdir().unwrap();
    train_epoch(folder.path());
    let path = folder.path().to_owned();
    let training = std::thread::spawn(move || (0..10).for_each(|_| train_epoch(&path)));
    let mut read = 0;
    while !training.is_finished() {
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
            Err(error) => assert!(
                error.to_string().contains("read the table again"),
                "{error}"
            ),
        }
    }
    training.join().unwrap();
    assert!(read > 10, "{read} reads");
}
