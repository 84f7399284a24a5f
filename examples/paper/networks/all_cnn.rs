//! A network of convolutions alone, after All-CNN-C of Springenberg et al., "Striving for
//! Simplicity: The All Convolutional Net" (2015), without its dropout.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig};
use burn::tensor::{Device, Tensor, activation::relu};

use crate::network::convolution;

/// Nine convolutions with biases: three with some channels and four with twice as many, of 3×3,
/// where the third and the sixth halve the side; one of 1×1; one of 1×1 to the classes. Then the
/// mean over all pixels.
#[derive(Module, Debug)]
pub struct AllCnn {
    convolutions: Vec<Conv2d>,
    last: Conv2d,
    pool: AdaptiveAvgPool2d,
}

impl AllCnn {
    pub fn new([channels, classes]: [usize; 2], width: usize, device: &Device) -> Self {
        let twice = 2 * width;
        let hidden = [
            (channels, width, 3, 1),
            (width, width, 3, 1),
            (width, width, 3, 2),
            (width, twice, 3, 1),
            (twice, twice, 3, 1),
            (twice, twice, 3, 2),
            (twice, twice, 3, 1),
            (twice, twice, 1, 1),
        ];
        let hidden = hidden.map(|(from, to, kernel, stride)| {
            let layer = convolution([from, to], kernel, stride);
            layer.with_bias(true).init(device)
        });
        Self {
            convolutions: hidden.into(),
            last: convolution([twice, classes], 1, 1)
                .with_bias(true)
                .init(device),
            pool: AdaptiveAvgPool2dConfig::new([1, 1]).init(),
        }
    }

    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let hidden = self
            .convolutions
            .iter()
            .fold(images, |features, layer| relu(layer.forward(features)));
        self.pool.forward(self.last.forward(hidden)).flatten(1, 3)
    }
}
