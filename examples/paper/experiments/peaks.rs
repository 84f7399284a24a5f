//! Whether layers learn at the same steps.

use burn_lca::analysis::peaks::PeaksOptions;
use burn_lca::analysis::{Quantity, coincidences, peaks};

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
    for trained in runs {
        let run = trained.run()?;
        let row = |said: String, article| {
            let quantity = format!("seed {}: {said}", trained.setting.seed);
            Finding::new(quantity, article, &[trained])
        };
        let options = PeaksOptions::default().top(TOP);
        for quantity in [Quantity::Lca, Quantity::Step, Quantity::Gradient] {
            let peaks = peaks(&run, &options.clone().quantity(quantity))?;
            let Some(all) = peaks.alignment.last() else {
                continue;
            };
            let (name, layers) = (name(quantity), all.layers);
            found.extend([
                row(
                    format!("peaks of {name} in all {layers} layers at once"),
                    "",
                )
                .is(all.observed as f64),
                row("as many by chance".into(), "").is(all.expected),
                row("p, random shifts".into(), "< 0.001").is(all.p),
            ]);
        }
        for pair in coincidences(&run, &options)? {
            let [first, second] = pair.quantities.map(name);
            let article = match pair.quantities {
                [Quantity::Lca, Quantity::Step] => "seldom",
                _ => "",
            };
            let percent = |count: f64| 100.0 * count / pair.peaks as f64;
            found.extend([
                row(
                    format!("peaks of {first} that are of {second} too, %"),
                    article,
                )
                .is(percent(pair.observed as f64)),
                row("as many by chance, %".into(), "").is(percent(pair.expected)),
                row("p, random shifts".into(), "").is(pair.p),
            ]);
        }
    }
    Ok(found)
}

fn name(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::Lca => "LCA",
        Quantity::Step => "steps",
        Quantity::Gradient => "gradients",
        _ => "another quantity",
    }
}
