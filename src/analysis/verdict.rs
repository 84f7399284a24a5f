//! A run in a line: does LCA add up, how much helped, what hurt, and what to look at next.

use super::summary::Summary;

/// The part of the loss change beyond which LCA does not account for it well.
const TOO_MUCH: f64 = 0.05;

/// Layers that are named; the rest is counted.
const MOST_NAMED: usize = 3;

/// Returns what a summary says of the training probe in a few sentences.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::{Run, analysis::{summary, verdict}};
///
/// let summary = summary(&Run::open(folder.path())?)?;
/// assert!(verdict(&summary).starts_with("LCA adds up to the change of the loss within "));
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
#[must_use]
pub fn verdict(summary: &Summary) -> String {
    let not_finite = summary.reconciliation.first().map(|main| main.not_finite);
    let off = summary
        .reconciliation
        .first()
        .and_then(|main| main.relative_difference);
    let grounded: String = match off {
        Some(off) if off <= TOO_MUCH => format!(
            "LCA adds up to the change of the loss within {}.",
            percent(off)
        ),
        Some(off) => format!(
            "LCA misses {} of the change of the loss: read its sums with care.",
            percent(off)
        ),
        None => "The loss did not change, or not by a finite amount, so there is nothing that LCA \
                 could add up to."
            .into(),
    };
    let share = summary.helping.first();
    let share = share.and_then(|main| main.counts.fraction_of_nonzero());
    let helped: String = match share {
        Some(share) => format!(
            "At a step, {:.1} % of the parameters that moved the loss helped.",
            100.0 * share
        ),
        None => "No parameter moved the loss.".into(),
    };
    let names: Vec<&str> = summary
        .hurting_layers
        .iter()
        .map(|harm| harm.layer.as_str())
        .collect();
    let hurt: String = match names.len() {
        0 => "No layer hurt over the run.".into(),
        many if many <= MOST_NAMED => format!("Over the run, these hurt: {}.", names.join(", ")),
        many => format!(
            "Over the run, these hurt: {} and {} more layers.",
            names[..MOST_NAMED].join(", "),
            many - MOST_NAMED
        ),
    };
    let next = if not_finite.is_some_and(|steps| steps > 0) {
        "Look first at where the loss was not finite."
    } else if off.is_some_and(|off| off > TOO_MUCH) {
        "Look first at the steps with a large residual."
    } else if names.is_empty() {
        "Look next at which layers learned, and when."
    } else {
        "Look next at what these layers did over time."
    };
    [grounded.as_str(), &helped, &hurt, next].join(" ")
}

/// Returns a fraction in percent, with two digits.
fn percent(fraction: f64) -> String {
    let percent = 100.0 * fraction;
    if percent < 0.01 {
        "0.01 %".into()
    } else if percent < 1.0 {
        format!("{percent:.2} %")
    } else {
        format!("{percent:.1} %")
    }
}
