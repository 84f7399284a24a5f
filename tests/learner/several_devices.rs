//! Training on several devices at a time. Two Flex devices are two threads of one CPU.

use burn::train::{ExecutionStrategy, MultiDeviceOptim, TrainingStrategy};
use burn_lca::prelude::*;
use rstest::rstest;

use crate::data::by_class;
use crate::setup::{Setup, Steps, device};

const EPOCHS: usize = 2;

/// Of 100 examples for each device.
const ROUNDS: usize = 4;

fn setup() -> Setup {
    Setup {
        epochs: EPOCHS,
        ..Setup::default()
    }
}

fn strategy(count: usize, optimizer: MultiDeviceOptim) -> ExecutionStrategy {
    ExecutionStrategy::multi(vec![device(); count], optimizer)
}

/// With more gradients than two on the main device, Burn itself adds them in the order in which the
/// devices are done.
#[rstest]
#[case(MultiDeviceOptim::OptimMainDevice, None)]
#[case(MultiDeviceOptim::OptimSharded, None)]
#[case(MultiDeviceOptim::OptimSharded, Some(3))]
fn training_goes_bit_for_bit_as_without_and_every_optimizer_step_is_measured(
    #[case] optimizer: MultiDeviceOptim,
    #[case] accumulation: Option<usize>,
) {
    let plain = setup().train(|training| {
        let training =
            training.with_training_strategy(TrainingStrategy::Default(strategy(2, optimizer)));
        match accumulation {
            Some(rounds) => training.grads_accumulation(rounds),
            None => training,
        }
    });
    plain.assert_fine();

    let steps = Steps::default();
    let setup = setup();
    let metric = LcaMetric::new()
        .probe(by_class())
        .strategy(strategy(2, optimizer))
        .record(Recorder::new(setup.run_folder()))
        .on_step(steps.collect());
    let observed = setup.train(|training| {
        let training = training.metric(metric);
        match accumulation {
            Some(rounds) => training.grads_accumulation(rounds),
            None => training,
        }
    });
    observed.assert_fine();
    assert_eq!(observed.weights, plain.weights);
    let validation = |outcome: &crate::setup::Outcome| {
        let mut logs = outcome.metrics();
        logs.retain(|name, _| name.starts_with("valid"));
        logs
    };
    assert_eq!(validation(&observed).len(), 2 * EPOCHS);
    assert_eq!(validation(&observed), validation(&plain));

    let steps = steps.take();
    let of_epoch = ROUNDS.div_ceil(accumulation.unwrap_or(1));
    assert_eq!(steps.len(), EPOCHS * of_epoch);
    for pair in steps.windows(2) {
        assert_eq!(
            pair[0].loss_after().to_bits(),
            pair[1].loss_before().to_bits()
        );
    }
    for step in &steps {
        assert_ne!(step.lca(), 0.0);
        assert!(
            step.residual().abs() <= 0.05 * step.lca().abs() + 1e-4,
            "{step:?}"
        );
    }
    // Two items a round, of which one has the reading.
    assert_eq!(observed.logged("Loss").len(), 2 * EPOCHS * ROUNDS);
    assert_eq!(observed.logged("LCA").len(), steps.len());
}

#[test]
fn one_of_several_devices_is_training_on_that_one() {
    let plain = setup().train_plainly();
    let metric = LcaMetric::new().strategy(strategy(1, MultiDeviceOptim::OptimSharded));
    let observed = setup().train(|training| training.metric(metric));
    observed.assert_fine();
    observed.assert_same_training(&plain);
}

#[test]
fn no_device_to_train_on_is_refused_before_training() {
    let metric = LcaMetric::new().strategy(strategy(0, MultiDeviceOptim::OptimMainDevice));
    let refused = setup().train(|training| training.metric(metric));
    let message = refused.lca_error().to_string();
    assert!(message.contains("LcaMetric::strategy"), "{message}");
    assert!(refused.used.batches.is_empty());
}

#[test]
fn the_screen_says_on_which_devices_training_runs() {
    let metric = LcaMetric::new().strategy(strategy(2, MultiDeviceOptim::OptimMainDevice));
    let observed = setup().train(|training| training.metric(metric));
    let shown = observed.screen.of("LCA Cost");
    let text = &shown.first().expect("a line of cost").text;
    assert!(
        text.contains("trained on Flex(Cpu) and Flex(Cpu)"),
        "{text}"
    );
}
