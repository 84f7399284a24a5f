//! How many parameters help, over the steps.

use std::error::Error;

use burn_lca::analysis::HelpingCounts;
use burn_lca::analysis::helping::{Helping, HelpingOptions, HelpingStep, helping};

use super::{Found, Plan, by_setting, of_resnet};
use crate::findings::Finding;
use crate::runs::Trained;
use crate::setting::Setting;

pub fn settings(plan: &Plan) -> Vec<Setting> {
    let mut settings = Vec::new();
    for &network in &plan.networks {
        for &optimizer in &plan.optimizers {
            settings.extend(plan.base(network, optimizer));
        }
    }
    settings
}

pub fn findings(runs: &[Trained]) -> Found {
    let mut found = Vec::new();
    for runs in by_setting(runs) {
        let of_runs = runs.iter().map(|run| {
            let options = HelpingOptions::default();
            Ok(helping(&run.run()?, &options)?)
        });
        let of_runs: Vec<Helping> = of_runs.collect::<Result<_, Box<dyn Error>>>()?;
        let percent = |fraction: &dyn Fn(&Helping) -> Option<f64>| -> Vec<f64> {
            let fractions = of_runs.iter().map(fraction);
            fractions
                .map(|fraction| 100.0 * fraction.unwrap_or(f64::NAN))
                .collect()
        };
        let setting = &runs[0].setting;
        let row = |quantity: &str, article, values: Vec<f64>| {
            Finding::new(quantity, of_resnet(setting, article), &runs).mean(&values)
        };
        found.extend([
            row(
                "helping, % of all parameters",
                "50.7",
                percent(&|helping| helping.all.fraction_of_all()),
            ),
            row(
                "helping, % of those whose LCA is not zero",
                "",
                percent(&|helping| helping.all.fraction_of_nonzero()),
            ),
            row(
                "the same at the first tenth of the steps",
                "< 60",
                percent(&|helping| {
                    let steps = &helping.steps;
                    part(&steps[..steps.len().div_ceil(10)])
                }),
            ),
            row(
                "the same at the second half of the steps",
                "about 50",
                percent(&|helping| part(&helping.steps[helping.steps.len() / 2..])),
            ),
        ]);
    }
    Ok(found)
}

/// Returns the fraction that helps at some steps, of what is not zero.
fn part(steps: &[HelpingStep]) -> Option<f64> {
    let counts: HelpingCounts = steps.iter().map(|step| step.counts).sum();
    counts.fraction_of_nonzero()
}
