//! How large single allocations are.

use burn_lca::analysis::noise::{Distribution, Goodness, Source};

use crate::output::{Cell, Column, Table};

use super::or_empty;

pub fn values(distribution: Option<&Distribution>) -> Table {
    let mut table = Table::new(
        "values",
        "LCA of single parameters at single steps, training probe",
        vec![
            Column::text("source", "from table"),
            Column::count("helping", "helping"),
            Column::count("hurting", "hurting"),
            Column::count("zero", "zero"),
            Column::count("not_finite", "not finite"),
            Column::number("mean", "mean LCA"),
        ],
    );
    let Some(distribution) = distribution else {
        table.note(
            "Neither single parameters nor histograms are recorded; use the standard or full \
             recorder to have them.",
        );
        return table;
    };
    let source = match distribution.source {
        Source::Parameters => "parameters",
        Source::Histograms => "histograms",
    };
    table.push(vec![
        Cell::text(source),
        Cell::Count(distribution.helping),
        Cell::Count(distribution.hurting),
        Cell::Count(distribution.zero),
        Cell::Count(distribution.not_finite),
        or_empty(distribution.mean, Cell::Lca),
    ]);
    table
}

pub fn quantiles(distribution: Option<&Distribution>) -> Table {
    let mut table = Table::new(
        "quantiles",
        "Quantiles, with zeros",
        vec![
            Column::number("probability", "quantile %"),
            Column::number("value", "LCA"),
            Column::number("from", "at least"),
            Column::number("to", "at most"),
        ],
    );
    for quantile in distribution.map_or(&[][..], |found| &found.quantiles) {
        table.push(vec![
            Cell::Percent(100.0 * quantile.probability),
            Cell::Lca(quantile.value),
            Cell::Number(quantile.lower),
            Cell::Number(quantile.upper),
        ]);
    }
    table
}

pub fn laws(distribution: Option<&Distribution>) -> Table {
    let mut table = Table::new(
        "laws",
        "Laws fitted to the values that are not zero, by maximum likelihood",
        vec![
            Column::text("law", "law"),
            Column::number("shape", "shape"),
            Column::number("shape_error", "+-"),
            Column::number("scale", "scale"),
            Column::number("scale_error", "+-"),
            Column::number("mean", "mean"),
            Column::count("values", "values"),
            Column::number("aic", "AIC"),
            Column::number("distance", "distance"),
        ],
    );
    let Some(tail) = distribution.map(|distribution| &distribution.tail) else {
        return table;
    };
    let goodness = |fit: &Goodness| {
        [
            Cell::Count(fit.values),
            Cell::Number(fit.aic),
            Cell::Number(fit.distance),
        ]
    };
    for (name, law) in [
        ("double Weibull", tail.double_weibull),
        ("helping side", tail.helping),
        ("hurting side", tail.hurting),
    ] {
        let Some(law) = law else { continue };
        let mut row = vec![
            Cell::text(name),
            Cell::Number(law.shape),
            Cell::Number(law.shape_error),
            Cell::Number(law.scale),
            Cell::Number(law.scale_error),
            Cell::Empty,
        ];
        row.extend(goodness(&law.fit));
        table.push(row);
    }
    if let Some(law) = tail.gaussian {
        let mut row = vec![
            Cell::text("Gaussian"),
            Cell::Empty,
            Cell::Empty,
            Cell::Number(law.standard_deviation),
            Cell::Empty,
            Cell::Number(law.mean),
        ];
        row.extend(goodness(&law.fit));
        table.push(row);
    }
    table.note(match tail.aic_advantage {
        None => "The values don't determine both laws: they are too few, or all alike.",
        Some(advantage) if advantage > 0.0 => {
            "The double Weibull law is nearer than the Gaussian (its AIC is lower)."
        }
        Some(_) => "The Gaussian is nearer than the double Weibull law (its AIC is lower).",
    });
    table.note(
        "Shape: 2 has a Gaussian's tail, 1 an exponential one, less is heavier. Distance: the \
         most by which shares differ from the law's, 0 to 1. Errors are those of independent \
         values, so at least so large.",
    );
    table
}
