//! Every parameter as a pixel, at the iterations that were recorded.
//!
//! Each tensor is a [`Block`] of cells in its true shape: outputs go down, inputs go across (the
//! other way round where there are few inputs), a convolution is a grid of its kernels, and a
//! bias stands beside the weight of its layer. A cell
//! is one parameter, or the mean over a rectangle of them where the tensor is larger than
//! [`Limits`] allow.
//!
//! [`frames`] keeps all pictures in memory, for a few quantities at once; a [`Lens`] goes through
//! them one by one, whatever their number. Values are quantised, see [`code`].

mod blocks;
mod cells;
mod frames;
mod layout;
mod lens;
mod quantity;
mod record;
mod scale;

#[cfg(test)]
pub(in crate::report) mod tests;

pub use blocks::{Axis, Block};
pub use frames::{Microscope, Pictures, frames};
pub use layout::{BIAS, Limits, Place, Spacing, pack};
pub use lens::Lens;
pub use quantity::Quantity;
pub use scale::{Scale, code};

/// Which pictures are made of a run.
#[derive(Debug, Clone)]
pub struct Options {
    /// At most so many iterations, evenly spaced over those recorded, the first and the last
    /// among them; one is the last.
    pub frames: usize,
    /// The percentile of the magnitudes of all cells that are not zero which gets full colour;
    /// what is larger gets it too.
    pub percentile: f64,
    /// How large blocks may be.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            frames: 400,
            percentile: 99.0,
            limits: Limits::default(),
        }
    }
}
