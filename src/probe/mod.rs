//! The loss that is split: which examples it is taken over, in which chunks, and how a model is
//! measured on them.

mod batches;
mod blocks;
mod chunks;
mod elsewhere;
mod eval_model;
mod examples;
mod halves;
mod loader;
mod loss;
mod loss_check;
mod plan;
mod room;
mod sample;
mod sampler;
mod shard;
mod sums;
mod sweep;
mod weight;
mod workers;

pub(crate) use chunks::Chunks;
pub use eval_model::BatchNormMode;
pub(crate) use eval_model::EvalModel;
pub(crate) use examples::Examples;
pub use examples::Probe;
pub(crate) use loader::LoaderExamples;
pub(crate) use loss::Measurable;
pub use loss::{MeanLoss, Weighted};
pub(crate) use loss_check::{check_loss, check_repeats};
pub(crate) use plan::Plan;
pub(crate) use room::{Room, available, said};
pub(crate) use sweep::{Gradient, Sweep};
pub(crate) use workers::{Workers, time};
