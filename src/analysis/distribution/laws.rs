//! The two distributions that LCA is held against, in their standard form.

use std::f64::consts::{PI, SQRT_2};

use statrs::consts::EULER_MASCHERONI;
use statrs::function::erf::erfc;

use super::likelihood::LocationScale;

/// The distribution of ln x where x follows a Weibull distribution of shape and scale 1.
///
/// P(Z > z) = exp(−eᶻ), Gumbel's distribution of minima. For a Weibull distribution of shape k and scale
/// λ, z = k·(ln x − ln λ).
pub(super) struct LogWeibull;

impl LogWeibull {
    /// The mean and variance.
    pub(super) const MOMENTS: (f64, f64) = (-EULER_MASCHERONI, PI * PI / 6.0);
}

impl LocationScale for LogWeibull {
    fn ln_density(z: f64) -> f64 {
        z - z.exp()
    }

    fn slopes(z: f64) -> (f64, f64) {
        (1.0 - z.exp(), -z.exp())
    }

    fn ln_probability(low: f64, high: f64, width: f64) -> f64 {
        let survival = -low.exp();
        let difference = if width.is_finite() {
            low.exp() * width.exp_m1()
        } else {
            high.exp() - low.exp()
        };
        survival + (-(-difference).exp_m1()).ln()
    }
}

/// The normal distribution of mean 0 and variance 1.
pub(super) struct StandardNormal;

impl StandardNormal {
    pub(super) const MOMENTS: (f64, f64) = (0.0, 1.0);

    /// Returns P(Z ≤ z).
    pub(super) fn cumulative(z: f64) -> f64 {
        erfc(-z / SQRT_2) / 2.0
    }

    /// Returns ln P(Z > z) for z ≥ 0.
    fn ln_survival(z: f64) -> f64 {
        /// From here on the first terms of the asymptotic series give all digits, and before
        /// `erfc` has not underflowed.
        const FAR: f64 = 25.0;
        if z < FAR {
            (erfc(z / SQRT_2) / 2.0).ln()
        } else {
            let inverse = 1.0 / (z * z);
            // Abramowitz and Stegun, 26.2.12.
            let series = 1.0 - inverse * (1.0 - 3.0 * inverse * (1.0 - 5.0 * inverse));
            Self::ln_density(z) - z.ln() + series.ln()
        }
    }
}

impl LocationScale for StandardNormal {
    fn ln_density(z: f64) -> f64 {
        -z * z / 2.0 - (2.0 * PI).sqrt().ln()
    }

    fn slopes(z: f64) -> (f64, f64) {
        (-z, -1.0)
    }

    fn ln_probability(low: f64, high: f64, _width: f64) -> f64 {
        if low < 0.0 && high > 0.0 {
            let outside = erfc(-low / SQRT_2) / 2.0 + erfc(high / SQRT_2) / 2.0;
            return (-outside).ln_1p();
        }
        // On the side where both probabilities are small.
        let (near, far) = if low < 0.0 {
            (-high, -low)
        } else {
            (low, high)
        };
        let near = Self::ln_survival(near);
        if far.is_infinite() {
            return near;
        }
        near + (-(Self::ln_survival(far) - near).exp_m1()).ln()
    }
}
