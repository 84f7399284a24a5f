//! How many parameters hurt at other rates, batch sizes and momenta.

use burn_lca::analysis::summary::summary;

use super::{Found, Plan, by_setting};
use crate::findings::Finding;
use crate::runs::Trained;
use crate::setting::{Network, Setting, Size};

pub fn settings(plan: &Plan) -> Vec<Setting> {
    let (rates, batches, momenta): (&[f64], &[usize], &[f64]) = match plan.size {
        Size::Smoke => (&[0.05], &[16], &[0.0, 0.9]),
        Size::Small => (&[0.01, 0.05, 0.1], &[50, 250], &[0.0, 0.9]),
        Size::Full => (&[0.01, 0.05, 0.1], &[50, 250, 1_000], &[0.0, 0.5, 0.9]),
    };
    let usual = Setting::new(Network::Fc, plan.size);
    let mut settings = Vec::new();
    for &rate in rates {
        for &batch in batches {
            for &momentum in momenta {
                let setting = Setting {
                    rate,
                    batch,
                    momentum,
                    ..usual.clone()
                };
                settings.extend(setting.seeds(plan.seeds(1)));
            }
        }
    }
    settings
}

pub fn findings(runs: &[Trained]) -> Found {
    let mut found = Vec::new();
    let mut hurting = Vec::new();
    for group in by_setting(runs) {
        let mut percent = Vec::new();
        for run in &group {
            let summary = summary(&run.run()?)?;
            let counts = summary.helping.first().map(|helping| helping.counts);
            let helping = counts.and_then(|counts| counts.fraction_of_nonzero());
            percent.push(100.0 - 100.0 * helping.unwrap_or(f64::NAN));
        }
        hurting.extend(percent.iter().copied());
        let losses: Vec<f64> = group.iter().map(|run| run.outcome.training_loss).collect();
        found.extend([
            Finding::new("hurting, % of what is not zero", "nearly half", &group).mean(&percent),
            Finding::new("training loss at the end", "", &group).mean(&losses),
        ]);
    }
    let all: Vec<&Trained> = runs.iter().collect();
    let over_all = |quantity, value| {
        let finding = Finding::new(quantity, "nearly half", &all).is(value);
        Finding {
            setting: "the whole grid".to_owned(),
            ..finding
        }
    };
    found.extend([
        over_all(
            "hurting, %, at the least",
            hurting.iter().copied().fold(f64::INFINITY, f64::min),
        ),
        over_all(
            "hurting, %, at the most",
            hurting.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        ),
    ]);
    Ok(found)
}
