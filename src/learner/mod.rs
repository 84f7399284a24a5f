//! LCA on a Burn learner: the metric and its settings, the series that the dashboard shows, and
//! the training strategy that observes every optimizer step.

mod dashboard;
mod epoch;
mod execution;
mod failure;
mod metric;
mod observer;
mod origin;
mod registration;
mod series;
mod strategy;
mod terminal;

pub use metric::LcaMetric;
pub use origin::{TrainingData, UserProbe};
pub use registration::LcaTrainingExt;
