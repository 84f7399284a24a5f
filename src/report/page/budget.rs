//! How much of the page each part of its data may take.

/// How much of the page's data each part may take, in bytes; all runs share it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// Points over time of losses and counts, some 12 numbers of 11 bytes each, and twice those
    /// of single parameters.
    pub(super) points: usize,
    /// Numbers of curves of layers, at 11 bytes each.
    pub(super) curve_values: usize,
    /// Numbers by class and layer, at 6 bytes each.
    pub(super) class_values: usize,
    /// Peaks, at some 80 bytes each.
    pub(super) peaks: usize,
    /// Bytes of pictures in base64.
    pub(super) pictures: usize,
}

impl Budget {
    pub(super) fn of_each(runs: usize) -> Self {
        let runs = runs.max(1);
        Self {
            points: 3_000 / runs,
            curve_values: 70_000 / runs,
            class_values: 90_000 / runs,
            peaks: 5_000 / runs,
            pictures: 2_500_000 / runs,
        }
    }
}
