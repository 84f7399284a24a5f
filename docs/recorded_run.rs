// What the examples of the documentation read: a small network learns a sine, and everything is
// recorded. It is included, since tests of documentation share no code otherwise:
//
//     # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
//     # let folder = example::recorded_run();

use std::sync::Arc;

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::InMemDataset;
use burn::nn::loss::{MseLoss, Reduction};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{GradientsParams, Optimizer, SgdConfig};
use burn::prelude::*;
use burn::train::{InferenceStep, RegressionOutput};
use burn_lca::{Lca, ParameterSelection, Probe, Recorder};

#[derive(Module, Debug)]
struct Network {
    hidden: Linear,
    output: Linear,
}

#[derive(Clone, Debug)]
struct Batch {
    x: Tensor<2>,
    y: Tensor<2>,
}

/// Makes batches of pairs of x and y.
#[derive(Clone)]
struct Pairs;

impl Batcher<(f32, f32), Batch> for Pairs {
    fn batch(&self, items: Vec<(f32, f32)>, device: &Device) -> Batch {
        let (x, y): (Vec<f32>, Vec<f32>) = items.into_iter().unzip();
        let column = |v: Vec<f32>| Tensor::<1>::from_floats(v.as_slice(), device).reshape([-1, 1]);
        Batch {
            x: column(x),
            y: column(y),
        }
    }
}

impl InferenceStep for Network {
    type Input = Batch;
    type Output = RegressionOutput;

    fn step(&self, batch: Batch) -> RegressionOutput {
        let output = self.output.forward(self.hidden.forward(batch.x).tanh());
        let loss = MseLoss::new().forward(output.clone(), batch.y.clone(), Reduction::Mean);
        RegressionOutput::new(loss, output, batch.y)
    }
}

/// Returns a folder with a finished run of 30 steps: tensors `hidden.weight`, `hidden.bias`,
/// `output.weight` and `output.bias`, two classes, both probes, every parameter of every step.
pub fn recorded_run() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let device = Device::flex().autodiff();
    device.seed(1);
    let sine = |phase: f32| -> Vec<(f32, f32)> {
        let x = (0..40).map(|k| phase + 0.15 * k as f32);
        x.map(|x| (x, x.sin())).collect()
    };
    let probe = |phase| {
        let dataset = Arc::new(InMemDataset::new(sine(phase)));
        Probe::new(dataset, Pairs).classes(2, |(_, y): &(f32, f32)| usize::from(*y > 0.0))
    };
    let mut model = Network {
        hidden: LinearConfig::new(1, 8).init(&device),
        output: LinearConfig::new(8, 1).init(&device),
    };
    let recorder = Recorder::new(folder.path()).full().parameters(ParameterSelection::all());
    let mut lca = Lca::new(probe(0.0))
        .validation(probe(0.05))
        .record(recorder)
        .start(&model)
        .unwrap();
    let mut optimizer = SgdConfig::new().init();
    for step in 0..30 {
        // Every fourth pair, so that a batch is like the whole.
        let batch = sine(0.0).into_iter().skip(step % 4).step_by(4).collect();
        let loss = model.step(Pairs.batch(batch, &device)).loss;
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = optimizer.step(0.1, model, gradients);
        lca.observe(&model).unwrap();
    }
    lca.finish().unwrap();
    folder
}
