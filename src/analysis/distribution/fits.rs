//! Which distribution the sizes of LCA follow: a double Weibull distribution, or a Gaussian.

use serde::Serialize;

use super::super::stats::Bin;
use super::laws::{LogWeibull, StandardNormal};
use super::likelihood::{Interval, fit};

/// Maximum-likelihood fits to the values that are not zero.
///
/// Every value counts with the probability of the bin that it lies in (the interval-censored
/// likelihood), so that fits to single rows and to a recorded histogram are the same estimator,
/// and the likelihoods of both distributions are of the same data and can be compared.
///
/// Assumption: values are independent. LCA of the same parameter or the same step is not, so
/// the standard errors are the least that they can be, and the difference of AIC says which
/// distribution is nearer, not how surely. Neither need be right: the KS statistic of the better
/// one says how far off it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DistributionFits {
    /// A Weibull distribution of |LCA|, the same on either side of zero.
    ///
    /// `None`, here and below, if the values don't determine the distribution: they are too few,
    /// or all in two bins.
    pub double_weibull: Option<WeibullFit>,
    /// A Weibull distribution of the negative values alone.
    pub helping: Option<WeibullFit>,
    /// A Weibull distribution of the positive values alone.
    pub hurting: Option<WeibullFit>,
    /// The Gaussian of the same values as `double_weibull`.
    pub gaussian: Option<GaussianFit>,
    /// AIC of the Gaussian less that of the double Weibull distribution: above zero if the
    /// latter describes the values better.
    pub aic_advantage: Option<f64>,
}

/// A Weibull distribution: P(|LCA| > x) = exp(−(x/scale)^shape).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct WeibullFit {
    /// The exponent: 1 is an exponential tail, 2 about that of a Gaussian, less than 1 a heavier
    /// one.
    pub shape: f64,
    /// Its standard error for independent values.
    pub shape_error: f64,
    /// The size that a fraction of 1/e of the values exceeds, in units of the loss.
    pub scale: f64,
    /// Its standard error for independent values.
    pub scale_error: f64,
    /// How well it describes the values.
    pub fit: FitQuality,
}

/// A Gaussian.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GaussianFit {
    /// The mean, in units of the loss.
    pub mean: f64,
    /// The standard deviation, in units of the loss.
    pub standard_deviation: f64,
    /// How well it describes the values.
    pub fit: FitQuality,
}

/// How well a distribution of two parameters describes values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FitQuality {
    /// How many values were fitted.
    pub values: u64,
    /// The logarithm of the probability of all values' bins.
    pub ln_likelihood: f64,
    /// Akaike's information criterion, 2·2 − 2·`ln_likelihood`.
    pub aic: f64,
    /// The Kolmogorov-Smirnov statistic at the edges of the bins: the most by which the fraction
    /// of the values below an edge differs from what the distribution expects, from 0 (perfect)
    /// to 1.
    pub ks_statistic: f64,
}

/// Fits both distributions to counts in bins, ascending.
pub(super) fn fits(bins: &[Bin]) -> DistributionFits {
    let nonzero = bins.iter().filter(|bin| bin.lower < bin.upper);
    let nonzero: Vec<Bin> = nonzero.copied().collect();
    let helping = nonzero.iter().filter(|bin| bin.upper <= 0.0);
    let helping: Vec<Bin> = helping.map(mirror).collect();
    let hurting = nonzero.iter().filter(|bin| bin.lower >= 0.0);
    let hurting: Vec<Bin> = hurting.copied().collect();
    let both: Vec<Bin> = helping.iter().chain(&hurting).copied().collect();
    let double_weibull = weibull(both).map(|one_sided| {
        // Either sign has half of the probability.
        let signs = one_sided.fit.values as f64 * 0.5f64.ln();
        let cumulative = |x: f64| 0.5 + 0.5 * x.signum() * one_sided.cumulative(x.abs());
        WeibullFit {
            fit: quality(&nonzero, one_sided.fit.ln_likelihood + signs, cumulative),
            ..one_sided
        }
    });
    let gaussian = gaussian(&nonzero);
    let both = double_weibull.zip(gaussian);
    DistributionFits {
        double_weibull,
        helping: weibull(helping),
        hurting: weibull(hurting),
        gaussian,
        aic_advantage: both.map(|(weibull, gaussian)| gaussian.fit.aic - weibull.fit.aic),
    }
}

fn mirror(bin: &Bin) -> Bin {
    Bin::new(-bin.upper, -bin.lower, bin.count)
}

impl WeibullFit {
    /// Returns the fraction of sizes between two that are not negative.
    #[must_use]
    pub fn fraction_between(&self, lower: f64, upper: f64) -> f64 {
        self.cumulative(upper) - self.cumulative(lower)
    }

    /// Returns the fraction of sizes up to x.
    fn cumulative(&self, x: f64) -> f64 {
        -(-(x / self.scale).powf(self.shape)).exp_m1()
    }
}

impl GaussianFit {
    /// Returns the fraction of values between two.
    #[must_use]
    pub fn fraction_between(&self, lower: f64, upper: f64) -> f64 {
        self.cumulative(upper) - self.cumulative(lower)
    }

    fn cumulative(&self, x: f64) -> f64 {
        StandardNormal::cumulative((x - self.mean) / self.standard_deviation)
    }
}

/// Fits positive values: the distribution of ln x has the location ln λ and the scale 1/k.
fn weibull(mut bins: Vec<Bin>) -> Option<WeibullFit> {
    bins.sort_by(|a, b| a.lower.total_cmp(&b.lower));
    bins.dedup_by(|next, bin| {
        let same = (next.lower, next.upper) == (bin.lower, bin.upper);
        if same {
            bin.count += next.count;
        }
        same
    });
    let intervals: Vec<Interval> = bins
        .iter()
        .map(|bin| Interval {
            low: bin.lower.ln(),
            high: bin.upper.ln(),
            width: ((bin.upper - bin.lower) / bin.lower).ln_1p(),
            count: bin.count as f64,
        })
        .collect();
    let fit = fit::<LogWeibull>(&intervals, LogWeibull::MOMENTS)?;
    let fitted = WeibullFit {
        shape: 1.0 / fit.scale,
        shape_error: fit.scale_error / fit.scale.powi(2),
        scale: fit.location.exp(),
        scale_error: fit.location.exp() * fit.location_error,
        fit: FitQuality::default(),
    };
    Some(WeibullFit {
        fit: quality(&bins, fit.ln_likelihood, |x| fitted.cumulative(x)),
        ..fitted
    })
}

fn gaussian(bins: &[Bin]) -> Option<GaussianFit> {
    let intervals: Vec<Interval> = bins
        .iter()
        .map(|bin| Interval {
            low: bin.lower,
            high: bin.upper,
            width: bin.upper - bin.lower,
            count: bin.count as f64,
        })
        .collect();
    let fit = fit::<StandardNormal>(&intervals, StandardNormal::MOMENTS)?;
    let fitted = GaussianFit {
        mean: fit.location,
        standard_deviation: fit.scale,
        fit: FitQuality::default(),
    };
    Some(GaussianFit {
        fit: quality(bins, fit.ln_likelihood, |x| fitted.cumulative(x)),
        ..fitted
    })
}

/// Returns how well a distribution with the given fraction of values up to x describes those in
/// ascending bins.
fn quality(bins: &[Bin], ln_likelihood: f64, cumulative: impl Fn(f64) -> f64) -> FitQuality {
    let values: u64 = bins.iter().map(|bin| bin.count).sum();
    let mut below = 0;
    let mut ks_statistic = 0f64;
    for bin in bins {
        let mut compare = |x: f64, below: u64| {
            let fraction = below as f64 / values as f64;
            ks_statistic = ks_statistic.max((fraction - cumulative(x)).abs());
        };
        compare(bin.lower, below);
        below += bin.count;
        compare(bin.upper, below);
    }
    FitQuality {
        values,
        ln_likelihood,
        aic: 2.0 * 2.0 - 2.0 * ln_likelihood,
        ks_statistic,
    }
}
