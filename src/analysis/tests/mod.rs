//! Tests of the analyses on runs whose answers are known.

mod candidates;
mod compare;
mod layers;
mod noise;
mod over_time;
mod peaks;
pub(crate) mod random;
mod sampled;
mod sets;
mod setting;
mod sparse;
mod summary;
pub(crate) mod synthetic;
mod trace;
mod verdict;
