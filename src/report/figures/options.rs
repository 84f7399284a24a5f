//! What all figures can be asked for.

use crate::LcaError;
use crate::analysis::stats::smoothing_window;
use crate::report::draw::Sheet;
use crate::report::palette::Palette;

/// Size and colours of a figure; every figure has defaults of its own for what is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct FigureOptions {
    /// The width in points of CSS, of which an inch has 96.
    pub width: f64,
    /// The height in the same unit.
    pub height: Option<f64>,
    /// The colours.
    pub palette: Palette,
    /// How many steps a smoothed line averages over.
    pub smooth: Option<usize>,
    /// Whether losses and cumulated counts have a logarithmic axis.
    pub log: bool,
}

impl Default for FigureOptions {
    fn default() -> Self {
        Self {
            width: 680.0,
            height: None,
            palette: Palette::default(),
            smooth: None,
            log: false,
        }
    }
}

impl FigureOptions {
    /// Fails if the size or the smoothing can't work.
    pub fn check(&self) -> Result<(), LcaError> {
        const SIZES: std::ops::RangeInclusive<f64> = 200.0..=4000.0;
        let sizes = [
            ("the width of a figure", Some(self.width)),
            ("the height of a figure", self.height),
        ];
        for (setting, size) in sizes {
            if let Some(size) = size.filter(|size| !SIZES.contains(size)) {
                let remedy = format!("give {} to {}", SIZES.start(), SIZES.end());
                return Err(LcaError::setting(setting, format!("it is {size}"), remedy));
            }
        }
        if self.smooth == Some(0) {
            let problem = "0 steps have no mean";
            return Err(LcaError::setting(
                "the smoothing of a figure",
                problem,
                "give 1 or more",
            ));
        }
        Ok(())
    }

    /// Returns an empty figure.
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

    /// Returns how many steps to average over in a series of so many.
    pub(super) fn window(&self, steps: usize) -> usize {
        self.smooth.unwrap_or(smoothing_window(steps)) / 2 * 2 + 1
    }
}

/// Returns "1 step", "2 steps".
pub(super) fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

/// Returns a number with three digits, as notes have it.
pub(super) fn short(value: f64) -> String {
    crate::report::draw::minus(&match value.abs() {
        0.0 => "0".to_owned(),
        size if !(1e-3..1e5).contains(&size) => format!("{value:.2e}").replace(".00e", "e"),
        size => {
            let decimals = (2.0 - size.log10().floor()).max(0.0) as usize;
            format!("{value:.decimals$}")
        }
    })
}
