//! How often single parameters help.

use std::slice::from_ref;

use burn_lca::analysis::MISSING;
use burn_lca::analysis::noise::{HelpingParameter, Heroes};

use crate::output::AnswerTable;

/// The p-value from which on the spread counts as chance.
const LEVEL: f64 = 0.05;

pub fn spread(heroes: Option<&Heroes>) -> AnswerTable {
    let title = "How often each parameter helps, against chance";
    let mut table = AnswerTable::of("spread", title, heroes.map_or(&[][..], from_ref))
        .count("moving", "moving", |heroes| heroes.moving)
        .count("still", "always zero", |heroes| heroes.still)
        .fraction("helping_fraction", "help % of steps", |heroes| {
            heroes.helping_fraction
        })
        .number("variance_ratio", "variance/chance", |heroes| {
            heroes.variance_ratio
        })
        .number("p_value", "p", |heroes| heroes.p_value)
        .count("heroes", "heroes", |heroes| heroes.heroes)
        .lca("heroes_lca", "LCA", |heroes| heroes.heroes_lca)
        .count("villains", "villains", |heroes| heroes.villains)
        .lca("villains_lca", "LCA", |heroes| heroes.villains_lca)
        .build();
    let Some(heroes) = heroes else {
        table.note(MISSING.totals);
        return table;
    };
    table.note(match heroes.p_value {
        None => "There is no spread to compare with chance.",
        Some(p) if p >= LEVEL => "The spread is no wider than chance gives.",
        Some(_) => {
            "The spread is wider than chance: some parameters help more often than others, or \
             steps at which one helps follow each other."
        }
    });
    table.note(
        "Heroes help so often, and villains so seldom, that by chance alone at most 5 runs in 100 \
         would have any.",
    );
    if let Some(caution) = &heroes.caution {
        table.note(caution);
    }
    table
}

pub fn fractions(heroes: Option<&Heroes>) -> AnswerTable {
    let bins = heroes.map_or(&[][..], |heroes| &heroes.bins);
    let title = "Parameters by the fraction of their steps at which they helped";
    AnswerTable::of("fractions", title, bins)
        .fraction("lower", "lower %", |bin| bin.lower)
        .fraction("upper", "upper %", |bin| bin.upper)
        .count("parameters", "parameters", |bin| bin.parameters)
        .number("by_chance", "by chance", |bin| bin.by_chance)
        .lca("lca", "LCA", |bin| bin.lca)
        .build()
}

pub fn listed(heroes: Option<&Heroes>) -> AnswerTable {
    let mut rows: Vec<(&str, &HelpingParameter)> = Vec::new();
    if let Some(heroes) = heroes {
        rows.extend(heroes.top_heroes.iter().map(|hero| ("hero", hero)));
        rows.extend(
            heroes
                .top_villains
                .iter()
                .map(|villain| ("villain", villain)),
        );
    }
    let title = "Heroes and villains furthest from chance";
    let mut table = AnswerTable::of("heroes", title, &rows)
        .text("kind", "kind", |(kind, _)| (*kind).to_owned())
        .text("tensor", "tensor", |(_, parameter)| {
            parameter.tensor.clone()
        })
        .count("index", "index", |(_, parameter)| {
            u64::from(parameter.index)
        })
        .count("helping", "helped", |(_, parameter)| {
            u64::from(parameter.helping)
        })
        .count("hurting", "hurt", |(_, parameter)| {
            u64::from(parameter.hurting)
        })
        .number("deviations", "std. deviations", |(_, parameter)| {
            parameter.deviations
        })
        .lca("lca", "LCA", |(_, parameter)| parameter.lca)
        .build();
    if heroes.is_some() && rows.is_empty() {
        table.note("None.");
    }
    table
}
