//! Tests of the analyses on runs whose answers are known.

mod noise;
mod summary;
mod synthetic;
mod trace;
