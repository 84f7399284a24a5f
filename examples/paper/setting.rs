//! What a network is trained with.

use std::fmt::{self, Display};

use clap::ValueEnum;

/// All that a run depends on; two runs of one setting are alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    pub network: Network,
    pub optimizer: Optimizer,
    pub rate: f64,
    /// Of SGD; the others have none.
    pub momentum: f64,
    /// Images per optimizer step.
    pub batch: usize,
    /// Images to train on.
    pub images: usize,
    /// Optimizer steps.
    pub steps: usize,
    pub probe: Measured,
    /// Whether the loss of the validation images is split too.
    pub validation: bool,
    /// Whether the loss is split by class.
    pub classes: bool,
    /// A layer that is trained otherwise than the rest.
    pub exception: Option<Exception>,
    pub seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Network {
    Fc,
    LeNet,
    ResNet(PhotoSize),
    AllCnn(PhotoSize),
    Vgg(PhotoSize),
}

/// How large a network for photos is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PhotoSize {
    /// Channels of the first layers; those that follow have some times as many.
    pub width: usize,
    /// Side length of the images, which are shrunk to it.
    pub side: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Optimizer {
    /// Stochastic gradient descent, with momentum
    Sgd,
    Rmsprop,
    Adam,
}

/// On which of the training images a step is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measured {
    Nothing,
    Whole,
    /// So many, drawn anew for every step.
    Sample(usize),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Exception {
    /// The layer, a path in the model.
    pub layer: &'static str,
    /// What its learning rate is multiplied by.
    pub rate: f64,
    /// Its momentum, if another.
    pub momentum: Option<f64>,
}

/// How much there is to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Only to see that it runs.
    Smoke,
    /// What a CPU of two cores does in minutes.
    Small,
    /// The original settings.
    Full,
}

impl Network {
    /// Returns a ResNet-20 of the width and on the images of a size.
    pub fn resnet(size: Size) -> Self {
        Self::ResNet(PhotoSize::new(size, [4, 16]))
    }

    /// Returns an All-CNN of the width and on the images of a size.
    pub fn all_cnn(size: Size) -> Self {
        Self::AllCnn(PhotoSize::new(size, [12, 96]))
    }

    /// Returns a VGG of the width and on the images of a size, which has at most half the channels
    /// of VGG-16.
    pub fn vgg(size: Size) -> Self {
        Self::Vgg(PhotoSize::new(size, [8, 32]))
    }
}

impl PhotoSize {
    /// Takes the width that is small enough for a CPU, and that of the original size.
    fn new(size: Size, [small, full]: [usize; 2]) -> Self {
        let (width, side) = match size {
            Size::Smoke => (2, 8),
            Size::Small => (small, 16),
            Size::Full => (full, 32),
        };
        Self { width, side }
    }
}

impl Setting {
    /// Returns what a network is trained with unless an experiment says otherwise: SGD with
    /// momentum, measured on all training images.
    pub fn new(network: Network, size: Size) -> Self {
        let (batch, images, steps) = match (network, size) {
            (_, Size::Smoke) => (16, 48, 8),
            (Network::Fc, Size::Small) => (250, 2_000, 200),
            (_, Size::Small) => (50, 250, 60),
            (Network::Fc | Network::LeNet, Size::Full) => (250, 55_000, 880),
            (_, Size::Full) => (250, 45_000, 5_000),
        };
        let setting = Self {
            network,
            optimizer: Optimizer::Sgd,
            rate: 0.0,
            momentum: 0.0,
            batch,
            images,
            steps,
            probe: Measured::Whole,
            validation: false,
            classes: false,
            exception: None,
            seed: 1,
        };
        setting.optimizer(Optimizer::Sgd)
    }

    /// Returns the setting with an optimizer, and the learning rate that goes with it.
    pub fn optimizer(self, optimizer: Optimizer) -> Self {
        let (rate, momentum) = match (optimizer, self.network) {
            (Optimizer::Sgd, Network::ResNet(_)) => (0.1, 0.9),
            (Optimizer::Sgd, _) => (0.05, 0.9),
            (Optimizer::Rmsprop, _) => (0.001, 0.0),
            (Optimizer::Adam, _) => (0.0001, 0.0),
        };
        Self {
            optimizer,
            rate,
            momentum,
            ..self
        }
    }

    /// Returns the setting with each of the seeds 1 to `seeds`.
    pub fn seeds(self, seeds: u64) -> impl Iterator<Item = Self> {
        (1..=seeds).map(move |seed| Self {
            seed,
            ..self.clone()
        })
    }

    /// Returns the learning rate of a step. That of a network for photos goes down to a tenth after half of the
    /// steps, and once more after three quarters.
    pub fn rate_at(&self, step: usize) -> f64 {
        let tenths = match self.network {
            Network::ResNet(_) | Network::AllCnn(_) | Network::Vgg(_) => {
                usize::from(2 * step >= self.steps) + usize::from(4 * step >= 3 * self.steps)
            }
            Network::Fc | Network::LeNet => 0,
        };
        self.rate * 0.1f64.powi(tenths as i32)
    }

    /// Returns about how much there is to compute, in images that pass a network.
    pub fn work(&self) -> f64 {
        let validation = if self.validation { self.images } else { 0 };
        let measured = match self.probe {
            Measured::Nothing => 0,
            Measured::Whole => self.images + validation,
            Measured::Sample(images) => 2 * images + validation,
        };
        // Of one image, next to FC: about, on a CPU.
        let cost = match self.network {
            Network::Fc => 1.0,
            Network::LeNet => 150.0,
            Network::ResNet(size) | Network::AllCnn(size) | Network::Vgg(size) => {
                (size.width * size.side * size.side) as f64 / 8.0
            }
        };
        (self.steps * (self.batch + measured)) as f64 * cost
    }

    /// Returns what sets the run apart from all others, as the name of its folder.
    pub fn name(&self) -> String {
        format!("{}-seed{}", self.without_seed(), self.seed)
    }

    /// Returns the same without the seed: what runs have in common that are summed up.
    pub fn without_seed(&self) -> String {
        let mut name = format!("{}-{}-rate{}", self.network, self.optimizer, self.rate);
        if self.optimizer == Optimizer::Sgd {
            name += &format!("-momentum{}", self.momentum);
        }
        name += &format!("-batch{}-images{}", self.batch, self.images);
        name += &format!("-steps{}", self.steps);
        name += &match self.probe {
            Measured::Nothing => "-unmeasured".to_owned(),
            Measured::Whole => String::new(),
            Measured::Sample(images) => format!("-sample{images}"),
        };
        if self.validation {
            name += "-validation";
        }
        if self.classes {
            name += "-classes";
        }
        if let Some(exception) = &self.exception {
            name += &format!("-{exception}");
        }
        name
    }
}

impl Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fc => f.write_str("fc"),
            Self::LeNet => f.write_str("lenet"),
            Self::ResNet(size) => write!(f, "resnet20{size}"),
            Self::AllCnn(size) => write!(f, "allcnn{size}"),
            Self::Vgg(size) => write!(f, "vgg{size}"),
        }
    }
}

impl Display for PhotoSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "x{}at{}", self.width, self.side)
    }
}

impl Display for Optimizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sgd => "sgd",
            Self::Rmsprop => "rmsprop",
            Self::Adam => "adam",
        })
    }
}

impl Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.rate_x{}", self.layer, self.rate)?;
        match self.momentum {
            Some(momentum) => write!(f, ".momentum{momentum}"),
            None => Ok(()),
        }
    }
}
