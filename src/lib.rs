#![cfg_attr(feature = "train", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "train"),
    doc = "Reads the record of a training run, and says what it shows."
)]
#![deny(missing_docs, missing_debug_implementations)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "train")]
mod accumulation;
#[cfg(feature = "train")]
mod allocation;
#[cfg(feature = "analysis")]
pub mod analysis;
#[cfg(feature = "train")]
mod device;
mod error;
#[cfg(feature = "train")]
mod learner;
#[cfg(feature = "train")]
mod observer;
#[cfg(feature = "train")]
mod parameters;
#[cfg(feature = "train")]
mod probe;
#[cfg(feature = "train")]
mod quadrature;
#[cfg_attr(
    not(feature = "train"),
    allow(dead_code, unused_imports, reason = "only training and tests write")
)]
mod record;
#[cfg(feature = "train")]
mod replay;
#[cfg(feature = "report")]
pub mod report;
#[cfg(feature = "train")]
mod threads;

#[cfg(feature = "train")]
pub use allocation::{
    ClassAllocation, ClassLoss, ProbeAllocation, StepAllocation, Tally, TensorAllocation,
    TensorClassAllocation,
};
/// The version of Arrow whose types are part of this interface.
pub use arrow;
pub use error::LcaError;
#[cfg(feature = "train")]
pub use learner::{LcaMetric, LcaTrainingExt, TrainingData, UserProbe};
#[cfg(feature = "train")]
pub use observer::{Lca, LcaObserver, WeightDecay};
#[cfg(feature = "train")]
pub use probe::{BatchNormMode, MeanLoss, Probe, Weighted};
#[cfg(feature = "train")]
pub use quadrature::Integrator;
pub use record::{
    Batches, ClassInfo, ColumnInfo, EpochInfo, IntegratorInfo, ObservedInfo, ParameterSelection,
    ProbeInfo, RecordInfo, Recorder, Run, RunInfo, RunState, RunStatus, RunTotals, SCHEMA_VERSION,
    SampleInfo, Scan, Table, TensorInfo,
};

#[cfg(feature = "train")]
pub use replay::Checkpoint;

/// What most programs need.
#[cfg(feature = "train")]
pub mod prelude {
    pub use crate::{
        BatchNormMode, Checkpoint, Integrator, Lca, LcaError, LcaMetric, LcaTrainingExt, MeanLoss,
        Probe, Recorder, StepAllocation, Weighted,
    };
}
