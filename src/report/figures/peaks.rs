//! When layers learn most, and whether they do so together.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::peaks::Peaks;
use crate::analysis::{Quantity, listed};
use crate::report::draw::{
    Axis, LegendEntry, LegendSample, Mark, MarkShape, Panel, PanelRow, Stroke, counted, short,
};

use super::options::CheckedOptions;

/// Draws a dot for each peak of each layer and class over the iterations; dots are filled where
/// the peaks of several layers coincide.
pub(super) fn draw(peaks: &Peaks, options: &CheckedOptions) -> String {
    let what = match peaks.quantity {
        Quantity::Lca => "LCA",
        Quantity::Step => "the step's norm",
        Quantity::Gradient => "the gradient's norm",
    };
    let rows = PeakRows::of(peaks);
    let height = (150.0 + 7.0 * rows.count).clamp(260.0, 900.0);
    let mut sheet = options.sheet(&format!("Peaks of {what} by layer and class"), height);
    let aligned: BTreeSet<(u64, Option<i32>)> = peaks
        .moments
        .iter()
        .flat_map(|moment| {
            moment
                .classes
                .iter()
                .map(|class| (moment.iteration, class.class))
        })
        .collect();
    let (mut alone, mut together) = (Vec::new(), Vec::new());
    for series in &peaks.series {
        let Some(row) = rows.row(&series.layer, series.class) else {
            continue;
        };
        for peak in &series.peaks {
            let dots = if aligned.contains(&(peak.iteration, series.class)) {
                &mut together
            } else {
                &mut alone
            };
            dots.push((peak.iteration as f64, row));
        }
    }
    let iterations: BTreeSet<u64> = peaks
        .series
        .iter()
        .flat_map(|series| series.peaks.iter().map(|peak| peak.iteration))
        .chain([0])
        .collect();
    // Room for the dots of the last peaks.
    let last = iterations.last().copied().unwrap_or(0);
    let iterations = [0, last.saturating_add(last / 100 + 1)];
    let mut panel = Panel::new("peaks", Axis::iterations(iterations), rows.axis.clone());
    let between = Stroke::solid(options.palette.zero(), 0.8);
    panel.marks.extend(
        rows.borders
            .iter()
            .map(|border| Mark::Horizontal(*border, between)),
    );
    let moment = Stroke::solid(options.palette.helps(), 1.0).faint(0.25);
    let at = |iteration: u64| Mark::Vertical(iteration as f64, moment);
    panel
        .marks
        .extend(peaks.moments.iter().map(|moment| at(moment.iteration)));
    let dots = |name: &str, points, shape, color, radius| Mark::Dots {
        name: name.into(),
        points,
        shape,
        color,
        radius,
    };
    let (ring, disc) = (options.palette.zero(), options.palette.helps());
    panel
        .marks
        .push(dots("alone", alone, MarkShape::Ring, ring, 2.0));
    panel
        .marks
        .push(dots("aligned", together, MarkShape::Disc, disc, 2.6));
    if peaks.layers.is_empty() {
        panel
            .marks
            .push(Mark::Message("No layer has a peak.".into()));
    }
    let layers = counted(peaks.min_layers as u64, "layer");
    sheet.legend = vec![
        LegendEntry::new(
            "peak of a layer",
            LegendSample::Dot(MarkShape::Ring, ring, 2.0),
        ),
        LegendEntry::new(
            format!("in {layers} at once"),
            LegendSample::Dot(MarkShape::Disc, disc, 2.6),
        ),
    ];
    sheet.notes = notes(peaks, &rows);
    sheet.rows = vec![PanelRow {
        share: 1.0,
        panels: vec![panel],
    }];
    sheet.draw()
}

/// The rows of dots: layers from top to bottom, and classes within a layer.
struct PeakRows {
    positions: BTreeMap<(String, Option<i32>), f64>,
    borders: Vec<f64>,
    axis: Axis,
    count: f64,
    classes: Vec<Option<i32>>,
}

impl PeakRows {
    fn of(peaks: &Peaks) -> Self {
        let classes: BTreeSet<Option<i32>> =
            peaks.series.iter().map(|series| series.class).collect();
        let classes: Vec<Option<i32>> = classes.into_iter().collect();
        let mut positions = BTreeMap::new();
        let mut names = Vec::new();
        let mut borders = Vec::new();
        // A layer's rows, and half a row of space above and below them.
        let each = classes.len() as f64 + 1.0;
        for (number, layer) in peaks.layers.iter().enumerate() {
            let top = number as f64 * each;
            for (index, class) in classes.iter().enumerate() {
                positions.insert((layer.clone(), *class), top + index as f64 + 1.0);
            }
            names.push((top + each / 2.0, layer.clone()));
            borders.push(top);
        }
        let axis = Axis::names_at("", names, peaks.layers.len() as f64 * each);
        Self {
            positions,
            borders,
            count: axis.to,
            axis: axis.reversed(),
            classes,
        }
    }

    fn row(&self, layer: &str, class: Option<i32>) -> Option<f64> {
        self.positions.get(&(layer.to_owned(), class)).copied()
    }
}

fn notes(peaks: &Peaks, rows: &PeakRows) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(all) = peaks
        .alignment
        .iter()
        .find(|alignment| alignment.layers == peaks.min_layers)
    {
        notes.push(format!(
            "Peaks in {} at the same iteration, summed over classes: {}, by chance {} (p = {}, {} \
             permutations).",
            counted(all.layers as u64, "layer"),
            all.observed,
            short(all.expected),
            short(all.p),
            peaks.permutations
        ));
    }
    if let (Some(Some(first)), Some(Some(last))) = (rows.classes.first(), rows.classes.last()) {
        notes.push(format!(
            "Within a layer, one row per class, from {first} at the top to {last}."
        ));
    }
    if peaks.left_out > 0 {
        let steps = counted(peaks.left_out as u64, "step");
        notes.push(format!(
            "Left out because a value is missing or not finite: {steps}."
        ));
    }
    if !peaks.layers_without.is_empty() {
        notes.push(format!("Without peaks: {}.", listed(&peaks.layers_without)));
    }
    notes
}
