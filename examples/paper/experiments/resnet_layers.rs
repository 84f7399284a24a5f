//! LCA by layer of ResNet, over seeds.

use super::{Found, Plan, by_setting, layers};
use crate::findings::Finding;
use crate::networks::resnet::{FIRST, LAST};
use crate::runs::Trained;
use crate::setting::Setting;

pub fn settings(plan: &Plan) -> Vec<Setting> {
    plan.resnet().seeds(plan.seeds(5)).collect()
}

pub fn findings(runs: &[Trained]) -> Found {
    let mut found = Vec::new();
    for runs in by_setting(runs) {
        let layers = layers::of_runs(&runs)?;
        for layer in &layers.layers {
            let ends = [FIRST, LAST].contains(&&*layer.name);
            let article = if ends { "hurts" } else { "" };
            let name = &layer.name;
            let row = |quantity: &str, article| {
                Finding::new(format!("{name}: {quantity}"), article, &runs)
            };
            found.push(row("LCA", article).mean(&layer.by_run));
            if let (true, Some(significance)) = (ends, layer.significance) {
                let hurting = layer.by_run.iter().filter(|lca| **lca > 0.0).count();
                let article = "every run";
                found.push(row("runs in which it hurts", article).is(hurting as f64));
                found.push(row("p, t-test", "< 1e-4").is(significance.p_t));
            }
        }
    }
    Ok(found)
}
