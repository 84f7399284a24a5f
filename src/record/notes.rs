//! What whoever reads the numbers of runs must know beside them.

use std::ops::Range;
use std::slice;

use super::run::{Run, RunStatus};

impl Run {
    /// Returns what whoever reads the run's numbers must know: that it did not finish, that only some
    /// iterations are looked at, that not every step was measured for itself, and that its probes were
    /// sampled.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        Self::notes_of(slice::from_ref(self))
    }

    /// Returns the same of several runs: what holds for more than one is said once, with the first.
    #[must_use]
    pub fn notes_of(runs: &[Self]) -> Vec<String> {
        let names = runs.iter().map(|run| run.folder().display().to_string());
        notes_of_named(runs, &names.collect::<Vec<String>>())
    }
}

/// Returns the notes of runs that are called by these names.
pub(crate) fn notes_of_named(runs: &[Run], names: &[String]) -> Vec<String> {
    let mut notes: Vec<(String, Vec<&str>)> = Vec::new();
    for (run, name) in runs.iter().zip(names) {
        for said in said(run) {
            match notes.iter_mut().find(|(known, _)| *known == said) {
                Some((_, of)) => of.push(name),
                None => notes.push((said, vec![name])),
            }
        }
    }
    let note = |(said, of): (String, Vec<&str>)| {
        let first = of[0];
        match of.len() - 1 {
            0 => format!("{first}: {said}"),
            1 => format!("{first} and one other run: {said}"),
            others => format!("{first} and {others} other runs: {said}"),
        }
    };
    notes.into_iter().map(note).collect()
}

fn said(run: &Run) -> impl Iterator<Item = String> {
    let said = [unfinished(run), only(run), sparse(run), sampled(run)];
    said.into_iter().flatten()
}

fn unfinished(run: &Run) -> Option<String> {
    let became = match run.status() {
        RunStatus::Finished => return None,
        RunStatus::Running => "still being written".into(),
        RunStatus::Killed => "killed".into(),
        RunStatus::Interrupted => "interrupted".into(),
        RunStatus::Failed(reason) => format!("failed ({reason})"),
    };
    Some(format!("{became}; this is as far as its record reaches"))
}

fn only(run: &Run) -> Option<String> {
    let Range { start, end } = run.only()?;
    Some(match end {
        &u64::MAX => format!("only iterations from {start} on are looked at"),
        end => {
            let last = end.saturating_sub(1);
            format!("only iterations {start} to {last} are looked at")
        }
    })
}

/// That not every step was measured for itself.
fn sparse(run: &Run) -> Option<String> {
    let observed = run.info().observed;
    let means = if observed.leaves_out() {
        "sums are over the steps that were measured, and leave out what the others did"
    } else {
        "what is said of a step is of a segment: of where it led to, not of its single steps"
    };
    (!observed.is_every_step()).then(|| format!("measured at {observed}; {means}"))
}

/// What the numbers of sampled probes estimate, and which of them noise biases.
fn sampled(run: &Run) -> Option<String> {
    let probes = run.info().probes.iter().filter_map(|probe| {
        let sample = probe.sample.as_ref()?;
        Some(format!(
            "{} of {} {} examples",
            sample.examples, probe.examples, probe.name
        ))
    });
    let probes: Vec<String> = probes.collect();
    (!probes.is_empty()).then(|| {
        format!(
            "measured on samples, at every step {}; sums of LCA are estimates with a standard error, \
             and signs of single values (parameters helping or hurting, heroes, sign changes of the \
             gradient) are those of noisy estimates, not of all examples",
            probes.join(" and ")
        )
    })
}
