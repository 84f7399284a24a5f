//! What the record of a run says: one analysis per question.
//!
//! Each is a pure function from one or several [`Run`](crate::Run)s and its options to a small
//! struct of numbers, which the command line prints and figures are drawn from. None needs a
//! model or a device, and none keeps a table in memory: tables stream through, row group by row
//! group.
//!
//! Losses and LCA are in the unit of the model's loss. Negative LCA helps, positive hurts, and
//! exact zeros are counted apart. A *layer* is the path of a tensor without its last part:
//! `fc1.weight` and `fc1.bias` are of the layer `fc1`.
//!
//! Every analysis fails with [`LcaError::NotRecorded`](crate::LcaError::NotRecorded) if the run
//! has not recorded what it needs, and with the errors of [`Scan`](crate::Scan) if a table can't
//! be read. A run that is still being written, or whose process was killed, is analysed up to
//! where its record reaches.

pub(crate) mod alike;
mod candidates;
mod compare;
pub mod curves;
mod layers;
pub(crate) mod names;
pub mod noise;
pub(crate) mod options;
pub mod parameter_map;
mod peaks;
pub(crate) mod read;
pub(crate) mod series;
mod significance;
pub(crate) mod stats;
mod summary;
pub mod trace;

#[cfg(test)]
pub(crate) mod tests;

pub use candidates::{
    Candidates, CandidatesOptions, Freeze, FreezeTensor, Lags, LayerLag, LayerUnits, LcaSum,
    Overfitting, OverfittingTensor, ParameterCandidate, Span, SumTest, TensorParameters,
    UnitCandidate, Verdict, candidates,
};
pub use compare::{
    ClassComparison, ComparedRun, Comparison, LayerComparison, Only, Pair, ProbeComparison, compare,
};
pub use layers::{LayerSum, Layers, LayersOptions, LayersRun, RunsTest, Significance, layers};
pub use names::{ClassName, layer_of};
pub use peaks::{
    Alignment, ClassAlignment, ClassMoment, Moment, Peak, PeakSeries, Peaks, PeaksOptions,
    Quantity, peaks,
};
pub use series::Grouping;
pub use significance::SignFlip;
pub use stats::{Bin, HelpingCounts, Quantile};
pub use summary::{
    Cost, Distribution, Helping, LayerHarm, Reconciliation, Residual, Summary, summary,
};
