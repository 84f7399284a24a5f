//! Learning rates: schedules, and groups of parameters with a rate or an optimizer of their own.

use burn::lr_scheduler::exponential::ExponentialLrSchedulerConfig;
use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::module::ParamGroup;
use burn::optim::{AdamConfig, SgdConfig};
use burn_lca::Table;
use burn_lca::prelude::*;
use rstest::rstest;

use crate::data::{BATCHES, by_class};
use crate::net::NetConfig;
use crate::setup::{Setup, Steps, column};

/// The schedule moves with the optimizer, not with the batches.
#[rstest]
fn a_step_and_its_row_have_the_learning_rate_of_the_schedule(#[values(1, 3)] accumulation: usize) {
    const START: f64 = 0.2;
    const DECAY: f64 = 0.9;
    let setup = || Setup {
        schedule: ExponentialLrSchedulerConfig::new(START, DECAY)
            .init()
            .unwrap(),
        ..Setup::default()
    };
    let plain = setup().train(|training| training.grads_accumulation(accumulation));
    let steps = Steps::default();
    let setup = setup();
    let metric = LcaMetric::new()
        .probe(by_class())
        .record(Recorder::new(setup.run_folder()))
        .on_step(steps.collect());
    let observed = setup.train(|training| training.grads_accumulation(accumulation).metric(metric));
    observed.assert_fine();
    observed.assert_same_training(&plain);

    let rates: Vec<f64> = steps
        .take()
        .iter()
        .map(|step| step.learning_rate().unwrap())
        .collect();
    assert_eq!(rates.len(), 2 * BATCHES.div_ceil(accumulation));
    for (index, rate) in rates.iter().enumerate() {
        let expected = START * DECAY.powi(index as i32);
        assert!((rate - expected).abs() < 1e-12, "{index}: {rate}");
    }
    assert_eq!(
        column(&observed.run(), Table::Steps, "learning_rate"),
        rates
    );
}

#[test]
fn a_group_without_a_learning_rate_gets_no_lca_and_the_others_all_of_it() {
    let steps = Steps::default();
    let setup = || Setup {
        schedule: ModuleLrScheduler::new(0.1).with_group(ParamGroup::from_predicate("hidden"), 0.0),
        ..Setup::default()
    };
    let plain = setup().train_plainly();
    let metric = LcaMetric::new().probe(by_class()).on_step(steps.collect());
    let observed = setup().train(|training| training.metric(metric));
    observed.assert_fine();
    observed.assert_same_training(&plain);
    let steps = steps.take();
    assert_eq!(steps.len(), 2 * BATCHES);
    for step in steps {
        for tensor in step.tensors() {
            let moved = tensor.helping() + tensor.hurting();
            if tensor.path().starts_with("hidden.") {
                assert_eq!((tensor.lca(), moved), (0.0, 0), "{}", tensor.path());
            } else {
                assert!(tensor.lca() != 0.0 && moved > 0, "{}", tensor.path());
            }
            // It could be trained: it is not frozen.
            assert!(!tensor.is_frozen());
        }
        assert_eq!(step.learning_rate(), Some(0.1));
        assert!(step.residual().abs() < 1e-3);
    }
}

#[test]
fn groups_with_optimizers_of_their_own_are_trained_as_without_lca() {
    let setup = || Setup {
        net: NetConfig::FRAGILE,
        optimizer: SgdConfig::new().init().with_group(
            ParamGroup::from_predicate("output"),
            AdamConfig::new().build(),
            None,
        ),
        schedule: ModuleLrScheduler::new(0.01),
        ..Setup::default()
    };
    let plain = setup().train_plainly();
    let steps = Steps::default();
    let metric = LcaMetric::new().on_step(steps.collect());
    let observed = setup().train(|training| training.metric(metric));
    observed.assert_fine();
    observed.assert_same_training(&plain);
    // Adam's first step moves every parameter by the rate, SGD's by rate times gradient.
    let first = &steps.take()[0];
    let tensor = |path| {
        let mut tensors = first.tensors().iter();
        tensors.find(|tensor| tensor.path() == path).unwrap()
    };
    let bias = tensor("output.bias");
    let by_rate = 0.01 * (bias.parameters() as f64).sqrt();
    assert!((bias.step_norm() / by_rate - 1.0).abs() < 1e-2);
    assert!(tensor("hidden.bias").step_norm() < by_rate / 10.0);
}
