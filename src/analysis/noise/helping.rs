//! How many parameters help at each step.

use serde::Serialize;

use crate::analysis::names::main_probe;
use crate::analysis::read::{NO_STEPS, each, require, stretches};
use crate::analysis::stats::HelpingCounts;
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
                all += counts;
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
