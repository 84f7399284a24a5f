//! The bars of a histogram of LCA, with what the fits expect in them.

use serde::Serialize;

use super::super::stats::Bin;
use super::fits::DistributionFits;

/// The fraction of the values that may lie in the two bars next to zero, whose inner edge has no
/// logarithm.
const NEAR_ZERO: f64 = 0.01;
/// Bars per factor of ten, as there are bins.
const PER_DECADE: f64 = 4.0;

/// The bars of a histogram of the values that are not zero: side by side, logarithmic on either
/// side of zero, and one bar a side for what is nearer to zero than all others.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LcaHistogram {
    /// The outer edge of the two bars next to zero, a power of ten: at most a hundredth of the
    /// values are nearer to zero. The axis is linear up to here, logarithmic beyond.
    pub linear_below: f64,
    /// The outer edge of the outermost bars.
    pub outermost: f64,
    /// The bars, ascending, each beginning where the one before it ends.
    pub bars: Vec<HistogramBar>,
}

/// A bar: how many values lie in a range, and how many the fits expect there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct HistogramBar {
    /// The lower edge, in units of the loss.
    pub lower: f64,
    /// The upper edge.
    pub upper: f64,
    /// How many values are between the two; those beyond the outermost edge are in the last bar.
    pub count: u64,
    /// `count` over all finite values, zeros among them.
    pub fraction: f64,
    /// How many the double Weibull distribution expects; `None` without a fit.
    pub double_weibull: Option<f64>,
    /// How many the Gaussian expects; `None` without a fit.
    pub gaussian: Option<f64>,
}

impl LcaHistogram {
    /// Returns the bars of values in ascending bins, 4 to a factor of ten; `None` if all values
    /// are zero.
    pub(super) fn new(bins: &[Bin], fits: &DistributionFits) -> Option<Self> {
        let edges = Edges::of(bins)?;
        let mut bars: Vec<HistogramBar> = edges
            .all
            .windows(2)
            .map(|edges| bar(edges[0], edges[1], fits))
            .collect();
        for (bar, count) in bars.iter_mut().zip(edges.counts(bins)) {
            bar.count = count;
        }
        let all: u64 = bins.iter().map(|bin| bin.count).sum();
        for bar in &mut bars {
            bar.fraction = bar.count as f64 / all as f64;
        }
        Some(Self {
            linear_below: edges.linear_below,
            outermost: edges.outermost,
            bars,
        })
    }
}

/// Where bars begin and end.
#[derive(Debug)]
pub(in super::super) struct Edges {
    /// As in [`LcaHistogram`].
    pub(in super::super) linear_below: f64,
    outermost: f64,
    /// Ascending, one more than there are bars.
    pub(in super::super) all: Vec<f64>,
}

impl Edges {
    /// Returns the edges for values in bins, 4 to a factor of ten; `None` if all values are zero.
    pub(in super::super) fn of(bins: &[Bin]) -> Option<Self> {
        let nonzero: Vec<&Bin> = nonzero(bins).collect();
        let (linear_below, outermost) = range(&nonzero)?;
        let decades = (outermost / linear_below).log10();
        // Edges are multiples but for rounding.
        let steps = (PER_DECADE * decades - 1e-6).ceil().max(1.0) as usize;
        let edge = |step: usize| linear_below * 10f64.powf(step as f64 / PER_DECADE);
        let magnitudes: Vec<f64> = (0..=steps).map(edge).collect();
        let mut all: Vec<f64> = magnitudes.iter().rev().map(|edge| -edge).collect();
        all.push(0.0);
        all.extend(&magnitudes);
        Some(Self {
            linear_below,
            outermost: magnitudes[steps],
            all,
        })
    }

    /// Returns how many of the values that are not zero lie between each two edges; those beyond the
    /// outermost ones are in the last bar.
    pub(in super::super) fn counts(&self, bins: &[Bin]) -> Vec<u64> {
        let bars = self.all.len() - 1;
        let mut counts = vec![0; bars];
        for bin in nonzero(bins) {
            let index = self.all.partition_point(|edge| *edge <= bin.center());
            counts[index.clamp(1, bars) - 1] += bin.count;
        }
        counts
    }
}

fn nonzero(bins: &[Bin]) -> impl Iterator<Item = &Bin> {
    let counted = bins.iter().filter(|bin| bin.count > 0);
    counted.filter(|bin| bin.lower < bin.upper)
}

/// Returns the magnitudes at which the bars next to zero end and at which all bars do.
fn range(bins: &[&Bin]) -> Option<(f64, f64)> {
    let finite = |edge: f64| edge.is_finite().then_some(edge);
    let ends = |bin: &&Bin| {
        let (a, b) = (bin.lower.abs(), bin.upper.abs());
        (a.min(b), finite(a.max(b)).unwrap_or(a.min(b)))
    };
    let outermost = bins.iter().map(|bin| ends(bin).1).reduce(f64::max)?;
    // Of several runs there may be more values than an integer holds.
    let count = |bin: &&Bin| bin.count as f64;
    let mut inner: Vec<(f64, f64)> = bins.iter().map(|bin| (ends(bin).0, count(bin))).collect();
    inner.sort_by(|a, b| a.0.total_cmp(&b.0));
    let values: f64 = inner.iter().map(|(_, count)| count).sum();
    let mut below = 0.0;
    let nearest = inner.iter().find_map(|(edge, count)| {
        below += count;
        (below > NEAR_ZERO * values).then_some(*edge)
    });
    // A whole power of ten, so that an axis has a mark there.
    let nearest = nearest
        .filter(|edge| *edge > 0.0)
        .unwrap_or(outermost / 10.0);
    let power = 10f64.powf((nearest.log10() + 1e-9).floor());
    Some((power.min(outermost / 10.0), outermost))
}

fn bar(lower: f64, upper: f64, fits: &DistributionFits) -> HistogramBar {
    let (near, far) = (lower.abs().min(upper.abs()), lower.abs().max(upper.abs()));
    HistogramBar {
        lower,
        upper,
        count: 0,
        fraction: 0.0,
        double_weibull: fits.double_weibull.map(|weibull| {
            // Either sign has half of the probability.
            0.5 * weibull.fit.values as f64 * weibull.fraction_between(near, far)
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

    /// Bins of 4 to a factor of ten, by the step of their inner edge from 1 on.
    fn bins(counts: &[(f64, i32, u64)]) -> Vec<Bin> {
        let mut bins: Vec<Bin> = counts
            .iter()
            .map(|(sign, step, count)| {
                let edge = |step: i32| 10f64.powf(f64::from(step) / 4.0);
                let (near, far) = (sign * edge(*step), sign * edge(step + 1));
                Bin::new(near.min(far), near.max(far), *count)
            })
            .collect();
        bins.sort_by(|a, b| a.lower.total_cmp(&b.lower));
        bins
    }

    #[test]
    fn bars_hold_every_value_and_the_two_next_to_zero_at_most_a_hundredth() {
        // One value of 201 is nearer to zero than 10: the bars next to zero end there.
        let mut bins = bins(&[(-1.0, 6, 100), (-1.0, -9, 1), (1.0, 5, 60), (1.0, 8, 40)]);
        bins.insert(2, Bin::new(0.0, 0.0, 500));
        let found = LcaHistogram::new(&bins, &fits(&bins)).unwrap();
        assert!((found.linear_below - 10.0).abs() < 1e-9, "{found:?}");
        assert!(
            (found.outermost - 10f64.powf(2.25)).abs() < 1e-9,
            "{found:?}"
        );
        let counts: Vec<u64> = found.bars.iter().map(|bar| bar.count).collect();
        // From −10^2.25 in steps of a quarter of a factor of ten to −10, then to 0 and to 10.
        assert_eq!(counts, [0, 0, 100, 0, 0, 1, 0, 0, 60, 0, 0, 40]);
        // Of 701 values, of which 500 are zero.
        assert_eq!(found.bars[2].fraction, 100.0 / 701.0);
        let pairs = found.bars.windows(2);
        assert!(pairs.clone().all(|pair| pair[0].upper == pair[1].lower));
        assert_eq!(found.bars[5].upper, 0.0);
    }

    #[test]
    fn values_without_a_finite_outer_edge_are_in_the_last_bar() {
        let bins = [
            Bin::new(f64::NEG_INFINITY, -1000.0, 2),
            Bin::new(10f64.powf(0.25), 10f64.powf(0.5), 3),
        ];
        let found = LcaHistogram::new(&bins, &fits(&bins)).unwrap();
        assert_eq!((found.linear_below, found.outermost), (1.0, 1000.0));
        let ends = (
            found.bars[0].count,
            found.bars.iter().map(|bar| bar.count).sum(),
        );
        assert_eq!(ends, (2, 5));
        let zeros = [Bin::new(0.0, 0.0, 7)];
        assert_eq!(LcaHistogram::new(&zeros, &fits(&zeros)), None);
    }

    #[test]
    fn what_a_fit_expects_in_all_bars_adds_up_to_its_values() {
        let values = super::super::tests::samples::double_weibull(1.0, 1e-6, 20_000, 5);
        let bins = super::super::tests::samples::histogram(&values);
        let fits = fits(&bins);
        let found = LcaHistogram::new(&bins, &fits).unwrap();
        let weibull: f64 = found.bars.iter().filter_map(|bar| bar.double_weibull).sum();
        assert!((weibull / 20_000.0 - 1.0).abs() < 1e-3, "{weibull}");
        // Where there are many, as many as there are.
        for bar in found.bars.iter().filter(|bar| bar.count > 1_000) {
            let expected = bar.double_weibull.unwrap();
            assert!(
                (bar.count as f64 - expected).abs() < 5.0 * expected.sqrt(),
                "{bar:?}"
            );
        }
    }
}
