//! What `LcaMetric::new()` alone does: all of a small training set, samples of a large one.

use burn::data::dataset::Dataset;
use burn_lca::prelude::*;
use rstest::rstest;

use crate::data::{BATCH, many};
use crate::net::NetConfig;
use crate::setup::{Outcome, Setup, Steps};

fn setup(workers: usize) -> Setup {
    Setup {
        net: NetConfig::FRAGILE,
        digits: many(),
        workers,
        epochs: 2,
        ..Setup::default()
    }
}

/// What is shown beside the values all along.
fn text(outcome: &Outcome) -> String {
    let shown = outcome.screen.of("LCA Cost");
    assert!(shown.iter().all(|again| again.text == shown[0].text));
    shown[0].text.clone()
}

#[rstest]
fn samples_of_the_learners_own_data_perturb_nothing_and_say_how_sure_they_are(
    #[values(0, 1, 3)] workers: usize,
) {
    let plain = setup(workers).train_plainly();
    let steps = Steps::default();
    let setup = setup(workers);
    let examples = setup.digits.len();
    let metric = LcaMetric::new()
        .record(Recorder::new(setup.run_folder()))
        .on_step(steps.collect());
    let observed = setup.train(|training| training.metric(metric));
    observed.assert_fine();
    observed.assert_same_training(&plain);

    let steps = steps.take();
    assert_eq!(steps.len(), 2 * examples.div_ceil(BATCH));
    for step in &steps {
        let allowed = 1e-4 + 0.1 * step.loss_change().abs();
        assert!(step.residual().abs() <= allowed || step.probe().is_capped());
    }
    // Zero where both halves are the same block, one in 90: at 1 step of the 90.
    let sure = steps
        .iter()
        .filter(|step| step.standard_error() > Some(0.0));
    assert!(sure.count() >= 85 && steps.iter().all(|step| step.standard_error().is_some()));
    // Every step has a sample of its own: a loss after a step is not that before the next.
    let same = steps
        .windows(2)
        .filter(|pair| pair[0].loss_after() == pair[1].loss_before());
    assert_eq!(same.count(), 0);

    let run = observed.run();
    let probe = &run.info().probes[0];
    let sample = probe.sample.as_ref().unwrap();
    assert_eq!((probe.from_loader, probe.examples), (true, examples as u64));
    assert_eq!(
        (sample.method.as_str(), sample.examples),
        ("blocks", BATCH as u64)
    );
    assert_eq!((probe.chunks, probe.chunk_size), (2, BATCH / 2));
    assert_eq!(run.info().batch_norm.as_deref(), Some("running"));
}

#[test]
fn before_the_first_step_the_screen_says_what_measuring_costs_and_what_was_chosen() {
    let metric = || LcaMetric::new().integrator(Integrator::fixed(1));
    let sampled = setup(0).train(|training| training.metric(metric()));
    let small = || Setup::default();
    let whole = small().train(|training| training.metric(metric()));
    let forced = setup(0).train(|training| training.metric(metric().whole()));
    for (outcome, words) in [
        (
            &sampled,
            &[
                "2 sweeps of a fresh 32 of 1437 training examples (2 blocks of 16)",
                "2.0 times the time of training",
                "`LcaMetric::whole`",
            ][..],
        ),
        (
            &whole,
            &[
                "1 sweep of all 200 training examples",
                "6.2 times the time of training",
                "`Probe::sampled`",
            ],
        ),
        (
            &forced,
            &[
                "1 sweep of all 1437 training examples",
                "44.9 times the time of training",
            ],
        ),
    ] {
        outcome.assert_fine();
        let text = text(outcome);
        for word in words {
            assert!(text.contains(word), "{text}");
        }
        assert!(text.contains("nothing recorded"), "{text}");
        assert!(
            !text.contains(['\n', '\t']) && !text.contains("  "),
            "{text}"
        );
    }
    // It is a text: no file of values comes of it.
    assert!(sampled.log("train", 1, "LCA_Cost").is_empty());
}
