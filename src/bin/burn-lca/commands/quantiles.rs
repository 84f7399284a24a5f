//! Quantiles as a table.

use burn_lca::analysis::Quantile;
use burn_lca::analysis::distribution::ValueSource;

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

/// Returns where values are from, in words that follow "from".
pub fn source(source: ValueSource) -> &'static str {
    match source {
        ValueSource::Histograms => "histograms",
        ValueSource::ChosenParameters => "chosen parameters",
        _ => "parameters",
    }
}
