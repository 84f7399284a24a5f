//! The distribution of LCA over parameters and steps, counted on the device.

use burn::tensor::{IndexingUpdateOp, Int, Tensor};

use super::tracked::{Tracked, sign};
use crate::allocation::StepAllocation;
use crate::error::LcaError;
use crate::record::{HISTOGRAM_BINS, Rows, histogram_rows};

/// Lines that a tensor is folded into for counting: a scatter works on them side by side.
const LINES: usize = 256;

/// Bytes that the counts of a tensor take: twice, while a step is counted.
pub(super) fn bytes(len: usize) -> usize {
    2 * LINES.min(len) * HISTOGRAM_BINS * size_of::<i32>()
}

pub(super) struct Histograms {
    window: u64,
    open: Option<Window>,
}

/// The steps that are counted together.
struct Window {
    start: u64,
    /// The iteration after the last one that was counted.
    end: u64,
    /// How many steps, or segments of steps, were counted.
    counted: u64,
    /// By tensor, shape [lines, bins].
    counts: Vec<Tensor<2, Int>>,
}

impl Histograms {
    pub fn new(window: usize) -> Self {
        Self {
            window: window as u64,
            open: None,
        }
    }

    pub fn add(
        &mut self,
        tracked: &[Tracked],
        step: &StepAllocation,
    ) -> Result<Vec<Rows>, LcaError> {
        let iteration = step.iteration();
        let mut rows = Vec::new();
        if let Some(open) = &self.open
            && iteration / self.window != open.start / self.window
        {
            rows = self.close(tracked)?;
        }
        let lca: Vec<Tensor<1>> = tracked
            .iter()
            .filter_map(|tensor| tensor.lca(step.probe()))
            .collect();
        let open = self.open.get_or_insert_with(|| Window {
            start: iteration,
            end: iteration,
            counted: 0,
            counts: lca
                .iter()
                .map(|lca| {
                    let lines = LINES.min(lca.dims()[0]);
                    Tensor::zeros([lines, HISTOGRAM_BINS], &lca.device())
                })
                .collect(),
        });
        open.end = step.iterations().end;
        open.counted += 1;
        for (counts, lca) in open.counts.iter_mut().zip(lca) {
            // Moved, so that a device that can counts in place.
            counts.inplace(|counts| count(counts, lca));
        }
        Ok(rows)
    }

    pub fn close(&mut self, tracked: &[Tracked]) -> Result<Vec<Rows>, LcaError> {
        let Some(window) = self.open.take() else {
            return Ok(Vec::new());
        };
        let counts = window
            .counts
            .into_iter()
            .map(|counts| counts.sum_dim(0))
            .collect::<Vec<_>>();
        let data = Tensor::cat(counts, 0)
            .try_into_data()
            .map_err(LcaError::device)?;
        let all: Vec<i64> = data.iter::<i64>().collect();
        Ok(vec![Rows::Histograms(
            tracked
                .iter()
                .zip(all.chunks_exact(HISTOGRAM_BINS))
                .flat_map(|(tensor, counts)| {
                    let mut counts: Vec<u64> = counts.iter().map(|&count| count as u64).collect();
                    // What was added to fill the lines is exact zeros.
                    counts[ZERO_BIN] -= padding(tensor.len) as u64 * window.counted;
                    histogram_rows(window.start..window.end, &tensor.path, &counts)
                        .collect::<Vec<_>>()
                })
                .collect(),
        )])
    }
}

/// Elements that are missing to fill the lines of a tensor.
fn padding(len: usize) -> usize {
    len.next_multiple_of(LINES.min(len)) - len
}

/// The bin of exact zeros, in the middle of all that are finite.
const ZERO_BIN: usize = (HISTOGRAM_BINS - 1) / 2;
const NOT_FINITE_BIN: usize = HISTOGRAM_BINS - 1;

/// Adds a tensor's LCA to its counts, in the bins of [`crate::record::histogram_bin`].
fn count(counts: Tensor<2, Int>, lca: Tensor<1>) -> Tensor<2, Int> {
    let [lines, _] = counts.dims();
    let missing = padding(lca.dims()[0]);
    let lca = match missing {
        0 => lca,
        _ => {
            let zeros = Tensor::zeros([missing], (&lca.device(), lca.dtype()));
            Tensor::cat(vec![lca, zeros], 0)
        }
    };
    let finite = lca.clone().is_finite();
    // log10|x| · 4, from −∞ at zero, which the clamp makes a number; at least 1 where it is shifted, so
    // that a conversion to integers rounds it down.
    let magnitude = lca
        .clone()
        .abs()
        .log()
        .mul_scalar(4.0 / std::f64::consts::LN_10)
        .clamp(-121.0, 12.0)
        .add_scalar(122.0);
    let bins = (magnitude * sign(lca))
        .mask_fill(finite.bool_not(), (NOT_FINITE_BIN - ZERO_BIN) as f64)
        .int()
        .add_scalar(ZERO_BIN as i64);
    let bins = bins.reshape([lines as i32, -1]);
    let ones = bins.ones_like();
    counts.scatter(1, bins, ones, IndexingUpdateOp::Add)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::record::histogram_bin;

    #[test]
    fn the_device_counts_in_the_bins_of_the_record() {
        // Every magnitude from 1e-33 to 1e6, between the edges, with both signs; then the rest.
        let mut values: Vec<f32> = (-132..24)
            .flat_map(|k| {
                let value = 10f64.powf((f64::from(k) + 0.5) / 4.0) as f32;
                [value, -value, value]
            })
            .collect();
        values.extend([0.0, -0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY]);
        let mut expected = vec![0; HISTOGRAM_BINS];
        values
            .iter()
            .for_each(|&value| expected[histogram_bin(value)] += 1);
        expected[ZERO_BIN] += padding(values.len()) as i64;

        let lca = Tensor::<1>::from_floats(values.as_slice(), &Device::flex());
        let counts = Tensor::zeros([LINES, HISTOGRAM_BINS], &Device::flex());
        let counts = count(counts, lca).sum_dim(0).into_data();
        assert_eq!(counts.iter::<i64>().collect::<Vec<_>>(), expected);
    }
}
