//! Figures for papers and slides, one file a figure, each from an analysis to an SVG.
//!
//! Marks carry the numbers that they stand for (`data-value`, `data-x`, `data-y`), and panels
//! their axes (`data-x`, `data-y`: from, to, scale) and place (`data-area`: left, top, width,
//! height), so that a program can read a figure back. Lines of very many points keep the lowest
//! and highest of what falls together.

mod classes;
mod distribution;
mod helping;
mod heroes;
mod layers;
mod loss;
mod options;
mod peaks;
mod trace;
mod trajectories;
mod units;

#[cfg(test)]
mod tests;

pub use classes::classes;
pub use distribution::distribution;
pub use helping::{helping, helping_by_layer};
pub use heroes::heroes;
pub use layers::layers;
pub use loss::loss;
pub use options::FigureOptions;
pub use peaks::peaks;
pub use trace::trace;
pub use trajectories::trajectories;
pub use units::units;
