//! How many parameters help at each step.

use serde::Serialize;

use crate::analysis::read::{NO_STEPS, each, require, stretches};
use crate::{LcaError, Run, Table};

/// How many parameters helped, hurt, or did neither, step by step, on the training probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Helping {
    /// Sums over the steps.
    pub all: HelpingCounts,
    /// The observed steps, ascending.
    pub steps: Vec<HelpingStep>,
}

/// One observed step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct HelpingStep {
    /// The step.
    pub iteration: u64,
    /// The parameters at this step.
    #[serde(flatten)]
    pub counts: HelpingCounts,
}

/// Parameters by the sign of their LCA.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct HelpingCounts {
    /// How many have negative LCA.
    pub helping: u64,
    /// How many have positive LCA.
    pub hurting: u64,
    /// How many have exactly zero.
    pub zero: u64,
}

impl HelpingCounts {
    /// Returns helping / all; `None` without parameters.
    pub fn share_of_all(&self) -> Option<f64> {
        share(self.helping, self.helping + self.hurting + self.zero)
    }

    /// Returns helping / (helping + hurting); `None` if all are zero.
    pub fn share_of_nonzero(&self) -> Option<f64> {
        share(self.helping, self.helping + self.hurting)
    }
}

fn share(part: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| part as f64 / all as f64)
}

/// Returns how many parameters helped at each step.
///
/// Fails if no step was observed, or a file can't be read.
pub fn helping(run: &Run) -> Result<Helping, LcaError> {
    require(run, Table::Steps, NO_STEPS)?;
    let main = main_probe(run);
    let mut steps = Vec::new();
    let mut all = HelpingCounts::default();
    let names = ["iteration", "probe", "helping", "hurting", "zero"];
    each(run, Table::Steps, &names, |columns| {
        let iteration = columns.u64("iteration")?;
        let (helping, hurting) = (columns.u64("helping")?, columns.u64("hurting")?);
        let zero = columns.u64("zero")?;
        for (_, rows) in stretches(columns.text("probe")?).filter(|(probe, _)| *probe == main) {
            for row in rows {
                let counts = HelpingCounts {
                    helping: helping[row],
                    hurting: hurting[row],
                    zero: zero[row],
                };
                all.helping += counts.helping;
                all.hurting += counts.hurting;
                all.zero += counts.zero;
                steps.push(HelpingStep {
                    iteration: iteration[row],
                    counts,
                });
            }
        }
        Ok(())
    })?;
    steps.sort_by_key(|step| step.iteration);
    Ok(Helping { all, steps })
}

/// Returns the name of the probe that the tables of parameters are about.
pub(super) fn main_probe(run: &Run) -> &str {
    let first = run.info().probes.first();
    first.map_or("training", |probe| &probe.name)
}
