//! The convolutions of VGG-16 (Simonyan and Zisserman, "Very Deep Convolutional Networks for
//! Large-Scale Image Recognition", 2015) with batch normalization, and one linear layer.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, activation::relu};

use crate::network::convolution;

/// How many layers each stage has, and how many times the channels of the first.
const STAGES: [(usize, usize); 5] = [(2, 1), (2, 2), (3, 4), (3, 8), (3, 8)];

/// Thirteen convolutions of 3×3 in five stages, and a linear layer. Each stage ends by halving the
/// side, as long as there is more than one pixel.
#[derive(Module, Debug)]
pub struct Vgg {
    layers: Vec<Layer>,
    pool: MaxPool2d,
    last: Linear,
}

#[derive(Module, Debug)]
struct Layer {
    convolution: Conv2d,
    norm: BatchNorm,
}

impl Vgg {
    /// Takes images of up to 32 pixels to a side.
    pub fn new([channels, classes]: [usize; 2], width: usize, device: &Device) -> Self {
        let mut from = channels;
        let mut layers = Vec::new();
        for (count, times) in STAGES {
            for _ in 0..count {
                let to = times * width;
                layers.push(Layer {
                    // The normalization has a bias.
                    convolution: convolution([from, to], 3, 1).init(device),
                    norm: BatchNormConfig::new(to).init(device),
                });
                from = to;
            }
        }
        Self {
            layers,
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            last: LinearConfig::new(from, classes).init(device),
        }
    }

    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut features = images;
        let mut layers = self.layers.iter();
        for (count, _) in STAGES {
            for Layer { convolution, norm } in layers.by_ref().take(count) {
                features = relu(norm.forward(convolution.forward(features)));
            }
            if features.dims()[3] > 1 {
                features = self.pool.forward(features);
            }
        }
        self.last.forward(features.flatten(1, 3))
    }
}
