//! The layers of several sets of runs side by side.

use crate::analysis::layers::LayerSum;
use crate::analysis::sets::SetLayers;
use crate::report::draw::{
    Axis, LegendEntry, LegendSample, Mark, MarkShape, Panel, PanelRow, Stroke, counted,
};
use crate::report::palette::INK;

use super::largest::largest;
use super::options::CheckedOptions;
use super::whisker::{stroke, whisker};

/// The most bars that are drawn: those of the layers with the greatest |LCA|.
const MOST: usize = 60;
/// The part of a layer's place that its bars take.
const FILLED: f64 = 0.8;
/// A star marks p-values below this level.
const LEVEL: f64 = 0.05;

/// Draws the LCA of every layer, a bar for each set; for several runs the mean, the standard
/// deviation and every run.
pub(super) fn draw(sets: &[SetLayers], options: &CheckedOptions) -> String {
    let mut sheet = options.sheet("LCA by layer and set of runs", 400.0);
    let names = names(sets);
    let shown = shown(sets, &names);
    let differs = |name: &&str| {
        sets.iter().any(|set| {
            let layers = set.layers.layers.iter().zip(&set.differences);
            let mut own = layers.filter(|(layer, _)| layer.name == **name);
            own.any(|(_, difference)| {
                let test = difference.and_then(|difference| difference.test);
                test.is_some_and(|test| test.p_corrected < LEVEL)
            })
        })
    };
    let labels = shown.iter().map(|name| {
        let star = if differs(name) { " *" } else { "" };
        format!("{name}{star}")
    });
    let x = Axis::names("", labels);
    let mut reach = vec![0.0];
    let mut marks = vec![Mark::Horizontal(0.0, Stroke::solid(INK, 1.0))];
    let width = FILLED / sets.len().max(1) as f64;
    for (place, name) in shown.iter().enumerate() {
        for (number, set) in sets.iter().enumerate() {
            let mut layers = set.layers.layers.iter();
            let Some(layer) = layers.find(|layer| layer.name == **name) else {
                continue;
            };
            let left = place as f64 + (1.0 - FILLED) / 2.0 + width * number as f64;
            reach.push(layer.lca);
            reach.extend(layer.spread.into_iter().flatten());
            reach.extend(&layer.by_run);
            marks.extend(bar(set, layer, (left, left + width), number, options));
        }
    }
    let mut panel = Panel::new("sets", x, Axis::linear("LCA (loss)", reach));
    panel.marks = marks;
    sheet.rows = vec![PanelRow::of(panel)];
    let entry = |(number, set): (usize, &SetLayers)| {
        let color = options.palette.series(number);
        LegendEntry::new(&set.set, LegendSample::Box(color))
    };
    sheet.legend = sets.iter().enumerate().map(entry).collect();
    if sets.iter().any(|set| set.layers.runs.len() > 1) {
        let whisker = LegendSample::Line(stroke());
        let run = LegendSample::Dot(MarkShape::Ring, INK, 2.0);
        sheet.legend.extend([
            LegendEntry::new("± deviation", whisker),
            LegendEntry::new("one run", run),
        ]);
    }
    if let Some(first) = sets.first() {
        let runs = sets.iter().map(|set| {
            let runs = counted(set.layers.runs.len() as u64, "run");
            format!("{} {runs}", set.set)
        });
        let runs: Vec<String> = runs.collect();
        let class = first.layers.class;
        let class = class.map_or_else(String::new, |class| format!(", class {class}"));
        sheet.notes.push(format!(
            "Below zero helps, above it hurts. Probe {}{class}: {}.",
            first.layers.probe,
            runs.join(", ")
        ));
        let differences = sets.iter().flat_map(|set| set.differences.iter().flatten());
        if differences.clone().any(|it| it.test.is_some()) {
            sheet.notes.push(format!(
                "* differs from {} in a set (p < {LEVEL}, Welch's t-test, Holm-corrected for the number \
                 of layers).",
                first.set
            ));
        } else if sets.len() > 1 {
            sheet
                .notes
                .push("Whether sets differ by more than chance takes several runs of each.".into());
        }
    }
    let cautions = sets.iter().filter_map(|set| {
        let caution = set.layers.caution.as_ref()?;
        Some(format!("{}: {caution}", set.set))
    });
    sheet.notes.extend(cautions);
    if shown.len() < names.len() {
        let hidden = names.len() - shown.len();
        let note = format!("{hidden} layers with smaller |LCA| are not drawn.");
        sheet.notes.push(note);
    }
    sheet.draw()
}

/// Returns the names of the layers of all sets, those of the first set first.
fn names(sets: &[SetLayers]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for layer in sets.iter().flat_map(|set| &set.layers.layers) {
        if !names.contains(&layer.name.as_str()) {
            names.push(&layer.name);
        }
    }
    names
}

/// Returns the layers to draw.
fn shown<'a>(sets: &[SetLayers], names: &[&'a str]) -> Vec<&'a str> {
    let most = (MOST / sets.len().max(1)).max(1);
    let size = |name: &&str| {
        let layers = sets.iter().flat_map(|set| &set.layers.layers);
        let own = layers.filter(|layer| layer.name == *name);
        own.map(|layer| layer.lca.abs()).fold(0.0, f64::max)
    };
    largest(names.to_vec(), most, size)
}

/// Returns a bar with its whisker and runs.
fn bar(
    set: &SetLayers,
    layer: &LayerSum,
    (left, right): (f64, f64),
    number: usize,
    options: &CheckedOptions,
) -> Vec<Mark> {
    let name = format!("{} {}", set.set, layer.name);
    let middle = (left + right) / 2.0;
    let mut marks = vec![Mark::Bar {
        name: name.clone(),
        x: (left, right),
        y: (0.0, layer.lca),
        color: options.palette.series(number),
        value: layer.lca,
    }];
    if let Some(spread) = layer.spread {
        let cap = (left + (right - left) * 0.35, right - (right - left) * 0.35);
        marks.extend(whisker(&format!("{name} deviation"), middle, cap, spread));
        let beside = middle + (right - left) * 0.25;
        marks.push(Mark::Dots {
            name: format!("{name} runs"),
            points: layer.by_run.iter().map(|lca| (beside, *lca)).collect(),
            shape: MarkShape::Ring,
            color: INK,
            radius: 2.0,
        });
    }
    marks
}
