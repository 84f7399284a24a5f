//! How large single allocations are.

use crate::analysis::Bin;
use crate::analysis::noise::{Distribution, Source};
use crate::report::draw::{
    Axis, LegendEntry, LegendSample, Mark, Panel, PanelRow, Stroke, short, thousands,
};
use crate::report::palette::INK;

use super::options::CheckedOptions;

/// The share of values that may lie in the bars next to zero, which have no logarithm.
const NEAR_ZERO: f64 = 0.01;

/// Draws how many values lie in each bin, on a linear and on a logarithmic axis, with the fitted
/// distributions.
pub(super) fn draw(distribution: &Distribution, options: &CheckedOptions) -> String {
    let title = "How large the LCA of a parameter at a step is";
    let mut sheet = options.sheet(title, 520.0);
    sheet.notes = notes(distribution);
    let bins: Vec<Bin> = distribution
        .bins
        .iter()
        .filter(|bin| bin.lower < bin.upper)
        .copied()
        .collect();
    let Some(span) = Span::of(&bins) else {
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
    let bars = span.bars(&bins);
    let laws = laws(distribution, &span, options);
    let mean = Stroke::solid(INK, 1.4).dashed("2 2");
    let x = Axis::signed_log("LCA of a parameter at a step (loss)", span.near, span.far);
    let counts = || bars.iter().map(|bar| bar.count as f64);
    let mut linear = Axis::linear("values in a bin", counts());
    linear = Axis::exactly("values in a bin", 0.0, linear.to);
    let log = Axis::log("values in a bin", counts().chain([1.0]));
    let panel = |name: &str, x: Axis, y: Axis| {
        let floor = y.from;
        let mut panel = Panel::new(name, x, y);
        for bar in &bars {
            let (name, color) = match bar.lower < 0.0 {
                true => ("helping", options.palette.helps()),
                false => ("hurting", options.palette.hurts()),
            };
            panel.marks.push(Mark::Bar {
                name: name.into(),
                x: (bar.lower, bar.upper),
                y: (floor, bar.count as f64),
                color,
                value: bar.count as f64,
            });
        }
        panel.marks.extend(laws.iter().map(|law| law.line.clone()));
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
    sheet.legend.extend(laws.into_iter().map(|law| law.entry));
    let note = format!(
        "Bins are 4 to a factor of ten; values nearer to zero than {} have one bar a side.",
        short(span.near)
    );
    sheet.notes.push(note);
    sheet.draw()
}

/// The magnitudes that are drawn on the logarithmic part of the axis.
struct Span {
    near: f64,
    far: f64,
}

impl Span {
    /// `None` of no values.
    fn of(bins: &[Bin]) -> Option<Self> {
        let size = |bin: &Bin| {
            let (one, other) = (bin.lower.abs(), bin.upper.abs());
            (
                one.min(other),
                if one.max(other).is_finite() {
                    one.max(other)
                } else {
                    one.min(other)
                },
            )
        };
        let mut sizes: Vec<(f64, f64, u64)> = bins
            .iter()
            .filter(|bin| bin.count > 0)
            .map(|bin| (size(bin).0, size(bin).1, bin.count))
            .collect();
        sizes.sort_by(|one, other| one.0.total_cmp(&other.0));
        let far = sizes.iter().map(|(_, far, _)| *far).reduce(f64::max)?;
        let all: u64 = sizes.iter().map(|(_, _, count)| count).sum();
        let mut below = 0;
        let near = sizes.iter().find_map(|(near, _, count)| {
            below += count;
            (below as f64 > NEAR_ZERO * all as f64).then_some(*near)
        });
        // A whole power of ten, so that it is a tick.
        let power = near
            .filter(|near| *near > 0.0)
            .unwrap_or(far / 10.0)
            .log10()
            .floor();
        let near = 10f64.powf(power).min(far / 10.0);
        Some(Self { near, far })
    }

    /// Returns the bars: the bins, but one a side for what is near to zero.
    fn bars(&self, bins: &[Bin]) -> Vec<Bin> {
        let mut bars: Vec<Bin> = Vec::new();
        for bin in bins {
            let (from, to) = (bin.lower.max(-self.far), bin.upper.min(self.far));
            // Edges that are a power of ten are so but for rounding.
            let near = self.near * (1.0 - 1e-9);
            let (from, to) = match (to <= 0.0, from >= 0.0) {
                (true, _) if -from < near * 1.01 => (-self.near, 0.0),
                (_, true) if to < near * 1.01 => (0.0, self.near),
                _ => (from, to),
            };
            Bin::new(from, to, bin.count).append_to(&mut bars);
        }
        bars
    }
}

/// A fitted law as a line, and its entry in the legend.
struct DrawnLaw {
    line: Mark,
    entry: LegendEntry,
}

/// Returns the counts that the fitted laws expect in the bins, 4 to a factor of ten.
fn laws(distribution: &Distribution, span: &Span, options: &CheckedOptions) -> Vec<DrawnLaw> {
    let edges: Vec<f64> = (0..)
        .map(|step| span.near * 10f64.powf(f64::from(step) / 4.0))
        .take_while(|edge| *edge <= span.far * 1.01)
        .collect();
    let line = |share: &dyn Fn(f64, f64) -> f64, values: u64| -> Vec<(f64, f64)> {
        let right = edges.windows(2).map(|pair| (pair[0], pair[1]));
        let left = right.clone().rev().map(|(near, far)| (-far, -near));
        let point = |(from, to): (f64, f64)| {
            (
                from.signum() * (from * to).sqrt(),
                share(from, to) * values as f64,
            )
        };
        // The two sides are lines of their own.
        let gap = std::iter::once((f64::NAN, f64::NAN));
        left.map(point).chain(gap).chain(right.map(point)).collect()
    };
    let mut laws = Vec::new();
    if let Some(law) = &distribution.tail.double_weibull {
        let share = |from: f64, to: f64| {
            let (near, far) = (from.abs().min(to.abs()), from.abs().max(to.abs()));
            law.share_between(near, far) / 2.0
        };
        let stroke = Stroke::solid(options.palette.series(0), 2.0);
        laws.push(DrawnLaw {
            line: Mark::Line {
                name: "double Weibull".into(),
                points: line(&share, law.fit.values),
                stroke,
            },
            entry: LegendEntry::new(
                format!("Weibull, shape {}", short(law.shape)),
                LegendSample::Line(stroke),
            ),
        });
    }
    if let Some(law) = &distribution.tail.gaussian {
        let stroke = Stroke::solid(options.palette.series(1), 2.0).dashed("6 3");
        laws.push(DrawnLaw {
            line: Mark::Line {
                name: "Gaussian".into(),
                points: line(&|from, to| law.share_between(from, to), law.fit.values),
                stroke,
            },
            entry: LegendEntry::new("Gaussian", LegendSample::Line(stroke)),
        });
    }
    laws
}

fn notes(distribution: &Distribution) -> Vec<String> {
    let Distribution {
        helping,
        hurting,
        zero,
        not_finite,
        ..
    } = distribution;
    let all = (helping + hurting + zero).max(1) as f64;
    let percent = |count: &u64| format!("{:.1} %", 100.0 * *count as f64 / all);
    let source = match distribution.source {
        Source::Parameters => "the recorded parameters",
        Source::Histograms => "the recorded histograms",
    };
    let mut note = format!(
        "From {source}: {} of {} values help, {} hurt; exact zeros, {}, are not drawn.",
        percent(helping),
        thousands(helping + hurting + zero),
        percent(hurting),
        percent(zero)
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
