//! What happens before the first step: settings are checked, chunks are cut, the run is opened.

use std::fmt::Display;
use std::time::Instant;

use burn::module::Module;
use burn::tensor::Device;

use super::cost::Cost;
use super::engine::{Engine, Place};
use super::measurement::Measurement;
use super::memory::Memory;
use super::recording::Recording;
use super::settings::{MainProbe, Settings};
use super::tuning::{tune, tune_batches};
use crate::accumulation::Accumulators;
use crate::device;
use crate::error::LcaError;
use crate::parameters::{TensorKind, Values};
use crate::probe::{
    BatchNormMode, Chunks, EvalModel, Examples, Measurable, Plan, Workers, available, check_loss,
    check_repeats,
};
use crate::quadrature::Integrator;
use crate::record::{
    ClassInfo, IntegratorInfo, ProbeInfo, RunInfo, RunWriter, SampleInfo, TensorInfo,
};

/// Where the count of iterations continues.
pub(crate) enum Resume {
    /// After the last step of the record that is resumed, if one is.
    AfterLastStep,
    /// After this epoch, 0 being the start; at this iteration, unless the record that is resumed
    /// says otherwise.
    AfterEpoch { epoch: u32, iteration: u64 },
}

impl<M: Measurable> Engine<M> {
    /// Checks everything that can be checked, and measures where training starts.
    pub fn start(
        model: &M,
        probe: MainProbe<M::Input>,
        settings: Settings<M::Input>,
        resume: Resume,
    ) -> Result<Self, LcaError> {
        settings.check()?;
        let validation = settings
            .validation
            .map(|examples| Ok((Plan::new("validation", &*examples)?, examples)))
            .transpose()?;
        let main = match probe {
            MainProbe::Given(examples) => {
                Prepared::Plan(Plan::new("training", &*examples)?, examples)
            }
            MainProbe::Batches(chunks) => Prepared::Chunks(chunks),
        };
        let classes = main.has_classes()
            || validation
                .as_ref()
                .is_some_and(|(plan, _)| plan.has_classes());

        // Blocks in the order of the data may have statistics of their own.
        let batch_norm = settings
            .batch_norm
            .or(main.is_in_blocks().then_some(BatchNormMode::Running));
        let mut eval_model = EvalModel::of(model, batch_norm, classes)?;
        let here = eval_model.read(model)?;
        // One that has left its other places long ago is a parameter of its own.
        let motion = eval_model.layout.motion(model, &here, &here)?;
        eval_model.follow(&motion);
        warn_of_other_buffers(&eval_model);
        let rows: Vec<usize> = std::iter::once(main.rows())
            .chain(validation.as_ref().map(|(plan, _)| plan.rows()))
            .collect();
        let recorder = settings.recorder.as_ref();
        let integrator = settings.integrator.unwrap_or_else(|| {
            if main.is_in_blocks() {
                Integrator::for_samples()
            } else {
                Integrator::default()
            }
        });
        let workers = &settings.workers;
        let memory =
            |threads| Memory::of(&eval_model.layout, &rows, threads, &integrator, recorder);
        // How many threads are fastest is not known before they have been tried.
        let most = workers.counts(eval_model.device()).into_iter().max();
        memory(most.unwrap_or(1)).check(available(eval_model.device()))?;
        let main = match main {
            Prepared::Plan(plan, examples) => cut(&eval_model, &here, plan, examples, workers)?,
            Prepared::Chunks(_) if !workers.devices.is_empty() => {
                return Err(LcaError::setting(
                    "devices",
                    "batches of the learner's loader that are kept whole stay on its device",
                    "give the metric a probe",
                ));
            }
            Prepared::Chunks(mut chunks) => {
                check_repeats(&eval_model, &here, &chunks)?;
                chunks.workers = tune_batches(&eval_model, &here, &chunks, workers)?;
                weighed(&eval_model, &here, *chunks)?
            }
        };
        let validation = validation
            .map(|(plan, examples)| cut(&eval_model, &here, plan, examples, workers))
            .transpose()?;

        let (epoch, mut iteration) = match resume {
            Resume::AfterLastStep => (None, 0),
            Resume::AfterEpoch { epoch, iteration } => (Some(epoch), iteration),
        };
        let (mut recording, mut disk) = (None, None);
        if let Some(recorder) = &settings.recorder {
            let probes: Vec<_> = std::iter::once(&main).chain(&validation).collect();
            let info = RunInfo {
                first_iteration: iteration,
                observed: settings.observed,
                ..run_info(model, &eval_model, &integrator, &probes)
            };
            disk = Some(recorder.disk_space(&info));
            let mut writer = RunWriter::create(recorder, info, epoch)?;
            iteration = writer.first_iteration();
            let totals = writer.take_totals();
            let accumulators = Accumulators::new(
                recorder,
                settings.observed,
                &eval_model.layout,
                &here,
                totals,
            );
            recording = Some(Recording::new(writer, accumulators));
        }
        let begin = |chunks| -> Result<_, LcaError> {
            let started = Instant::now();
            let measurement = Measurement::start(&eval_model, &here, chunks)?;
            let device = eval_model.device().clone().without_autodiff();
            device.sync().map_err(LcaError::device)?;
            Ok((measurement, started.elapsed()))
        };
        let main = begin(main)?;
        let validation = validation.map(begin).transpose()?;
        let swept = std::iter::once(&main).chain(&validation);
        let swept = swept.map(|(measurement, spent)| (&measurement.chunks, *spent));
        let threads = swept.clone().map(|(chunks, _)| chunks.threads());
        let memory = memory(threads.max().unwrap_or(1)).bytes();
        let cost = Cost::of(swept, settings.observed, &integrator, memory, disk);
        Ok(Self {
            main: main.0,
            validation: validation.map(|(measurement, _)| measurement),
            cost,
            eval_model,
            integrator,
            here: Place::swept(here, iteration),
            iteration,
            observed: settings.observed,
            weight_decay: settings.weight_decay,
            last: (0, None),
            recording,
            warned: false,
        })
    }
}

enum Prepared<B> {
    Plan(Plan, Box<dyn Examples<B>>),
    Chunks(Box<Chunks<B>>),
}

impl<B> Prepared<B> {
    fn rows(&self) -> usize {
        match self {
            Self::Plan(plan, _) => plan.rows(),
            Self::Chunks(chunks) => chunks.rows.len(),
        }
    }

    fn has_classes(&self) -> bool {
        match self {
            Self::Plan(plan, _) => plan.has_classes(),
            Self::Chunks(_) => false,
        }
    }

    fn is_in_blocks(&self) -> bool {
        match self {
            Self::Plan(_, examples) => examples.blocks().is_some(),
            Self::Chunks(_) => false,
        }
    }
}

/// Checks the loss, and cuts the probe into chunks of the given size or of the fastest one.
fn cut<M: Measurable>(
    eval_model: &EvalModel<M>,
    here: &Values,
    plan: Plan,
    examples: Box<dyn Examples<M::Input>>,
    workers: &Workers,
) -> Result<Chunks<M::Input>, LcaError> {
    let in_blocks = examples.blocks().is_some();
    if !in_blocks {
        check_loss(eval_model, here, &plan, &*examples)?;
    }
    let tuning = tune(eval_model, here, &plan, &*examples, workers)?;
    let devices = workers.devices(eval_model.device());
    let mut chunks = plan.cut(examples, tuning.chunk_size, &devices)?;
    chunks.workers = tuning.workers;
    if in_blocks {
        check_repeats(eval_model, here, &chunks)?;
    }
    weighed(eval_model, here, chunks)
}

/// Weighs the chunks, and refuses those whose statistics are those of one example.
fn weighed<M: Measurable>(
    eval_model: &EvalModel<M>,
    here: &Values,
    mut chunks: Chunks<M::Input>,
) -> Result<Chunks<M::Input>, LcaError> {
    if eval_model.depends_on_chunks() && chunks.chunks.iter().any(|chunk| chunk.examples < 2) {
        return Err(LcaError::setting(
            "batch_norm(BatchNormMode::Chunk)",
            format!(
                "probe `{}` has a chunk of one example, whose statistics are no statistics",
                chunks.name
            ),
            "use another chunk or batch size, or BatchNormMode::Running",
        ));
    }
    eval_model.weigh(here, &mut chunks)?;
    Ok(chunks)
}

/// Warns of buffers that move in a way that this crate doesn't know: their share ends up in the
/// residual.
fn warn_of_other_buffers<M: Module + Display>(eval_model: &EvalModel<M>) {
    let others: Vec<&str> = eval_model
        .layout
        .of_kind(TensorKind::Buffer)
        .filter(|(_, tensor)| !tensor.in_batch_norm)
        .map(|(_, tensor)| &*tensor.path)
        .collect();
    if !others.is_empty() {
        log::warn!(
            "LCA: where the buffers {} move, their share of the loss change is part of the residual",
            others.join(", ")
        );
    }
}

/// Names the devices of a sweep where they are not the model's own.
fn others<'a>(devices: impl Iterator<Item = &'a Device>, own: &Device) -> Vec<String> {
    let names: Vec<String> = devices.map(device::name).collect();
    if names == [device::name(own)] {
        Vec::new()
    } else {
        names
    }
}

/// What is needed to read the numbers of the run.
fn run_info<M: Module + Display, B>(
    model: &M,
    eval_model: &EvalModel<M>,
    integrator: &Integrator,
    probes: &[&Chunks<B>],
) -> RunInfo {
    let tensors = &eval_model.layout.tensors;
    RunInfo {
        model: model.to_string(),
        tensors: tensors
            .iter()
            .filter(|tensor| tensor.kind != TensorKind::Buffer)
            .map(|tensor| {
                let unit_axis = (!tensor.shape.is_empty()).then_some(tensor.unit_axis);
                TensorInfo {
                    trainable: tensor.kind == TensorKind::Trainable,
                    tied_to: match tensor.kind {
                        TensorKind::Tied(first) => Some(tensors[first].path.clone()),
                        _ => None,
                    },
                    ..TensorInfo::new(&tensor.path, &tensor.shape, unit_axis)
                }
            })
            .collect(),
        buffers: eval_model
            .layout
            .of_kind(TensorKind::Buffer)
            .map(|(_, tensor)| tensor.path.clone())
            .collect(),
        probes: probes
            .iter()
            .map(|probe| ProbeInfo {
                name: probe.name.clone(),
                examples: probe.examples as u64,
                from_loader: probe.from_loader,
                weight: probe.weight,
                chunk_size: probe.chunk_size,
                chunks: probe.chunks.len(),
                workers: probe.workers,
                devices: others(probe.devices(), eval_model.device()),
                sample: probe.sampler.as_ref().map(|sampler| SampleInfo {
                    examples: probe.rows.iter().map(|row| row.swept as u64).sum(),
                    method: sampler.method().to_owned(),
                }),
                classes: probe
                    .class_names
                    .iter()
                    .zip(&probe.row_of_class)
                    .enumerate()
                    .map(|(index, (name, row))| ClassInfo {
                        index: index as i32,
                        name: name.clone(),
                        examples: row.map_or(0, |row| probe.rows[row].examples as u64),
                        sampled: probe
                            .sampler
                            .as_ref()
                            .map(|_| row.map_or(0, |row| probe.rows[row].swept as u64)),
                    })
                    .collect(),
            })
            .collect(),
        integrator: IntegratorInfo {
            mode: integrator.rule.name().to_owned(),
            absolute: integrator.absolute,
            relative: integrator.relative,
            start: integrator.start,
            budget: integrator.budget,
        },
        batch_norm: tensors
            .iter()
            .any(|tensor| tensor.in_batch_norm)
            .then(|| eval_model.mode.to_string()),
        device: device::name(eval_model.device()),
        seeds: probes
            .iter()
            .flat_map(|probe| {
                let sample_seed = probe.sampler.as_ref().map(|sampler| sampler.seed);
                let seeds = [("subset", probe.subset_seed), ("sample", sample_seed)];
                seeds
                    .into_iter()
                    .filter_map(|(part, seed)| Some((format!("{part} of {}", probe.name), seed?)))
            })
            .collect(),
        ..RunInfo::default()
    }
}
