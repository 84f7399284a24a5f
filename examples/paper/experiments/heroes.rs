//! How often the parameters help that help most and least often.

use std::error::Error;

use burn_lca::analysis::noise::{HelpingParameter, Heroes, heroes};

use super::{Found, by_setting, of_resnet};
use crate::findings::Finding;
use crate::runs::Trained;

pub fn findings(runs: &[Trained]) -> Found {
    let mut found = Vec::new();
    for runs in by_setting(runs) {
        let of_runs = runs.iter().map(|run| Ok(heroes(&run.run()?)?));
        let of_runs: Vec<Heroes> = of_runs.collect::<Result<_, Box<dyn Error>>>()?;
        let steps = runs[0].setting.steps;
        let row = |quantity: &str, article, value: &dyn Fn(&Heroes) -> Option<f64>| {
            let values = of_runs.iter().map(value);
            let values: Vec<f64> = values.map(|value| value.unwrap_or(f64::NAN)).collect();
            let article = of_resnet(&runs[0].setting, article);
            Finding::new(quantity, article, &runs).mean(&values)
        };
        found.extend([
            row("helping, % of what is not zero", "", &|heroes| {
                Some(100.0 * heroes.helping_fraction?)
            }),
            row(
                "the greatest hero helps at % of its steps",
                "53",
                &|heroes| heroes.top_heroes.first().map(often),
            ),
            row(
                "the greatest villain helps at % of its steps",
                "48",
                &|heroes| heroes.top_villains.first().map(often),
            ),
            row(
                "heroes, % of the parameters (by chance: none)",
                "",
                &|heroes| Some(100.0 * heroes.heroes as f64 / heroes.moving as f64),
            ),
            row(
                "villains, % of the parameters (by chance: none)",
                "",
                &|heroes| Some(100.0 * heroes.villains as f64 / heroes.moving as f64),
            ),
            row("variance of the counts (by chance: 1)", "", &|heroes| {
                heroes.variance_ratio
            }),
            row("deviation of that percentage by chance", "", &|heroes| {
                Some(100.0 * by_chance(heroes, steps)?)
            }),
            row(
                "deviation of that percentage beyond chance",
                "",
                &|heroes| {
                    let beyond = (heroes.variance_ratio? - 1.0).max(0.0).sqrt();
                    Some(100.0 * by_chance(heroes, steps)? * beyond)
                },
            ),
        ]);
    }
    Ok(found)
}

fn often(parameter: &HelpingParameter) -> f64 {
    let steps = parameter.helping + parameter.hurting;
    100.0 * f64::from(parameter.helping) / f64::from(steps)
}

/// Returns the standard deviation of the fraction of so many steps at which a parameter helps, if
/// all are alike.
fn by_chance(heroes: &Heroes, steps: usize) -> Option<f64> {
    let fraction = heroes.helping_fraction?;
    Some((fraction * (1.0 - fraction) / steps as f64).sqrt())
}
