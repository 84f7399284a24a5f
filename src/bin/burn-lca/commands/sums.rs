//! Which sums of LCA a command or figure is about.

use burn_lca::Run;
use burn_lca::analysis::layers::{LayersOptions, LayersRun};
use burn_lca::analysis::{Grouping, TensorGroup};
use clap::{Args, ValueEnum};

use crate::output::AnswerTable;

// Comments for people who read this, since a documentation would stand in for the command's own.
// What LCA is summed over.
#[derive(Debug, Clone, Args)]
pub struct SumsArgs {
    /// What LCA is summed over [default: layer].
    #[arg(long, value_enum, value_name = "GROUPING", conflicts_with = "group")]
    pub by: Option<GroupingArg>,
    /// Sums over groups: a tensor is of the first whose pattern is like its path or that of a module
    /// around it (* and ? stand for any characters and for one), the rest is `others`. Once for each
    /// pattern.
    #[arg(long, value_name = "NAME=PATTERN", value_parser = group)]
    pub group: Vec<TensorGroup>,
    /// The class whose loss is split, by its number; all together by default.
    #[arg(long, allow_negative_numbers = true, value_name = "CLASS")]
    pub class: Option<i32>,
    /// The probe whose loss is split, such as validation [default: training].
    #[arg(long)]
    pub probe: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GroupingArg {
    Layer,
    Tensor,
}

fn group(text: &str) -> Result<TensorGroup, String> {
    let parts = text.split_once('=');
    let parts = parts.filter(|(name, pattern)| !name.is_empty() && !pattern.is_empty());
    let (name, pattern) = parts.ok_or("give NAME=PATTERN, as last=fc3")?;
    Ok(TensorGroup::new(name, pattern))
}

impl SumsArgs {
    /// Returns the options of the analysis.
    pub fn options(&self) -> LayersOptions {
        let by = match self.by {
            _ if !self.group.is_empty() => Grouping::Groups(self.group.clone()),
            Some(GroupingArg::Tensor) => Grouping::Tensor,
            Some(GroupingArg::Layer) | None => Grouping::Layer,
        };
        LayersOptions::default()
            .by(by)
            .class(self.class)
            .probe(self.probe.clone())
    }
}

/// Returns what one of the sums is called.
pub fn by(grouping: &Grouping) -> &'static str {
    match grouping {
        Grouping::Tensor => "tensor",
        Grouping::Groups(_) => "group",
        _ => "layer",
    }
}

/// Returns the class whose loss is split as the end of a title; nothing for all together.
pub fn of_class(class: Option<i32>, runs: &[Run]) -> String {
    class.map_or_else(String::new, |class| {
        let probes = runs.iter().take(1).flat_map(|run| &run.info().probes);
        let mut classes = probes.flat_map(|probe| &probe.classes);
        let number = class.to_string();
        match classes.find(|known| known.index == class) {
            Some(known) if known.name != number => format!(", class {number} ({})", known.name),
            _ => format!(", class {number}"),
        }
    })
}

/// Notes what makes runs hard to compare.
pub fn run_notes<'a>(
    table: &mut AnswerTable,
    runs: impl IntoIterator<Item = &'a LayersRun>,
    caution: Option<&String>,
) {
    for run in runs.into_iter().filter(|run| run.not_finite > 0) {
        table.note(format!(
            "{}: {} of {} steps are not finite and left out.",
            run.folder,
            run.not_finite,
            run.steps + run.not_finite
        ));
    }
    if let Some(caution) = caution {
        table.note(caution.clone());
    }
}
