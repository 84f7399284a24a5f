//! Which law the sizes of LCA follow: a double Weibull distribution, or a Gaussian.

use serde::Serialize;

use crate::analysis::stats::Bin;

use super::laws::{LogWeibull, Normal};
use super::likelihood::{Interval, fit};

/// Maximum-likelihood fits to the values that are not zero.
///
/// Every value counts with the probability of the bin that it lies in (the interval-censored
/// likelihood), so that fits to single rows and to a recorded histogram are the same estimator,
/// and the likelihoods of both laws are of the same data and can be compared.
///
/// Assumption: values are independent. LCA of the same parameter or the same step is not, so
/// the standard errors are the least that they can be, and the difference of AIC says which law
/// is nearer, not how surely. Neither law need be right: the distance of the better one says how
/// far off it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tail {
    /// A Weibull distribution of |LCA|, the same on either side of zero.
    ///
    /// `None`, here and below, if the values don't determine the law: they are too few, or all
    /// in two bins.
    pub double_weibull: Option<Weibull>,
    /// A Weibull distribution of the negative values alone.
    pub helping: Option<Weibull>,
    /// A Weibull distribution of the positive values alone.
    pub hurting: Option<Weibull>,
    /// The Gaussian of the same values as `double_weibull`.
    pub gaussian: Option<Gaussian>,
    /// AIC of the Gaussian less that of the double Weibull distribution: above zero if the
    /// latter describes the values better.
    pub aic_advantage: Option<f64>,
}

/// A Weibull distribution: P(|LCA| > x) = exp(−(x/scale)^shape).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Weibull {
    /// The exponent: 1 is an exponential tail, 2 about that of a Gaussian, less than 1 a heavier
    /// one.
    pub shape: f64,
    /// Its standard error for independent values.
    pub shape_error: f64,
    /// The size that a share of 1/e of the values exceeds, in units of the loss.
    pub scale: f64,
    /// Its standard error for independent values.
    pub scale_error: f64,
    /// How well the law describes the values.
    pub fit: Goodness,
}

/// A Gaussian.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Gaussian {
    /// The mean, in units of the loss.
    pub mean: f64,
    /// The standard deviation, in units of the loss.
    pub standard_deviation: f64,
    /// How well the law describes the values.
    pub fit: Goodness,
}

/// How well a law of two parameters describes values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Goodness {
    /// How many values were fitted.
    pub values: u64,
    /// The logarithm of the probability of all values' bins.
    pub ln_likelihood: f64,
    /// Akaike's information criterion, 2·2 − 2·`ln_likelihood`.
    pub aic: f64,
    /// The most by which the share of values below some edge of a bin differs from the law's
    /// (the distance of Kolmogorov and Smirnov at these edges); 0 is perfect.
    pub distance: f64,
}

/// Fits both laws to counts in bins, ascending.
pub(super) fn tail(bins: &[Bin]) -> Tail {
    let moving: Vec<Bin> = bins
        .iter()
        .filter(|bin| bin.lower < bin.upper)
        .copied()
        .collect();
    let helping: Vec<Bin> = moving
        .iter()
        .filter(|bin| bin.upper <= 0.0)
        .map(mirror)
        .collect();
    let hurting: Vec<Bin> = moving
        .iter()
        .filter(|bin| bin.lower >= 0.0)
        .copied()
        .collect();
    let both: Vec<Bin> = helping.iter().chain(&hurting).copied().collect();
    let double_weibull = weibull(both).map(|one_sided| {
        // Either sign has half of the law's probability.
        let signs = one_sided.fit.values as f64 * 0.5f64.ln();
        let cumulative = |x: f64| 0.5 + 0.5 * x.signum() * one_sided.cumulative(x.abs());
        Weibull {
            fit: goodness(&moving, one_sided.fit.ln_likelihood + signs, cumulative),
            ..one_sided
        }
    });
    let gaussian = gaussian(&moving);
    let both = double_weibull.zip(gaussian);
    Tail {
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

impl Weibull {
    /// Returns the share of sizes between two that are not negative.
    pub fn share_between(&self, from: f64, to: f64) -> f64 {
        self.cumulative(to) - self.cumulative(from)
    }

    /// Returns the share of sizes up to x.
    fn cumulative(&self, x: f64) -> f64 {
        -(-(x / self.scale).powf(self.shape)).exp_m1()
    }
}

impl Gaussian {
    /// Returns the share of values between two.
    pub fn share_between(&self, from: f64, to: f64) -> f64 {
        let cumulative = |x: f64| Normal::cumulative((x - self.mean) / self.standard_deviation);
        cumulative(to) - cumulative(from)
    }
}

/// Fits positive values: ln x has a law of location ln λ and scale 1/k.
fn weibull(mut bins: Vec<Bin>) -> Option<Weibull> {
    bins.sort_by(|one, other| one.lower.total_cmp(&other.lower));
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
    let law = Weibull {
        shape: 1.0 / fit.scale,
        shape_error: fit.scale_error / fit.scale.powi(2),
        scale: fit.location.exp(),
        scale_error: fit.location.exp() * fit.location_error,
        fit: Goodness::default(),
    };
    Some(Weibull {
        fit: goodness(&bins, fit.ln_likelihood, |x| law.cumulative(x)),
        ..law
    })
}

fn gaussian(bins: &[Bin]) -> Option<Gaussian> {
    let intervals: Vec<Interval> = bins
        .iter()
        .map(|bin| Interval {
            low: bin.lower,
            high: bin.upper,
            width: bin.upper - bin.lower,
            count: bin.count as f64,
        })
        .collect();
    let fit = fit::<Normal>(&intervals, Normal::MOMENTS)?;
    let cumulative = |x: f64| Normal::cumulative((x - fit.location) / fit.scale);
    Some(Gaussian {
        mean: fit.location,
        standard_deviation: fit.scale,
        fit: goodness(bins, fit.ln_likelihood, cumulative),
    })
}

/// Returns the goodness of a law with the given share of values up to x, for ascending bins.
fn goodness(bins: &[Bin], ln_likelihood: f64, cumulative: impl Fn(f64) -> f64) -> Goodness {
    let values: u64 = bins.iter().map(|bin| bin.count).sum();
    let mut below = 0;
    let mut distance = 0f64;
    for bin in bins {
        let mut compare = |x: f64, below: u64| {
            let share = below as f64 / values as f64;
            distance = distance.max((share - cumulative(x)).abs());
        };
        compare(bin.lower, below);
        below += bin.count;
        compare(bin.upper, below);
    }
    Goodness {
        values,
        ln_likelihood,
        aic: 2.0 * 2.0 - 2.0 * ln_likelihood,
        distance,
    }
}
