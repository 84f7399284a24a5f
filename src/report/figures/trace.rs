//! Single parameters over time.

use crate::analysis::trace::{Trace, TraceStep, Trajectory};
use crate::report::draw::{Axis, Mark, Panel, PanelRow, Stroke, TITLE_SIZE, short};
use crate::report::font;

use super::options::CheckedOptions;

/// The most parameters that are drawn.
const MOST: usize = 8;
/// LCA over more steps than this is drawn as a line, not as bars.
const MOST_BARS: usize = 1500;

/// Draws step, gradient and LCA of parameters, one row each; panels in a column share their axes.
pub(super) fn draw(trace: &Trace, options: &CheckedOptions) -> String {
    let shown = &trace.parameters[..trace.parameters.len().min(MOST)];
    let height = 100.0 + 105.0 * shown.len().max(1) as f64;
    let mut sheet = options.sheet("Step, gradient and LCA of single parameters", height);
    type Value = fn(&TraceStep) -> f32;
    let columns: [(&str, Value); 3] = [
        ("step", |step| step.step),
        ("gradient", |step| step.gradient),
        ("LCA", |step| step.lca),
    ];
    let x = options.iterations(
        shown
            .iter()
            .flat_map(|at| &at.steps)
            .map(|step| step.iteration),
    );
    let names: Vec<String> = shown
        .iter()
        .map(|at| format!("{}[{}]", at.tensor, at.index))
        .collect();
    // A column takes a third of the sheet, less its axis and the word after the name.
    let room = (options.width / 3.0 - 90.0).max(60.0);
    let headings = font::shorten_apart(names.iter().map(String::as_str), TITLE_SIZE, room);
    for (number, parameter) in shown.iter().enumerate() {
        let (label, heading) = (&names[number], &headings[number]);
        let last = number + 1 == shown.len();
        let panel = |(name, value): &(&str, Value)| {
            let all = shown.iter().flat_map(|at| &at.steps).map(value);
            let unit = if *name == "step" { "" } else { " (loss)" };
            let mut y = Axis::linear(&format!("{name}{unit}"), all.map(f64::from).chain([0.0]));
            // It stands in the column's heading.
            let title = std::mem::take(&mut y.title);
            let x = if last { x.clone() } else { x.unlabelled() };
            let mut panel = Panel::new(&format!("{label} {name}"), x, y);
            panel.marks.push(Mark::Horizontal(
                0.0,
                Stroke::solid(options.palette.zero(), 1.0),
            ));
            panel.marks.extend(marks(parameter, name, *value, options));
            panel.heading = match *name {
                "step" => format!("{heading}: {title}"),
                "LCA" => format!("{title}, Σ {}", short(parameter.lca)),
                _ => title,
            };
            panel
        };
        let panels = columns.iter().map(panel).collect();
        sheet.rows.push(PanelRow { share: 1.0, panels });
    }
    if shown.is_empty() {
        let mut panel = Panel::new(
            "empty",
            Axis::exactly("", 0.0, 1.0),
            Axis::exactly("", 0.0, 1.0),
        );
        let message = "The LCA of every parameter adds up to zero.".to_owned();
        panel.marks.push(Mark::Message(message));
        sheet.rows.push(PanelRow::of(panel));
    } else {
        let signs = if shown.iter().all(has_bars) {
            "Negative LCA (dark) helps, positive (light) hurts."
        } else {
            "LCA below zero helps, above it hurts."
        };
        let note = format!("{signs} Panels in a column share their axes.");
        sheet.notes.push(note);
    }
    if trace.parameters.len() > MOST {
        let more = trace.parameters.len() - MOST;
        sheet
            .notes
            .push(format!("{more} more parameters are not drawn."));
    }
    sheet.draw()
}

/// Whether the LCA is drawn as bars, in the colours of what helps and hurts.
fn has_bars(parameter: &Trajectory) -> bool {
    parameter.steps.len() <= MOST_BARS
}

fn marks(
    parameter: &Trajectory,
    name: &str,
    value: fn(&TraceStep) -> f32,
    options: &CheckedOptions,
) -> Vec<Mark> {
    let steps = parameter.steps.iter();
    let points = steps.map(|step| (step.iteration as f64, f64::from(value(step))));
    if name != "LCA" || !has_bars(parameter) {
        return vec![Mark::Line {
            name: name.into(),
            points: points.collect(),
            stroke: Stroke::solid(options.palette.series(0), 1.1),
        }];
    }
    let side = |name: &str, sign: f64| Mark::Band {
        name: name.into(),
        pieces: points
            .clone()
            .filter(|(_, lca)| lca * sign > 0.0)
            .map(|(iteration, lca)| (iteration - 0.5, iteration + 0.5, lca.min(0.0), lca.max(0.0)))
            .collect(),
        color: options.palette.of(sign),
    };
    vec![side("helping", -1.0), side("hurting", 1.0)]
}
