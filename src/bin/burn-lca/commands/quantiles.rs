//! Quantiles as a table.

use burn_lca::analysis::Quantile;

use crate::output::AnswerTable;

/// Returns a table of quantiles of LCA, each with the bin that it lies in.
pub fn table(title: &str, quantiles: &[Quantile]) -> AnswerTable {
    AnswerTable::of("quantiles", title, quantiles)
        .fraction("probability", "quantile %", |quantile| quantile.probability)
        .lca("value", "LCA", |quantile| quantile.value)
        .number("lower", "at least", |quantile| quantile.lower)
        .number("upper", "at most", |quantile| quantile.upper)
        .build()
}
