//! Tests of the program `burn-lca`, as a user runs it.

mod every_command;
mod figures;
mod film;
mod fixture;
mod malformed;
mod output;
mod program;
mod usage;
