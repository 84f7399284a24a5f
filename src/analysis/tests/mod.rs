//! Tests of the analyses on runs whose answers are known.

mod layers;
mod summary;
mod synthetic;
