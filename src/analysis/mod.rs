//! Analyses of recorded runs.

pub mod noise;
pub mod trace;
