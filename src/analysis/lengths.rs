//! What is said of runs that differ in how many steps they have.

use crate::error::LcaError;
use crate::record::Run;

use super::steps::step_sums;

/// Returns what to say of runs of so many steps each; `which` they are, and what `follows` from it.
pub(super) fn different_lengths(
    which: Option<&str>,
    steps: impl IntoIterator<Item = u64>,
    follows: &str,
) -> Option<String> {
    let steps: Vec<u64> = steps.into_iter().collect();
    let (least, most) = steps.iter().min().zip(steps.iter().max())?;
    let which = which.map_or(String::new(), |which| format!("{which}: "));
    (least < most)
        .then(|| format!("Runs of different lengths ({which}{least} to {most} steps): {follows}."))
}

/// Returns the same of the observed steps of a set of runs.
pub(super) fn of_different_lengths(
    set: &str,
    runs: &[Run],
    follows: &str,
) -> Result<Option<String>, LcaError> {
    let mut steps = Vec::new();
    for run in runs {
        steps.extend(step_sums(run)?.first().map(|main| main.steps));
    }
    Ok(different_lengths(Some(set), steps, follows))
}
