//! Every parameter of a run as a cell of a picture, at the iterations that were recorded.
//!
//! Each tensor is a [`TensorBlock`] of cells in its true shape: outputs go down, inputs go across
//! (the other way round where there are few inputs), a convolution is a grid of its kernels, and
//! a bias stands beside the weight of its layer. A cell is one parameter, or the mean over a
//! rectangle of them where the tensor is larger than [`CellLimits`] allow.
//!
//! [`parameter_map`] keeps all pictures in memory, for a few quantities at once; a
//! [`FrameReader`] goes through them one by one, whatever their number. Values are quantised, see
//! [`code`].

mod blocks;
mod cells;
mod frames;
mod limits;
mod options;
mod quantity;
mod reader;
mod recorded;
mod scale;
mod survey;

#[cfg(test)]
mod tests;

pub use blocks::{BlockAxis, TensorBlock};
pub use frames::{ParameterMap, QuantityFrames, parameter_map};
pub use limits::CellLimits;
pub use options::ParameterMapOptions;
pub use quantity::ParameterQuantity;
pub use reader::FrameReader;
pub use scale::{ColorScale, code};
