//! ResNet with less and less momentum in its last layer.

use std::error::Error;

use burn_lca::Run;
use burn_lca::analysis::setting;
use burn_lca::analysis::setting::{SettingLayer, SettingOptions};

use super::{Found, Plan, by_setting, ends, folders};
use crate::findings::Finding;
use crate::networks::resnet::{FIRST, LAST};
use crate::runs::Trained;
use crate::setting::{Exception, Setting, Size};

/// Of the momentum of all other layers, 0.9.
const USUAL_DELAY: u32 = 9;

pub fn settings(plan: &Plan) -> Vec<Setting> {
    let usual_delays: &[u32] = match plan.size {
        Size::Smoke => &[0, 4, USUAL_DELAY],
        Size::Small | Size::Full => &[0, 1, 2, 3, 4, 5, 6, 7, 8, USUAL_DELAY],
    };
    let delays = plan.delays.as_deref().unwrap_or(usual_delays);
    let usual = plan.resnet();
    let settings = delays.iter().flat_map(|&delay| {
        // With momentum m a gradient acts m/(1 - m) steps late on average.
        let momentum = f64::from(delay) / f64::from(delay + 1);
        let setting = Setting {
            exception: (delay != USUAL_DELAY).then(|| Exception {
                layer: LAST,
                rate: if plan.raise_rate {
                    // So that it goes as far as with the usual momentum, only sooner.
                    f64::from(USUAL_DELAY + 1) / f64::from(delay + 1)
                } else {
                    1.0
                },
                momentum: Some(momentum),
            }),
            ..usual.clone()
        };
        setting.seeds(plan.seeds(3))
    });
    settings.collect()
}

pub fn findings(runs: &[Trained]) -> Found {
    let numbered = runs.iter().map(|run| Ok((delay_of(run), run.run()?)));
    let numbered: Vec<(f64, Run)> = numbered.collect::<Result<_, Box<dyn Error>>>()?;
    let options = SettingOptions::default().name("delay".into()).sums(ends());
    let against = setting(&numbered, &options)?;
    let mut found = Vec::new();
    for group in by_setting(runs) {
        let delay = delay_of(group[0]);
        for layer in &against.layers {
            let of_group = runs.iter().zip(&layer.by_run);
            let of_group = of_group.filter(|(run, _)| delay_of(run) == delay);
            let values: Vec<f64> = of_group.map(|(_, lca)| *lca).collect();
            let quantity = format!("{}: LCA at a delay of {delay}", layer.name);
            found.push(Finding::new(quantity, "", &group).mean(&values));
        }
    }
    let all: Vec<&Trained> = runs.iter().collect();
    for layer in &against.layers {
        found.extend(rise(layer, &all));
    }
    Ok(found)
}

/// Returns what the straight line of a layer says.
fn rise(layer: &SettingLayer, runs: &[&Trained]) -> Vec<Finding> {
    let name = &layer.name;
    let row = |quantity: &str, article| Finding {
        setting: "all delays".to_owned(),
        ..Finding::new(format!("{name}: {quantity}"), article, runs)
    };
    let (Some(line), Some(p)) = (layer.line, layer.p_corrected) else {
        return Vec::new();
    };
    let article = match &**name {
        LAST => "up",
        FIRST => "",
        _ => "down",
    };
    let slope = row("LCA per step of delay", article).is(line.slope);
    let slope = match line.test {
        Some(test) => slope.within(test.standard_error, "standard error"),
        None => slope,
    };
    let mut found = vec![slope, row("p of that slope, corrected", "").is(p)];
    if let Some(p) = line.p_straight {
        let article = if name == LAST { "almost straight" } else { "" };
        found.push(row("p of a straight line", article).is(p));
    }
    found
}

/// Returns the arguments of the figure.
pub fn figure(runs: &[Trained]) -> String {
    let numbered = |run: &Trained| format!("{}={}", delay_of(run), run.record.display());
    let runs = folders(runs.iter().map(numbered));
    format!("{runs} setting --of delay --group {FIRST}={FIRST} --group {LAST}={LAST}")
}

/// Returns by how many steps a gradient acts late in the last layer.
fn delay_of(run: &Trained) -> f64 {
    let setting = &run.setting;
    let exception = setting.exception.as_ref();
    let momentum = exception.and_then(|exception| exception.momentum);
    let momentum = momentum.unwrap_or(setting.momentum);
    (momentum / (1.0 - momentum)).round()
}
