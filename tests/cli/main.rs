//! Tests of the program `burn-lca`, as a user runs it: on runs that the tests write themselves,
//! from what docs/schema.md says.

mod answers;
mod figures;
mod film;
mod malformed;
mod program;
mod written;
