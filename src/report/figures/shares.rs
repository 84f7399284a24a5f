//! Histograms of several runs over each other.

use crate::analysis::shares::{SetShares, Shares, SharesOf};
use crate::report::draw::{
    Axis, LegendEntry, LegendSample, Mark, Panel, PanelRow, Stroke, counted,
};
use crate::report::palette::INK;

use super::distribution::{X, bins_said};
use super::options::CheckedOptions;

/// Draws the histogram of every set of runs as an outline: single runs faint, and of several their
/// mean in a band of one standard deviation.
pub(super) fn draw(shares: &Shares, options: &CheckedOptions) -> String {
    let (title, unit, factor) = match shares.of {
        SharesOf::Helping => (
            "How often each parameter helps",
            "steps at which a parameter helps (%)",
            100.0,
        ),
        _ => ("How large the LCA of a parameter at a step is", X, 1.0),
    };
    let edges: Vec<f64> = shares.edges.iter().map(|edge| factor * edge).collect();
    let x = match (shares.linear_below, edges.last()) {
        (Some(linear_below), Some(outermost)) => Axis::signed_log(unit, linear_below, *outermost),
        _ => Axis::exactly(unit, 0.0, 100.0),
    };
    let y = |is_log: bool| {
        let label = match shares.of {
            SharesOf::Helping => "parameters (%)",
            _ => "values (%)",
        };
        let tops = tops(shares);
        if is_log {
            Axis::log(label, tops)
        } else {
            Axis::exactly(label, 0.0, Axis::linear("", tops).to)
        }
    };
    let panel = |name: &str, x: Axis, is_log: bool| {
        let y = y(is_log);
        let floor = y.from;
        let mut panel = Panel::new(name, x, y);
        panel.marks = if shares.sets.iter().all(|set| set.runs.is_empty()) {
            vec![Mark::Message("No run has anything to count.".into())]
        } else {
            marks(shares, &edges, floor, options)
        };
        PanelRow::of(panel)
    };
    let is_lca = shares.of == SharesOf::Lca;
    let mut sheet = options.sheet(title, if is_lca { 520.0 } else { 400.0 });
    sheet.rows = if is_lca {
        vec![
            panel("linear", x.clone().unlabelled(), false),
            panel("log", x, true),
        ]
    } else {
        vec![panel("heroes", x, options.log)]
    };
    sheet.legend = legend(shares, options);
    sheet.notes = notes(shares);
    sheet.draw()
}

/// Returns the heights that the axis has to reach.
fn tops(shares: &Shares) -> Vec<f64> {
    let runs = shares.sets.iter().flat_map(|set| &set.runs);
    let mut tops: Vec<f64> = runs.flat_map(|run| run.shares.iter().copied()).collect();
    for set in &shares.sets {
        tops.extend(set.mean.iter().flat_map(|mean| mean.high.iter().copied()));
        tops.extend(set.by_chance.iter().flatten());
    }
    tops.into_iter().map(|top| 100.0 * top).collect()
}

/// Returns the outlines; what is below the floor of the axis is drawn there.
fn marks(shares: &Shares, edges: &[f64], floor: f64, options: &CheckedOptions) -> Vec<Mark> {
    let (mut behind, mut front) = (Vec::new(), Vec::new());
    let stairs = |shares: &[f64]| -> Vec<(f64, f64)> {
        let bars = edges.windows(2).zip(shares);
        bars.flat_map(|(ends, share)| {
            let height = (100.0 * share).max(floor);
            [(ends[0], height), (ends[1], height)]
        })
        .collect()
    };
    for (number, set) in shares.sets.iter().enumerate() {
        let stroke = Stroke::series(options.palette, number);
        let line = |name: String, values: &[f64], stroke| Mark::Line {
            name,
            points: stairs(values),
            stroke,
        };
        if let Some(chance) = &set.by_chance {
            let stroke = Stroke::solid(stroke.color, 1.0).dashed("3 3");
            behind.push(line(format!("{} by chance", set.set), chance, stroke));
        }
        let Some(mean) = &set.mean else {
            front.extend(
                set.runs
                    .iter()
                    .map(|run| line(set.set.clone(), &run.shares, stroke)),
            );
            continue;
        };
        let (low, high) = (stairs(&mean.low), stairs(&mean.high));
        behind.push(Mark::Ribbon {
            name: format!("{} ± deviation", set.set),
            edges: low
                .iter()
                .zip(high)
                .map(|((x, low), (_, high))| (*x, *low, high))
                .collect(),
            color: stroke.color,
        });
        let faint = Stroke::solid(stroke.color, 0.8).faint(0.45);
        behind.extend(
            set.runs
                .iter()
                .enumerate()
                .map(|(number, run)| line(format!("{} run {number}", set.set), &run.shares, faint)),
        );
        front.push(line(set.set.clone(), &mean.mean, stroke));
    }
    behind.into_iter().chain(front).collect()
}

fn legend(shares: &Shares, options: &CheckedOptions) -> Vec<LegendEntry> {
    let entry = |(number, set): (usize, &SetShares)| {
        let runs = match set.runs.len() {
            0 | 1 => String::new(),
            many => format!(" ({})", counted(many as u64, "run")),
        };
        let stroke = Stroke::series(options.palette, number);
        LegendEntry::new(format!("{}{runs}", set.set), LegendSample::Line(stroke))
    };
    let mut legend: Vec<LegendEntry> = shares.sets.iter().enumerate().map(entry).collect();
    if shares.sets.iter().any(|set| set.by_chance.is_some()) {
        let stroke = Stroke::solid(INK, 1.0).dashed("3 3");
        legend.push(LegendEntry::new(
            "expected by chance",
            LegendSample::Line(stroke),
        ));
    }
    legend
}

fn notes(shares: &Shares) -> Vec<String> {
    let mut notes = vec![match shares.of {
        SharesOf::Helping => "In percent of the parameters whose LCA is ever other than zero, of \
                              each run."
            .to_owned(),
        _ => format!(
            "In percent of all values of each run; exact zeros are not drawn. {}",
            bins_said(shares.linear_below.unwrap_or(0.0))
        ),
    }];
    if shares.sets.iter().any(|set| set.mean.is_some()) {
        let text = "Lines are means over runs, bands reach one standard deviation to either side; \
                    faint lines are single runs.";
        notes.push(text.to_owned());
    }
    notes.extend(shares.cautions.iter().cloned());
    notes
}
