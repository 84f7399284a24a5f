//! The output types of burn-train, parameters out of use, and half precision. (A type of the
//! user's own is in `by_hand`.)

use std::fmt::Display;

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::InMemDataset;
use burn::module::{Module, ModuleMapper, Param};
use burn::nn::loss::{BinaryCrossEntropyLossConfig, CrossEntropyLossConfig, MseLoss, Reduction};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{DType, Device, FloatDType, Tensor, bf16, f16};
use burn::train::{
    InferenceStep, MultiLabelClassificationOutput, RegressionOutput, SequenceOutput,
};
use burn_lca::{Integrator, Lca, MeanLoss, Probe, StepAllocation};

use crate::digits::{Digit, DigitBatch, DigitBatcher};
use crate::scaffold::{
    CLASSES, assert_close, assert_same, batch, by_class, device, filled, host_values, label, moved,
    net, start, thorough, training,
};

/// Declares a one-layer network with a loss and an output type of its own.
macro_rules! network {
    ($name:ident, $output:ty, $classify:expr) => {
        #[derive(Module, Debug)]
        struct $name {
            linear: Linear,
        }
        impl InferenceStep for $name {
            type Input = DigitBatch;
            type Output = $output;

            fn step(&self, batch: DigitBatch) -> $output {
                let classify: fn(Tensor<2>, DigitBatch) -> $output = $classify;
                classify(self.linear.forward(batch.images.clone()), batch)
            }
        }
    };
}

network!(Regression, RegressionOutput, |output, batch| {
    let targets = batch.labels.one_hot(CLASSES).float();
    let loss = MseLoss::new().forward(output.clone(), targets.clone(), Reduction::Mean);
    RegressionOutput::new(loss, output, targets)
});

network!(
    MultiLabel,
    MultiLabelClassificationOutput,
    |output, batch| {
        let targets = batch.labels.one_hot(CLASSES);
        let loss = BinaryCrossEntropyLossConfig::new()
            .with_logits(true)
            .init(&output.device())
            .forward(output.clone(), targets.clone());
        MultiLabelClassificationOutput::new(loss, output, targets)
    }
);

/// Every digit is a sequence of two tokens of five words.
const TOKENS: usize = 2;

network!(Sequence, SequenceOutput, |output, batch| {
    let count = output.dims()[0];
    let words = CLASSES / TOKENS;
    let targets = (batch.labels % words as i32)
        .reshape([count, 1])
        .repeat_dim(1, TOKENS);
    let loss = CrossEntropyLossConfig::new()
        .init(&output.device())
        .forward(
            output.clone().reshape([count * TOKENS, words]),
            targets.clone().reshape([count * TOKENS]),
        );
    let logits = output.reshape([count, TOKENS, words]);
    SequenceOutput::new(loss, logits, None, targets)
});

fn linear() -> Linear {
    LinearConfig::new(64, CLASSES).init(&device())
}

/// Asserts that an output type is measured: the loss is the model's own on the whole, the sum is
/// grounded, and all parameters are there.
#[track_caller]
fn assert_works<M>(model: M)
where
    M: Module + Display + InferenceStep<Input = DigitBatch>,
    M::Output: MeanLoss,
{
    let after = moved(&model, 5, 0.1);
    let lca = Lca::new(by_class(training())).integrator(Integrator::fixed(4));
    let step = start(lca, &model).observe(&after).unwrap();
    let direct = |model: &M| -> f64 {
        let output = InferenceStep::step(&model.valid(), batch(training()));
        host_values(output.mean_loss())[0].into()
    };
    assert_close(step.loss_before(), direct(&model), 2e-6);
    assert_close(step.loss_after(), direct(&after), 2e-6);
    assert!(step.loss_change().abs() > 1e-3, "{}", step.loss_change());
    assert_close(
        step.lca(),
        step.loss_change(),
        1e-3 * step.loss_change().abs() + 2e-6,
    );
    let parameters: usize = step
        .tensors()
        .iter()
        .map(|tensor| tensor.parameters())
        .sum();
    assert_eq!(parameters, model.num_params());
}

#[test]
fn regression_outputs_are_measured() {
    assert_works(filled(Regression { linear: linear() }));
}

#[test]
fn multi_label_outputs_are_measured() {
    assert_works(filled(MultiLabel { linear: linear() }));
}

#[test]
fn sequence_outputs_are_measured() {
    assert_works(filled(Sequence { linear: linear() }));
}

/// A network with a layer that its forward pass leaves out.
#[derive(Module, Debug)]
struct Idle {
    used: Regression,
    idle: Linear,
}

impl InferenceStep for Idle {
    type Input = DigitBatch;
    type Output = RegressionOutput;

    fn step(&self, batch: DigitBatch) -> RegressionOutput {
        InferenceStep::step(&self.used, batch)
    }
}

#[test]
fn a_parameter_out_of_use_has_an_allocation_of_zero() {
    let model = filled(Idle {
        used: Regression { linear: linear() },
        idle: linear(),
    });
    let lca = Lca::new(by_class(training())).integrator(Integrator::fixed(2));
    let step = start(lca, &model).observe(&moved(&model, 5, 0.1)).unwrap();
    for tensor in step.tensors() {
        let idle = tensor.path().starts_with("idle");
        assert!(!tensor.is_frozen());
        assert_eq!(tensor.lca() == 0.0, idle, "{}", tensor.path());
        if idle {
            let lca = step.parameter(tensor.path()).unwrap();
            assert!(lca.iter().all(|&value| value == 0.0));
            assert_eq!(tensor.zero(), tensor.parameters() as u64);
            assert!(tensor.step_norm() > 0.0, "it moved");
            assert_eq!(tensor.gradient_norm(), 0.0);
        }
    }
    assert_close(
        step.lca(),
        step.loss_change(),
        1e-3 * step.loss_change().abs() + 2e-6,
    );
}

/// Makes batches of images in another precision.
struct Cast(FloatDType);

impl Batcher<Digit, DigitBatch> for Cast {
    fn batch(&self, digits: Vec<Digit>, device: &Device) -> DigitBatch {
        let batch = DigitBatcher.batch(digits, device);
        DigitBatch {
            images: batch.images.cast(self.0),
            ..batch
        }
    }
}

impl ModuleMapper for Cast {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|old| old.detach().cast(self.0).detach().require_grad())
    }
}

/// One step of the digit network in some precision.
fn step_in(dtype: FloatDType) -> StepAllocation {
    let dataset = InMemDataset::new(training().to_vec());
    let probe = Probe::new(dataset, Cast(dtype))
        .chunk_size(512)
        .classes(CLASSES, label);
    let model = net();
    let cast = |model: crate::digits::DigitNet| model.map(&mut Cast(dtype));
    let after = cast(moved(&model, 5, 0.02));
    let lca = Lca::new(probe).integrator(Integrator::fixed(2));
    start(lca, &cast(model)).observe(&after).unwrap()
}

/// Values are rounded to `unit`, relatively; losses and gradients of networks in half precision
/// are off by a few units, and their sums are taken in f32 and f64.
fn assert_half_precision_is_near(dtype: FloatDType, wide: DType, unit: f64) {
    if !device().supports_dtype(wide) {
        // A GPU may lack a type; the CPU may not.
        assert!(!thorough(), "the CPU has no {wide:?}");
        return;
    }
    let [half, full] = [dtype, FloatDType::F32].map(step_in);
    assert!(half.probe().is_finite());
    assert_close(
        half.loss_before(),
        full.loss_before(),
        4.0 * unit * full.loss_before(),
    );
    // Products of f32: a list of numbers that half precision holds would have been rounded to it.
    let rounds = |value: &f32| match wide {
        DType::F16 => f16::from_f32(*value).to_f32() != *value,
        _ => bf16::from_f32(*value).to_f32() != *value,
    };
    let lca = half.parameter("fc2.weight").unwrap();
    let rounded = lca.iter().filter(|value| rounds(value)).count();
    assert!(rounded > lca.len() / 2, "only {rounded} of {}", lca.len());
    let size = full.probe().tally().lca_hurting - full.probe().tally().lca_helping;
    assert_close(half.lca(), full.lca(), 8.0 * unit * size);
    for tensor in full.tensors() {
        let [half, full] = [&half, &full].map(|step| step.parameter(tensor.path()).unwrap());
        assert_same(&half, &full, 30.0 * unit);
    }
}

#[test]
fn half_precision_is_measured_near_single_precision() {
    assert_half_precision_is_near(FloatDType::F16, DType::F16, 1.0 / 1024.0);
}

#[test]
fn brain_floats_are_measured_near_single_precision() {
    assert_half_precision_is_near(FloatDType::BF16, DType::BF16, 1.0 / 128.0);
}
