//! Tests of the analyses on runs whose answers are known.

mod summary;
mod synthetic;
