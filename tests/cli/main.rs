//! Tests of the program `burn-lca`, as a user runs it.

#[cfg(feature = "train")]
mod agreement;
#[cfg(feature = "train")]
#[path = "../../examples/shared/digits.rs"]
mod digits;
mod every_command;
mod figures;
mod film;
mod fixture;
mod hostile;
mod malformed;
mod output;
mod program;
mod serve;
mod usage;
