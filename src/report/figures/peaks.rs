//! When layers learn most, and whether they do so together.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::peaks::Peaks;
use crate::analysis::thousands;
use crate::analysis::{Quantity, listed};
use crate::report::draw::{
    Axis, LegendEntry, LegendSample, Mark, MarkShape, Panel, PanelRow, Stroke, counted, short,
};

use super::options::CheckedOptions;

/// Draws a dot for each peak over the iterations: classes from top to bottom, and within a class the
/// layers. Where the peaks of several layers coincide they are filled and joined by a line.
pub(super) fn draw(peaks: &Peaks, options: &CheckedOptions) -> String {
    let what = match peaks.quantity {
        Quantity::Lca => "LCA",
        Quantity::Step => "the step's norm",
        Quantity::Gradient => "the gradient's norm",
    };
    let rows = PeakRows::of(peaks);
    let height = (150.0 + 9.0 * rows.count).clamp(260.0, 900.0);
    let mut sheet = options.sheet(&format!("Peaks of {what} by class and layer"), height);
    let moments = peaks.moments.iter().flat_map(|moment| {
        let classes = moment.classes.iter();
        classes.map(|class| (moment.iteration, class.class))
    });
    let aligned: BTreeSet<(u64, Option<i32>)> = moments.collect();
    let (mut alone, mut together) = (Vec::new(), Vec::new());
    // The first and the last row of those that coincide.
    let mut ends: BTreeMap<(u64, Option<i32>), (f64, f64)> = BTreeMap::new();
    for series in &peaks.series {
        let Some(row) = rows.row(&series.layer, series.class) else {
            continue;
        };
        for peak in &series.peaks {
            let place = (peak.iteration, series.class);
            if aligned.contains(&place) {
                let (first, last) = ends.entry(place).or_insert((row, row));
                (*first, *last) = (first.min(row), last.max(row));
                together.push((peak.iteration as f64, row));
            } else {
                alone.push((peak.iteration as f64, row));
            }
        }
    }
    // Room for the dots of the last peaks.
    let room = |last: u64| last.saturating_add(last / 100 + 1);
    let last = peaks.last_iteration.map(room);
    let iterations = peaks.first_iteration.into_iter().chain(last);
    let mut panel = Panel::new("peaks", options.iterations(iterations), rows.axis.clone());
    let between = Stroke::solid(options.palette.zero(), 0.8);
    panel.marks.extend(
        rows.borders
            .iter()
            .map(|border| Mark::Horizontal(*border, between)),
    );
    let join = Stroke::solid(options.palette.series(1), 1.6);
    let joined = ends.iter().flat_map(|((iteration, _), (first, last))| {
        let at = *iteration as f64;
        // A point that is no number ends the line.
        [(at, *first), (at, *last), (f64::NAN, f64::NAN)]
    });
    panel.marks.push(Mark::Line {
        name: "joined".into(),
        points: joined.collect(),
        stroke: join,
    });
    let dots = |name: &str, points, shape, color, radius| Mark::Dots {
        name: name.into(),
        points,
        shape,
        color,
        radius,
    };
    let (ring, disc) = (options.palette.zero(), options.palette.series(1));
    // Of very many rows, dots are as small as these.
    let fitting = (0.45 * height / rows.count.max(1.0)).clamp(0.5, 2.0);
    panel
        .marks
        .push(dots("alone", alone, MarkShape::Ring, ring, fitting));
    panel.marks.push(dots(
        "aligned",
        together,
        MarkShape::Disc,
        disc,
        1.3 * fitting,
    ));
    if peaks.layers.is_empty() {
        panel
            .marks
            .push(Mark::Message("No layer has a peak.".into()));
    }
    sheet.legend = vec![
        LegendEntry::new(
            "peak of a layer",
            LegendSample::Dot(MarkShape::Ring, ring, 2.0),
        ),
        LegendEntry::new(
            format!("in {} at once", layers_at_once(peaks)),
            LegendSample::Dot(MarkShape::Disc, disc, 2.6),
        ),
    ];
    sheet.notes = notes(peaks);
    sheet.rows = vec![PanelRow::of(panel)];
    sheet.draw()
}

/// The rows of dots: classes from top to bottom, and the layers within a class; without classes the
/// layers alone.
struct PeakRows {
    positions: BTreeMap<(String, Option<i32>), f64>,
    borders: Vec<f64>,
    axis: Axis,
    count: f64,
}

impl PeakRows {
    fn of(peaks: &Peaks) -> Self {
        let names = peaks.classes.iter();
        let classes: Vec<(Option<i32>, Option<&String>)> = names
            .map(|class| (class.class, class.name.as_ref()))
            .collect();
        let mut positions = BTreeMap::new();
        let mut names = Vec::new();
        let mut borders = Vec::new();
        // A class's rows, and half a row of space above and below them.
        let each = peaks.layers.len() as f64 + 1.0;
        for (number, (class, name)) in classes.iter().enumerate() {
            let top = number as f64 * each;
            for (index, layer) in peaks.layers.iter().enumerate() {
                let row = top + index as f64 + 1.0;
                positions.insert((layer.clone(), *class), row);
                if class.is_none() {
                    names.push((row, layer.clone()));
                }
            }
            names.extend(name.map(|name| (top + each / 2.0, name.clone())));
            borders.push(top);
        }
        let title = if classes.iter().any(|(class, _)| class.is_some()) {
            "class"
        } else {
            ""
        };
        let axis = Axis::names_at(title, names, classes.len() as f64 * each);
        Self {
            positions,
            borders,
            count: axis.to,
            axis: axis.reversed(),
        }
    }

    fn row(&self, layer: &str, class: Option<i32>) -> Option<f64> {
        self.positions.get(&(layer.to_owned(), class)).copied()
    }
}

/// Returns how many layers have a peak at a moment, in words.
fn layers_at_once(peaks: &Peaks) -> String {
    let layers = counted(peaks.min_layers as u64, "layer");
    if peaks.min_layers < peaks.layers.len() {
        format!("{layers} or more")
    } else {
        layers
    }
}

fn notes(peaks: &Peaks) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(all) = peaks
        .alignment
        .iter()
        .find(|alignment| alignment.layers == peaks.min_layers)
    {
        notes.push(format!(
            "Peaks in {} at the same iteration, summed over classes: {}, by chance {} (p = {}, {}).",
            layers_at_once(peaks),
            thousands(all.observed as u64),
            short(all.expected),
            short(all.p),
            counted(peaks.permutations as u64, "permutation")
        ));
    }
    let by_class = peaks.classes.iter().any(|class| class.class.is_some());
    if let (true, [first, .., last]) = (by_class, &peaks.layers[..]) {
        notes.push(format!(
            "Within a class, one row per layer, from {first} at the top to {last}."
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
