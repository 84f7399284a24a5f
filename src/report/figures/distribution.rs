//! How large single allocations are.

use crate::analysis::HelpingCounts;
use crate::analysis::distribution::{
    Distribution, HistogramBar, LcaHistogram, LinearBar, ValueSource,
};
use crate::report::draw::{
    Axis, LegendEntry, LegendSample, Mark, Panel, PanelRow, Stroke, short, thousands,
};
use crate::report::palette::INK;

use super::options::CheckedOptions;

/// Draws how many values lie in each bin, on a linear and on a logarithmic axis, with the fitted
/// distributions.
pub(super) fn draw(distribution: &Distribution, options: &CheckedOptions) -> String {
    let title = "How large the LCA of a parameter at a step is";
    let mut sheet = options.sheet(title, 520.0);
    sheet.notes = notes(distribution);
    let Some(histogram) = &distribution.histogram else {
        let axis = Axis::exactly("LCA of a parameter at a step (loss)", -1.0, 1.0);
        let mut panel = Panel::new("empty", axis, Axis::exactly("values", 0.0, 1.0));
        let message = "There is no finite value other than zero.".to_owned();
        panel.marks.push(Mark::Message(message));
        sheet.rows = vec![PanelRow {
            share: 1.0,
            panels: vec![panel],
        }];
        return sheet.draw();
    };
    let bars = histogram.bars.iter().filter(|bar| bar.count > 0);
    let bars: Vec<&HistogramBar> = bars.collect();
    let fits = fits(distribution, histogram, options);
    let mean = Stroke::solid(INK, 1.4).dashed("2 2");
    let x = Axis::signed_log(
        "LCA of a parameter at a step (loss)",
        histogram.linear_below,
        histogram.outermost,
    );
    let counts = || bars.iter().map(|bar| bar.count as f64);
    let mut linear = Axis::linear("values in a bin", counts());
    linear = Axis::exactly("values in a bin", 0.0, linear.to);
    let log = Axis::log("values in a bin", counts().chain([1.0]));
    let panel = |name: &str, x: Axis, y: Axis| {
        let floor = y.from;
        let mut panel = Panel::new(name, x, y);
        for bar in &bars {
            let (name, color) = if bar.lower < 0.0 {
                ("helping", options.palette.helps())
            } else {
                ("hurting", options.palette.hurts())
            };
            panel.marks.push(Mark::Bar {
                name: name.into(),
                x: (bar.lower, bar.upper),
                y: (floor, bar.count as f64),
                color,
                value: bar.count as f64,
            });
        }
        panel.marks.extend(fits.iter().map(|fit| fit.line.clone()));
        if let Some(value) = distribution.mean {
            panel.marks.push(Mark::Vertical(value, mean));
        }
        panel
    };
    sheet.rows = vec![
        PanelRow {
            share: 1.0,
            panels: vec![panel("linear", x.unlabelled(), linear)],
        },
        PanelRow {
            share: 1.0,
            panels: vec![panel("log", x, log)],
        },
    ];
    sheet.legend = vec![
        LegendEntry::new("helping", LegendSample::Box(options.palette.helps())),
        LegendEntry::new("hurting", LegendSample::Box(options.palette.hurts())),
    ];
    if distribution.mean.is_some() {
        sheet
            .legend
            .push(LegendEntry::new("mean", LegendSample::Line(mean)));
    }
    sheet.legend.extend(fits.into_iter().map(|fit| fit.entry));
    let note = format!(
        "Bins are 4 to a factor of ten; values nearer to zero than {} have one bar a side.",
        short(histogram.linear_below)
    );
    sheet.notes.push(note);
    sheet.draw()
}

/// Draws how many values lie in bars of equal width around the mean, on a linear and on a logarithmic
/// axis of counts: there a Gaussian is a parabola.
pub(super) fn draw_around_mean(distribution: &Distribution, options: &CheckedOptions) -> String {
    const X: &str = "LCA of a parameter at a step (loss)";
    let mut sheet = options.sheet("The LCA of a parameter at a step, near the mean", 520.0);
    sheet.notes = notes(distribution);
    let Some(histogram) = &distribution.around_mean else {
        let mut panel = Panel::new(
            "empty",
            Axis::exactly(X, -1.0, 1.0),
            Axis::exactly("values", 0.0, 1.0),
        );
        let message = "There is no finite value other than zero.".to_owned();
        panel.marks.push(Mark::Message(message));
        sheet.rows = vec![PanelRow {
            share: 1.0,
            panels: vec![panel],
        }];
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
    let mean = Stroke::solid(INK, 1.4).dashed("2 2");
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
    let panel = |name: &str, x: Axis, y: Axis| {
        let floor = y.from;
        let mut panel = Panel::new(name, x, y);
        for bar in bars.iter().filter(|bar| bar.count > 0.0) {
            let (name, color) = if bar.upper <= 0.0 {
                ("helping", options.palette.helps())
            } else if bar.lower >= 0.0 {
                ("hurting", options.palette.hurts())
            } else {
                ("both", options.palette.zero())
            };
            panel.marks.push(Mark::Bar {
                name: name.into(),
                x: (bar.lower, bar.upper),
                y: (floor, bar.count),
                color,
                value: bar.count,
            });
        }
        panel.marks.extend(fits.iter().map(|fit| fit.line.clone()));
        panel
            .marks
            .extend(distribution.mean.map(|value| Mark::Vertical(value, mean)));
        panel
    };
    sheet.rows = vec![
        PanelRow {
            share: 1.0,
            panels: vec![panel("linear", x.unlabelled(), linear)],
        },
        PanelRow {
            share: 1.0,
            panels: vec![panel("log", x, log)],
        },
    ];
    sheet.legend = vec![
        LegendEntry::new("helping", LegendSample::Box(options.palette.helps())),
        LegendEntry::new("hurting", LegendSample::Box(options.palette.hurts())),
        LegendEntry::new("both", LegendSample::Box(options.palette.zero())),
        LegendEntry::new("mean", LegendSample::Line(mean)),
    ];
    sheet.legend.extend(fits.into_iter().map(|fit| fit.entry));
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
