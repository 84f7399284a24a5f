//! How often single parameters help.

use burn_lca::analysis::noise::{HelpingParameter, Heroes};

use crate::output::{Cell, Column, Table};

use super::{NO_TOTALS, or_empty, percent};

/// The p-value from which on the spread is not told from chance.
const LEVEL: f64 = 0.05;

pub fn spread(heroes: Option<&Heroes>) -> Table {
    let mut table = Table::new(
        "spread",
        "How often each parameter helps, against chance",
        vec![
            Column::count("moving", "moving"),
            Column::count("still", "always zero"),
            Column::number("share", "help % of steps"),
            Column::number("variance_ratio", "variance/chance"),
            Column::number("p_value", "p-value"),
            Column::count("heroes", "heroes"),
            Column::number("heroes_lca", "LCA"),
            Column::count("villains", "villains"),
            Column::number("villains_lca", "LCA"),
        ],
    );
    let Some(heroes) = heroes else {
        table.note(NO_TOTALS);
        return table;
    };
    table.push(vec![
        Cell::Count(heroes.moving),
        Cell::Count(heroes.still),
        percent(heroes.share),
        or_empty(heroes.variance_ratio, Cell::Number),
        or_empty(heroes.p_value, Cell::Number),
        Cell::Count(heroes.heroes),
        Cell::Lca(heroes.heroes_lca),
        Cell::Count(heroes.villains),
        Cell::Lca(heroes.villains_lca),
    ]);
    table.note(match heroes.p_value {
        None => "There is no spread to hold against chance.",
        Some(p) if p >= LEVEL => "The spread is no wider than chance gives.",
        Some(_) => {
            "The spread is wider than chance: some help more often than others, or helping comes \
             in runs."
        }
    });
    table.note(
        "Heroes help so often, villains so seldom, that with chance alone a run has any in at \
         most 5 of 100 cases.",
    );
    table
}

pub fn shares(heroes: Option<&Heroes>) -> Table {
    let mut table = Table::new(
        "shares",
        "Parameters by the share of their steps at which they helped",
        vec![
            Column::number("from", "from %"),
            Column::number("to", "to %"),
            Column::count("parameters", "parameters"),
            Column::number("by_chance", "by chance"),
            Column::number("lca", "LCA"),
        ],
    );
    for bin in heroes.map_or(&[][..], |heroes| &heroes.bins) {
        table.push(vec![
            Cell::Percent(100.0 * bin.lower),
            Cell::Percent(100.0 * bin.upper),
            Cell::Count(bin.parameters),
            Cell::Number(bin.by_chance),
            Cell::Lca(bin.lca),
        ]);
    }
    table
}

pub fn listed(heroes: Option<&Heroes>) -> Table {
    let mut table = Table::new(
        "heroes",
        "Heroes and villains furthest from chance",
        vec![
            Column::text("kind", "kind"),
            Column::text("tensor", "tensor"),
            Column::count("index", "index"),
            Column::count("helping", "helped"),
            Column::count("hurting", "hurt"),
            Column::number("deviations", "deviations"),
            Column::number("lca", "LCA"),
        ],
    );
    let Some(heroes) = heroes else { return table };
    let mut push = |kind: &str, parameter: &HelpingParameter| {
        table.push(vec![
            Cell::text(kind),
            Cell::text(&parameter.tensor),
            Cell::Count(parameter.index.into()),
            Cell::Count(parameter.helping.into()),
            Cell::Count(parameter.hurting.into()),
            Cell::Number(parameter.deviations),
            Cell::Lca(parameter.lca),
        ]);
    };
    heroes.top_heroes.iter().for_each(|at| push("hero", at));
    heroes
        .top_villains
        .iter()
        .for_each(|at| push("villain", at));
    if heroes.heroes + heroes.villains == 0 {
        table.note("None.");
    }
    table
}
