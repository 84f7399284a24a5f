//! LCA by layer of all networks but ResNet, over seeds.

use std::error::Error;

use burn_lca::Run;
use burn_lca::analysis::layers::{Layers, LayersOptions, layers};

use super::{Found, Plan, by_setting};
use crate::findings::Finding;
use crate::runs::Trained;
use crate::setting::{Network, Optimizer, Setting};

pub fn settings(plan: &Plan) -> Vec<Setting> {
    // It has an experiment of its own.
    let is_resnet = |network: &Network| matches!(network, Network::ResNet(_));
    let networks = plan.networks.iter().filter(|network| !is_resnet(network));
    networks
        .flat_map(|&network| plan.base(network, Optimizer::Sgd))
        .collect()
}

pub fn findings(runs: &[Trained]) -> Found {
    let mut found = Vec::new();
    for runs in by_setting(runs) {
        let layers = of_runs(&runs)?;
        let article = match runs[0].setting.network {
            Network::Fc | Network::LeNet => "helps",
            Network::ResNet(_) | Network::AllCnn(_) | Network::Vgg(_) => "",
        };
        for layer in &layers.layers {
            let name = &layer.name;
            let row = |quantity: &str, article| {
                Finding::new(format!("{name}: {quantity}"), article, &runs)
            };
            found.push(row("LCA", article).mean(&layer.by_run));
            if let Some(significance) = layer.significance {
                found.push(row("p, t-test, corrected", "").is(significance.p_t_corrected));
            }
            let each = layer.per_parameter();
            found.push(row("LCA per parameter", "").mean(&each.by_run));
        }
    }
    Ok(found)
}

/// Returns LCA by layer over some runs.
pub fn of_runs(runs: &[&Trained]) -> Result<Layers, Box<dyn Error>> {
    let runs: Vec<Run> = runs
        .iter()
        .map(|run| run.run())
        .collect::<Result<_, Box<dyn Error>>>()?;
    Ok(layers(&runs, &LayersOptions::default())?)
}
