//! θ_t and θ_{t+1} in, the allocation of the step out.

mod cost;
mod decay;
mod engine;
mod estimate;
mod lca;
mod measurement;
mod memory;
mod reading;
mod recording;
mod settings;
mod start;
#[cfg(test)]
mod tests;
mod tuning;

pub use decay::WeightDecay;
pub(crate) use engine::Engine;
pub use lca::{Lca, LcaObserver};
pub(crate) use settings::{MainProbe, Settings};
pub(crate) use start::Resume;
