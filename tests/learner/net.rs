//! The network that is trained: what can be random or have state in it can be switched on.

use std::sync::{Arc, Mutex};

use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, activation::relu};
use burn::train::{ClassificationOutput, InferenceStep, TrainOutput, TrainStep};

use crate::data::{CLASSES, contents};
use crate::digits::DigitBatch;

/// 64 → 32 → 10. The fields are not in the order of the forward pass: Burn draws parameters when
/// they are first used, and another order of use would draw others.
#[derive(Module, Debug)]
pub struct Net {
    output: Linear,
    dropout: Dropout,
    norm: Option<BatchNorm>,
    hidden: Linear,
    #[module(skip)]
    pub log: Log,
    #[module(skip)]
    loss: Loss,
}

#[derive(Clone, Copy, Debug, Default)]
pub enum Loss {
    /// A mean over the examples.
    #[default]
    Mean,
    /// A mean over the examples' weights, which differ by class.
    Weighted,
}

/// What the network has been used for; shared by all its clones.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Used>>);

#[derive(Clone, Debug, Default)]
pub struct Used {
    /// The batches that training has seen.
    pub batches: Vec<Vec<u32>>,
    /// How gradients were kept, in training and in other passes with gradients.
    pub training: Vec<String>,
    pub measuring: Vec<String>,
}

impl Log {
    pub fn used(&self) -> Used {
        self.0.lock().unwrap().clone()
    }
}

/// How a network is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct NetConfig {
    pub dropout: f64,
    pub norm: bool,
    pub loss: Loss,
}

impl NetConfig {
    /// Everything that measuring could perturb.
    pub const FRAGILE: Self = Self {
        dropout: 0.3,
        norm: true,
        loss: Loss::Mean,
    };

    pub fn init(&self, device: &Device) -> Net {
        Net {
            output: LinearConfig::new(32, CLASSES).init(device),
            dropout: DropoutConfig::new(self.dropout).init(),
            norm: self.norm.then(|| BatchNormConfig::new(32).init(device)),
            hidden: LinearConfig::new(64, 32).init(device),
            log: Log::default(),
            loss: self.loss,
        }
    }
}

impl Net {
    fn classify(&self, batch: DigitBatch) -> ClassificationOutput {
        let mut hidden = self.hidden.forward(batch.images);
        if let Some(norm) = &self.norm {
            hidden = norm.forward(hidden);
        }
        let logits = self.output.forward(self.dropout.forward(relu(hidden)));
        let weights = match self.loss {
            Loss::Mean => None,
            Loss::Weighted => Some((1..=CLASSES).map(|weight| weight as f32).collect()),
        };
        let loss = CrossEntropyLossConfig::new()
            .with_weights(weights)
            .init(&logits.device())
            .forward(logits.clone(), batch.labels.clone());
        ClassificationOutput::new(loss, logits, batch.labels)
    }

    fn kept_gradients(&self) -> Option<String> {
        let strategy = self
            .hidden
            .weight
            .device()
            .gradient_checkpointing_strategy()?;
        Some(format!("{strategy:?}"))
    }
}

impl TrainStep for Net {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> TrainOutput<ClassificationOutput> {
        {
            let mut used = self.log.0.lock().unwrap();
            used.batches.push(contents(&batch));
            used.training.extend(self.kept_gradients());
        }
        let output = self.classify(batch);
        TrainOutput::new(self, output.loss.backward(), output)
    }
}

impl InferenceStep for Net {
    type Input = DigitBatch;
    type Output = ClassificationOutput;

    fn step(&self, batch: DigitBatch) -> ClassificationOutput {
        let kept = self.kept_gradients();
        self.log.0.lock().unwrap().measuring.extend(kept);
        self.classify(batch)
    }
}

/// All floats of a network bit by bit, with their paths: parameters and running statistics.
pub fn bits(net: &Net) -> Vec<(String, Vec<u32>)> {
    #[derive(Default)]
    struct Reader {
        path: Vec<String>,
        tensors: Vec<(String, Vec<u32>)>,
    }
    impl ModuleVisitor for Reader {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let values = param.val().into_data();
            let values = values.iter::<f32>().map(f32::to_bits).collect();
            self.tensors.push((self.path.join("."), values));
        }
    }
    let mut reader = Reader::default();
    net.visit(&mut reader);
    reader.tensors
}
