//! The experiments, one a file: what is trained, and what is looked at.

mod cost;
mod delay;
mod distribution;
mod freezing;
mod grid;
mod helping;
mod heroes;
mod layers;
mod oscillation;
mod peaks;
mod resnet_layers;
mod validation;

use std::error::Error;

use burn_lca::analysis::layers::LayersOptions;
use burn_lca::analysis::{Grouping, TensorGroup};
use clap::{Subcommand, ValueEnum};

use crate::findings::Finding;
use crate::networks::resnet::{FIRST, LAST};
use crate::runs::Trained;
use crate::setting::{Network, Optimizer, Setting, Size};

/// Findings, or why there are none.
type Found = Result<Vec<Finding>, Box<dyn Error>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand, ValueEnum)]
pub enum Experiment {
    /// How many parameters help, over the steps
    Helping,
    /// The mean of LCA, and how wide and heavy-tailed it is
    Distribution,
    /// How often the parameters help that help most and least often
    Heroes,
    /// How often steps and gradients change their sign, and whether together
    Oscillation,
    /// How many parameters hurt at other rates, batch sizes and momenta
    Grid,
    /// LCA by layer of FC and LeNet, over seeds
    Layers,
    /// Whether layers learn at the same steps
    Peaks,
    /// Training and validation LCA of a network that overfits
    Validation,
    /// What measuring costs
    Cost,
    /// LCA by layer of ResNet, over seeds
    ResnetLayers,
    /// ResNet with its first or last layer frozen, or slowed down
    Freezing,
    /// ResNet with less and less momentum in its last layer
    Delay,
    /// All of them
    All,
}

/// What experiments can be told.
pub struct Plan {
    pub size: Size,
    /// How many seeds; `None` leaves it to the experiment.
    pub seeds: Option<u64>,
    pub networks: Vec<Network>,
    pub optimizers: Vec<Optimizer>,
    /// By how many steps gradients act late in the last layer; `None` leaves it to the experiment.
    pub delays: Option<Vec<u32>>,
    /// Whether a layer with a lower momentum has a higher learning rate.
    pub raise_rate: bool,
}

impl Experiment {
    /// Returns the experiments that are to be made.
    pub fn each(self) -> Vec<Self> {
        match self {
            Self::All => Self::value_variants()
                .iter()
                .copied()
                .filter(|&experiment| experiment != Self::All)
                .collect(),
            one => vec![one],
        }
    }

    /// Returns the name on the command line, and what is asked.
    pub fn described(self) -> (String, String) {
        let described = self.to_possible_value().map(|value| {
            let help = value.get_help().map(ToString::to_string);
            (value.get_name().to_owned(), help.unwrap_or_default())
        });
        described.unwrap_or_default()
    }

    pub fn settings(self, plan: &Plan) -> Vec<Setting> {
        match self {
            Self::Helping => helping::settings(plan),
            Self::Distribution | Self::Heroes | Self::Oscillation => plan.with_momentum(),
            Self::Grid => grid::settings(plan),
            Self::Layers => layers::settings(plan),
            Self::Peaks => peaks::settings(plan),
            Self::Validation => validation::settings(plan),
            Self::Cost => cost::settings(plan),
            Self::ResnetLayers => resnet_layers::settings(plan),
            Self::Freezing => freezing::settings(plan),
            Self::Delay => delay::settings(plan),
            Self::All => Vec::new(),
        }
    }

    pub fn findings(self, runs: &[Trained]) -> Found {
        match self {
            Self::Helping => helping::findings(runs),
            Self::Distribution => distribution::findings(runs),
            Self::Heroes => heroes::findings(runs),
            Self::Oscillation => oscillation::findings(runs),
            Self::Grid => grid::findings(runs),
            Self::Layers => layers::findings(runs),
            Self::Peaks => peaks::findings(runs),
            Self::Validation => validation::findings(runs),
            Self::Cost => cost::findings(runs),
            Self::ResnetLayers => resnet_layers::findings(runs),
            Self::Freezing => freezing::findings(runs),
            Self::Delay => delay::findings(runs),
            Self::All => Ok(Vec::new()),
        }
    }

    /// Returns the arguments of the figure that shows it, for `burn-lca plot`; `None` if there is
    /// none.
    pub fn figure(self, runs: &[Trained]) -> Option<String> {
        let first = runs.first()?.record.display();
        let of_first = |figure: &str| Some(format!("{first} {figure}"));
        let alike = runs.iter().take_while(|run| {
            let setting = run.setting.without_seed();
            setting == runs[0].setting.without_seed()
        });
        match self {
            Self::Helping | Self::Grid => of_first("helping"),
            Self::Distribution => of_first("distribution"),
            Self::Heroes => of_first("heroes"),
            Self::Oscillation => of_first("trace"),
            Self::Layers | Self::ResnetLayers => {
                let runs = folders(alike.map(|run| run.record.display().to_string()));
                Some(format!("{runs} layers"))
            }
            Self::Peaks => of_first("peaks"),
            Self::Validation => of_first("trajectories"),
            Self::Freezing => Some(freezing::figure(runs)),
            Self::Delay => Some(delay::figure(runs)),
            Self::Cost | Self::All => None,
        }
    }
}

impl Plan {
    /// Returns how many seeds an experiment takes if it is not told.
    fn seeds(&self, usual: u64) -> u64 {
        self.seeds.unwrap_or(match self.size {
            Size::Smoke => usual.min(2),
            Size::Small => usual,
            Size::Full => 10,
        })
    }

    /// Returns the runs of a network and an optimizer that several experiments look at.
    fn base(&self, network: Network, optimizer: Optimizer) -> impl Iterator<Item = Setting> {
        let seeds = self.seeds(match (network, optimizer) {
            (Network::Fc, Optimizer::Sgd) => 5,
            (Network::Fc, _) | (Network::LeNet, Optimizer::Sgd) => 3,
            (Network::ResNet(_), Optimizer::Sgd) => 5,
            (Network::AllCnn(_) | Network::Vgg(_), Optimizer::Sgd) => 3,
            (Network::LeNet | Network::ResNet(_) | Network::AllCnn(_) | Network::Vgg(_), _) => 1,
        });
        let setting = Setting::new(network, self.size);
        setting.optimizer(optimizer).seeds(seeds)
    }

    /// Returns those of every network with SGD.
    fn with_momentum(&self) -> Vec<Setting> {
        let networks = self.networks.iter();
        networks
            .flat_map(|&network| self.base(network, Optimizer::Sgd))
            .collect()
    }

    /// Returns a ResNet with SGD.
    fn resnet(&self) -> Setting {
        Setting::new(Network::resnet(self.size), self.size)
    }
}

/// Returns what sums the LCA of ResNet's first layer, of its last, and of all others.
fn ends() -> LayersOptions {
    let groups = [FIRST, LAST].map(|layer| TensorGroup::new(layer, layer));
    LayersOptions::default().by(Grouping::Groups(groups.into()))
}

/// Returns folders one after the other.
fn folders(runs: impl Iterator<Item = String>) -> String {
    runs.collect::<Vec<String>>().join(" ")
}

/// Returns runs by what they have in common but for the seed, in their order.
fn by_setting(runs: &[Trained]) -> Vec<Vec<&Trained>> {
    let mut groups: Vec<Vec<&Trained>> = Vec::new();
    for run in runs {
        let name = run.setting.without_seed();
        let group = groups
            .iter_mut()
            .find(|group| group[0].setting.without_seed() == name);
        match group {
            Some(group) => group.push(run),
            None => groups.push(vec![run]),
        }
    }
    groups
}

/// Returns what the article says of ResNet with SGD, and nothing of the others.
fn of_resnet(setting: &Setting, said: &'static str) -> &'static str {
    match (setting.network, setting.optimizer) {
        (Network::ResNet(_), Optimizer::Sgd) => said,
        _ => "",
    }
}
