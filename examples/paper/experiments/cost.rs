//! What measuring costs.

use super::{Found, Plan, by_setting};
use crate::findings::Finding;
use crate::runs::Trained;
use crate::setting::{Measured, Setting, Size};

pub fn settings(plan: &Plan) -> Vec<Setting> {
    let mut settings = Vec::new();
    // In turns, so that what else the machine does is spread over all.
    for seed in 1..=plan.seeds(3) {
        for &network in &plan.networks {
            let usual = Setting::new(network, plan.size);
            for probe in [
                Measured::Nothing,
                Measured::Whole,
                Measured::Sample(usual.batch),
            ] {
                settings.push(Setting {
                    probe,
                    seed,
                    steps: match plan.size {
                        Size::Smoke => 4,
                        Size::Small | Size::Full => 20,
                    },
                    ..usual.clone()
                });
            }
        }
    }
    settings
}

pub fn findings(runs: &[Trained]) -> Found {
    let mut found = Vec::new();
    let mut plain = f64::NAN;
    for runs in by_setting(runs) {
        let setting = &runs[0].setting;
        let seconds = runs.iter().map(|run| run.outcome.seconds);
        // The least, which what else the machine does has disturbed the least.
        let step = seconds.fold(f64::INFINITY, f64::min) / setting.steps as f64;
        found.push(Finding::new("milliseconds a step, the fastest run", "", &runs).is(1e3 * step));
        if setting.probe == Measured::Nothing {
            plain = step;
        } else {
            let quantity = "times a step that is not measured";
            found.push(Finding::new(quantity, "much slower", &runs).is(step / plain));
        }
    }
    Ok(found)
}
