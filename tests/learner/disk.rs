//! A disk that fails in the midst of a run.

use std::fs;
use std::time::{Duration, Instant};

use burn_lca::prelude::*;
use burn_lca::{Run, RunStatus};

use crate::data::{BATCHES, by_class};
use crate::net::NetConfig;
use crate::setup::{Setup, Steps};

const EPOCHS: usize = 4;
const PATIENCE: Duration = Duration::from_secs(60);

fn setup() -> Setup {
    Setup {
        net: NetConfig::FRAGILE,
        epochs: EPOCHS,
        ..Setup::default()
    }
}

/// From the third step on, the folder of the table `steps` is a file.
#[test]
fn a_failing_disk_stops_the_recording_and_not_the_training() {
    let plain = setup().train_plainly();
    let steps = Steps::default();
    let setup = setup();
    let table = setup.run_folder().join("steps");
    let (broken, run) = (table.clone(), setup.run_folder());
    let mut collect = steps.collect();
    let recorder = Recorder::new(setup.run_folder()).part_age(Duration::ZERO);
    let metric = LcaMetric::new()
        .probe(by_class())
        .record(recorder)
        .on_step(move |step| {
            collect(step);
            if step.iteration() == 2 {
                // The first part may take its time.
                while !broken.exists() {
                    std::thread::sleep(Duration::from_millis(1));
                }
                fs::rename(&broken, broken.with_extension("gone")).unwrap();
                fs::write(&broken, "not a folder").unwrap();
            }
            // The writer fails while training still goes on.
            let has_failed =
                || Run::open(&run).is_ok_and(|run| matches!(run.status(), RunStatus::Failed(_)));
            let start = Instant::now();
            while step.iteration() == 4 && !has_failed() && start.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(1));
            }
        });
    let observed = setup.train(|training| training.metric(metric));

    observed.assert_same_training(&plain);
    assert_eq!(steps.take().len(), EPOCHS * BATCHES);
    assert_eq!(observed.logged("LCA").len(), EPOCHS * BATCHES);
    let message = observed.lca_error().to_string();
    match observed.lca_error() {
        LcaError::Disk { path, .. } => assert!(path.starts_with(&table), "{message}"),
        other => panic!("{other:?}"),
    }
    assert!(message.contains(&*table.to_string_lossy()), "{message}");
    assert_eq!(observed.interrupted, None);

    let shown = observed.screen.of("LCA");
    let told = shown
        .iter()
        .filter(|shown| shown.text.contains("recording stopped"));
    let told: Vec<_> = told.collect();
    assert!(!told.is_empty(), "nothing was said while training went on");
    assert!(told[0].value.is_some(), "the values are still shown");
    assert!(matches!(observed.run().status(), RunStatus::Failed(_)));
}
