//! The numbers of a step that can be shown while training runs.

use crate::allocation::StepAllocation;
use crate::error::LcaError;

/// What one series shows of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StepSeries {
    Lca,
    Helping,
    Residual,
    Validation,
    Layer(String),
    Class(usize),
}

impl StepSeries {
    pub fn name(&self) -> String {
        match self {
            Self::Lca => "LCA".to_owned(),
            Self::Helping => "LCA Helping".to_owned(),
            Self::Residual => "LCA Residual".to_owned(),
            Self::Validation => "LCA Validation".to_owned(),
            Self::Layer(path) => format!("LCA {path}"),
            Self::Class(class) => format!("LCA Class {class}"),
        }
    }

    pub fn description(&self) -> String {
        match self {
            Self::Lca => {
                "Sum of LCA over all parameters: the loss change of the whole probe, or of \
                          the step's sample of it, that the step explains; negative is progress"
                    .to_owned()
            }
            Self::Helping => {
                "Parameters with negative LCA, among those whose LCA is not zero; if the probe is \
                 sampled, those of noisy estimates"
                    .to_owned()
            }
            Self::Residual => "Measured loss change minus the sum of LCA".to_owned(),
            Self::Validation => "LCA of the validation probe along the same step".to_owned(),
            Self::Layer(path) => format!("LCA of `{path}`"),
            Self::Class(class) => format!("LCA of class {class}, in units of its own mean loss"),
        }
    }

    pub fn unit(&self) -> Option<&'static str> {
        (*self == Self::Helping).then_some("%")
    }

    /// The value of the series; `None` where the step has no such part.
    pub fn read(&self, step: &StepAllocation) -> Option<f64> {
        match self {
            Self::Lca => Some(step.lca()),
            Self::Helping => Some(step.probe().tally().percent_helping_of_nonzero()),
            Self::Residual => Some(step.residual()),
            Self::Validation => Some(step.validation()?.lca()),
            Self::Layer(path) => step
                .tensors()
                .iter()
                .filter(|tensor| is_below(tensor.path(), path))
                .map(|tensor| tensor.lca())
                .reduce(|sum, lca| sum + lca),
            Self::Class(class) => Some(step.classes().get(*class)?.measured()?.lca),
        }
    }

    /// Checks that a model with parameters at these paths, and a probe with this many classes,
    /// have what the series shows.
    pub fn check(&self, paths: &[&str], classes: usize) -> Result<(), LcaError> {
        match self {
            Self::Layer(layer) if !paths.iter().any(|path| is_below(path, layer)) => {
                Err(LcaError::setting(
                    "LcaMetric::layer",
                    format!("the model has no parameters at `{layer}`"),
                    format!("use one of {}, or a part before a dot", paths.join(", ")),
                ))
            }
            Self::Class(class) if *class >= classes => Err(LcaError::setting(
                "LcaMetric::class",
                format!("there is no class {class} among {classes}"),
                "give the probe classes and use an index below their number",
            )),
            _ => Ok(()),
        }
    }
}

fn is_below(path: &str, layer: &str) -> bool {
    path.strip_prefix(layer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
