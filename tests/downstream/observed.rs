//! One training that all tests look at: the numbers that `observe` returned, those of the model
//! itself, and those that were recorded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::{Dataset, InMemDataset};
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Tensor};
use burn::train::TrainStep;
use burn_lca::{
    Lca, ParameterSelection, Probe, ProbeAllocation, Recorder, Run, RunInfo, RunStatus,
    StepAllocation, Table,
};

use crate::digits::{Digit, DigitBatch, DigitBatcher, DigitNet, load};
use crate::frame::Frame;
use crate::truth::Parameter;

/// Names the folder that the run and the answers are left in.
pub const RECIPES_DIR: &str = "BURN_LCA_RECIPES_DIR";
pub const STEPS: usize = 60;
pub const LEARNING_RATE: f64 = 0.05;
const MINIBATCH: usize = 48;
const CLASSES: usize = 10;

/// Values by tensor.
type Values = BTreeMap<String, Vec<f32>>;

pub struct Observed {
    pub steps: Vec<StepAllocation>,
    /// LCA by step, read back from what `observe` returned.
    pub lca: Vec<Values>,
    pub lca_validation: Vec<Values>,
    /// The model's parameters before every step, and after the last.
    pub values: Vec<Values>,
    /// The gradient of the mean loss over the training digits before every step.
    pub gradients: Vec<Values>,
    pub info: RunInfo,
    pub status: RunStatus,
    pub tables: BTreeMap<Table, Frame>,
    /// The table `parameters` by tensor, step and index.
    pub parameters: BTreeMap<String, Vec<Vec<Parameter>>>,
}

pub static OBSERVED: LazyLock<Observed> = LazyLock::new(|| match std::env::var_os(RECIPES_DIR) {
    Some(folder) => Observed::train(&PathBuf::from(folder).join("run")),
    None => {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Observed::train(folder.path())
    }
});

impl Observed {
    fn train(folder: &Path) -> Self {
        let device = Device::flex().autodiff();
        device.seed(42);
        let (training, validation) = load();
        let all: Vec<Digit> = (0..Dataset::<Digit>::len(&*training))
            .map(|index| training.get(index).expect("in memory"))
            .collect();
        let batch =
            |digits: &[Digit]| -> DigitBatch { DigitBatcher.batch(digits.to_vec(), &device) };

        let mut model = DigitNet::new(&device);
        let mut optimizer = SgdConfig::new()
            .with_momentum(Some(MomentumConfig::new()))
            .init();
        // Everything at every step. Small parts, so that the tables have been merged.
        let recorder = Recorder::new(folder)
            .overwrite()
            .full()
            .parameters(ParameterSelection::all())
            .part_rows(100_000);
        let mut lca = Lca::new(probe(training))
            .validation(probe(validation))
            .record(recorder)
            .start(&model)
            .expect("sound settings");
        lca.set_learning_rate(LEARNING_RATE);

        let (mut steps, mut gradients) = (Vec::new(), Vec::new());
        let mut values = vec![values_of(&model)];
        let minibatches = all.chunks_exact(MINIBATCH).cycle().take(STEPS);
        for (step, digits) in minibatches.enumerate() {
            let whole = TrainStep::step(&model, batch(&all)).grads;
            gradients.push(gradients_of(&model, &whole));
            let grads = TrainStep::step(&model, batch(digits)).grads;
            model = optimizer.step(LEARNING_RATE, model, grads);
            values.push(values_of(&model));
            lca.set_epoch(1 + (step / (all.len() / MINIBATCH)) as u32);
            steps.push(lca.observe(&model).expect("a device that works"));
        }
        lca.finish().expect("a disk that works");

        let run = Run::open(folder).expect("a run");
        let tables: BTreeMap<Table, Frame> = run
            .tables()
            .expect("a folder that can be listed")
            .into_iter()
            .map(|table| (table, Frame::read(&run, table)))
            .collect();
        Self {
            lca: lca_of(&steps, StepAllocation::probe),
            lca_validation: lca_of(&steps, |step| step.validation().expect("two probes")),
            parameters: tables
                .get(&Table::Parameters)
                .map(|frame| parameters(run.info(), frame))
                .unwrap_or_default(),
            steps,
            values,
            gradients,
            info: run.info().clone(),
            status: run.status().clone(),
            tables,
        }
    }
}

fn probe(digits: std::sync::Arc<InMemDataset<Digit>>) -> Probe<Digit, DigitBatch> {
    Probe::new(digits, DigitBatcher)
        .chunk_size(256)
        .classes(CLASSES, |digit: &Digit| digit.label.into())
}

fn lca_of(
    steps: &[StepAllocation],
    probe: impl Fn(&StepAllocation) -> &ProbeAllocation,
) -> Vec<Values> {
    let of_step = |step| {
        let probe = probe(step);
        let paths = probe.tensors().iter().map(|tensor| tensor.path());
        paths
            .map(|path| (path.to_owned(), probe.parameter(path).expect("a parameter")))
            .collect()
    };
    steps.iter().map(of_step).collect()
}

/// Puts the rows of `parameters` where they belong; each must be there once.
fn parameters(info: &RunInfo, frame: &Frame) -> BTreeMap<String, Vec<Vec<Parameter>>> {
    let mut rows: BTreeMap<String, Vec<Vec<Option<Parameter>>>> = info
        .tensors
        .iter()
        .map(|tensor| {
            let step = vec![None; tensor.parameters as usize];
            (tensor.path.clone(), vec![step; STEPS])
        })
        .collect();
    for row in 0..frame.rows() {
        let number = |name: &str| frame.number(name, row);
        let tensor = rows.get_mut(frame.text("tensor", row)).expect("a tensor");
        let place = &mut tensor[number("iteration") as usize][number("index") as usize];
        assert!(place.is_none(), "row {row} of parameters is double");
        *place = Some(Parameter {
            lca: number("lca") as f32,
            step: number("step") as f32,
            gradient: number("gradient") as f32,
        });
    }
    let whole = |row: Option<Parameter>| row.expect("a row per step and parameter");
    rows.into_iter()
        .map(|(path, steps)| {
            let steps = steps.into_iter();
            let steps = steps.map(|rows| rows.into_iter().map(whole).collect());
            (path, steps.collect())
        })
        .collect()
}

fn values_of(model: &DigitNet) -> Values {
    let mut read = Read::default();
    model.visit(&mut read);
    read.values
}

fn gradients_of(model: &DigitNet, gradients: &GradientsParams) -> Values {
    let mut read = Read {
        gradients: Some(gradients),
        ..Read::default()
    };
    model.visit(&mut read);
    read.values
}

/// Reads every parameter's value, or its gradient where gradients are given.
#[derive(Default)]
struct Read<'a> {
    gradients: Option<&'a GradientsParams>,
    path: Vec<String>,
    values: Values,
}

impl ModuleVisitor for Read<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = match self.gradients {
            Some(gradients) => gradients.get::<D>(param.id).expect("every tensor learns"),
            None => param.val(),
        };
        let values = tensor.into_data().iter().collect();
        self.values.insert(self.path.join("."), values);
    }
}
