//! How many parameters help at each step.

use arrow::array::AsArray;
use arrow::datatypes::UInt64Type;
use serde::Serialize;

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
/// Fails if a file of the run can't be read.
pub fn helping(run: &Run) -> Result<Helping, LcaError> {
    let main = main_probe(run);
    let mut steps = Vec::new();
    let mut all = HelpingCounts::default();
    let columns = ["iteration", "probe", "helping", "hurting", "zero"];
    for batch in run.scan(Table::Steps).columns(columns).batches()? {
        let batch = batch?;
        let iteration = batch.column(0).as_primitive::<UInt64Type>();
        let probe = batch.column(1).as_string::<i32>();
        let [helping, hurting, zero] =
            [2, 3, 4].map(|at| batch.column(at).as_primitive::<UInt64Type>());
        for row in 0..batch.num_rows() {
            if probe.value(row) != main {
                continue;
            }
            let counts = HelpingCounts {
                helping: helping.value(row),
                hurting: hurting.value(row),
                zero: zero.value(row),
            };
            all.helping += counts.helping;
            all.hurting += counts.hurting;
            all.zero += counts.zero;
            steps.push(HelpingStep {
                iteration: iteration.value(row),
                counts,
            });
        }
    }
    steps.sort_by_key(|step| step.iteration);
    Ok(Helping { all, steps })
}

/// Returns the name of the probe that the tables of parameters are about.
pub(super) fn main_probe(run: &Run) -> &str {
    let first = run.info().probes.first();
    first.map_or("training", |probe| &probe.name)
}
