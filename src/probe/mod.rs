//! The loss that is split: which examples it is taken over, in which chunks, and how a model is
//! measured on them.

mod chunks;
mod eval_model;
mod examples;
mod loss;
mod mean_check;
mod sweep;

pub(crate) use chunks::{Chunks, Plan};
pub use eval_model::BatchNormMode;
pub(crate) use eval_model::EvalModel;
pub(crate) use examples::Examples;
pub use examples::Probe;
pub use loss::MeanLoss;
pub(crate) use loss::Measurable;
pub(crate) use mean_check::check_mean;
pub(crate) use sweep::{Sweep, time_chunk};
