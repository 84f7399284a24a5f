//! Where the blocks of a [parameter map](crate::analysis::parameter_map) stand on a canvas.

mod layout;

#[cfg(test)]
mod tests;

pub use layout::{BIAS, Place, Spacing, pack};
