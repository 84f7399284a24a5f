//! Tests of the program `burn-lca`, as a user runs it.
