//! A run over time: what figures and pages draw, at every observed step or binned.

mod class_steps;
mod classes;
mod helping;
mod layers;
mod loss;
mod raster;
mod units;

pub use class_steps::{ClassSteps, class_steps};
pub use classes::{ClassCurve, ClassMap, class_map};
pub use helping::{LayerHelping, helping_by_layer};
pub use layers::{LayerCurve, Trajectories, trajectories};
pub use loss::{LossCurve, LossPoint, loss_curves};
pub use raster::Raster;
pub use units::{LayerUnitMap, unit_maps};
