//! Neurons and channels over time.

use crate::analysis::units::LayerUnitMap;
use crate::analysis::{Raster, listed};
use crate::report::draw::{Axis, Mark, Panel, PanelRow, Scalebar, Shade, counted, short};

use super::classes::{columns, edges, unrecorded};
use super::options::CheckedOptions;

/// The most layers that are drawn.
const MOST: usize = 6;

/// Draws the LCA of every layer's units over the iterations, each layer with its own colours.
pub(super) fn draw(layers: &[LayerUnitMap], options: &CheckedOptions) -> String {
    let shown = &layers[..layers.len().min(MOST)];
    let share = |map: &LayerUnitMap| (map.raster.by_row().len() as f64).sqrt().max(3.0);
    let shares: f64 = shown.iter().map(share).sum();
    let height = (110.0 + 40.0 * shown.len() as f64 + 18.0 * shares).clamp(300.0, 1100.0);
    let mut sheet = options.sheet("LCA of units over time", height);
    let mut reaches = Vec::new();
    for (number, map) in shown.iter().enumerate() {
        let x = columns(&map.raster, options);
        let last = number + 1 == shown.len();
        let x = if last { x } else { x.unlabelled() };
        let mut panel = Panel::new(&map.layer, x, rows(&map.raster));
        panel.heading = map.layer.clone();
        let shade = Shade {
            palette: options.palette,
            reach: map.raster.color_range.unwrap_or(0.0),
        };
        panel.marks.push(Mark::Cells {
            edges: edges(&map.raster),
            values: map.raster.values.clone(),
            shade,
            printed: Vec::new(),
        });
        if map.raster.starts.is_empty() {
            panel
                .marks
                .push(Mark::Message("No units were recorded yet.".into()));
        }
        let title = "LCA (loss)".to_owned();
        sheet.scales.push((number, Scalebar { title, shade }));
        sheet.rows.push(PanelRow {
            share: share(map),
            panels: vec![panel],
        });
        reaches.push(format!("{} ±{}", map.layer, short(shade.reach)));
    }
    sheet.notes.push(format!(
        "A unit's weights and bias count together. Full colour stands for the 99th percentile of the \
         layer's |LCA| without zeros: {}.",
        listed(&reaches)
    ));
    if let Some(raster) = shown
        .first()
        .map(|map| &map.raster)
        .filter(|map| map.steps_per_column > 1)
    {
        let steps = raster.steps_per_column;
        sheet
            .notes
            .push(format!("A column averages {steps} recorded steps."));
    }
    if let Some(steps) = shown.first().and_then(|map| unrecorded(&map.raster)) {
        sheet.notes.push(format!(
            "A column extends to the next, over {} that no recorded step is about.",
            counted(steps, "iteration")
        ));
    }
    let binned = shown.iter().filter(|map| map.raster.per_row > 1);
    let binned: Vec<String> = binned
        .map(|map| format!("{} units of {}", map.raster.per_row, map.layer))
        .collect();
    if !binned.is_empty() {
        sheet
            .notes
            .push(format!("A row averages {}.", listed(&binned)));
    }
    let not_finite: u64 = shown.iter().map(|map| map.raster.not_finite).sum();
    if not_finite > 0 {
        sheet.notes.push(format!(
            "Left out because not finite: {}.",
            counted(not_finite, "value")
        ));
    }
    if layers.len() > MOST {
        let more = layers.len() - MOST;
        sheet.notes.push(format!(
            "{more} more layers are not drawn; choose with --layer."
        ));
    }
    sheet.draw()
}

/// Returns the axis of the rows, labelled with the numbers of their units, the first at the top.
fn rows(raster: &Raster) -> Axis {
    let per_row = raster.per_row as f64;
    let mut axis = Axis::exactly("unit", 0.0, raster.rows.max(1) as f64).whole();
    axis.ticks.retain(|tick| tick.at < raster.rows as f64);
    for tick in &mut axis.ticks {
        tick.at = (tick.at + 0.5) / per_row;
    }
    axis.to = raster.by_row().len().max(1) as f64;
    axis.reversed()
}
