#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod accumulation;
mod allocation;
mod error;
mod metric;
mod observer;
mod parameters;
mod probe;
mod quadrature;
mod record;
mod training;

pub use allocation::{
    ClassAllocation, ClassLoss, ProbeAllocation, StepAllocation, Tally, TensorAllocation,
    TensorClassAllocation,
};
pub use error::LcaError;
pub use metric::{Given, LcaMetric, LcaTrainingExt, TrainingData};
pub use observer::{Lca, LcaObserver};
pub use probe::{BatchNormMode, MeanLoss, Probe};
pub use quadrature::Integrator;
pub use record::{
    Batches, ClassInfo, EpochInfo, IntegratorInfo, ParameterSelection, ProbeInfo, RecordInfo,
    Recorder, Run, RunInfo, RunState, RunStatus, RunTotals, SCHEMA_VERSION, Scan, Table,
    TensorInfo,
};

/// What most programs need.
pub mod prelude {
    pub use crate::{
        BatchNormMode, Integrator, Lca, LcaError, LcaMetric, LcaTrainingExt, MeanLoss, Probe,
        Recorder, StepAllocation,
    };
}
