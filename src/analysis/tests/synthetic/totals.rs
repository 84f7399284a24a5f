//! What `parameter_totals` says of a run that is made up.

use std::sync::Arc;

use crate::record::{ParameterRows, ParameterTotalRows};

use super::{At, Synthetic};

impl Synthetic {
    /// Returns a tensor's totals before the first step.
    pub(super) fn begin(&self, (path, size): &(Arc<str>, usize)) -> ParameterTotalRows {
        ParameterTotalRows {
            tensor: path.clone(),
            lca: vec![0.0; *size],
            lca_validation: self.validation.then(|| vec![0.0; *size]),
            helping: vec![0; *size],
            hurting: vec![0; *size],
            zero: vec![0; *size],
            step_turns: vec![0; *size],
            gradient_turns: vec![0; *size],
            initial: vec![0.0; *size],
            last: vec![0.0; *size],
            step_sign: vec![0; *size],
            gradient_sign: vec![0; *size],
        }
    }

    /// Counts a step.
    pub(super) fn count(
        &self,
        iteration: u64,
        totals: &mut ParameterTotalRows,
        row: &ParameterRows,
    ) {
        let turned = |sign: &mut i8, value: f32| {
            let now = if value == 0.0 {
                *sign
            } else {
                value.signum() as i8
            };
            let turned = *sign != 0 && now != *sign;
            *sign = now;
            u32::from(turned)
        };
        for index in 0..row.lca.len() {
            let validation = At {
                iteration,
                tensor: &row.tensor,
                index,
                class: None,
                validation: true,
            };
            totals.lca[index] += f64::from(row.lca[index]);
            if let Some(lca) = &mut totals.lca_validation {
                lca[index] += self.total(validation);
            }
            totals.helping[index] += u32::from(row.lca[index] < 0.0);
            totals.hurting[index] += u32::from(row.lca[index] > 0.0);
            totals.zero[index] += u32::from(row.lca[index] == 0.0);
            totals.last[index] += row.step[index];
            totals.step_turns[index] += turned(&mut totals.step_sign[index], row.step[index]);
            totals.gradient_turns[index] +=
                turned(&mut totals.gradient_sign[index], row.gradient[index]);
        }
    }
}
