//! ResNet-20 for small images, of any width.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor, activation::relu};

/// Blocks of each third of the network.
const BLOCKS: usize = 3;

/// Twenty layers: a convolution, three times three residual blocks of two convolutions, with twice
/// the channels and half the side from third to third, and a linear layer.
#[derive(Module, Debug)]
pub struct ResNet {
    first: Conv2d,
    first_norm: BatchNorm,
    blocks: Vec<Block>,
    pool: AdaptiveAvgPool2d,
    last: Linear,
}

/// Two convolutions and a way around them, which is a convolution of its own where the shape changes.
#[derive(Module, Debug)]
struct Block {
    conv1: Conv2d,
    norm1: BatchNorm,
    conv2: Conv2d,
    norm2: BatchNorm,
    shortcut: Option<Conv2d>,
}

impl ResNet {
    pub fn new([channels, classes]: [usize; 2], width: usize, device: &Device) -> Self {
        let third = |third: usize| {
            let channels = width << third;
            (0..BLOCKS).map(move |block| {
                if third > 0 && block == 0 {
                    Block::new(channels / 2, channels, 2, device)
                } else {
                    Block::new(channels, channels, 1, device)
                }
            })
        };
        Self {
            first: convolution([channels, width], 3, 1).init(device),
            first_norm: BatchNormConfig::new(width).init(device),
            blocks: (0..3).flat_map(third).collect(),
            pool: AdaptiveAvgPool2dConfig::new([1, 1]).init(),
            last: LinearConfig::new(4 * width, classes).init(device),
        }
    }

    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut features = relu(self.first_norm.forward(self.first.forward(images)));
        for block in &self.blocks {
            features = block.forward(features);
        }
        self.last.forward(self.pool.forward(features).flatten(1, 3))
    }
}

impl Block {
    fn new(from: usize, to: usize, stride: usize, device: &Device) -> Self {
        Self {
            conv1: convolution([from, to], 3, stride).init(device),
            norm1: BatchNormConfig::new(to).init(device),
            conv2: convolution([to, to], 3, 1).init(device),
            norm2: BatchNormConfig::new(to).init(device),
            shortcut: (from != to).then(|| convolution([from, to], 1, stride).init(device)),
        }
    }

    fn forward(&self, features: Tensor<4>) -> Tensor<4> {
        let hidden = relu(self.norm1.forward(self.conv1.forward(features.clone())));
        let hidden = self.norm2.forward(self.conv2.forward(hidden));
        let around = match &self.shortcut {
            Some(shortcut) => shortcut.forward(features),
            None => features,
        };
        relu(hidden + around)
    }
}

/// A convolution without biases that keeps the side, or divides it by `stride`.
pub fn convolution(channels: [usize; 2], kernel: usize, stride: usize) -> Conv2dConfig {
    let around = kernel / 2;
    Conv2dConfig::new(channels, [kernel, kernel])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(around, around, around, around))
        .with_bias(false)
        .with_initializer(Initializer::KaimingNormal {
            gain: std::f64::consts::SQRT_2,
            fan_out_only: false,
        })
}
