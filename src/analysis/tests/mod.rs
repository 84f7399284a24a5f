//! Tests of the analyses on runs whose answers are known.

mod candidates;
mod jitter;
mod noise;
mod peaks;
mod summary;
mod synthetic;
mod trace;
