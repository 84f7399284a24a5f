//! A straight line through points, and whether it rises.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, FisherSnedecor, StudentsT};

use super::significance::mean;

/// The straight line of least squares through points, of which several may have the same x.
///
/// Its tests assume points that are independent, and that scatter around the line normally and
/// alike at every x.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Line {
    /// How much y rises with x, per unit of x.
    pub slope: f64,
    /// y where x is zero.
    pub intercept: f64,
    /// The part of the variance of y that the line accounts for, from 0 to 1; `None` if y is the
    /// same everywhere.
    pub r_squared: Option<f64>,
    /// How sure the slope is; `None` of fewer than three points, or if y is the same everywhere.
    pub test: Option<SlopeTest>,
    /// The probability of means, one at every x, so far from a straight line if they were on one:
    /// the F-test of lack of fit. `None` unless there are means at three x or more and several points
    /// at one, which differ.
    pub p_straight: Option<f64>,
}

/// Whether a slope differs from zero, on either side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SlopeTest {
    /// The standard error of the slope.
    pub standard_error: f64,
    /// The slope over its standard error.
    pub t: f64,
    /// The 95 % confidence interval of the slope after Student.
    pub interval: [f64; 2],
    /// The p-value of Student's t-test.
    pub p: f64,
}

impl Line {
    /// Fits a line; `None` of points that all have the same x, or of none.
    pub(super) fn fit(points: &[(f64, f64)]) -> Option<Self> {
        let xs: Vec<f64> = points.iter().map(|(x, _)| *x).collect();
        let ys: Vec<f64> = points.iter().map(|(_, y)| *y).collect();
        let (middle, height) = (mean(&xs), mean(&ys));
        let squares = |values: &[f64], mean: f64| -> f64 {
            values.iter().map(|value| (value - mean).powi(2)).sum()
        };
        let spread = squares(&xs, middle);
        if xs.windows(2).all(|pair| pair[0] == pair[1]) || spread == 0.0 {
            return None;
        }
        let products = points.iter().map(|(x, y)| (x - middle) * (y - height));
        let slope = products.sum::<f64>() / spread;
        let line = Self {
            slope,
            intercept: height - slope * middle,
            r_squared: None,
            test: None,
            p_straight: None,
        };
        // Of copies, the squares may be above zero by rounding.
        if ys.windows(2).all(|pair| pair[0] == pair[1]) {
            return Some(line);
        }
        let from_line = |(x, y): &(f64, f64)| (y - height - slope * (x - middle)).powi(2);
        let residual: f64 = points.iter().map(from_line).sum();
        Some(Self {
            r_squared: Some(1.0 - residual / squares(&ys, height)),
            test: SlopeTest::new(slope, residual, spread, points.len()),
            p_straight: p_straight(points, residual),
            ..line
        })
    }

    /// Returns the height of the line.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        self.intercept + self.slope * x
    }
}

impl SlopeTest {
    fn new(slope: f64, residual: f64, spread: f64, points: usize) -> Option<Self> {
        // Two points are always on a line.
        let freedom = points.checked_sub(2).filter(|freedom| *freedom > 0)? as f64;
        let standard_error = (residual / freedom / spread).sqrt();
        let distribution = StudentsT::new(0.0, 1.0, freedom).ok()?;
        let t = slope / standard_error;
        let reach = distribution.inverse_cdf(0.975) * standard_error;
        (standard_error > 0.0).then(|| Self {
            standard_error,
            t,
            interval: [slope - reach, slope + reach],
            p: 2.0 * distribution.cdf(-t.abs()),
        })
    }
}

/// Compares how far the means lie from the line with how far the points at one x lie apart.
fn p_straight(points: &[(f64, f64)], residual: f64) -> Option<f64> {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let places: Vec<&[(f64, f64)]> = sorted.chunk_by(|a, b| a.0 == b.0).collect();
    let within = places.iter().map(|place| {
        let ys: Vec<f64> = place.iter().map(|(_, y)| *y).collect();
        let mean = mean(&ys);
        ys.iter().map(|y| (y - mean).powi(2)).sum::<f64>()
    });
    let within: f64 = within.sum();
    let free = |many: usize, few: usize| many.checked_sub(few).filter(|left| *left > 0);
    let of_means = free(places.len(), 2)? as f64;
    let of_points = free(points.len(), places.len())? as f64;
    let distribution = FisherSnedecor::new(of_means, of_points).ok()?;
    let ratio = ((residual - within).max(0.0) / of_means) / (within / of_points);
    (within > 0.0).then(|| distribution.sf(ratio))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-9, "{value}, not {expected}");
    }

    /// x = 0, 0, 1, 1, 2, 2 and y = 0, 2, 1, 3, 8, 10. Means: x̄ = 1, ȳ = 4; Sxx = 4,
    /// Sxy = (−1)(−4) + (−1)(−2) + 4 + 6 = 16, slope 4, intercept 0. The line is 0, 4, 8, residuals
    /// 0, 2, −3, −1, 0, 2: Σ² = 18 with 4 degrees of freedom, so s² = 4.5 and SE = √(4.5/4). About
    /// their means 1, 2, 9 the points have Σ² = 6 with 3, which leaves 12 with 1: F = 12/2 = 6.
    /// Syy = 16 + 4 + 9 + 1 + 16 + 36 = 82.
    #[test]
    fn a_line_through_six_points_is_that_of_the_textbook() {
        let ys = [0.0, 2.0, 1.0, 3.0, 8.0, 10.0];
        let points: Vec<(f64, f64)> = [0.0, 0.0, 1.0, 1.0, 2.0, 2.0].into_iter().zip(ys).collect();
        let line = Line::fit(&points).unwrap();
        assert_near(line.slope, 4.0);
        assert_near(line.intercept, 0.0);
        assert_near(line.at(1.5), 6.0);
        assert_near(line.r_squared.unwrap(), 1.0 - 18.0 / 82.0);
        let test = line.test.unwrap();
        assert_near(test.standard_error, (4.5_f64 / 4.0).sqrt());
        assert_near(test.t.powi(2), 16.0 * 4.0 / 4.5);
        // With 4 degrees of freedom P(|T| > t) = 1 − u(3 − u²)/2, u = t/√(t² + 4).
        let u = test.t / (test.t.powi(2) + 4.0).sqrt();
        assert_near(test.p, 1.0 - u * (3.0 - u * u) / 2.0);
        // The same formula gives P(|T| > 2.776445105) = 0.05.
        let reach = 2.776_445_105 * test.standard_error;
        assert!((test.interval[0] - (4.0 - reach)).abs() < 1e-7);
        assert!((test.interval[1] - (4.0 + reach)).abs() < 1e-7);
        // F with 1 and 3 degrees of freedom is t² with 3: P(|T| > t) = 1 − (2/π)(θ + sin θ cos θ)
        // with tan θ = t/√3, here √2.
        let angle = 2.0_f64.sqrt().atan();
        let p = 1.0 - 2.0 / std::f64::consts::PI * (angle + angle.sin() * angle.cos());
        assert_near(line.p_straight.unwrap(), p);
    }

    #[test]
    fn what_two_points_and_copies_do_not_tell_is_not_told() {
        assert_eq!(Line::fit(&[]), None);
        assert_eq!(Line::fit(&[(0.3, 1.0), (0.3, 2.0)]), None);
        let two = Line::fit(&[(1.0, 2.0), (3.0, 6.0)]).unwrap();
        assert_eq!((two.slope, two.intercept, two.test), (2.0, 0.0, None));
        let flat = Line::fit(&[(0.0, 0.1), (0.7, 0.1), (0.9, 0.1)]).unwrap();
        assert_eq!(
            (flat.r_squared, flat.test, flat.p_straight),
            (None, None, None)
        );
        // One point at every x: nothing says how far such points lie apart.
        let single = Line::fit(&[(0.0, 0.0), (1.0, 2.0), (2.0, 1.0)]).unwrap();
        assert!(single.test.is_some() && single.p_straight.is_none());
    }
}
