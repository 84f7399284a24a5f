//! How fast parameters and their gradients go back and forth.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::error::LcaError;
use crate::record::{Run, Table};

use super::super::read::{each, require_totals, stretches};

/// How fast the parameters of one tensor oscillate.
///
/// A sign change is one between consecutive non-zero values. A full oscillation has two, and a
/// parameter with S steps has S − 1 pairs of consecutive ones, so the mean period of all
/// parameters together is **period = 2·Σ(S − 1) / Σ sign changes**, in observed steps. Values whose
/// signs are independent and as often positive as negative have a period of 4; a shorter one is
/// bouncing, a longer one drifting. Only parameters count whose LCA was not zero at every step.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TensorOscillation {
    /// The tensor.
    pub tensor: String,
    /// How many of its parameters had a non-zero LCA at least once; only these count.
    pub moving: u64,
    /// Mean period of the parameters' steps, in observed steps; `None` if no sign ever
    /// changed.
    pub step_period: Option<f64>,
    /// Mean period of the training probe's gradients, in observed steps; `None` as above.
    pub gradient_period: Option<f64>,
    /// How many parameters moved one way throughout.
    pub step_no_sign_change: u64,
    /// How many had gradients of one sign throughout.
    pub gradient_no_sign_change: u64,
}

/// Returns how fast each tensor's parameters oscillate, in the order of the model.
///
/// # Errors
///
/// [`LcaError::NotRecorded`] if the run has no table `parameter_totals`, and the errors of
/// [`Scan`](crate::Scan) if it can't be read.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::{Run, analysis::noise};
///
/// let run = Run::open(folder.path())?;
/// for tensor in noise::oscillation(&run)? {
///     println!("{}: a period of {:?} steps", tensor.tensor, tensor.step_period);
/// }
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn oscillation(run: &Run) -> Result<Vec<TensorOscillation>, LcaError> {
    require_totals(run)?;
    let mut sums: BTreeMap<String, OscillationSums> = BTreeMap::new();
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
    let mut tensors: Vec<(String, OscillationSums)> = known.collect();
    tensors.extend(sums);
    Ok(tensors
        .into_iter()
        .map(|(tensor, sums)| sums.result(tensor))
        .collect())
}

#[derive(Debug, Default)]
struct OscillationSums {
    moving: u64,
    /// Pairs of consecutive steps.
    pairs: u64,
    step_sign_changes: u64,
    gradient_sign_changes: u64,
    step_no_sign_change: u64,
    gradient_no_sign_change: u64,
}

impl OscillationSums {
    fn add(&mut self, steps: u64, step_sign_changes: u32, gradient_sign_changes: u32) {
        self.moving += 1;
        self.pairs += steps - 1;
        self.step_sign_changes += u64::from(step_sign_changes);
        self.gradient_sign_changes += u64::from(gradient_sign_changes);
        self.step_no_sign_change += u64::from(step_sign_changes == 0);
        self.gradient_no_sign_change += u64::from(gradient_sign_changes == 0);
    }

    fn result(self, tensor: String) -> TensorOscillation {
        let period = |changes: u64| (changes > 0).then(|| 2.0 * self.pairs as f64 / changes as f64);
        TensorOscillation {
            tensor,
            moving: self.moving,
            step_period: period(self.step_sign_changes),
            gradient_period: period(self.gradient_sign_changes),
            step_no_sign_change: self.step_no_sign_change,
            gradient_no_sign_change: self.gradient_no_sign_change,
        }
    }
}
