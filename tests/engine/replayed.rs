//! Trainings that are over, measured from the weights that they saved.

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::SgdConfig;
use burn::optim::momentum::MomentumConfig;
use burn::train::{InferenceStep, TrainStep};
use burn_lca::arrow::array::RecordBatch;
use burn_lca::arrow::compute::concat_batches;
use burn_lca::{Checkpoint, Integrator, Lca, LcaError, MeanLoss, Recorder, Run, RunStatus, Table};

use crate::digits::{DigitBatch, DigitNet};
use crate::norm_net::NormNet;
use crate::refused::assert_names;
use crate::scaffold::{
    assert_close, by_class, device, minibatch, moved, net, probe, start, steps, train, training,
    validation,
};

fn lca(folder: &Path) -> Lca<DigitBatch> {
    Lca::new(by_class(training()))
        .validation(probe(validation()))
        .integrator(Integrator::fixed(2))
        .record(Recorder::new(folder).full())
}

fn file(folder: &Path, step: usize) -> PathBuf {
    folder.join(format!("{step}.bpk"))
}

/// All rows of a table; without the time that measuring took, the one thing that differs.
fn rows(run: &Run, table: Table) -> RecordBatch {
    let batches: Vec<_> = run
        .scan(table)
        .batches()
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let all = concat_batches(&batches[0].schema(), &batches).unwrap();
    let names: Vec<_> = all
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let kept: Vec<usize> = (0..names.len())
        .filter(|&k| names[k] != "probe_seconds")
        .collect();
    all.project(&kept).unwrap()
}

/// Trains with momentum, so that the training knows more than its weights, and measures it twice:
/// on the way, and from the weights of every step alone.
fn assert_replayed_as_observed<M>(new: impl Fn() -> M)
where
    M: Module + Display + TrainStep<Input = DigitBatch>,
    M: InferenceStep<Input = DigitBatch, Output: MeanLoss>,
{
    let folder = tempfile::tempdir().unwrap();
    let [live, replayed] = ["live", "replayed"].map(|name| folder.path().join(name));
    let mut optimizer = SgdConfig::new()
        .with_momentum(Some(MomentumConfig::new()))
        .init();
    let save = |model: &M, step| {
        let saved = model.clone().save_file(file(folder.path(), step));
        saved.unwrap();
    };
    let epoch = |step: usize| 1 + step as u32 / 2;
    let count = steps(5, 2);

    let mut model = new();
    save(&model, 0);
    let mut observer = start(lca(&live), &model);
    for step in 0..count {
        observer.set_epoch(epoch(step));
        model = train(model, &mut optimizer, 0.05, minibatch(step));
        observer.observe(&model).unwrap();
        save(&model, step + 1);
    }
    observer.finish().unwrap();

    let checkpoint = |step: usize| {
        let checkpoint = Checkpoint::new(file(folder.path(), step), step as u64);
        checkpoint.epoch(epoch(step.saturating_sub(1)))
    };
    let mut seen = Vec::new();
    lca(&replayed)
        .replay(new(), (0..=count).map(checkpoint), |step| {
            seen.push(step.iteration());
        })
        .unwrap();
    assert_eq!(seen, (0..count as u64).collect::<Vec<_>>());
    let [live, replayed] = [live, replayed].map(|folder| Run::open(folder).unwrap());
    assert_eq!(live.tables().unwrap(), Table::ALL);
    for table in Table::ALL {
        let [live, replayed] = [&live, &replayed].map(|run| rows(run, table));
        assert!(live.num_rows() > 0, "{table:?} has no rows");
        assert!(live == replayed, "{table:?} differs");
    }
}

#[test]
fn a_checkpoint_of_every_step_gives_the_rows_of_the_live_observation_bit_for_bit() {
    assert_replayed_as_observed(net);
}

#[test]
fn so_it_does_with_running_statistics() {
    assert_replayed_as_observed(|| NormNet::new([1e-5; 2]));
}

/// Saves the weights at the start and after two moves.
fn three_points(folder: &Path) -> [DigitNet; 3] {
    let first = net();
    let second = moved(&first, 1, 0.1);
    let third = moved(&second, 2, 0.1);
    let points = [first, second, third];
    for (step, point) in points.iter().enumerate() {
        point.clone().save_file(file(folder, step)).unwrap();
    }
    points
}

/// The rows begin where the first checkpoint is, and span the steps to the next one. Loaded by a
/// function or from files, the numbers are those of observing the same points.
#[test]
fn segments_of_many_steps_are_grounded_and_say_how_many_they_span() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second, third] = three_points(folder.path());
    let mut observer = start(Lca::new(by_class(training())), &first);
    let direct = [&second, &third].map(|model| observer.observe(model).unwrap());

    let files = |folder: &Path| {
        let checkpoint = |(step, steps)| Checkpoint::new(file(folder, step), steps);
        [(0, 90), (1, 135), (2, 136)].map(checkpoint)
    };
    let loaded = |(model, steps): (DigitNet, u64)| Checkpoint::from_fn(steps, |_| Ok(model));
    let loaded = [(first, 90), (second, 135), (third, 136)].map(loaded);
    for checkpoints in [files(folder.path()), loaded] {
        let record = folder.path().join("run");
        let recorder = Recorder::new(&record).overwrite();
        let mut replayed = Vec::new();
        Lca::new(by_class(training()))
            .record(recorder)
            .replay(DigitNet::new(&device()), checkpoints, |step| {
                replayed.push(step.clone())
            })
            .unwrap();
        let spans: Vec<_> = replayed
            .iter()
            .map(|step| (step.iteration(), step.span()))
            .collect();
        assert_eq!(spans, [(90, 45), (135, 1)]);
        for (step, direct) in replayed.iter().zip(&direct) {
            assert_eq!(step.lca(), direct.lca());
            assert_eq!(step.loss_change(), direct.loss_change());
            assert_close(step.residual(), 0.0, 0.02 * step.loss_change().abs());
        }
        let run = Run::open(&record).unwrap();
        assert_eq!(*run.status(), RunStatus::Finished);
        assert_eq!(rows(&run, Table::Steps).num_rows(), 2);
    }
}

#[test]
fn what_is_no_checkpoint_of_the_model_is_named_with_its_file_and_tensor() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    three_points(folder);
    let replay = |checkpoints: Vec<Checkpoint<DigitNet>>| {
        let lca = Lca::new(probe(training())).record(Recorder::new(folder.join("run")).overwrite());
        let error = lca.replay(net(), checkpoints, |_| ()).unwrap_err();
        error.to_string()
    };
    let point = |step: usize| Checkpoint::new(file(folder, step), step as u64);

    // Said before anything is measured.
    let message = replay(vec![point(0), point(1), point(3)]);
    assert_names(&message, &["3.bpk"]);
    assert!(!folder.join("run").exists());
    assert_names(
        &replay(vec![point(0)]),
        &["Lca::replay", "1 checkpoints", "two"],
    );
    assert_names(&replay(vec![]), &["Lca::replay", "0 checkpoints"]);
    let message = replay(vec![point(0), point(2), point(1)]);
    assert_names(&message, &["Lca::replay", "1.bpk", "2.bpk", "order"]);
    let lca = Lca::new(probe(training())).every(2);
    let error = lca.replay(net(), [point(0), point(1)], |_| ()).unwrap_err();
    assert_names(&error.to_string(), &["every"]);

    // Found at the second point: the record says why it ends there.
    let other = file(folder, 7);
    NormNet::new([1e-5; 2]).save_file(&other).unwrap();
    let message = replay(vec![point(0), point(1), Checkpoint::new(&other, 7)]);
    assert_names(&message, &["7.bpk", "fc1.weight"]);
    let run = Run::open(folder.join("run")).unwrap();
    match run.status() {
        RunStatus::Failed(reason) => assert_names(reason, &["7.bpk", "fc1.weight"]),
        status => panic!("{status:?}"),
    }
    assert_eq!(rows(&run, Table::Steps).num_rows(), 1);
    let bytes = fs::read(file(folder, 1)).unwrap();
    for length in [0, 20, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&other, &bytes[..length]).unwrap();
        let message = replay(vec![point(0), Checkpoint::new(&other, 7)]);
        assert_names(&message, &["7.bpk"]);
    }
    let message = replay(vec![
        point(0),
        Checkpoint::from_fn(7, |_| Err("no such key".into())),
    ]);
    assert_names(&message, &["after 7 steps", "no such key"]);
}

#[test]
fn a_learners_checkpoints_are_found_by_epoch_and_a_gap_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let find = || Checkpoint::<DigitNet>::of_learner(folder, 45);
    let name = |epoch| folder.join(format!("model-{epoch}.bpk"));
    let message = find().unwrap_err().to_string();
    assert_names(
        &message,
        &["no weights of an epoch", &folder.display().to_string()],
    );
    for epoch in [9, 10, 8] {
        fs::write(name(epoch), "").unwrap();
        fs::write(folder.join(format!("optim-{epoch}.bpk")), "").unwrap();
    }
    let found: Vec<_> = find()
        .unwrap()
        .iter()
        .map(|point| point.to_string())
        .collect();
    assert_eq!(
        found,
        [8, 9, 10].map(|epoch| name(epoch).display().to_string())
    );
    fs::write(name(12), "").unwrap();
    let message = find().unwrap_err().to_string();
    assert_names(
        &message,
        &[
            "epochs 10 and 12",
            "KeepLastNCheckpoints",
            "Checkpoint::new",
        ],
    );
    let missing = Checkpoint::<DigitNet>::of_learner(folder.join("none"), 45);
    assert!(matches!(missing, Err(LcaError::Disk { .. })));
}
