//! ResNet with less and less momentum in its last layer.

use super::{Found, Plan, by_setting, layers};
use crate::findings::Finding;
use crate::resnet::LAST;
use crate::runs::Trained;
use crate::setting::{Exception, Setting, Size};

/// Of the momentum of all other layers, 0.9.
const USUAL_DELAY: u32 = 9;

pub fn settings(plan: &Plan) -> Vec<Setting> {
    // With momentum m a gradient acts m/(1 - m) steps late on average: 0, 1, 2, … 9.
    let delays: &[u32] = match plan.size {
        Size::Smoke => &[0, 4, 9],
        Size::Small => &[0, 1, 4, 9],
        Size::Full => &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    };
    let usual = plan.resnet();
    let settings = delays.iter().flat_map(|&delay| {
        let momentum = f64::from(delay) / f64::from(delay + 1);
        let setting = Setting {
            // So that it goes as far as with the usual momentum, only sooner.
            exception: (delay != USUAL_DELAY).then(|| Exception {
                layer: LAST,
                rate: f64::from(USUAL_DELAY + 1) / f64::from(delay + 1),
                momentum: Some(momentum),
            }),
            ..usual.clone()
        };
        setting.seeds(plan.seeds(3))
    });
    settings.collect()
}

pub fn findings(runs: &[Trained]) -> Found {
    let mut found = Vec::new();
    for runs in by_setting(runs) {
        let layers = layers::of_runs(&runs)?;
        let mut last = vec![0.0; runs.len()];
        let mut others = vec![0.0; runs.len()];
        for layer in &layers.layers {
            let sums = if layer.name == LAST {
                &mut last
            } else {
                &mut others
            };
            for (sum, lca) in sums.iter_mut().zip(&layer.by_run) {
                *sum += lca;
            }
        }
        let row = |quantity: &str, values: &[f64]| Finding::new(quantity, "", &runs).mean(values);
        found.extend([
            row("LCA of the last layer", &last),
            row("LCA of all others", &others),
        ]);
    }
    Ok(found)
}
