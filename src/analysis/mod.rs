//! What the record of a run says: one analysis per question.
//!
//! Each is a function from one or several [`Run`](crate::Run)s and its options to a small struct of
//! numbers, which the command line prints and pictures are drawn from; a module holds the types of
//! one analysis. None needs a
//! model or a device, and none keeps a table in memory: tables stream through, row group by row
//! group.
//!
//! Losses and LCA are in the unit of the model's loss. Negative LCA helps, positive hurts, and
//! exact zeros are counted apart. A *step* is one that was observed: a row of the tables, be it about
//! one optimizer step or about several in a row; its `iteration` is the last of these, which is
//! where what it did has come to. Every share is a fraction from 0 to 1. A *layer* is the path of a tensor without its last part:
//! `fc1.weight` and `fc1.bias` are of the layer `fc1`.
//!
//! Every analysis fails with [`LcaError::NotRecorded`](crate::LcaError::NotRecorded) if the run
//! has not recorded what it needs, and with the errors of [`Scan`](crate::Scan) if a table can't
//! be read. A run that is still being written, or whose process was killed, is analysed up to
//! where its record reaches.

pub(crate) mod alike;
pub mod candidates;
pub mod classes;
pub mod compare;
pub mod distribution;
mod grouping;
pub mod helping;
pub mod layers;
mod lengths;
pub mod loss;
mod missing;
pub(crate) mod names;
pub mod noise;
mod numbers;
pub(crate) mod options;
pub mod overlay;
pub mod parameter_map;
pub mod peaks;
mod raster;
mod read;
mod regression;
mod sampling;
mod series;
pub mod sets;
pub mod setting;
pub mod shares;
mod significance;
pub(crate) mod stats;
mod steps;
pub mod summary;
pub mod trace;
pub mod units;
mod verdict;

#[cfg(test)]
pub(crate) mod tests;

pub use candidates::candidates;
pub use classes::{class_maps, mean_class_map};
pub use compare::compare;
pub use distribution::distribution;
pub use grouping::{Grouping, TensorGroup};
pub use helping::{helping, helping_by_layer};
pub use layers::{layers, trajectories};
pub use loss::loss_curves;
pub use missing::{MISSING, Missing};
pub use names::{ClassName, layer_of, listed};
pub use noise::noise;
pub use numbers::thousands;
pub use overlay::overlay;
pub use parameter_map::parameter_map;
pub use peaks::{coincidences, peaks};
pub use raster::Raster;
pub use series::Quantity;
pub use sets::sets;
pub use setting::setting;
pub use shares::shares;
pub use significance::SignFlip;
pub use stats::{Bin, HelpingCounts, Quantile};
pub use steps::iterations;
pub use summary::summary;
pub use trace::trace;
pub use units::unit_maps;
pub use verdict::verdict;
