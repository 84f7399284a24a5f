//! How often steps and gradients change their sign.

use std::error::Error;

use burn_lca::analysis::noise::{TensorOscillation, oscillation};

use super::{Found, by_setting, of_resnet};
use crate::findings::Finding;
use crate::runs::Trained;

pub fn findings(runs: &[Trained]) -> Found {
    let mut found = Vec::new();
    for runs in by_setting(runs) {
        let of_runs = runs.iter().map(|run| Ok(oscillation(&run.run()?)?));
        let of_runs: Vec<Vec<TensorOscillation>> =
            of_runs.collect::<Result<_, Box<dyn Error>>>()?;
        let row = |quantity: &str, article, period: fn(&TensorOscillation) -> Option<f64>| {
            let values = of_runs.iter().map(|tensors| between_turns(tensors, period));
            let article = of_resnet(&runs[0].setting, article);
            Finding::new(quantity, article, &runs).mean(&values.collect::<Vec<f64>>())
        };
        found.extend([
            row(
                "steps from one turn of a weight to the next (noise: 2)",
                "7",
                |tensor| tensor.step_period,
            ),
            row(
                "steps from one sign change of a gradient to the next",
                "10",
                |tensor| tensor.gradient_period,
            ),
        ]);
    }
    Ok(found)
}

/// Returns how many steps pass between two changes of sign, of all parameters together. A period
/// has two of them, and a tensor has turns in proportion to its parameters over their period.
fn between_turns(
    tensors: &[TensorOscillation],
    period: fn(&TensorOscillation) -> Option<f64>,
) -> f64 {
    let moving: f64 = tensors.iter().map(|tensor| tensor.moving as f64).sum();
    let turns = tensors.iter().filter_map(|tensor| {
        let between = period(tensor)? / 2.0;
        Some(tensor.moving as f64 / between)
    });
    moving / turns.sum::<f64>()
}
