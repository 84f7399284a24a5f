//! Where a learner trains: on one device, or on several at a time.

use std::fmt;

use burn::data::dataloader::split::split_dataloader;
use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams, MultiGradientsParams};
use burn::tensor::Device;
use burn::train::train::WorkerFailure;
use burn::train::{
    ExecutionStrategy, Learner, LearnerModel, MultiDeviceOptim, TrainLoader, TrainOutput,
    TrainStep, TrainingError,
};

use crate::device;
use crate::error::LcaError;
use crate::threads::{panic_message, side_by_side};

/// Where training runs, as the user says it.
pub(super) struct Execution(pub Option<ExecutionStrategy>);

impl fmt::Debug for Execution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("the device of the model"),
            Some(ExecutionStrategy::SingleDevice(device)) => device.fmt(f),
            Some(ExecutionStrategy::MultiDevice(devices, optimizer)) => f
                .debug_tuple("MultiDevice")
                .field(devices)
                .field(optimizer)
                .finish(),
            Some(ExecutionStrategy::DistributedDataParallel { devices, .. }) => f
                .debug_tuple("DistributedDataParallel")
                .field(devices)
                .finish(),
        }
    }
}

impl Execution {
    /// Returns the devices to train on, by default that of the model, with autodiff: what Burn does.
    pub fn resolve<M: Module>(self, model: &M) -> Result<TrainingDevices, LcaError> {
        let (devices, sharded) = match self.0 {
            None => (vec![model.devices().swap_remove(0)], false),
            Some(ExecutionStrategy::SingleDevice(device)) => (vec![device], false),
            Some(ExecutionStrategy::MultiDevice(devices, optimizer)) => {
                let sharded = matches!(optimizer, MultiDeviceOptim::OptimSharded);
                (devices, sharded)
            }
            Some(ExecutionStrategy::DistributedDataParallel { .. }) => {
                return Err(LcaError::setting(
                    "LcaMetric::strategy",
                    "in distributed data parallel training every backward pass, one of a sweep too, \
                     counts as a part of the collective gradient and can stop the other ranks",
                    "train with `ExecutionStrategy::MultiDevice`, or save checkpoints and measure \
                     them with `Lca::replay`",
                ));
            }
        };
        if devices.is_empty() {
            return Err(LcaError::setting(
                "LcaMetric::strategy",
                "there is no device to train on",
                "name one or more",
            ));
        }
        let autodiff = |device: Device| {
            if device.is_autodiff() {
                device
            } else {
                device.autodiff()
            }
        };
        Ok(TrainingDevices {
            sharded: sharded && devices.len() > 1,
            devices: devices.into_iter().map(autodiff).collect(),
        })
    }
}

/// The devices that a learner trains on, the main one first.
pub(super) struct TrainingDevices {
    devices: Vec<Device>,
    /// Whether each of them optimizes a part of the parameters.
    sharded: bool,
}

/// What a device's item came to.
pub(super) type Trained<M> = (usize, TrainOutput<<M as TrainStep>::Output>);

impl TrainingDevices {
    pub fn main(&self) -> &Device {
        &self.devices[0]
    }

    pub fn count(&self) -> usize {
        self.devices.len()
    }

    /// Whether the parameters are scattered over the devices after a step.
    pub fn scatter(&self) -> bool {
        self.sharded
    }

    /// Shares a loader's data among the devices, as Burn does.
    pub fn split<M: LearnerModel>(&self, loader: TrainLoader<M>) -> Vec<TrainLoader<M>> {
        match &*self.devices {
            [device] => vec![loader.to_device(device)],
            devices => split_dataloader(loader, devices),
        }
    }

    /// Takes an item of each device through a forward and a backward pass, each on its device.
    pub fn train_step<M: LearnerModel>(
        &self,
        learner: &Learner<M>,
        items: Vec<(usize, <M as TrainStep>::Input)>,
    ) -> Result<Vec<Trained<M>>, TrainingError> {
        if let [_] = &*self.devices {
            let items = items.into_iter();
            return Ok(items
                .map(|(device, item)| (device, learner.train_step(item)))
                .collect());
        }
        let devices: Vec<usize> = items.iter().map(|(device, _)| *device).collect();
        let jobs = items.into_iter().map(|(device, item)| {
            let (model, device) = (learner.model(), &self.devices[device]);
            move || TrainStep::step(&model.fork(device), item)
        });
        let failure = |device_id, message| WorkerFailure { device_id, message };
        let outputs = side_by_side(jobs.collect());
        let outputs = outputs.map_err(|error| {
            let message = format!("no thread could be started for it: {error}");
            TrainingError::Workers(vec![failure(0, message)])
        })?;
        let (mut trained, mut failures) = (Vec::new(), Vec::new());
        for (device, output) in devices.into_iter().zip(outputs) {
            match output {
                Ok(output) => trained.push((device, output)),
                Err(panic) => failures.push(failure(device, panic_message(&*panic).to_owned())),
            }
        }
        if failures.is_empty() {
            Ok(trained)
        } else {
            Err(TrainingError::Workers(failures))
        }
    }

    /// The devices as they are said: `Flex(Cpu)`, or `Cuda(0) and Cuda(1)`.
    pub fn said(&self) -> String {
        let names: Vec<String> = self.devices.iter().map(device::name).collect();
        names.join(" and ")
    }
}

/// The gradients of an optimizer step, as they are summed: in Burn's order where that has one.
pub(super) struct Accumulation<'a, M: LearnerModel> {
    devices: &'a TrainingDevices,
    /// Rounds of items to an optimizer step; `None` is one, whose gradients are taken as they are.
    rounds: Option<usize>,
    /// One, or one for each device where those optimize.
    sums: Vec<GradientsAccumulator<M>>,
    done: usize,
}

/// The gradients that an optimizer step takes.
pub(super) enum Due {
    One(GradientsParams),
    ByDevice(MultiGradientsParams),
}

impl Due {
    pub fn step<M: LearnerModel>(self, learner: &mut Learner<M>) {
        learner.lr_step();
        match self {
            Self::One(gradients) => learner.optimizer_step(gradients),
            Self::ByDevice(gradients) => learner.optimizer_step_multi(gradients),
        }
    }
}

impl<'a, M: LearnerModel> Accumulation<'a, M> {
    pub fn new(devices: &'a TrainingDevices, rounds: Option<usize>) -> Self {
        let count = if devices.sharded { devices.count() } else { 1 };
        let rounds = rounds.or((devices.count() > 1).then_some(1));
        Self {
            devices,
            rounds,
            sums: (0..count).map(|_| GradientsAccumulator::new()).collect(),
            done: 0,
        }
    }

    /// Adds the gradients of a round, the last one of the epoch or not. Returns the gradients of an
    /// optimizer step if one is due.
    pub fn add(
        &mut self,
        model: &M,
        gradients: Vec<(usize, GradientsParams)>,
        last: bool,
    ) -> Option<Due> {
        let Some(rounds) = self.rounds else {
            return gradients.into_iter().next().map(|(_, it)| Due::One(it));
        };
        for (device, gradients) in gradients {
            if self.devices.sharded {
                self.sums[device].accumulate(model, gradients);
            } else if self.devices.count() > 1 {
                let gradients = gradients.to_device(self.devices.main(), model);
                self.sums[0].accumulate(model, gradients);
            } else {
                self.sums[0].accumulate(model, gradients);
            }
        }
        self.done += 1;
        if self.done < rounds && !last {
            return None;
        }
        self.done = 0;
        if !self.devices.sharded {
            return Some(Due::One(self.sums[0].grads()));
        }
        let mut due = MultiGradientsParams::default();
        for (sum, device) in self.sums.iter_mut().zip(&self.devices.devices) {
            due.grads.push((sum.grads(), device.clone()));
        }
        Some(Due::ByDevice(due))
    }
}
