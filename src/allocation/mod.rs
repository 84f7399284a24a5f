//! What a step did: the loss change of a probe, split over tensors, parameters and classes.

mod class;
mod sampling;
mod step;
mod tally;
mod tensor;

pub use class::{ClassAllocation, ClassLoss};
pub(crate) use sampling::{HalfDifferences, SamplingError};
pub use step::{ProbeAllocation, StepAllocation};
pub use tally::Tally;
pub(crate) use tally::{Tallies, TensorTally};
pub use tensor::{TensorAllocation, TensorClassAllocation};
