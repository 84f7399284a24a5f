//! How far the LCA of a sampled probe may be from that of all examples.

use super::tally::TensorTally;

/// Half the difference between the two halves of a sample, in their sums of LCA.
///
/// It is that of one step. Its square is the variance of the sum; it adds up over tensors and
/// classes as LCA does, since the halves are the same examples for all of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SamplingError {
    /// The standard error, in units of the loss.
    pub standard_error: f64,
    /// Half the difference, with its sign.
    pub halves: f64,
}

/// Half the differences of all rows (classes, or the whole probe) and tensors.
pub(crate) struct HalfDifferences {
    /// By row and tensor of the layout: what the row adds to the difference of the whole.
    whole: Vec<Vec<f64>>,
    /// The same of the row's own mean loss.
    own: Vec<Vec<f64>>,
}

impl HalfDifferences {
    /// Takes the products with the step row by row, as shares in the whole; `weights` is the same of
    /// what the examples weigh, and `scales` is W/W_row by row.
    ///
    /// A mean over what examples weigh is the ratio of two sums, of which both differ between the
    /// halves: to first order, by the difference of the one less the mean times that of the other.
    pub fn new(products: &[f64], weights: &[f64], scales: &[f64], sums: &[&TensorTally]) -> Self {
        let tensors = (products.len() / scales.len()).max(1);
        let (mut whole, mut own) = (Vec::new(), Vec::new());
        for (row, products) in products.chunks(tensors).enumerate() {
            let mut of_whole = products.to_vec();
            let mut of_row: Vec<f64> = products.iter().map(|half| half * scales[row]).collect();
            for sum in sums {
                let total = sum.total.lca();
                // One row alone is the whole.
                let class = sum.rows.get(row).map_or(total, |line| line.tally.lca());
                of_whole[sum.tensor] -= weights[row] * total;
                of_row[sum.tensor] -= weights[row] * scales[row] * class;
            }
            whole.push(of_whole);
            own.push(of_row);
        }
        Self { whole, own }
    }

    /// The error of the sum over all tensors.
    pub fn of_all(&self) -> SamplingError {
        Self::join(self.whole.iter().map(|row| row.iter().sum()))
    }

    /// The error of one tensor.
    pub fn of_tensor(&self, tensor: usize) -> SamplingError {
        Self::join(self.whole.iter().map(|row| row[tensor]))
    }

    /// The error of a row's sum over all tensors, in units of the row's own loss.
    pub fn of_row(&self, row: usize) -> SamplingError {
        Self::join([self.own[row].iter().sum()])
    }

    /// The error of a row in one tensor, in units of the row's own loss.
    pub fn of_tensor_in_row(&self, tensor: usize, row: usize) -> SamplingError {
        Self::join([self.own[row][tensor]])
    }

    /// Rows are sampled independently, so it is their variances that add up.
    fn join(rows: impl IntoIterator<Item = f64>) -> SamplingError {
        let (mut variance, mut halves) = (0.0, 0.0);
        for row in rows {
            variance += row * row;
            halves += row;
        }
        SamplingError {
            standard_error: f64::sqrt(variance),
            halves,
        }
    }
}
