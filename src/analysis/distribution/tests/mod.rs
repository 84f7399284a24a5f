//! Planted truth: samples of known distributions.

mod bins;
mod fits;
pub(super) mod samples;
