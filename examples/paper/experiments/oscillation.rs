//! How often steps and gradients change their sign, and whether they do so together.

use std::error::Error;

use burn_lca::analysis::noise::{TensorOscillation, oscillation};
use burn_lca::analysis::trace;
use burn_lca::analysis::trace::{TraceOptions, Trajectory};

use super::{Found, by_setting, of_resnet};
use crate::findings::Finding;
use crate::runs::Trained;

/// The most steps by which a motion may be behind its gradient.
const GREATEST_LAG: usize = 12;

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
        let together = runs.iter().map(|run| together(run));
        let together: Vec<Vec<f64>> = together.collect::<Result<_, Box<dyn Error>>>()?;
        let at = |lag: usize| -> Vec<f64> { together.iter().map(|lags| lags[lag]).collect() };
        let size = |lag: &usize| at(*lag).iter().sum::<f64>().abs();
        let strongest = (0..=GREATEST_LAG).max_by(|a, b| size(a).total_cmp(&size(b)));
        let strongest = strongest.unwrap_or(0);
        let article = of_resnet(&runs[0].setting, "together");
        found.extend([
            Finding::new("correlation of step and gradient", article, &runs).mean(&at(0)),
            Finding::new(
                "steps after the gradient at which it is strongest",
                "",
                &runs,
            )
            .is(strongest as f64),
            Finding::new("correlation there", article, &runs).mean(&at(strongest)),
        ]);
    }
    Ok(found)
}

/// Returns the correlation over time of a parameter's step with its gradient 0, 1, 2, … steps before,
/// as a mean over the parameters that are recorded one by one.
fn together(run: &Trained) -> Result<Vec<f64>, Box<dyn Error>> {
    // So many that all are among them.
    let options = TraceOptions::default().extremes(10_000);
    let parameters = trace(&run.run()?, &options)?.parameters;
    let mean = |lag| {
        let correlations = parameters.iter();
        let known: Vec<f64> = correlations
            .filter_map(|parameter| correlation(parameter, lag))
            .collect();
        known.iter().sum::<f64>() / known.len() as f64
    };
    Ok((0..=GREATEST_LAG).map(mean).collect())
}

/// Returns Pearson's correlation; `None` of a parameter that stands still or has the same gradient
/// throughout, or with fewer than three pairs.
fn correlation(parameter: &Trajectory, lag: usize) -> Option<f64> {
    let steps = &parameter.steps;
    let later = steps.get(lag..)?;
    let pairs = later.iter().zip(steps);
    let pairs: Vec<[f64; 2]> = pairs
        .map(|(later, sooner)| [later.step, sooner.gradient].map(f64::from))
        .collect();
    let count = pairs.len() as f64;
    let means = [0, 1].map(|side| pairs.iter().map(|pair| pair[side]).sum::<f64>() / count);
    let product = |a: usize, b: usize| -> f64 {
        let products = pairs
            .iter()
            .map(|pair| (pair[a] - means[a]) * (pair[b] - means[b]));
        products.sum()
    };
    let size = (product(0, 0) * product(1, 1)).sqrt();
    (pairs.len() > 2 && size > 0.0).then(|| product(0, 1) / size)
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
