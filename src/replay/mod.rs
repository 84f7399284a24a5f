//! LCA of a training that is over, from the weights that it saved.

mod checkpoint;
mod run;

pub use checkpoint::Checkpoint;
