//! ResNet with its first or last layer frozen, or slowed down.

use std::error::Error;

use burn_lca::Run;
use burn_lca::analysis::sets;
use burn_lca::analysis::sets::RunSet;

use super::{Found, Plan, by_setting, ends, folders};
use crate::findings::Finding;
use crate::networks::resnet::{FIRST, LAST};
use crate::runs::Trained;
use crate::setting::{Exception, Setting};

pub fn settings(plan: &Plan) -> Vec<Setting> {
    let usual = plan.resnet();
    let slower = |layer, rate| {
        let exception = Exception {
            layer,
            rate,
            momentum: None,
        };
        Some(exception)
    };
    [
        None,
        slower(FIRST, 0.0),
        slower(LAST, 0.0),
        slower(LAST, 0.1),
    ]
    .into_iter()
    .flat_map(|exception| {
        let setting = Setting {
            exception,
            ..usual.clone()
        };
        setting.seeds(plan.seeds(3))
    })
    .collect()
}

pub fn findings(runs: &[Trained]) -> Found {
    let groups = by_setting(runs);
    let of_groups = groups.iter().map(|group| {
        let runs = group.iter().map(|run| run.run());
        let runs: Vec<Run> = runs.collect::<Result<_, Box<dyn Error>>>()?;
        Ok(RunSet::new(set_name(group[0]), runs))
    });
    let of_groups: Vec<RunSet> = of_groups.collect::<Result<_, Box<dyn Error>>>()?;
    let mut found = Vec::new();
    for (runs, set) in groups.iter().zip(sets(&of_groups, &ends())?) {
        let losses: Vec<f64> = runs.iter().map(|run| loss_of(run)).collect();
        found.push(Finding::new("training loss at the end", "", runs).mean(&losses));
        if let Some(exception) = &runs[0].setting.exception {
            let article = if exception.layer == LAST {
                "lower"
            } else {
                "not lower"
            };
            // Seed by seed: both begin with the same weights and see the same batches.
            let pairs = groups[0].iter().zip(&losses);
            let less: Vec<f64> = pairs.map(|(usual, loss)| loss - loss_of(usual)).collect();
            let quantity = "less that of the usual setting, by seed";
            found.push(Finding::new(quantity, article, runs).mean(&less));
        }
        for (layer, difference) in set.layers.layers.iter().zip(&set.differences) {
            let row = |quantity: &str| {
                let quantity = format!("{}: {quantity}", layer.name);
                Finding::new(quantity, "", runs)
            };
            found.push(row("LCA").mean(&layer.by_run));
            if let Some(test) = difference.and_then(|difference| difference.test) {
                found.push(row("p of the difference (Welch, Holm)").is(test.p_corrected));
            }
        }
    }
    Ok(found)
}

/// Returns the arguments of the figure.
pub fn figure(runs: &[Trained]) -> String {
    let named = |run: &Trained| format!("{}={}", set_name(run), run.record.display());
    let runs = folders(runs.iter().map(named));
    format!("{runs} layers --group {FIRST}={FIRST} --group {LAST}={LAST}")
}

fn set_name(run: &Trained) -> String {
    match &run.setting.exception {
        Some(exception) => exception.to_string(),
        None => "usual".to_owned(),
    }
}

fn loss_of(run: &Trained) -> f64 {
    run.outcome.training_loss
}
