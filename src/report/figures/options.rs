//! What all figures can be asked for.

use std::ops::Deref;

use crate::analysis::options::options;
use crate::error::LcaError;
use crate::report::draw::{Axis, Sheet};
use crate::report::palette::Palette;

options! {
    /// Size and colours of a figure.
    pub struct FigureOptions {
        /// The width in CSS points, 96 to the inch, from 200 to 4,000.
        pub width: f64 = 680.0,
        /// The height in the same unit and range; `None`: what the figure needs.
        pub height: Option<f64> = None,
        /// The colours.
        pub palette: Palette = Palette::default(),
        /// Whether losses and counts of parameters have a logarithmic axis.
        pub log: bool = false,
        /// Whether iterations have a logarithmic axis, which shows the first ones widest.
        pub log_steps: bool = false,
        /// Epochs with the first iteration after each, as
        /// [`RunInfo::epochs`](crate::RunInfo::epochs) has them: axes of iterations have marks there
        /// in place of numbers of iterations. None by default.
        pub epochs: Vec<(u32, u64)> = Vec::new(),
    }
}

/// Options that have been checked; figures can't be drawn with any others.
pub(super) struct CheckedOptions<'a>(&'a FigureOptions);

impl FigureOptions {
    pub(super) fn checked(&self) -> Result<CheckedOptions<'_>, LcaError> {
        const SIZES: std::ops::RangeInclusive<f64> = 200.0..=4000.0;
        let sizes = [
            ("FigureOptions::width", Some(self.width)),
            ("FigureOptions::height", self.height),
        ];
        for (setting, size) in sizes {
            if let Some(size) = size.filter(|size| !SIZES.contains(size)) {
                let remedy = format!("give {} to {}", SIZES.start(), SIZES.end());
                return Err(LcaError::setting(setting, format!("is {size}"), remedy));
            }
        }
        Ok(CheckedOptions(self))
    }
}

impl Deref for CheckedOptions<'_> {
    type Target = FigureOptions;

    fn deref(&self) -> &FigureOptions {
        self.0
    }
}

impl CheckedOptions<'_> {
    /// Returns the axis of iterations that was asked for.
    pub(super) fn iterations(&self, values: impl IntoIterator<Item = u64>) -> Axis {
        let axis = if self.log_steps {
            Axis::log_iterations(values)
        } else {
            Axis::iterations(values)
        };
        if self.epochs.is_empty() {
            axis
        } else {
            axis.with_epochs(&self.epochs)
        }
    }

    /// Returns an empty figure of the height that was asked for, or else this one.
    pub(super) fn sheet(&self, title: &str, height: f64) -> Sheet {
        Sheet {
            title: title.to_owned(),
            width: self.width,
            height: self.height.unwrap_or(height),
            rows: Vec::new(),
            legend: Vec::new(),
            scales: Vec::new(),
            notes: Vec::new(),
        }
    }
}
