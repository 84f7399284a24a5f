//! How many help: counts by the sign of LCA, and the fractions of them that help.

use std::iter::Sum;
use std::ops::AddAssign;

use serde::Serialize;

/// Counts of LCA by its sign: of parameters at a step, or over parameters and steps.
///
/// Serialized with both fractions beside the counts, as `fraction_of_all` and
/// `fraction_of_nonzero`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(into = "CountColumns")]
#[non_exhaustive]
pub struct HelpingCounts {
    /// How many are negative.
    pub helping: u64,
    /// How many are positive.
    pub hurting: u64,
    /// How many are exactly zero.
    pub zero: u64,
}

impl HelpingCounts {
    /// Returns how many were counted.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.helping + self.hurting + self.zero
    }

    /// Returns helping / (helping + hurting + zero), from 0 to 1; `None` if nothing was counted.
    #[must_use]
    pub fn fraction_of_all(&self) -> Option<f64> {
        fraction(self.helping, self.all())
    }

    /// Returns helping / (helping + hurting), from 0 to 1; `None` if all are zero.
    #[must_use]
    pub fn fraction_of_nonzero(&self) -> Option<f64> {
        fraction(self.helping, self.helping + self.hurting)
    }
}

fn fraction(part: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| part as f64 / all as f64)
}

impl AddAssign for HelpingCounts {
    fn add_assign(&mut self, other: Self) {
        self.helping += other.helping;
        self.hurting += other.hurting;
        self.zero += other.zero;
    }
}

impl Sum for HelpingCounts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |mut sum, counts| {
            sum += counts;
            sum
        })
    }
}

/// What is written of the counts.
#[derive(Serialize)]
struct CountColumns {
    helping: u64,
    hurting: u64,
    zero: u64,
    fraction_of_all: Option<f64>,
    fraction_of_nonzero: Option<f64>,
}

impl From<HelpingCounts> for CountColumns {
    fn from(counts: HelpingCounts) -> Self {
        Self {
            helping: counts.helping,
            hurting: counts.hurting,
            zero: counts.zero,
            fraction_of_all: counts.fraction_of_all(),
            fraction_of_nonzero: counts.fraction_of_nonzero(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_fractions_are_of_what_their_names_say_and_are_written_with_the_counts() {
        let one = HelpingCounts {
            helping: 2,
            hurting: 1,
            zero: 0,
        };
        let other = HelpingCounts {
            helping: 1,
            hurting: 0,
            zero: 4,
        };
        let both: HelpingCounts = [one, other].into_iter().sum();
        assert_eq!(both.fraction_of_all(), Some(0.375));
        assert_eq!(both.fraction_of_nonzero(), Some(0.75));
        assert_eq!(
            serde_json::to_string(&both).unwrap(),
            r#"{"helping":3,"hurting":1,"zero":4,"fraction_of_all":0.375,"fraction_of_nonzero":0.75}"#
        );
    }

    #[test]
    fn a_fraction_of_nothing_is_not_known() {
        let zeros = HelpingCounts {
            zero: 3,
            ..HelpingCounts::default()
        };
        assert_eq!(zeros.fraction_of_all(), Some(0.0));
        assert_eq!(zeros.fraction_of_nonzero(), None);
        assert_eq!(HelpingCounts::default().fraction_of_all(), None);
    }
}
