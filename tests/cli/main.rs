//! Tests of the program `burn-lca`, as a user runs it.

#[cfg(feature = "report")]
mod figures;
#[cfg(feature = "report")]
mod film;
mod fixture;
mod malformed;
mod output;
mod program;
