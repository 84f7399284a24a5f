//! Weight decay on a learner: its share at the rate of every step and group.

use burn::lr_scheduler::exponential::ExponentialLrSchedulerConfig;
use burn::module::{Module, ParamGroup};
use burn::optim::AdamWConfig;
use burn::train::{
    ClassificationOutput, InferenceStep, Learner, SupervisedTraining, TrainOutput, TrainStep,
};
use burn_lca::Table;
use burn_lca::prelude::*;

use crate::data::{BATCHES, by_class, loader, training, validation};
use crate::digits::DigitBatch;
use crate::net::Net;
use crate::setup::{Setup, Steps, column};

const DECAY: f32 = 0.5;

/// A network that is taught nothing: its gradients are all zero, so only decay moves it.
#[derive(Module, Debug)]
struct Untaught {
    net: Net,
}

impl InferenceStep for Untaught {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> ClassificationOutput {
        InferenceStep::step(&self.net, batch)
    }
}

impl TrainStep for Untaught {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> TrainOutput<ClassificationOutput> {
        let output = InferenceStep::step(self, batch);
        let nothing = output.loss.clone() * 0.0;
        TrainOutput::new(self, nothing.backward(), output)
    }
}

#[test]
fn where_nothing_but_decay_moves_the_weights_all_lca_is_of_decay() {
    let setup = Setup {
        optimizer: AdamWConfig::new().with_weight_decay(DECAY).init(),
        schedule: ExponentialLrSchedulerConfig::new(0.2, 0.9)
            .init()
            .unwrap()
            .with_group(ParamGroup::from_predicate("output"), 0.05),
        ..Setup::default()
    };
    let steps = Steps::default();
    let metric = LcaMetric::new()
        .probe(by_class())
        .weight_decay(f64::from(DECAY))
        .record(Recorder::new(setup.run_folder()))
        .on_step(steps.collect());
    let (net, random) = setup.start();
    let loaders = [training(), validation()].map(|digits| loader(digits, 0, None));
    let [loader, validation_loader] = loaders;
    let result = SupervisedTraining::new(setup.folder.path(), loader, validation_loader)
        .num_epochs(1)
        .renderer(Box::new(setup.screen.clone()))
        .with_application_logger(None)
        .metric(metric)
        .launch(Learner::new(
            Untaught { net },
            setup.optimizer,
            setup.schedule,
        ));
    drop(random);
    assert!(result.error.is_none());

    let steps = steps.take();
    assert_eq!(steps.len(), BATCHES);
    for step in &steps {
        assert!(step.lca().abs() > 1e-4);
        let tally = step.probe().tally();
        let size = tally.lca_hurting - tally.lca_helping;
        for tensor in step.tensors() {
            let (lca, decay) = (tensor.lca(), tensor.lca_decay().unwrap());
            let off = (decay - lca).abs();
            assert!(off <= 1e-4 * size, "{}: {decay} of {lca}", tensor.path());
        }
    }
    let run = burn_lca::Run::open(setup.folder.path().join("lca")).unwrap();
    let recorded = column(&run, Table::Steps, "lca_decay");
    let shown = steps.iter().map(|step| step.probe().lca_decay().unwrap());
    assert_eq!(recorded, shown.collect::<Vec<f64>>());
    let tensors = steps.iter().flat_map(|step| step.tensors());
    let of_each = |tensor: &burn_lca::TensorAllocation| {
        let classes = tensor.by_class().iter().map(|class| class.lca_decay());
        std::iter::once(tensor.lca_decay()).chain(classes).collect()
    };
    let shown: Vec<Option<f64>> = tensors
        .flat_map(|tensor| -> Vec<_> { of_each(tensor) })
        .collect();
    let recorded = column(&run, Table::Tensors, "lca_decay");
    assert_eq!(recorded.into_iter().map(Some).collect::<Vec<_>>(), shown);
}

#[test]
fn asking_for_the_share_of_decay_perturbs_nothing() {
    let setup = || Setup {
        optimizer: AdamWConfig::new().with_weight_decay(DECAY).init(),
        ..Setup::default()
    };
    let plain = setup().train_plainly();
    let metric = LcaMetric::new().weight_decay(f64::from(DECAY));
    let observed = setup().train(|training| training.metric(metric));
    observed.assert_fine();
    observed.assert_same_training(&plain);
}
