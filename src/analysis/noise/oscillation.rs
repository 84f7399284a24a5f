//! How fast parameters and their gradients go back and forth.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::read::{each, stretches};
use crate::{LcaError, Run, Table};

/// How fast the parameters of one tensor oscillate.
///
/// A *turn* is a change of sign between consecutive non-zero values. A full oscillation has two,
/// and S steps have S − 1 places for one, so the mean period of all parameters together is
/// **period = 2·Σ(S − 1) / Σ turns**, in observed steps. Values whose signs are independent and
/// as often positive as negative have a period of 4; a shorter one is bouncing, a longer one
/// drifting. Only parameters count whose LCA was not zero at every step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TensorOscillation {
    /// The tensor.
    pub tensor: String,
    /// How many of its parameters had a non-zero LCA at least once; only these count.
    pub moving: u64,
    /// Mean period of the parameters' steps, in observed steps; `None` if none ever turned.
    pub step_period: Option<f64>,
    /// Mean period of the training probe's gradients, in observed steps; `None` as above.
    pub gradient_period: Option<f64>,
    /// How many parameters never turned, moving one way throughout.
    pub step_never_turned: u64,
    /// Of how many the gradient never changed its sign.
    pub gradient_never_turned: u64,
}

/// Returns how fast each tensor's parameters oscillate, from `parameter_totals`, in the order
/// of the model.
///
/// Fails if that table is not recorded, or a file can't be read.
pub fn oscillation(run: &Run) -> Result<Vec<TensorOscillation>, LcaError> {
    super::needs_totals(run)?;
    let mut sums: BTreeMap<String, Sums> = BTreeMap::new();
    let names = [
        "tensor",
        "helping",
        "hurting",
        "zero",
        "step_sign_changes",
        "gradient_sign_changes",
    ];
    each(run, Table::ParameterTotals, &names, |columns| {
        let (helping, hurting) = (columns.u32("helping")?, columns.u32("hurting")?);
        let zero = columns.u32("zero")?;
        let step_sign_changes = columns.u32("step_sign_changes")?;
        let gradient_sign_changes = columns.u32("gradient_sign_changes")?;
        for (tensor, rows) in stretches(columns.text("tensor")?) {
            let sums = sums.entry(tensor.to_owned()).or_default();
            for row in rows.filter(|row| helping[*row] > 0 || hurting[*row] > 0) {
                let steps = [helping[row], hurting[row], zero[row]].map(u64::from);
                sums.add(
                    steps.iter().sum(),
                    step_sign_changes[row],
                    gradient_sign_changes[row],
                );
            }
        }
        Ok(())
    })?;
    let model = &run.info().tensors;
    let known = model
        .iter()
        .filter_map(|tensor| sums.remove_entry(&tensor.path));
    let mut tensors: Vec<(String, Sums)> = known.collect();
    tensors.extend(sums);
    Ok(tensors
        .into_iter()
        .map(|(tensor, sums)| sums.result(tensor))
        .collect())
}

#[derive(Debug, Default)]
struct Sums {
    moving: u64,
    /// Pairs of consecutive steps.
    pairs: u64,
    step_sign_changes: u64,
    gradient_sign_changes: u64,
    step_never_turned: u64,
    gradient_never_turned: u64,
}

impl Sums {
    fn add(&mut self, steps: u64, step_sign_changes: u32, gradient_sign_changes: u32) {
        self.moving += 1;
        self.pairs += steps - 1;
        self.step_sign_changes += u64::from(step_sign_changes);
        self.gradient_sign_changes += u64::from(gradient_sign_changes);
        self.step_never_turned += u64::from(step_sign_changes == 0);
        self.gradient_never_turned += u64::from(gradient_sign_changes == 0);
    }

    fn result(self, tensor: String) -> TensorOscillation {
        let period = |turns: u64| (turns > 0).then(|| 2.0 * self.pairs as f64 / turns as f64);
        TensorOscillation {
            tensor,
            moving: self.moving,
            step_period: period(self.step_sign_changes),
            gradient_period: period(self.gradient_sign_changes),
            step_never_turned: self.step_never_turned,
            gradient_never_turned: self.gradient_never_turned,
        }
    }
}
