//! ResNet with its first or last layer frozen, or slowed down.

use super::{Found, Plan, by_setting, layers};
use crate::findings::Finding;
use crate::resnet::{FIRST, LAST};
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
    let mut found = Vec::new();
    let groups = by_setting(runs);
    let usual = &groups[0];
    for runs in &groups {
        let layers = layers::of_runs(runs)?;
        let of = |wanted: &dyn Fn(&str) -> bool| -> Vec<f64> {
            let chosen = layers.layers.iter().filter(|layer| wanted(&layer.name));
            let mut sums = vec![0.0; runs.len()];
            for layer in chosen {
                for (sum, lca) in sums.iter_mut().zip(&layer.by_run) {
                    *sum += lca;
                }
            }
            sums
        };
        let row = |quantity: &str, article, values: &[f64]| {
            Finding::new(quantity, article, runs).mean(values)
        };
        let loss = |run: &&Trained| run.outcome.training_loss;
        let losses: Vec<f64> = runs.iter().map(loss).collect();
        found.push(row("training loss at the end", "", &losses));
        if let Some(exception) = &runs[0].setting.exception {
            let article = if exception.layer == LAST {
                "lower"
            } else {
                "not lower"
            };
            // Seed by seed: both begin with the same weights and see the same batches.
            let less = usual.iter().zip(&losses);
            let less: Vec<f64> = less.map(|(usual, loss)| loss - loss_of(usual)).collect();
            found.push(row("less that of the usual setting", article, &less));
        }
        found.extend([
            row("LCA of the first layer", "", &of(&|layer| layer == FIRST)),
            row("LCA of the last layer", "", &of(&|layer| layer == LAST)),
            row(
                "LCA of all others",
                "",
                &of(&|layer| layer != FIRST && layer != LAST),
            ),
        ]);
    }
    Ok(found)
}

fn loss_of(run: &Trained) -> f64 {
    run.outcome.training_loss
}
