//! How many parameters help, step by step.

use crate::analysis::helping::{Helping, HelpingStep, LayerHelping};
use crate::report::draw::{Axis, LegendEntry, LegendSample, Mark, Panel, PanelRow, Stroke};
use crate::report::palette::INK;

use super::options::CheckedOptions;

const TITLE: &str = "Percent of parameters that help, by step";
/// The most layers that are drawn.
const MOST_LAYERS: usize = 12;

/// Draws the percentage of parameters that help at each step: of all, and without exact zeros.
pub(super) fn draw(helping: &Helping, options: &CheckedOptions) -> String {
    // The thin dashes lie on the wide line where hardly any LCA is exactly zero.
    let all = Stroke::solid(options.palette.series(1), 3.6).faint(0.7);
    let nonzero = Stroke::solid(options.palette.series(0), 1.8).dashed("6 3");
    let series = vec![
        Drawn {
            stroke: all,
            ..Drawn::new("of all", percent(helping, |step| step.smoothed_of_all))
        },
        Drawn {
            stroke: nonzero,
            raw: percent(helping, |step| step.counts.fraction_of_nonzero()),
            ..Drawn::new(
                "of those not zero",
                percent(helping, |step| step.smoothed_of_nonzero),
            )
        },
    ];
    panel(helping, series, Vec::new(), options)
}

/// Draws the percentage of each layer's parameters that help at each step, without exact zeros.
pub(super) fn draw_by_layer(layers: &[LayerHelping], options: &CheckedOptions) -> String {
    let shown = layers.iter().take(MOST_LAYERS);
    let series = shown.enumerate().map(|(number, layer)| {
        let percent = percent(&layer.helping, |step| step.smoothed_of_nonzero);
        Drawn {
            stroke: Stroke::series(options.palette, number),
            ..Drawn::new(&layer.layer, percent)
        }
    });
    let mut notes =
        vec!["As a percentage of each layer's parameters whose LCA is not zero.".to_owned()];
    if layers.len() > MOST_LAYERS {
        let more = layers.len() - MOST_LAYERS;
        notes.push(format!(
            "{more} more layers are not drawn; choose with --layer."
        ));
    }
    let helping = layers.iter().map(|layer| &layer.helping);
    match helping.max_by_key(|helping| helping.steps.len()) {
        Some(longest) => panel(longest, series.collect(), notes, options),
        None => options.sheet(TITLE, 380.0).draw(),
    }
}

/// A smoothed line, and the values behind it where they are drawn too.
struct Drawn {
    name: String,
    points: Vec<(f64, f64)>,
    stroke: Stroke,
    raw: Vec<(f64, f64)>,
}

impl Drawn {
    fn new(name: &str, points: Vec<(f64, f64)>) -> Self {
        Self {
            name: name.to_owned(),
            points,
            stroke: Stroke::solid(INK, 1.0),
            raw: Vec::new(),
        }
    }
}

fn percent(helping: &Helping, fraction: impl Fn(&HelpingStep) -> Option<f64>) -> Vec<(f64, f64)> {
    let percent = |step: &HelpingStep| {
        let fraction = fraction(step).unwrap_or(f64::NAN);
        (step.iteration as f64, 100.0 * fraction)
    };
    helping.steps.iter().map(percent).collect()
}

fn panel(
    helping: &Helping,
    series: Vec<Drawn>,
    notes: Vec<String>,
    options: &CheckedOptions,
) -> String {
    let mut sheet = options.sheet(TITLE, 380.0);
    sheet.notes = notes;
    let window = helping.smoothing_window;
    let mut marks = vec![Mark::Horizontal(
        50.0,
        Stroke::solid(options.palette.zero(), 1.2).dashed("2 3"),
    )];
    let mut shown = vec![50.0];
    let mut lines = Vec::new();
    for series in series {
        let stroke = series.stroke;
        shown.extend(series.points.iter().map(|(_, percent)| *percent));
        let line = Mark::Line {
            name: format!("{} smoothed", series.name),
            points: series.points,
            stroke,
        };
        sheet
            .legend
            .push(LegendEntry::new(&series.name, LegendSample::Line(stroke)));
        if !series.raw.is_empty() && window > 1 {
            let stroke = Stroke::solid(stroke.color, 0.8).faint(0.45);
            shown.extend(series.raw.iter().map(|(_, percent)| *percent));
            marks.push(Mark::Line {
                name: format!("{} raw", series.name),
                points: series.raw,
                stroke,
            });
            sheet
                .legend
                .push(LegendEntry::new("each step", LegendSample::Line(stroke)));
        }
        lines.push(line);
    }
    marks.extend(lines);
    if window > 1 {
        let note = format!(
            "Smoothed lines are means over {window} steps; at the ends, lines fitted to as many."
        );
        sheet.notes.push(note);
    }
    if !shown.iter().skip(1).any(|percent| percent.is_finite()) {
        marks.push(Mark::Message(
            "The LCA of every parameter is zero or not finite.".into(),
        ));
    }
    let x = options.iterations(helping.steps.iter().map(|step| step.iteration));
    let y = Axis::linear("parameters that help (%)", shown);
    let mut panel = Panel::new("helping", x, y);
    panel.marks = marks;
    sheet.rows = vec![PanelRow::of(panel)];
    sheet.draw()
}
