//! Where the network learned: bars by layer.

use crate::analysis::layers::{LayerSum, Layers};
use crate::report::draw::{
    Axis, LegendEntry, LegendSample, Mark, MarkShape, Panel, PanelRow, Stroke, counted,
};
use crate::report::palette::INK;

use super::largest::largest;
use super::options::CheckedOptions;
use super::whisker::{stroke, whisker};

/// The most layers that are drawn: those with the greatest |LCA|.
const MOST: usize = 40;
/// A star marks p-values below this level.
const LEVEL: f64 = 0.05;

/// Draws the LCA of every layer, summed and per parameter; for several runs the mean,
/// the standard deviation and every run.
pub(super) fn draw(layers: &Layers, options: &CheckedOptions) -> String {
    let mut sheet = options.sheet("LCA by layer, summed over the run", 480.0);
    let all: Vec<&LayerSum> = layers.layers.iter().collect();
    let shown = largest(all, MOST, |layer| layer.lca.abs());
    let name = |layer: &&LayerSum| {
        let p = layer.significance.map(|found| found.p_t_corrected);
        let star = if p.is_some_and(|p| p < LEVEL) {
            " *"
        } else {
            ""
        };
        format!("{}{star}", layer.name)
    };
    let names = Axis::names("", shown.iter().map(name));
    let each: Vec<LayerSum> = shown.iter().map(|layer| layer.per_parameter()).collect();
    let each: Vec<&LayerSum> = each.iter().collect();
    sheet.rows = vec![
        PanelRow::of(panel(
            "sum",
            "LCA (loss)",
            names.unlabelled(),
            &shown,
            options,
        )),
        PanelRow::of(panel(
            "per parameter",
            "LCA per parameter (loss)",
            names,
            &each,
            options,
        )),
    ];
    sheet.legend = vec![
        LegendEntry::new("helps", LegendSample::Box(options.palette.helps())),
        LegendEntry::new("hurts", LegendSample::Box(options.palette.hurts())),
    ];
    let runs = layers.runs.len();
    let whisker = |name| LegendEntry::new(name, LegendSample::Line(stroke()));
    if runs == 1 && shown.iter().any(|layer| layer.sampled_interval.is_some()) {
        sheet.legend.push(whisker("95 % interval"));
        sheet.notes.push(
            "Of samples: all examples are within the intervals with 95 % confidence.".to_owned(),
        );
    }
    if runs > 1 {
        sheet.legend.push(whisker("± deviation"));
        sheet.legend.push(LegendEntry::new(
            "one run",
            LegendSample::Dot(MarkShape::Ring, INK, 2.5),
        ));
        sheet.notes.push(format!(
            "Means over {runs} runs, with the standard deviation over runs. * differs from zero \
             (p < {LEVEL}, t-test, Holm-corrected for the number of layers)."
        ));
    }
    let mut note = format!("Probe {}", layers.probe);
    if let Some(class) = layers.class {
        note.push_str(&format!(", class {class}"));
    }
    match (&layers.caution, layers.runs.first()) {
        (Some(caution), _) => note.push_str(&format!(". {caution}")),
        (None, Some(run)) => note.push_str(&format!(", {}.", counted(run.steps, "step"))),
        (None, None) => {}
    }
    let not_finite: u64 = layers.runs.iter().map(|run| run.not_finite).sum();
    if not_finite > 0 {
        note.push_str(&format!(
            " Left out because their LCA is not finite: {}.",
            counted(not_finite, "step")
        ));
    }
    if shown.len() < layers.layers.len() {
        let hidden = layers.layers.len() - shown.len();
        note.push_str(&format!(
            " {hidden} layers with smaller |LCA| are not drawn."
        ));
    }
    sheet.notes.push(note);
    sheet.draw()
}

fn panel(
    name: &str,
    title: &str,
    x: Axis,
    layers: &[&LayerSum],
    options: &CheckedOptions,
) -> Panel {
    let mut marks = vec![Mark::Horizontal(0.0, Stroke::solid(INK, 1.0))];
    let mut reach = vec![0.0];
    for (index, layer) in layers.iter().enumerate() {
        let (value, runs) = (layer.lca, &layer.by_run);
        let middle = index as f64 + 0.5;
        marks.push(Mark::Bar {
            name: layer.name.clone(),
            x: (middle - 0.36, middle + 0.36),
            y: (0.0, value),
            color: options.palette.of(value),
            value,
        });
        reach.push(value);
        // Over several runs the deviation has the noise of sampling in it.
        let interval = layer.sampled_interval.map(|ends| (ends, "interval"));
        let range = layer.spread.map(|ends| (ends, "deviation")).or(interval);
        if let Some(([low, high], kind)) = range {
            reach.extend([low, high]);
            let (name, cap) = (
                format!("{} {kind}", layer.name),
                (middle - 0.07, middle + 0.07),
            );
            marks.extend(whisker(&name, middle, cap, [low, high]));
        }
        if layer.spread.is_some() {
            reach.extend(runs);
            let beside = |(_, lca): (usize, &f64)| (middle + 0.2, *lca);
            marks.push(Mark::Dots {
                name: format!("{} runs", layer.name),
                points: runs.iter().enumerate().map(beside).collect(),
                shape: MarkShape::Ring,
                color: INK,
                radius: 2.5,
            });
        }
    }
    let mut panel = Panel::new(name, x, Axis::linear(title, reach));
    panel.marks = marks;
    panel
}
