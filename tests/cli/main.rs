//! Tests of the program `burn-lca`, as a user runs it.

mod fixture;
mod malformed;
mod output;
mod program;
