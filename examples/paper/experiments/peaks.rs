//! Whether layers learn at the same steps.

use burn_lca::analysis::Quantity;
use burn_lca::analysis::peaks::{PeaksOptions, peaks};

use super::{Found, Plan};
use crate::findings::Finding;
use crate::runs::Trained;
use crate::setting::{Network, Setting, Size};

/// Peaks that count, of each layer and class.
const TOP: usize = 20;

pub fn settings(plan: &Plan) -> Vec<Setting> {
    let usual = Setting::new(Network::Fc, plan.size);
    let setting = Setting {
        classes: true,
        steps: match plan.size {
            Size::Smoke => 40,
            Size::Small => 600,
            Size::Full => 880,
        },
        ..usual
    };
    setting.seeds(plan.seeds(1)).collect()
}

pub fn findings(runs: &[Trained]) -> Found {
    let mut found = Vec::new();
    for run in runs {
        for (quantity, name) in [
            (Quantity::Lca, "LCA"),
            (Quantity::Step, "steps"),
            (Quantity::Gradient, "gradients"),
        ] {
            let options = PeaksOptions::default().quantity(quantity).top(TOP);
            let peaks = peaks(&run.run()?, &options)?;
            let row = |said: &str, article| {
                Finding::new(
                    format!("seed {}: {said}", run.setting.seed),
                    article,
                    &[run],
                )
            };
            let Some(all) = peaks.alignment.last() else {
                continue;
            };
            let layers = all.layers;
            found.extend([
                row(
                    &format!("peaks of {name} in all {layers} layers at once"),
                    "",
                )
                .is(all.observed as f64),
                row("as many by chance", "").is(all.expected),
                row("p, random shifts", "< 0.001").is(all.p),
            ]);
        }
    }
    Ok(found)
}
