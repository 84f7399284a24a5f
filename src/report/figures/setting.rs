//! LCA of layers against a number that was set for each run.

use crate::analysis::setting::{Setting, SettingLayer};
use crate::report::draw::{
    Axis, LegendEntry, LegendSample, Mark, MarkShape, Panel, PanelRow, Stroke, TITLE_SIZE, counted,
    short,
};
use crate::report::font;
use crate::report::palette::INK;

use super::largest::largest;
use super::options::CheckedOptions;
use super::whisker::{stroke, whisker};

/// The most layers that are drawn: those whose line rises or falls most.
const MOST: usize = 11;
/// Half the width of a whisker's ends, in parts of the axis.
const CAP: f64 = 0.008;

/// Draws a panel for each layer, and one for all: mean and deviation at every number, every run,
/// and the straight line through the runs.
pub(super) fn draw(setting: &Setting, options: &CheckedOptions) -> String {
    let shown = shown(&setting.layers);
    let network = &setting.network;
    let layers = shown.iter().copied().chain([network]);
    let names = layers.clone().map(|layer| layer.name.as_str());
    let names = font::shorten_apart(names, TITLE_SIZE, (options.width / 8.5).max(40.0));
    let panels = layers.zip(&names);
    let panels = panels.map(|(layer, name)| panel(setting, layer, name, options));
    let panels: Vec<Panel> = panels.collect();
    let rows: Vec<Vec<Panel>> = panels.chunks(2).map(<[Panel]>::to_vec).collect();
    let mut sheet = options.sheet(
        &format!("LCA by layer against {}", setting.name),
        150.0 + 170.0 * rows.len() as f64,
    );
    sheet.rows = rows
        .into_iter()
        .map(|panels| PanelRow { share: 1.0, panels })
        .collect();
    let several = network.points.iter().any(|point| point.spread.is_some());
    let of = if several { "mean " } else { "" };
    let dot = |color| LegendSample::Dot(MarkShape::Disc, color, 3.5);
    sheet.legend = vec![
        LegendEntry::new(format!("{of}helping"), dot(options.palette.helps())),
        LegendEntry::new(format!("{of}hurting"), dot(options.palette.hurts())),
    ];
    if several {
        sheet.legend.extend([
            LegendEntry::new("± deviation", LegendSample::Line(stroke())),
            LegendEntry::new("one run", LegendSample::Dot(MarkShape::Ring, INK, 2.0)),
        ]);
    }
    if network.line.is_some() {
        let line = LegendSample::Line(Stroke::series(options.palette, 0));
        sheet.legend.push(LegendEntry::new("straight line", line));
        let unit = setting.unit();
        sheet.notes.push(format!(
            "Above each: slope of the line per {unit} ± its standard error, and p by a t-test, \
             Holm-corrected for the number of layers; that of all layers together is not."
        ));
    } else {
        let note = "A line takes runs with two numbers or more.";
        sheet.notes.push(note.to_owned());
    }
    let mut note = format!("Probe {}", setting.probe);
    if let Some(class) = setting.class {
        note.push_str(&format!(", class {class}"));
    }
    note.push_str(&format!(", {}", counted(setting.runs.len() as u64, "run")));
    match (&setting.caution, setting.runs.first()) {
        (Some(caution), _) => note.push_str(&format!(". {caution}")),
        (None, Some(first)) => {
            note.push_str(&format!(" of {}.", counted(first.run.steps, "step")));
        }
        (None, None) => {}
    }
    let not_finite: u64 = setting.runs.iter().map(|run| run.run.not_finite).sum();
    if not_finite > 0 {
        let steps = counted(not_finite, "step");
        note.push_str(&format!(
            " Left out because their LCA is not finite: {steps}."
        ));
    }
    if shown.len() < setting.layers.len() {
        let hidden = setting.layers.len() - shown.len();
        note.push_str(&format!(" {hidden} layers that change less are not drawn."));
    }
    sheet.notes.push(note);
    sheet.draw()
}

/// Returns the layers to draw, in the model's order.
fn shown(layers: &[SettingLayer]) -> Vec<&SettingLayer> {
    let change = |layer: &SettingLayer| layer.line.map_or(0.0, |line| line.slope.abs());
    largest(layers.iter().collect(), MOST, |layer| change(layer))
}

fn panel(setting: &Setting, layer: &SettingLayer, name: &str, options: &CheckedOptions) -> Panel {
    let numbers = setting.runs.iter().map(|run| run.value);
    let x = if setting.log {
        Axis::log(&setting.name, numbers)
    } else {
        Axis::linear(&setting.name, numbers)
    };
    let lines = layer.line.map(|line| {
        let ends = [layer.points.first(), layer.points.last()];
        let point = |value: f64| {
            let place = if setting.log { value.log10() } else { value };
            (value, line.at(place))
        };
        let ends = ends.into_iter().flatten();
        ends.map(|end| point(end.value))
            .collect::<Vec<(f64, f64)>>()
    });
    let spreads = layer.points.iter().filter_map(|point| point.spread);
    let heights = spreads.flatten().chain(layer.by_run.iter().copied());
    let on_line = lines.iter().flatten().map(|(_, lca)| *lca);
    let y = Axis::linear("LCA (loss)", heights.chain(on_line).chain([0.0]));
    // Where the ends of a whisker are on an axis that may be logarithmic.
    let beside = |at: f64, sign: f64| {
        if setting.log {
            at * (x.to / x.from).powf(sign * CAP)
        } else {
            at + sign * CAP * (x.to - x.from)
        }
    };
    let mut marks = vec![Mark::Horizontal(0.0, Stroke::solid(INK, 1.0))];
    if let Some(points) = lines {
        marks.push(Mark::Line {
            name: "line".into(),
            points,
            stroke: Stroke::series(options.palette, 0),
        });
    }
    let runs = setting.runs.iter().zip(&layer.by_run);
    if layer.points.iter().any(|point| point.runs > 1) {
        marks.push(Mark::Dots {
            name: "runs".into(),
            points: runs.map(|(run, lca)| (run.value, *lca)).collect(),
            shape: MarkShape::Ring,
            color: INK,
            radius: 2.0,
        });
    }
    for point in &layer.points {
        let Some(spread) = point.spread else {
            continue;
        };
        let cap = (beside(point.value, -1.0), beside(point.value, 1.0));
        marks.extend(whisker("deviation", point.value, cap, spread));
    }
    for helps in [true, false] {
        let side = layer
            .points
            .iter()
            .filter(|point| (point.lca <= 0.0) == helps);
        marks.push(Mark::Dots {
            name: if helps {
                "mean, helping"
            } else {
                "mean, hurting"
            }
            .into(),
            points: side.map(|point| (point.value, point.lca)).collect(),
            shape: MarkShape::Disc,
            color: options.palette.of(if helps { -1.0 } else { 1.0 }),
            radius: 3.5,
        });
    }
    let mut panel = Panel::new(&layer.name, x, y);
    panel.heading = heading(layer, name);
    panel.marks = marks;
    panel
}

/// Returns a layer with the slope of its line.
fn heading(layer: &SettingLayer, name: &str) -> String {
    let Some(line) = layer.line else {
        return name.to_owned();
    };
    let mut heading = format!("{name}: {}", short(line.slope));
    if let Some(test) = line.test {
        heading.push_str(&format!(" ± {}", short(test.standard_error)));
    }
    if let Some(p) = layer.p_corrected.or(layer.p()) {
        heading.push_str(&format!(", p = {}", short(p)));
    }
    heading
}
