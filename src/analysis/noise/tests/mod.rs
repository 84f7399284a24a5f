//! Planted truth: samples of known laws, counts with known answers.

mod chance;
mod runs;
mod samples;
mod tail;
