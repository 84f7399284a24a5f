//! How large single allocations are.

use crate::analysis::HelpingCounts;
use crate::analysis::distribution::{
    Distribution, HistogramBar, LcaHistogram, LinearBar, ValueSource,
};
use crate::analysis::thousands;
use crate::report::draw::{Axis, LegendEntry, LegendSample, Mark, Panel, PanelRow, Stroke, short};
use crate::report::palette::INK;

use super::options::CheckedOptions;

/// What the axis of values is of.
pub(super) const X: &str = "LCA of a parameter at a step (loss)";

/// Says how wide bins are, where those next to zero end at `linear_below`.
pub(super) fn bins_said(linear_below: f64) -> String {
    format!(
        "Bins are 4 to a factor of ten; values nearer to zero than {} have one bar a side.",
        short(linear_below)
    )
}

/// Draws how many values lie in each bin, on a linear and on a logarithmic axis, with the fitted
/// distributions.
pub(super) fn draw(distribution: &Distribution, options: &CheckedOptions) -> String {
    let title = "How large the LCA of a parameter at a step is";
    let mut sheet = options.sheet(title, 520.0);
    sheet.notes = notes(distribution);
    let Some(histogram) = &distribution.histogram else {
        sheet.rows = vec![PanelRow::of(empty())];
        return sheet.draw();
    };
    let bars = histogram.bars.iter().filter(|bar| bar.count > 0);
    let bars: Vec<&HistogramBar> = bars.collect();
    let fits = fits(distribution, histogram, options);
    let x = Axis::signed_log(X, histogram.linear_below, histogram.outermost);
    let counts = || bars.iter().map(|bar| bar.count as f64);
    let mut linear = Axis::linear("values in a bin", counts());
    linear = Axis::exactly("values in a bin", 0.0, linear.to);
    let log = Axis::log("values in a bin", counts().chain([1.0]));
    let drawn = bars.iter().map(|bar| {
        let side = if bar.lower < 0.0 { HELPING } else { HURTING };
        (side, (bar.lower, bar.upper), bar.count as f64)
    });
    let panel = |name, x, y| panel(name, [x, y], drawn.clone(), &fits, distribution, options);
    sheet.rows = vec![
        PanelRow::of(panel("linear", x.unlabelled(), linear)),
        PanelRow::of(panel("log", x, log)),
    ];
    sheet.legend = legend(&[HELPING, HURTING], fits, distribution, options);
    sheet.notes.push(bins_said(histogram.linear_below));
    sheet.draw()
}

/// Draws how many values lie in bars of equal width around the mean, on a linear and on a logarithmic
/// axis of counts: there a Gaussian is a parabola.
pub(super) fn draw_around_mean(distribution: &Distribution, options: &CheckedOptions) -> String {
    let mut sheet = options.sheet("The LCA of a parameter at a step, near the mean", 520.0);
    sheet.notes = notes(distribution);
    let Some(histogram) = &distribution.around_mean else {
        sheet.rows = vec![PanelRow::of(empty())];
        return sheet.draw();
    };
    let bars = &histogram.bars;
    let ends = bars.first().zip(bars.last());
    let (from, to) = ends.map_or((-1.0, 1.0), |(first, last)| (first.lower, last.upper));
    let x = Axis::exactly(X, from, to);
    let counts = || bars.iter().map(|bar| bar.count);
    let linear = Axis::linear("values in a bar", counts());
    let linear = Axis::exactly("values in a bar", 0.0, linear.to);
    let log = Axis::log(
        "values in a bar",
        counts().filter(|count| *count >= 1.0).chain([1.0]),
    );
    let fit = |name: &str, stroke, expected: fn(&LinearBar) -> Option<f64>| {
        let points = bars.iter().map(|bar| {
            let middle = (bar.lower + bar.upper) / 2.0;
            (middle, expected(bar).unwrap_or(f64::NAN))
        });
        DrawnFit {
            line: Mark::Line {
                name: name.into(),
                points: points.collect(),
                stroke,
            },
            entry: LegendEntry::new(name, LegendSample::Line(stroke)),
        }
    };
    let mut fits = Vec::new();
    if distribution.fits.double_weibull.is_some() {
        let stroke = Stroke::solid(options.palette.series(0), 2.0);
        fits.push(fit("double Weibull", stroke, |bar| bar.double_weibull));
    }
    if distribution.fits.gaussian.is_some() {
        let stroke = Stroke::solid(options.palette.series(1), 2.0).dashed("6 3");
        fits.push(fit("Gaussian", stroke, |bar| bar.gaussian));
    }
    let shown = bars.iter().filter(|bar| bar.count > 0.0);
    let drawn = shown.map(|bar| {
        let side = if bar.upper <= 0.0 {
            HELPING
        } else if bar.lower >= 0.0 {
            HURTING
        } else {
            BOTH
        };
        (side, (bar.lower, bar.upper), bar.count)
    });
    let panel = |name, x, y| panel(name, [x, y], drawn.clone(), &fits, distribution, options);
    sheet.rows = vec![
        PanelRow::of(panel("linear", x.unlabelled(), linear)),
        PanelRow::of(panel("log", x, log)),
    ];
    sheet.legend = legend(&[HELPING, HURTING, BOTH], fits, distribution, options);
    let mut note = format!(
        "{} values further from the mean are not drawn.",
        thousands(histogram.beyond.round() as u64)
    );
    if histogram.spread {
        note.push_str(
            " Values are known to a bin of a histogram only, and are spread evenly over it.",
        );
    }
    sheet.notes.push(note);
    sheet.draw()
}

/// What the parameters in a bar do: its name, and the sign of their LCA.
type Side = (&'static str, f64);

const HELPING: Side = ("helping", -1.0);
const HURTING: Side = ("hurting", 1.0);
const BOTH: Side = ("both", 0.0);

fn mean_line() -> Stroke {
    Stroke::solid(INK, 1.4).dashed("2 2")
}

/// Returns bars, each with its edges and count, under the fitted distributions and the mean.
fn panel(
    name: &str,
    [x, y]: [Axis; 2],
    bars: impl Iterator<Item = (Side, (f64, f64), f64)>,
    fits: &[DrawnFit],
    distribution: &Distribution,
    options: &CheckedOptions,
) -> Panel {
    let floor = y.from;
    let mut panel = Panel::new(name, x, y);
    panel
        .marks
        .extend(bars.map(|((name, sign), edges, count)| Mark::Bar {
            name: name.into(),
            x: edges,
            y: (floor, count),
            color: options.palette.of(sign),
            value: count,
        }));
    panel.marks.extend(fits.iter().map(|fit| fit.line.clone()));
    let mean = distribution.mean;
    panel
        .marks
        .extend(mean.map(|mean| Mark::Vertical(mean, mean_line())));
    panel
}

fn empty() -> Panel {
    let axis = Axis::exactly(X, -1.0, 1.0);
    let mut panel = Panel::new("empty", axis, Axis::exactly("values", 0.0, 1.0));
    let message = "There is no finite value other than zero.".to_owned();
    panel.marks.push(Mark::Message(message));
    panel
}

fn legend(
    sides: &[Side],
    fits: Vec<DrawnFit>,
    distribution: &Distribution,
    options: &CheckedOptions,
) -> Vec<LegendEntry> {
    let side =
        |(name, sign): &Side| LegendEntry::new(*name, LegendSample::Box(options.palette.of(*sign)));
    let mean = distribution.mean;
    let mean = mean.map(|_| LegendEntry::new("mean", LegendSample::Line(mean_line())));
    let fits = fits.into_iter().map(|fit| fit.entry);
    sides.iter().map(side).chain(mean).chain(fits).collect()
}

/// A fitted distribution as a line, and its entry in the legend.
struct DrawnFit {
    line: Mark,
    entry: LegendEntry,
}

/// Returns the counts that the fits expect in the bars, but for those next to zero.
fn fits(
    distribution: &Distribution,
    histogram: &LcaHistogram,
    options: &CheckedOptions,
) -> Vec<DrawnFit> {
    let line = |expected: fn(&HistogramBar) -> Option<f64>| -> Vec<(f64, f64)> {
        let point = |bar: &HistogramBar| {
            // The two sides are lines of their own.
            let beside_zero = bar.lower == 0.0 || bar.upper == 0.0;
            let expected = expected(bar).filter(|_| !beside_zero);
            let middle = bar.lower.signum() * (bar.lower * bar.upper).sqrt();
            expected.map_or((f64::NAN, f64::NAN), |expected| (middle, expected))
        };
        histogram.bars.iter().map(point).collect()
    };
    let mut fits = Vec::new();
    if let Some(fit) = &distribution.fits.double_weibull {
        let stroke = Stroke::solid(options.palette.series(0), 2.0);
        fits.push(DrawnFit {
            line: Mark::Line {
                name: "double Weibull".into(),
                points: line(|bar| bar.double_weibull),
                stroke,
            },
            entry: LegendEntry::new(
                format!("Weibull, shape {}", short(fit.shape)),
                LegendSample::Line(stroke),
            ),
        });
    }
    if distribution.fits.gaussian.is_some() {
        let stroke = Stroke::solid(options.palette.series(1), 2.0).dashed("6 3");
        fits.push(DrawnFit {
            line: Mark::Line {
                name: "Gaussian".into(),
                points: line(|bar| bar.gaussian),
                stroke,
            },
            entry: LegendEntry::new("Gaussian", LegendSample::Line(stroke)),
        });
    }
    fits
}

fn notes(distribution: &Distribution) -> Vec<String> {
    let Distribution {
        counts, not_finite, ..
    } = distribution;
    let HelpingCounts {
        helping,
        hurting,
        zero,
    } = counts;
    let source = match distribution.source {
        ValueSource::Histograms => "the recorded histograms",
        ValueSource::Parameters => "the recorded parameters",
        ValueSource::ChosenParameters => "the parameters chosen to be recorded",
    };
    let mut note = format!(
        "From {source}: {} values help, {} hurt; {} exact zeros are not drawn.",
        thousands(*helping),
        thousands(*hurting),
        thousands(*zero)
    );
    if let Some(mean) = distribution.mean {
        note.push_str(&format!(" The mean, with zeros, is {}.", short(mean)));
    }
    let mut notes = vec![note];
    if *not_finite > 0 {
        notes.push(format!(
            "{} values that are not finite are left out.",
            thousands(*not_finite)
        ));
    }
    notes
}
