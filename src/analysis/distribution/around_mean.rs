//! A histogram on a linear axis around the mean.

use serde::Serialize;

use super::super::stats::Bin;
use super::fits::DistributionFits;

/// The fraction of the values that are not zero which the bars hold.
const HELD: f64 = 0.99;
/// Bars, of equal width.
const BARS: usize = 81;

/// The values that are not zero and not far from the mean, in bars of equal width around it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LinearHistogram {
    /// The bars, ascending; the one in the middle has the mean at its centre.
    pub bars: Vec<LinearBar>,
    /// How many values are beyond the outermost edges.
    pub beyond: f64,
    /// Whether values are known too coarsely for single bars: then those of a bin are spread evenly
    /// over it.
    pub spread: bool,
}

/// A bar: how many values lie in a range, and how many the fits expect there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LinearBar {
    /// The lower edge, in units of the loss.
    pub lower: f64,
    /// The upper edge.
    pub upper: f64,
    /// How many values are between the two; a part of a value where they are spread over a bin.
    pub count: f64,
    /// How many the double Weibull distribution expects; `None` without a fit.
    pub double_weibull: Option<f64>,
    /// How many the Gaussian expects; `None` without a fit.
    pub gaussian: Option<f64>,
}

impl LinearHistogram {
    /// Returns the bars of values in ascending bins; `None` if all are zero or none is finite.
    pub(super) fn new(bins: &[Bin], mean: f64, fits: &DistributionFits) -> Option<Self> {
        let finite = |bin: &&Bin| {
            bin.lower < bin.upper && bin.count > 0 && (bin.upper - bin.lower).is_finite()
        };
        let nonzero: Vec<&Bin> = bins.iter().filter(finite).collect();
        let reach = reach(&nonzero, mean)?;
        let width = 2.0 * reach / BARS as f64;
        let first = mean - reach;
        let edge = |index: usize| first + width * index as f64;
        let mut bars: Vec<LinearBar> = (0..BARS)
            .map(|index| expected(edge(index), edge(index + 1), fits))
            .collect();
        let all: u64 = nonzero.iter().map(|bin| bin.count).sum();
        let mut spread = false;
        for bin in nonzero {
            let (count, length) = (bin.count as f64, bin.upper - bin.lower);
            // The bars that the bin reaches into.
            let place = |value: f64| ((value - first) / width).clamp(0.0, BARS as f64);
            let (from, to) = (place(bin.lower) as usize, place(bin.upper).ceil() as usize);
            spread |= length > width && from < to;
            for bar in &mut bars[from.min(BARS)..to] {
                let within = bin.upper.min(bar.upper) - bin.lower.max(bar.lower);
                bar.count += count * (within / length).clamp(0.0, 1.0);
            }
        }
        let held: f64 = bars.iter().map(|bar| bar.count).sum();
        Some(Self {
            bars,
            beyond: (all as f64 - held).max(0.0),
            spread,
        })
    }
}

/// Returns the distance from the mean that most values are within.
fn reach(bins: &[&Bin], mean: f64) -> Option<f64> {
    let mut distances: Vec<(f64, u64)> = bins
        .iter()
        .map(|bin| ((bin.center() - mean).abs(), bin.count))
        .collect();
    distances.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all: u64 = distances.iter().map(|(_, count)| count).sum();
    let mut within = 0;
    let reach = distances.into_iter().find_map(|(distance, count)| {
        within += count;
        (within as f64 >= HELD * all as f64).then_some(distance)
    });
    // Room for the outermost of a few values that are all alike.
    reach.map(|reach| 1.05 * reach).filter(|reach| *reach > 0.0)
}

fn expected(lower: f64, upper: f64, fits: &DistributionFits) -> LinearBar {
    LinearBar {
        lower,
        upper,
        count: 0.0,
        double_weibull: fits.double_weibull.map(|weibull| {
            // The parts below and above zero; either sign has half of the probability.
            let below = weibull.fraction_between((-upper).max(0.0), (-lower).max(0.0));
            let above = weibull.fraction_between(lower.max(0.0), upper.max(0.0));
            0.5 * weibull.fit.values as f64 * (below + above)
        }),
        gaussian: fits
            .gaussian
            .map(|gaussian| gaussian.fit.values as f64 * gaussian.fraction_between(lower, upper)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fits::fits;
    use super::*;

    /// 600 values near −1, 390 near 2 and 10 near 50, around a mean of 0.5: 99 % are within 1.5, which
    /// the bars exceed by a twentieth. Zeros are left out.
    #[test]
    fn bars_around_the_mean_hold_all_but_the_far_values() {
        let bins = [
            Bin::new(-1.001, -0.999, 600),
            Bin::new(0.0, 0.0, 70),
            Bin::new(1.999, 2.001, 390),
            Bin::new(49.9, 50.1, 10),
        ];
        let found = LinearHistogram::new(&bins, 0.5, &fits(&bins)).unwrap();
        assert_eq!(found.bars.len(), BARS);
        let ends = (found.bars[0].lower, found.bars[BARS - 1].upper);
        // The centre of a bin is that of the logarithm.
        assert!((ends.0 - (0.5 - 1.575)).abs() < 1e-5 && (ends.1 - (0.5 + 1.575)).abs() < 1e-5);
        assert!((found.beyond - 10.0).abs() < 1e-6, "{}", found.beyond);
        assert!(!found.spread);
        let near = |value: f64| -> f64 {
            let near = found
                .bars
                .iter()
                .filter(|bar| (bar.lower - value).abs() < 0.1);
            near.map(|bar| bar.count).sum()
        };
        assert!((near(-1.0) - 600.0).abs() < 1e-6 && (near(2.0) - 390.0).abs() < 1e-6);
        let middle = found.bars[BARS / 2];
        assert!(((middle.lower + middle.upper) / 2.0 - 0.5).abs() < 1e-9);
    }

    #[test]
    fn what_a_coarse_bin_holds_is_spread_over_it() {
        let bins = [Bin::new(-4.0, 4.0, 800), Bin::new(4.0, 6.0, 200)];
        let found = LinearHistogram::new(&bins, 0.0, &fits(&bins)).unwrap();
        assert!(found.spread);
        let width = found.bars[0].upper - found.bars[0].lower;
        assert!((found.bars[BARS / 2].count - 100.0 * width).abs() < 1e-9);
        assert_eq!(
            LinearHistogram::new(&[Bin::new(0.0, 0.0, 3)], 0.0, &fits(&[])),
            None
        );
    }

    #[test]
    fn what_the_fits_expect_near_the_mean_is_there() {
        let values = super::super::tests::samples::double_weibull(1.0, 1e-6, 20_000, 5);
        let bins = super::super::tests::samples::fine(&values);
        let found = LinearHistogram::new(&bins, 0.0, &fits(&bins)).unwrap();
        let count: f64 = found.bars.iter().map(|bar| bar.count).sum();
        let weibull: f64 = found.bars.iter().filter_map(|bar| bar.double_weibull).sum();
        assert!((weibull / count - 1.0).abs() < 0.01, "{weibull} {count}");
    }
}
