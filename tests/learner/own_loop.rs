//! A loop of one's own measures what a learner does.

use burn::module::Module;
use burn::train::TrainStep;
use burn_lca::prelude::*;

use crate::data::{by_class, loader, probe, validation};
use crate::net::{NetConfig, bits};
use crate::setup::{Setup, Steps, sums};

#[test]
fn a_loop_of_ones_own_gives_the_same_allocations_as_the_learner() {
    let setup = || Setup {
        net: NetConfig {
            norm: true,
            ..NetConfig::default()
        },
        shuffle: false,
        ..Setup::default()
    };
    let steps = Steps::default();
    let metric = LcaMetric::new()
        .probe(by_class())
        .validation(probe(validation()))
        .on_step(steps.collect());
    let learned = setup().train(|training| training.metric(metric));
    learned.assert_fine();

    let Setup {
        device,
        digits,
        mut optimizer,
        mut schedule,
        epochs,
        ..
    } = setup();
    let (net, _random) = setup().start();
    // As Burn's loop does: the fork of a clone draws the parameters in the model's order.
    let mut net = net.clone().fork(&device);
    let loader = loader(digits, 0, None).to_device(&device);
    let mut lca = Lca::new(by_class())
        .validation(probe(validation()))
        .start(&net)
        .unwrap();
    let mut own = Vec::new();
    for _ in 0..epochs {
        for batch in loader.iter() {
            let grads = TrainStep::step(&net, batch.unwrap()).grads;
            let rate = schedule.step();
            lca.set_learning_rate(rate.base());
            net = optimizer.step(rate, net, grads);
            own.push(lca.observe(&net).unwrap());
        }
    }
    lca.finish().unwrap();

    assert!(bits(&net) == learned.weights, "another training");
    let steps = steps.take();
    assert_eq!(own.len(), steps.len());
    for (own, step) in own.iter().zip(&steps) {
        assert_eq!(sums(own), sums(step));
        let validations = [own, step].map(|step| step.validation().unwrap().lca());
        assert_eq!(validations[0], validations[1]);
        let path = "hidden.weight";
        assert_eq!(own.parameter(path).unwrap(), step.parameter(path).unwrap());
    }
}
