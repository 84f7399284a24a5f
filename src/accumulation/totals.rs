//! What every parameter did over the whole run.

use burn::tensor::Tensor;

use super::tracked::{Tracked, floats, read, sign};
use crate::allocation::StepAllocation;
use crate::error::LcaError;
use crate::parameters::{Segment, Values, sum_dtype};
use crate::record::{ElementIndices, ParameterTotalRows, Rows};

/// Bytes that the totals of a parameter take: eight floats, and lca in f64. `last` is where the step
/// ends, which is there anyway.
pub(super) const BYTES: usize = 8 * 4 + 8;

pub(super) struct Totals {
    tensors: Vec<TensorTotals>,
    /// Those of tensors that were trained before the run was resumed, and are frozen since.
    idle: Vec<ParameterTotalRows>,
}

/// The totals of one tensor's parameters, each of shape [elements]. Counts are floats, which
/// are exact up to 16 million steps.
struct TensorTotals {
    lca: Tensor<1>,
    lca_validation: Option<Tensor<1>>,
    helping: Tensor<1>,
    hurting: Tensor<1>,
    zero: Tensor<1>,
    step: SignChanges,
    gradient: SignChanges,
    initial: Tensor<1>,
    last: Tensor<1>,
}

/// Counts the sign changes between consecutive non-zero values.
struct SignChanges {
    count: Tensor<1>,
    /// Sign of the last value that was not zero, 0 before the first.
    sign: Tensor<1>,
}

impl Totals {
    pub fn new(
        tracked: &[Tracked],
        start: &Values,
        before: Option<Vec<ParameterTotalRows>>,
    ) -> Self {
        let mut totals = Self {
            tensors: Vec::new(),
            idle: before.unwrap_or_default(),
        };
        totals.track(tracked, start);
        totals
    }

    /// Counts some more tensors too, from these values on.
    pub fn track(&mut self, new: &[Tracked], start: &Values) {
        for tensor in new {
            let value = start.0[tensor.tensor].clone();
            let known = self.idle.iter().position(|rows| rows.tensor == tensor.path);
            self.tensors.push(match known {
                Some(index) => TensorTotals::resume(self.idle.swap_remove(index), value),
                None => TensorTotals::start(value),
            });
        }
    }

    pub fn add(&mut self, tracked: &[Tracked], step: &StepAllocation, segment: &Segment) {
        for (totals, tensor) in self.tensors.iter_mut().zip(tracked) {
            let probe = step.probe();
            let (Some(lca), Some(gradient)) = (tensor.lca(probe), tensor.gradient(probe)) else {
                continue;
            };
            let validation = step.validation().and_then(|probe| tensor.lca(probe));
            totals.helping = totals.helping.clone() + lca.clone().lower_elem(0.0).float();
            totals.hurting = totals.hurting.clone() + lca.clone().greater_elem(0.0).float();
            totals.zero = totals.zero.clone() + lca.clone().equal_elem(0.0).float();
            totals.lca = totals.lca.clone() + lca.cast(totals.lca.dtype());
            if let Some(lca) = validation {
                let lca = lca.cast(totals.lca.dtype());
                totals.lca_validation = Some(match totals.lca_validation.take() {
                    Some(sum) => sum + lca,
                    None => lca,
                });
            }
            totals.step.add(segment.step.0[tensor.tensor].clone());
            totals.gradient.add(gradient);
            totals.last = segment.after.0[tensor.tensor].clone();
        }
    }

    pub fn rows(&self, tracked: &[Tracked]) -> Result<Vec<Rows>, LcaError> {
        let mut rows = Vec::new();
        // Tensor by tensor: the columns of all at once would take eleven times the model.
        for (totals, tensor) in self.tensors.iter().zip(tracked) {
            let mut columns = vec![
                totals.helping.clone(),
                totals.hurting.clone(),
                totals.zero.clone(),
                totals.step.count.clone(),
                totals.gradient.count.clone(),
                totals.step.sign.clone(),
                totals.gradient.sign.clone(),
                totals.initial.clone(),
                totals.last.clone(),
                totals.lca.clone(),
            ];
            columns.extend(totals.lca_validation.clone());
            let mut columns = read(columns)?.into_iter();
            let mut next = || columns.next().map(floats).unwrap_or_default();
            let counts = |column: Vec<f32>| column.into_iter().map(|count| count as u32).collect();
            let signs = |column: Vec<f32>| column.into_iter().map(|sign| sign as i8).collect();
            rows.push(ParameterTotalRows {
                tensor: tensor.path.clone(),
                index: ElementIndices::All,
                helping: counts(next()),
                hurting: counts(next()),
                zero: counts(next()),
                step_sign_changes: counts(next()),
                gradient_sign_changes: counts(next()),
                step_sign: signs(next()),
                gradient_sign: signs(next()),
                initial: next(),
                last: next(),
                lca: columns
                    .next()
                    .map(|data| data.iter::<f64>().collect())
                    .unwrap_or_default(),
                lca_validation: columns.next().map(|data| data.iter::<f64>().collect()),
            });
        }
        rows.extend(self.idle.iter().cloned());
        Ok(vec![Rows::Totals(rows)])
    }
}

impl TensorTotals {
    fn start(value: Tensor<1>) -> Self {
        let zeros = || value.zeros_like();
        Self {
            lca: zeros().cast(sum_dtype(&value.device())),
            lca_validation: None,
            helping: zeros(),
            hurting: zeros(),
            zero: zeros(),
            step: SignChanges::new(zeros()),
            gradient: SignChanges::new(zeros()),
            initial: value.clone(),
            last: value,
        }
    }

    fn resume(rows: ParameterTotalRows, value: Tensor<1>) -> Self {
        let device = value.device();
        let start = Self::start(value);
        let sums = |column: Vec<f64>| {
            let data = burn::tensor::TensorData::new(column, start.lca.dims());
            Tensor::<1>::from_data(data, (&device, start.lca.dtype()))
        };
        let floats = |column: &mut dyn Iterator<Item = f32>| {
            let column: Vec<f32> = column.collect();
            Tensor::<1>::from_data(column.as_slice(), (&device, start.last.dtype()))
        };
        let counts = |column: Vec<u32>| floats(&mut column.into_iter().map(|count| count as f32));
        let signs = |column: Vec<i8>| floats(&mut column.into_iter().map(f32::from));
        Self {
            lca: sums(rows.lca),
            lca_validation: rows.lca_validation.map(sums),
            helping: counts(rows.helping),
            hurting: counts(rows.hurting),
            zero: counts(rows.zero),
            step: SignChanges {
                count: counts(rows.step_sign_changes),
                sign: signs(rows.step_sign),
            },
            gradient: SignChanges {
                count: counts(rows.gradient_sign_changes),
                sign: signs(rows.gradient_sign),
            },
            initial: floats(&mut rows.initial.into_iter()),
            last: start.last.clone(),
        }
    }
}

impl SignChanges {
    fn new(zeros: Tensor<1>) -> Self {
        Self {
            count: zeros.clone(),
            sign: zeros,
        }
    }

    fn add(&mut self, values: Tensor<1>) {
        let sign = sign(values);
        let changed = (sign.clone() * self.sign.clone()).lower_elem(0.0).float();
        self.count = self.count.clone() + changed;
        let zero = sign.clone().equal_elem(0.0);
        self.sign = sign.mask_where(zero, self.sign.clone());
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn a_sign_change_is_one_between_consecutive_values_that_are_not_zero() {
        let at = |values: [f32; 3]| Tensor::<1>::from_floats(values, &Device::flex());
        let mut changes = SignChanges::new(at([0.0; 3]));
        // First: + 0 − 0 0 +, two changes. Second: − − 0 −, none. Third: 0 + − +, two.
        for values in [
            [1.0, -1.0, 0.0],
            [0.0, -2.0, 0.5],
            [-3.0, 0.0, -0.5],
            [0.0, -1.0, 0.5],
            [0.0, -1.0, 0.0],
            [2.0, -1.0, 0.0],
        ] {
            changes.add(at(values));
        }
        let counts = changes.count.into_data().iter::<f32>().collect::<Vec<_>>();
        assert_eq!(counts, [2.0, 0.0, 2.0]);
        let signs = changes.sign.into_data().iter::<f32>().collect::<Vec<_>>();
        assert_eq!(signs, [1.0, -1.0, 1.0]);
    }
}
