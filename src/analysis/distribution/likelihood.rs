//! Maximum likelihood of a location and scale from counts in intervals.
//!
//! A value x is taken to follow a known distribution once it is standardized:
//! z = (x − location) / scale. Of each value only the interval that it lies in is known, so its
//! likelihood is the probability of that interval (the *interval-censored* or *grouped*
//! likelihood). For a log-concave density its logarithm is concave in (1/scale, location/scale), so that
//! Newton's method with halved steps finds the one maximum (Burridge 1981, JRSS B 43:41; Pratt
//! 1981, JASA 76:103).

/// The standard form of a location-scale family, with a log-concave density f.
pub(super) trait LocationScale {
    /// Returns ln f(z).
    fn ln_density(z: f64) -> f64;
    /// Returns the first and second derivative of ln f at z.
    fn slopes(z: f64) -> (f64, f64);
    /// Returns the logarithm of the probability between `low` and `high`, `width` apart.
    fn ln_probability(low: f64, high: f64, width: f64) -> f64;
}

/// An interval that may reach to infinity, and how many values lie in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interval {
    pub(super) low: f64,
    pub(super) high: f64,
    /// `high - low`, as exact as it is known: the difference of the edges cancels digits.
    pub(super) width: f64,
    pub(super) count: f64,
}

impl Interval {
    fn center(&self) -> f64 {
        if self.low.is_infinite() {
            self.high
        } else if self.high.is_infinite() {
            self.low
        } else {
            self.low + self.width / 2.0
        }
    }
}

/// The location and scale that make the counts most likely.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LocationScaleFit {
    pub(super) location: f64,
    pub(super) scale: f64,
    /// Standard errors of independent values, from the curvature at the maximum.
    pub(super) location_error: f64,
    pub(super) scale_error: f64,
    pub(super) ln_likelihood: f64,
}

/// Fewest intervals with values: two can be met exactly by ever smaller scales.
const FEWEST: usize = 3;
/// Far more than Newton's method needs, which doubles its digits at each.
const MOST_ITERATIONS: usize = 200;
/// The most halvings of one step.
const MOST_HALVINGS: usize = 60;
/// A step that promises less than this per value ends the search.
const TOLERANCE: f64 = 1e-14;
/// Standardized widths below which f(middle)·width is the interval's probability to ten digits.
const NARROW: f64 = 1e-4;

/// Returns the fit of a family; `start` is the mean and the variance of its standard form.
///
/// `None` where the counts don't determine it: fewer than three intervals with values, or a
/// likelihood that has no maximum.
pub(super) fn fit<D: LocationScale>(
    intervals: &[Interval],
    start: (f64, f64),
) -> Option<LocationScaleFit> {
    if intervals.len() < FEWEST {
        return None;
    }
    let count: f64 = intervals.iter().map(|interval| interval.count).sum();
    let moment = |of: &dyn Fn(&Interval) -> f64| {
        intervals.iter().map(|at| at.count * of(at)).sum::<f64>() / count
    };
    let mean = moment(&Interval::center);
    let spread = moment(&|at| (at.center() - mean).powi(2)).sqrt();
    if !(mean.is_finite() && spread.is_finite() && spread > 0.0) {
        return None;
    }
    // In units of the sample's spread the two unknowns are of order one.
    let scaled: Vec<Interval> = intervals
        .iter()
        .map(|at| Interval {
            low: (at.low - mean) / spread,
            high: (at.high - mean) / spread,
            width: at.width / spread,
            count: at.count,
        })
        .collect();
    let mut at = Unknowns {
        rate: start.1.sqrt(),
        shift: -start.0,
    };
    let mut here = derivatives::<D>(&scaled, at)?;
    for _ in 0..MOST_ITERATIONS {
        let step = here.newton()?;
        if step.promise < TOLERANCE * count {
            return Some(result(at, &here, mean, spread));
        }
        let mut fraction = 1.0;
        let next = (0..MOST_HALVINGS).find_map(|_| {
            let next = Unknowns {
                rate: at.rate + fraction * step.rate,
                shift: at.shift + fraction * step.shift,
            };
            fraction /= 2.0;
            let there = derivatives::<D>(&scaled, next)?;
            (there.value > here.value).then_some((next, there))
        });
        match next {
            Some((point, there)) => (at, here) = (point, there),
            // Rounding is all that is left to gain.
            None => return Some(result(at, &here, mean, spread)),
        }
    }
    None
}

/// The two unknowns in which the likelihood is concave: z = rate·x − shift.
#[derive(Debug, Clone, Copy)]
struct Unknowns {
    rate: f64,
    shift: f64,
}

/// The log-likelihood at a point, with its derivatives by rate and shift.
#[derive(Debug, Clone, Copy, Default)]
struct Derivatives {
    value: f64,
    by_rate: f64,
    by_shift: f64,
    by_rate_twice: f64,
    by_both: f64,
    by_shift_twice: f64,
}

/// A step of Newton's method, and the gain in likelihood that it promises.
struct NewtonStep {
    rate: f64,
    shift: f64,
    promise: f64,
}

impl Derivatives {
    fn determinant(&self) -> f64 {
        self.by_rate_twice * self.by_shift_twice - self.by_both.powi(2)
    }

    /// Returns the step, where the likelihood curves downwards in every direction.
    fn newton(&self) -> Option<NewtonStep> {
        let determinant = self.determinant();
        if !(determinant > 0.0 && self.by_shift_twice < 0.0) {
            return None;
        }
        let rate =
            (self.by_both * self.by_shift - self.by_shift_twice * self.by_rate) / determinant;
        let shift =
            (self.by_both * self.by_rate - self.by_rate_twice * self.by_shift) / determinant;
        Some(NewtonStep {
            rate,
            shift,
            promise: (rate * self.by_rate + shift * self.by_shift) / 2.0,
        })
    }

    /// Adds an interval in which z, as a function of (rate, shift), is known at its edges.
    fn add<D: LocationScale>(&mut self, at: &Interval, point: Unknowns) {
        let Unknowns { rate, shift } = point;
        let width = rate * at.width;
        let middle = at.center();
        let z = rate * middle - shift;
        let (slope, bend) = D::slopes(z);
        if width * (1.0 + slope.abs()) < NARROW {
            self.value += at.count * (D::ln_density(z) + width.ln());
            self.by_rate += at.count * (slope * middle + 1.0 / rate);
            self.by_shift -= at.count * slope;
            self.by_rate_twice += at.count * (bend * middle * middle - 1.0 / (rate * rate));
            self.by_both -= at.count * bend * middle;
            self.by_shift_twice += at.count * bend;
            return;
        }
        let (low, high) = (rate * at.low - shift, rate * at.high - shift);
        let ln_probability = D::ln_probability(low, high, width);
        self.value += at.count * ln_probability;
        // Density over probability, and its slope, with the sign of the edge.
        let edge = |x: f64, z: f64, sign: f64| {
            if x.is_infinite() {
                return (0.0, 0.0, 0.0);
            }
            let ratio = sign * (D::ln_density(z) - ln_probability).exp();
            // Far out the slope is infinite, and the density nothing.
            let bend = if ratio == 0.0 {
                0.0
            } else {
                ratio * D::slopes(z).0
            };
            (x, ratio, bend)
        };
        let (low, low_ratio, low_bend) = edge(at.low, low, -1.0);
        let (high, high_ratio, high_bend) = edge(at.high, high, 1.0);
        let by_rate = low_ratio * low + high_ratio * high;
        let by_shift = -(low_ratio + high_ratio);
        self.by_rate += at.count * by_rate;
        self.by_shift += at.count * by_shift;
        self.by_rate_twice +=
            at.count * (low_bend * low * low + high_bend * high * high - by_rate * by_rate);
        self.by_both -= at.count * (low_bend * low + high_bend * high + by_rate * by_shift);
        self.by_shift_twice += at.count * (low_bend + high_bend - by_shift * by_shift);
    }
}

/// Returns the log-likelihood and its derivatives at a point, if the scale is possible there.
fn derivatives<D: LocationScale>(intervals: &[Interval], point: Unknowns) -> Option<Derivatives> {
    if point.rate <= 0.0 {
        return None;
    }
    let mut derivatives = Derivatives::default();
    for interval in intervals {
        derivatives.add::<D>(interval, point);
    }
    derivatives.value.is_finite().then_some(derivatives)
}

fn result(at: Unknowns, here: &Derivatives, mean: f64, spread: f64) -> LocationScaleFit {
    let determinant = here.determinant();
    let rate_variance = -here.by_shift_twice / determinant;
    let shift_variance = -here.by_rate_twice / determinant;
    let covariance = here.by_both / determinant;
    // The variance of shift / rate, to first order.
    let center = at.shift / at.rate;
    let center_variance = (shift_variance - 2.0 * center * covariance
        + center * center * rate_variance)
        / at.rate.powi(2);
    LocationScaleFit {
        location: mean + spread * center,
        scale: spread / at.rate,
        location_error: spread * center_variance.sqrt(),
        scale_error: spread * rate_variance.sqrt() / at.rate.powi(2),
        ln_likelihood: here.value,
    }
}
