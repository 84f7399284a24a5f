//! The networks for CIFAR-10. Those for MNIST are the ones of the example `mnist`.

mod all_cnn;
pub mod resnet;
mod vgg;

pub use all_cnn::AllCnn;
pub use vgg::Vgg;

use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};

use crate::models::output;
use crate::network::ResNet;
use crate::photos::PhotoBatch;

/// Has networks train on photos, with the cross entropy of what `forward` gives.
macro_rules! classify_photos {
    ($($network:ty),*) => {$(
        impl TrainStep for $network {
            type Input = PhotoBatch;
            type Output = ClassificationOutput;

            fn step(&self, batch: PhotoBatch) -> TrainOutput<ClassificationOutput> {
                let output = InferenceStep::step(self, batch);
                TrainOutput::new(self, output.loss.backward(), output)
            }
        }

        impl InferenceStep for $network {
            type Input = PhotoBatch;
            type Output = ClassificationOutput;

            fn step(&self, batch: PhotoBatch) -> ClassificationOutput {
                output(self.forward(batch.images), batch.labels)
            }
        }
    )*};
}

classify_photos!(ResNet, AllCnn, Vgg);
