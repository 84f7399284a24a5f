//! Planted truth: samples of known laws.

mod bins;
mod chance;
mod samples;
mod tail;
