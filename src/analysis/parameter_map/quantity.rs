//! What is looked at.

use serde::Serialize;

/// A number that every parameter has at an iteration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ParameterQuantity {
    /// Its LCA at the step.
    Lca,
    /// Its LCA summed over the recorded steps up to and including this one.
    Cumulative,
    /// Its change at the step.
    Step,
    /// The probe's gradient before the step.
    Gradient,
}

impl ParameterQuantity {
    /// Every quantity.
    pub const ALL: [Self; 4] = [Self::Lca, Self::Cumulative, Self::Step, Self::Gradient];

    /// Returns the name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lca => "lca",
            Self::Cumulative => "cumulative",
            Self::Step => "step",
            Self::Gradient => "gradient",
        }
    }

    /// Returns the name that readers see.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Lca => "LCA of the step",
            Self::Cumulative => "cumulative LCA",
            Self::Step => "step (parameter change)",
            Self::Gradient => "gradient",
        }
    }

    /// Returns what the two signs mean, negative first.
    #[must_use]
    pub fn signs(self) -> [&'static str; 2] {
        match self {
            Self::Lca | Self::Cumulative => ["helps", "hurts"],
            Self::Step | Self::Gradient => ["negative", "positive"],
        }
    }

    /// Returns the column of the table `parameters` that it comes from.
    pub(super) fn column(self) -> &'static str {
        match self {
            Self::Lca | Self::Cumulative => "lca",
            Self::Step => "step",
            Self::Gradient => "gradient",
        }
    }
}
