//! The mean of LCA, and how wide and heavy-tailed it is.

use std::error::Error;

use burn_lca::analysis::distribution::{Distribution, distribution};
use burn_lca::analysis::summary::{Summary, summary};

use super::{Found, by_setting, of_resnet};
use crate::findings::Finding;
use crate::runs::Trained;

pub fn findings(runs: &[Trained]) -> Found {
    let mut found = Vec::new();
    for runs in by_setting(runs) {
        let of_runs = runs.iter().map(|run| {
            let run = run.run()?;
            Ok((summary(&run)?, distribution(&run)?))
        });
        let of_runs: Vec<(Summary, Distribution)> =
            of_runs.collect::<Result<_, Box<dyn Error>>>()?;
        let each = |value: &dyn Fn(&Summary, &Distribution) -> Option<f64>| -> Vec<f64> {
            let values = of_runs.iter();
            values
                .map(|(summary, distribution)| value(summary, distribution).unwrap_or(f64::NAN))
                .collect()
        };
        let row = |quantity: &str, article, values: Vec<f64>| {
            let article = of_resnet(&runs[0].setting, article);
            Finding::new(quantity, article, &runs).mean(&values)
        };
        found.extend([
            row(
                "mean LCA of a parameter at a step",
                "-2.4e-9",
                each(&|_, distribution| distribution.mean),
            ),
            row(
                "loss change / (parameters x steps)",
                "the same",
                each(&|summary, _| {
                    let change = summary.reconciliation.first()?.loss_change;
                    Some(change / (summary.parameters * summary.steps) as f64)
                }),
            ),
            row(
                "standard deviation / |mean|",
                "wide",
                each(&|_, distribution| Some(deviation(distribution)? / distribution.mean?.abs())),
            ),
            row(
                "0.1 % quantile in standard deviations (Gaussian: -3.09)",
                "",
                each(&|_, distribution| {
                    let mut quantiles = distribution.quantiles.iter();
                    let least = quantiles.find(|quantile| quantile.probability == 0.001)?;
                    Some(least.value / deviation(distribution)?)
                }),
            ),
            row(
                "shape of a double Weibull law (Gaussian tail: 2)",
                "heavy tail",
                each(&|_, distribution| Some(distribution.fits.double_weibull?.shape)),
            ),
        ]);
    }
    Ok(found)
}

fn deviation(distribution: &Distribution) -> Option<f64> {
    Some(distribution.fits.gaussian?.standard_deviation)
}
