//! Numbers that more than one analysis needs, each defined once. Nothing here reads a run.

mod counts;
mod fine_bins;
mod magnitude;
mod quantile;
mod running_median;
mod smooth;
mod thin;

pub use counts::HelpingCounts;
pub(crate) use fine_bins::{FineBins, coarse};
pub(crate) use magnitude::{COLOR_PERCENTILE, Magnitudes, color_range};
pub use quantile::{Bin, Quantile};
pub(crate) use quantile::{quantiles, rank};
pub(crate) use running_median::running_median;
pub(crate) use smooth::{smoothed, smoothing_window};
#[cfg_attr(
    not(feature = "report"),
    allow(unused_imports, reason = "only pictures need one")
)]
pub(crate) use thin::{extremes_by_column, last_of_windows, steps_per_window};
