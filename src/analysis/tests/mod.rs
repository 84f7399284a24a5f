//! Tests of the analyses on runs whose answers are known.

mod noise;
mod candidates;
mod peaks;
mod random;
mod summary;
mod synthetic;
mod trace;
