//! ResNet-20 as a network to train.

use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};

use crate::models::output;
use crate::network::ResNet;
use crate::photos::PhotoBatch;

/// The paths of the first and of the last layer.
pub const FIRST: &str = "first";
pub const LAST: &str = "last";

impl TrainStep for ResNet {
    type Input = PhotoBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: PhotoBatch) -> TrainOutput<ClassificationOutput> {
        let output = InferenceStep::step(self, batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for ResNet {
    type Input = PhotoBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: PhotoBatch) -> ClassificationOutput {
        output(self.forward(batch.images), batch.labels)
    }
}
