//! Two networks against each other, each with an optimizer of its own, and a clamp.

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::InMemDataset;
use burn::module::{Module, ModuleMapper, Param};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{GradientsParams, RmsPropConfig};
use burn::tensor::activation::{relu, tanh};
use burn::tensor::{Device, Tensor, TensorData};
use burn::train::{InferenceStep, RegressionOutput};
use burn_lca::prelude::*;

use crate::setup::{SEED, device, random_numbers};

const NOISE: usize = 4;
const DATA: usize = 2;
const LIMIT: f64 = 0.05;

#[derive(Module, Debug)]
struct Generator {
    hidden: Linear,
    output: Linear,
}

#[derive(Module, Debug)]
struct Critic {
    hidden: Linear,
    output: Linear,
}

/// Both together: what the generator's loss depends on.
#[derive(Module, Debug)]
struct Gan {
    generator: Generator,
    critic: Critic,
}

impl Generator {
    fn forward(&self, noise: Tensor<2>) -> Tensor<2> {
        self.output.forward(tanh(self.hidden.forward(noise)))
    }
}

impl Critic {
    fn forward(&self, data: Tensor<2>) -> Tensor<2> {
        self.output.forward(relu(self.hidden.forward(data)))
    }
}

impl InferenceStep for Gan {
    type Input = Tensor<2>;
    type Output = RegressionOutput;

    /// The loss of the generator: how far the critic sees through it.
    fn step(&self, noise: Tensor<2>) -> RegressionOutput {
        let judged = self.critic.forward(self.generator.forward(noise));
        RegressionOutput::new(judged.clone().mean().neg(), judged.clone(), judged)
    }
}

struct NoiseBatcher;

impl Batcher<[f32; NOISE], Tensor<2>> for NoiseBatcher {
    fn batch(&self, items: Vec<[f32; NOISE]>, device: &Device) -> Tensor<2> {
        let count = items.len();
        Tensor::from_data(TensorData::new(items.concat(), [count, NOISE]), device)
    }
}

/// Keeps every parameter within a limit, as the first Wasserstein GANs do.
struct Clamp;

impl ModuleMapper for Clamp {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| {
            let clamped = tensor.detach().clamp(-LIMIT, LIMIT);
            clamped.detach().require_grad()
        })
    }
}

#[test]
fn both_networks_of_a_gan_have_their_share_in_the_generators_loss() {
    let (_random, device) = (random_numbers(), device());
    device.seed(SEED);
    let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).init(&device);
    let mut gan = Gan {
        generator: Generator {
            hidden: linear(NOISE, 8),
            output: linear(8, DATA),
        },
        critic: Critic {
            hidden: linear(DATA, 8),
            output: linear(8, 1),
        },
    };
    let of_generator = RmsPropConfig::new().with_momentum(0.0);
    let mut of_generator = of_generator.init();
    let mut of_critic = RmsPropConfig::new().with_momentum(0.0).init();
    let noise = |k: usize| -> [f32; NOISE] {
        std::array::from_fn(|place| ((k * (2 * place + 3) + place) % 13) as f32 / 6.5 - 1.0)
    };
    let noise: Vec<[f32; NOISE]> = (0..64).map(noise).collect();
    let real = NoiseBatcher
        .batch(noise.clone(), &device)
        .narrow(1, 0, DATA)
        * 0.5
        + 1.0;
    let batch = NoiseBatcher.batch(noise.clone(), &device);
    drop(gan.step(batch.clone()));

    let mut lca = Lca::new(Probe::new(InMemDataset::new(noise), NoiseBatcher))
        .start(&gan)
        .unwrap();
    let mut shares = [0.0; 2];
    for iteration in 0..12 {
        let trains_generator = iteration % 3 == 2;
        let Gan { generator, critic } = gan;
        gan = if trains_generator {
            let loss = critic
                .forward(generator.forward(batch.clone()))
                .mean()
                .neg();
            let grads = GradientsParams::from_grads(loss.backward(), &generator);
            let generator = of_generator.step(0.01, generator, grads);
            Gan { generator, critic }
        } else {
            let fake = generator.forward(batch.clone()).detach();
            let loss = critic.forward(fake).mean() - critic.forward(real.clone()).mean();
            let grads = GradientsParams::from_grads(loss.backward(), &critic);
            let critic = of_critic.step(0.01, critic, grads).map(&mut Clamp);
            Gan { generator, critic }
        };
        let step = lca.observe(&gan).unwrap();
        let (change, residual) = (step.loss_change(), step.residual());
        assert!(
            residual.abs() <= 1e-4 + 0.01 * change.abs(),
            "{residual} of {change}"
        );
        for tensor in step.tensors() {
            let of_generator = tensor.path().starts_with("generator.");
            let trained = of_generator == trains_generator;
            assert!(trained || tensor.step_norm() == 0.0, "{}", tensor.path());
            shares[usize::from(of_generator)] += tensor.lca();
        }
    }
    // The critic has another loss, and may do either; the generator lowers this one.
    let [critic, generator] = shares;
    assert!(generator < 0.0 && critic != 0.0, "{shares:?}");
}
