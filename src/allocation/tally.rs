//! LCA = step × integrated gradient, and its sums, on the device.

use std::iter::Sum;
use std::ops::Add;

use burn::tensor::Tensor;

use crate::parameters::{Layout, TensorKind, Values, sum_dtype};

/// How many of some parameters helped and hurt, and by how much.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct Tally {
    /// Parameters with negative LCA.
    pub helping: u64,
    /// Parameters with positive LCA.
    pub hurting: u64,
    /// Parameters whose LCA is exactly zero.
    pub zero: u64,
    /// Sum of the negative LCA, in units of the loss.
    pub lca_helping: f64,
    /// Sum of the positive LCA, in units of the loss.
    pub lca_hurting: f64,
}

impl Tally {
    /// Returns the sum of LCA, in units of the loss.
    #[must_use]
    pub fn lca(&self) -> f64 {
        self.lca_helping + self.lca_hurting
    }

    /// Returns helping / all, in percent; not a number where there are no parameters.
    #[must_use]
    pub fn percent_helping(&self) -> f64 {
        percent(self.helping, self.helping + self.hurting + self.zero)
    }

    /// Returns helping / (helping + hurting), in percent; not a number where all LCA is zero.
    ///
    /// Exact zeros are left out: a dead input, such as a pixel at the border of an image, neither
    /// helps nor hurts.
    #[must_use]
    pub fn percent_helping_of_nonzero(&self) -> f64 {
        percent(self.helping, self.helping + self.hurting)
    }

    /// The tally of parameters that don't move.
    pub(crate) fn of_zeros(parameters: usize) -> Self {
        Self {
            zero: parameters as u64,
            ..Self::default()
        }
    }

    /// The same with every LCA times a positive factor.
    fn scaled(self, factor: f64) -> Self {
        Self {
            lca_helping: self.lca_helping * factor,
            lca_hurting: self.lca_hurting * factor,
            ..self
        }
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole as f64
}

impl Add for Tally {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            helping: self.helping + other.helping,
            hurting: self.hurting + other.hurting,
            zero: self.zero + other.zero,
            lca_helping: self.lca_helping + other.lca_helping,
            lca_hurting: self.lca_hurting + other.lca_hurting,
        }
    }
}

impl Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), Add::add)
    }
}

/// The sums of one estimate, on the device until they are read with the step's losses.
pub(crate) struct Tallies {
    /// All sums in one tensor, so that they take one read.
    pub sums: Tensor<1>,
    /// LCA of the whole probe by parameter; `None` for what is not trainable.
    pub lca: Vec<Option<Tensor<1>>>,
    /// The whole probe's gradient at the start of the step, likewise.
    pub gradient: Vec<Option<Tensor<1>>>,
    /// The tensors that have sums, in their order.
    tensors: Vec<usize>,
    rows: usize,
    sums_per_row: usize,
}

/// The sums of one tensor, on the host.
#[derive(Debug, Clone)]
pub(crate) struct TensorTally {
    pub tensor: usize,
    pub total: Tally,
    pub step_norm: f64,
    /// Norm of the gradient of the whole probe's loss at the start of the step.
    pub gradient_norm: f64,
    /// The share of weight decay in the sum of LCA; `None` where it is not asked for.
    pub decay: Option<f64>,
    /// By row, in units of the row's own loss; empty where the whole probe is one row.
    pub rows: Vec<RowTally>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct RowTally {
    pub tally: Tally,
    pub gradient_norm: f64,
    pub decay: Option<f64>,
}

/// Sums per row: helping LCA and its count, the same of hurting, the count of zeros, the square
/// of the gradient. The share of weight decay is one more, where it is asked for.
const SUMS_PER_ROW: usize = 6;

impl Tallies {
    /// Multiplies the step with a gradient integrated along it, and sums.
    ///
    /// `integrated` and `start`, the gradient at the start of the step, have shape
    /// [rows, elements] by tensor. Trainable tensors come with all sums; so do the buffers that
    /// have a gradient, whose LCA is the share that no parameter explains. `decay` is the part of
    /// the step that is weight decay.
    pub fn new(
        layout: &Layout,
        integrated: &[Option<Tensor<2>>],
        start: &[Option<Tensor<2>>],
        step: &Values,
        decay: Option<&Values>,
    ) -> Self {
        let mut tensors = Vec::new();
        let mut sums = Vec::new();
        let mut lca = vec![None; layout.tensors.len()];
        let mut gradient = vec![None; layout.tensors.len()];
        let mut rows = 1;
        for (tensor, info) in layout.tensors.iter().enumerate() {
            if matches!(info.kind, TensorKind::Frozen | TensorKind::Tied(_)) {
                continue;
            }
            let places = |gradient| over_places(layout, gradient, tensor);
            let (Some(integrated), Some(start)) = (places(integrated), places(start)) else {
                continue;
            };
            let step = step.0[tensor].clone().unsqueeze::<2>();
            rows = integrated.dims()[0];
            let decayed = decay.map(|decay| {
                let decay = decay.0[tensor].clone().unsqueeze::<2>();
                with_total(integrated.clone() * decay)
            });
            let products = with_total(integrated * step.clone());
            let starts = with_total(start);
            if info.kind == TensorKind::Trainable {
                lca[tensor] = products.last().map(|total| total.clone().flatten(0, 1));
                gradient[tensor] = starts.last().map(|total| total.clone().flatten(0, 1));
            }
            tensors.push(tensor);
            for (line, (product, start)) in products.into_iter().zip(starts).enumerate() {
                sums.push(sum(product.clone().clamp_max(0.0)));
                sums.push(sum(product.clone().lower_elem(0.0).float()));
                sums.push(sum(product.clone().clamp_min(0.0)));
                sums.push(sum(product.clone().greater_elem(0.0).float()));
                sums.push(sum(product.equal_elem(0.0).float()));
                sums.push(sum(start.square()));
                sums.extend(decayed.as_ref().map(|decayed| sum(decayed[line].clone())));
            }
            sums.push(sum(step.square()));
        }
        Self {
            sums: Tensor::cat(sums, 0),
            lca,
            gradient,
            tensors,
            rows,
            sums_per_row: SUMS_PER_ROW + usize::from(decay.is_some()),
        }
    }

    /// Takes the sums apart. `scale` is W/W_row by row, from a row's share in the whole to its
    /// own mean loss.
    pub fn unpack(&self, sums: &[f64], scale: &[f64]) -> Vec<TensorTally> {
        let lines = if self.rows > 1 { self.rows + 1 } else { 1 };
        let per_row = self.sums_per_row;
        let stride = per_row * lines + 1;
        self.tensors
            .iter()
            .zip(sums.chunks_exact(stride))
            .map(|(&tensor, sums)| {
                // The rows of the classes have their sums side by side, and so has the total.
                let line = |part: &[f64], k: usize| {
                    let of = |sum: usize| part[sum * part.len() / per_row + k];
                    RowTally {
                        tally: Tally {
                            lca_helping: of(0),
                            helping: of(1) as u64,
                            lca_hurting: of(2),
                            hurting: of(3) as u64,
                            zero: of(4) as u64,
                        },
                        gradient_norm: of(5).sqrt(),
                        decay: (per_row > SUMS_PER_ROW).then(|| of(SUMS_PER_ROW)),
                    }
                };
                let (rows, total) = sums[..stride - 1].split_at(per_row * (lines - 1));
                let total = line(total, 0);
                TensorTally {
                    tensor,
                    total: total.tally,
                    step_norm: sums[stride - 1].sqrt(),
                    gradient_norm: total.gradient_norm,
                    decay: total.decay,
                    rows: (0..lines - 1)
                        .map(|k| {
                            let row = line(rows, k);
                            RowTally {
                                tally: row.tally.scaled(scale[k]),
                                gradient_norm: row.gradient_norm * scale[k],
                                decay: row.decay.map(|decay| decay * scale[k]),
                            }
                        })
                        .collect(),
                }
            })
            .collect()
    }
}

/// The gradient with respect to a tensor at all of its places.
fn over_places(
    layout: &Layout,
    gradient: &[Option<Tensor<2>>],
    tensor: usize,
) -> Option<Tensor<2>> {
    let others = layout
        .of_kind(TensorKind::Tied(tensor))
        .filter_map(|(place, _)| gradient[place].clone());
    let own = gradient[tensor].clone()?;
    Some(others.fold(own, |sum, other| sum + other))
}

/// Returns the rows, and after them their sum where there is more than one.
fn with_total(rows: Tensor<2>) -> Vec<Tensor<2>> {
    match rows.dims()[0] {
        1 => vec![rows],
        _ => {
            let total = rows.clone().sum_dim(0);
            vec![rows, total]
        }
    }
}

/// Elements at most that are summed in the tensor's own precision before the sums go on in f64.
const BLOCK: usize = 256;

/// Row sums, shape [rows], in f64 where the device has it.
///
/// Blocks of up to 256 are summed first: the vectorised f32 sum of a block is off by a few units
/// in the last place, and only few elements have to be converted. Counts stay exact.
fn sum(rows: Tensor<2>) -> Tensor<1> {
    let [count, len] = rows.dims();
    let wide = sum_dtype(&rows.device());
    let block = block(len);
    let whole = len - len % block;
    let blocks = |rows: Tensor<2>| {
        rows.reshape([count * whole / block, block])
            .sum_dim(1)
            .reshape([count, whole / block])
            .cast(wide)
            .sum_dim(1)
    };
    let sums = if whole == len {
        blocks(rows)
    } else {
        let tail = rows.clone().slice([0..count, whole..len]);
        blocks(rows.slice([0..count, 0..whole])) + tail.cast(wide).sum_dim(1)
    };
    sums.flatten(0, 1)
}

/// A block that rows of this length are a multiple of, so that no row has to be copied to be cut;
/// the full size where the next such block is less than half of it.
fn block(len: usize) -> usize {
    (BLOCK / 2..=BLOCK)
        .rev()
        .find(|&block| len.is_multiple_of(block))
        .unwrap_or(BLOCK.min(len))
}
