//! How large single allocations are.

use std::slice::from_ref;

use burn_lca::analysis::MISSING;
use burn_lca::analysis::distribution::{Distribution, FitQuality};

use crate::commands::quantiles;
use crate::output::AnswerTable;

pub fn values(distribution: Option<&Distribution>) -> AnswerTable {
    let title = "LCA of single parameters at single steps, training probe";
    let rows = distribution.map_or(&[][..], from_ref);
    let mut table = AnswerTable::of("values", title, rows)
        .text("source", "from table", |found| {
            quantiles::source(found.source).to_owned()
        })
        .count("helping", "helping", |found| found.counts.helping)
        .count("hurting", "hurting", |found| found.counts.hurting)
        .count("zero", "zero", |found| found.counts.zero)
        .count("not_finite", "not finite", |found| found.not_finite)
        .lca("mean", "mean LCA", |found| found.mean)
        .build();
    if distribution.is_none() {
        table.note(MISSING.values);
    }
    table
}

pub fn quantiles(distribution: Option<&Distribution>) -> AnswerTable {
    let quantiles = distribution.map_or(&[][..], |found| &found.quantiles);
    quantiles::table("Quantiles, with zeros", quantiles)
}

/// A fitted distribution.
struct Fit<'a> {
    name: &'static str,
    /// Shape and its standard error.
    shape: Option<[f64; 2]>,
    scale: f64,
    scale_error: Option<f64>,
    mean: Option<f64>,
    quality: &'a FitQuality,
}

pub fn fits(distribution: Option<&Distribution>) -> AnswerTable {
    let fitted = distribution.map(|distribution| &distribution.fits);
    let mut fits: Vec<Fit> = Vec::new();
    if let Some(fitted) = fitted {
        let weibulls = [
            ("double Weibull", &fitted.double_weibull),
            ("helping side", &fitted.helping),
            ("hurting side", &fitted.hurting),
        ];
        let weibulls = weibulls.into_iter().filter_map(|(name, fit)| {
            let fit = fit.as_ref()?;
            Some(Fit {
                name,
                shape: Some([fit.shape, fit.shape_error]),
                scale: fit.scale,
                scale_error: Some(fit.scale_error),
                mean: None,
                quality: &fit.fit,
            })
        });
        fits.extend(weibulls);
        fits.extend(fitted.gaussian.as_ref().map(|fit| Fit {
            name: "Gaussian",
            shape: None,
            scale: fit.standard_deviation,
            scale_error: None,
            mean: Some(fit.mean),
            quality: &fit.fit,
        }));
    }
    let title = "Distributions fitted to the nonzero values, by maximum likelihood";
    let mut table = AnswerTable::of("fits", title, &fits)
        .text("distribution", "distribution", |fit| fit.name.to_owned())
        .number("shape", "shape", |fit| fit.shape.map(|[shape, _]| shape))
        .number("shape_error", "+-", |fit| fit.shape.map(|[_, error]| error))
        .number("scale", "scale", |fit| fit.scale)
        .number("scale_error", "+-", |fit| fit.scale_error)
        .number("mean", "mean", |fit| fit.mean)
        .count("values", "values", |fit| fit.quality.values)
        .number("aic", "AIC", |fit| fit.quality.aic)
        .number("ks_statistic", "KS statistic", |fit| {
            fit.quality.ks_statistic
        })
        .build();
    let Some(fitted) = fitted else { return table };
    table.note(match fitted.aic_advantage {
        None => "The values don't determine both distributions: they are too few, or all alike.",
        Some(advantage) if advantage > 0.0 => {
            "The double Weibull distribution fits better than the Gaussian (its AIC is lower)."
        }
        Some(_) => {
            "The Gaussian fits better than the double Weibull distribution (its AIC is lower)."
        }
    });
    table.note(
        "Shape: a Gaussian's tail has 2, an exponential one 1, less is heavier. KS statistic \
         (Kolmogorov-Smirnov): the greatest difference between the cumulative distributions, 0 to \
         1. +-: standard errors of independent values; the real ones are larger.",
    );
    table
}
