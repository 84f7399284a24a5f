//! The same curve of several runs over each other.

use crate::analysis::overlay::{Overlay, OverlayOf, OverlayPanel, RunCurve};
use crate::report::draw::{
    Axis, LegendEntry, LegendSample, Mark, Panel, PanelRow, Stroke, counted,
};

use super::largest::largest;
use super::options::CheckedOptions;

/// The most panels that are drawn: those whose curves reach furthest.
const MOST: usize = 8;

/// Draws the curves of every set of runs: single runs faint, and of several their mean in a band of
/// one standard deviation.
pub(super) fn draw(overlay: &Overlay, options: &CheckedOptions) -> String {
    let (title, unit, factor) = match overlay.of {
        OverlayOf::Helping { .. } => (
            "Percent of parameters that help, by step",
            "parameters that help (%)",
            100.0,
        ),
        OverlayOf::Cumulative => ("Cumulative LCA by layer", "cumulative LCA (loss)", 1.0),
        _ => ("Loss", "loss", 1.0),
    };
    let shown = shown(&overlay.panels);
    let heights = if shown.len() > 2 { 150.0 } else { 230.0 };
    let mut sheet = options.sheet(title, 110.0 + heights * shown.len().max(1) as f64);
    let runs = || {
        let sets = shown.iter().flat_map(|panel| &panel.sets);
        sets.flat_map(|set| &set.runs)
    };
    let iterations = || runs().flat_map(|run| run.iterations.iter().copied());
    for (number, panel) in shown.iter().enumerate() {
        let last = number + 1 == shown.len();
        let x = options.iterations(iterations());
        let x = if last { x } else { x.unlabelled() };
        let mut values: Vec<f64> = Vec::new();
        for set in &panel.sets {
            values.extend(set.runs.iter().flat_map(|run| &run.values));
            let band = set
                .mean
                .iter()
                .flat_map(|mean| mean.low.iter().chain(&mean.high));
            values.extend(band);
        }
        let values = values.into_iter().map(|value| factor * value);
        let (y, zero) = match overlay.of {
            OverlayOf::Helping { .. } => (Axis::linear(unit, values.chain([50.0])), Some(50.0)),
            OverlayOf::Cumulative => (Axis::linear(unit, values.chain([0.0])), Some(0.0)),
            _ if options.log => (Axis::log(unit, values), None),
            _ => (Axis::linear(unit, values), None),
        };
        let mut drawn = Panel::new(&panel.name, x, y);
        drawn.heading = match overlay.of {
            OverlayOf::Cumulative => panel.name.clone(),
            _ => format!("{} probe", panel.name),
        };
        let line = Stroke::solid(options.palette.zero(), 1.0);
        drawn
            .marks
            .extend(zero.map(|zero| Mark::Horizontal(zero, line)));
        drawn.marks.extend(marks(panel, factor, options));
        sheet.rows.push(PanelRow::of(drawn));
    }
    let mut sets: Vec<(usize, &str, usize)> = Vec::new();
    for set in shown.iter().flat_map(|panel| &panel.sets) {
        if !sets.iter().any(|(number, ..)| *number == set.number) {
            sets.push((set.number, &set.set, set.runs.len()));
        }
    }
    sheet.legend = sets
        .iter()
        .map(|(number, set, runs)| {
            let stroke = LegendSample::Line(Stroke::series(options.palette, *number));
            let of_runs = if *runs > 1 {
                format!(" ({})", counted(*runs as u64, "run"))
            } else {
                String::new()
            };
            LegendEntry::new(format!("{set}{of_runs}"), stroke)
        })
        .collect();
    if sets.iter().any(|(.., runs)| *runs > 1) {
        sheet.notes.push(
            "Lines are means over runs, bands reach one standard deviation to either side; faint lines \
             are single runs."
                .to_owned(),
        );
    }
    if let (OverlayOf::Cumulative, Some(probe)) = (&overlay.of, &overlay.probe) {
        sheet.notes.push(format!("LCA on the {probe} probe."));
    }
    sheet.notes.extend(overlay.cautions.iter().cloned());
    if shown.len() < overlay.panels.len() {
        let hidden = overlay.panels.len() - shown.len();
        sheet.notes.push(format!(
            "{hidden} layers that moved the loss less are not drawn; choose with --layer."
        ));
    }
    sheet.draw()
}

fn shown(panels: &[OverlayPanel]) -> Vec<&OverlayPanel> {
    let reach = |panel: &OverlayPanel| {
        let runs = panel.sets.iter().flat_map(|set| &set.runs);
        let values = runs.flat_map(|run| &run.values);
        values.fold(0.0, |most: f64, value| value.abs().max(most))
    };
    largest(panels.iter().collect(), MOST, |panel| reach(panel))
}

fn marks(panel: &OverlayPanel, factor: f64, options: &CheckedOptions) -> Vec<Mark> {
    let mut behind = Vec::new();
    let mut front = Vec::new();
    for set in &panel.sets {
        let stroke = Stroke::series(options.palette, set.number);
        let points = |run: &RunCurve| -> Vec<(f64, f64)> {
            let points = run.iterations.iter().zip(&run.values);
            points
                .map(|(at, value)| (*at as f64, factor * value))
                .collect()
        };
        let Some(mean) = &set.mean else {
            front.extend(set.runs.iter().map(|run| Mark::Line {
                name: set.set.clone(),
                points: points(run),
                stroke,
            }));
            continue;
        };
        let edges = mean.low.iter().zip(&mean.high);
        let edges = mean.iterations.iter().zip(edges);
        behind.push(Mark::Ribbon {
            name: format!("{} ± deviation", set.set),
            edges: edges
                .map(|(at, (low, high))| (*at as f64, factor * low, factor * high))
                .collect(),
            color: stroke.color,
        });
        behind.extend(set.runs.iter().enumerate().map(|(number, run)| Mark::Line {
            name: format!("{} run {number}", set.set),
            points: points(run),
            stroke: Stroke::solid(stroke.color, 0.8).faint(0.45),
        }));
        let middle = mean.iterations.iter().zip(&mean.mean);
        front.push(Mark::Line {
            name: set.set.clone(),
            points: middle
                .map(|(at, mean)| (*at as f64, factor * mean))
                .collect(),
            stroke,
        });
    }
    behind.into_iter().chain(front).collect()
}
