//! Training and validation LCA of a network that overfits.

use std::error::Error;

use burn_lca::analysis::layers::Trajectories;
use burn_lca::analysis::loss::{LossCurve, LossPoint};
use burn_lca::analysis::{loss_curves, trajectories};

use super::{Found, Plan, by_setting};
use crate::findings::Finding;
use crate::runs::Trained;
use crate::setting::{Network, Setting, Size};

pub fn settings(plan: &Plan) -> Vec<Setting> {
    let usual = Setting::new(Network::Fc, plan.size);
    let setting = match plan.size {
        Size::Smoke => usual,
        // So few images are learned by heart.
        Size::Small | Size::Full => Setting {
            images: 500,
            batch: 50,
            steps: 500,
            ..usual
        },
    };
    let setting = Setting {
        validation: true,
        ..setting
    };
    setting.seeds(plan.seeds(3)).collect()
}

/// The probes of a run.
const PROBES: [&str; 2] = ["training", "validation"];

pub fn findings(runs: &[Trained]) -> Found {
    let mut found = Vec::new();
    for runs in by_setting(runs) {
        let of_runs = runs.iter().map(|run| Turn::of(run));
        let of_runs: Vec<Turn> = of_runs.collect::<Result<_, Box<dyn Error>>>()?;
        let row = |quantity: String, value: &dyn Fn(&Turn) -> f64| {
            let values: Vec<f64> = of_runs.iter().map(value).collect();
            Finding::new(quantity, "", &runs).mean(&values)
        };
        found.extend([
            row("step of the least validation loss".to_owned(), &|turn| {
                turn.least.iteration as f64
            }),
            row("validation loss there".to_owned(), &|turn| turn.least.loss),
            row("validation loss at the end".to_owned(), &|turn| turn.last),
        ]);
        for layer in 0..of_runs[0].layers.len() {
            for (place, probe) in PROBES.iter().enumerate() {
                let name = &of_runs[0].layers[layer].name;
                for (when, part) in ["until", "after"].iter().zip(0..) {
                    found.push(row(format!("{name}: {probe} LCA {when} it"), &|turn| {
                        turn.layers[layer].lca[place][part]
                    }));
                }
            }
        }
    }
    Ok(found)
}

/// Where the validation loss turns up again, and what the layers did before and after.
struct Turn {
    least: LossPoint,
    /// The validation loss after the last step.
    last: f64,
    layers: Vec<TurnedLayer>,
}

struct TurnedLayer {
    name: String,
    /// By probe, before and after.
    lca: [[f64; 2]; 2],
}

impl Turn {
    fn of(run: &Trained) -> Result<Self, Box<dyn Error>> {
        let run = run.run()?;
        let curves = loss_curves(&run)?;
        let curve = |curve: &&LossCurve| curve.probe == PROBES[1];
        let curve = curves.iter().find(curve).ok_or("no validation loss")?;
        let points = curve.points.iter();
        let least = points.min_by(|a, b| a.loss.total_cmp(&b.loss));
        let least = *least.ok_or("no steps")?;
        let curves = trajectories(&run)?;
        let of_probe = |name: &str| {
            let found = curves.iter().find(|curve| curve.probe == name);
            found.ok_or(format!("no layers of probe {name}"))
        };
        let probes: [&Trajectories; 2] = [of_probe(PROBES[0])?, of_probe(PROBES[1])?];
        let layers = probes[0].layers.iter().enumerate().map(|(place, layer)| {
            let lca = probes.map(|probe| {
                let curve = &probe.layers[place];
                let steps = probe.iterations.iter().zip(&curve.lca);
                let (until, after) = steps.fold((0.0, 0.0), |(until, after), (step, lca)| {
                    if *step <= least.iteration {
                        (until + lca, after)
                    } else {
                        (until, after + lca)
                    }
                });
                [until, after]
            });
            TurnedLayer {
                name: layer.layer.clone(),
                lca,
            }
        });
        Ok(Self {
            least,
            last: curve.points.last().map_or(f64::NAN, |point| point.loss),
            layers: layers.collect(),
        })
    }
}
