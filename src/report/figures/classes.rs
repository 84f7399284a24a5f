//! Which layer learned which class, and when.

use crate::analysis::Raster;
use crate::analysis::classes::ClassMap;
use crate::report::draw::{Axis, Mark, Panel, PanelRow, Scalebar, Shade, counted, short};

use super::options::CheckedOptions;

/// With more layers than this, cells have no printed numbers.
const MOST_PRINTED: usize = 10;

/// Draws LCA by class and layer, and below by class over time.
pub(super) fn draw(map: &ClassMap, options: &CheckedOptions) -> String {
    let rows = map.classes.len() as f64;
    let height = (200.0 + 36.0 * rows).clamp(460.0, 1000.0);
    let mut sheet = options.sheet("LCA by class, layer and time", height);
    let names = || {
        let names = map.classes.iter().map(|class| class.class.name.clone());
        Axis::names("class", names).reversed()
    };
    let values: Vec<f64> = map
        .classes
        .iter()
        .flat_map(|class| class.lca.iter().copied())
        .collect();
    let reach = map.color_range.unwrap_or(0.0);
    let shade = |reach: f64| Shade {
        palette: options.palette,
        reach,
    };
    let printed = if map.layers.len() <= MOST_PRINTED {
        values.iter().map(|lca| number(*lca)).collect()
    } else {
        Vec::new()
    };
    let mut layers = Panel::new("layers", Axis::names("", map.layers.clone()), names());
    layers.heading = "over the run, by layer".into();
    layers.marks.push(Mark::Cells {
        edges: (0..=map.layers.len()).map(|edge| edge as f64).collect(),
        values,
        shade: shade(reach),
        printed,
    });
    let over_time = map.over_time.color_range.unwrap_or(0.0);
    let mut time = Panel::new("time", columns(&map.over_time, options), names());
    time.heading = "step by step, all layers together".into();
    time.marks.push(Mark::Cells {
        edges: edges(&map.over_time),
        values: map.over_time.values.clone(),
        shade: shade(over_time),
        printed: Vec::new(),
    });
    let scale = |title: &str, reach: f64| Scalebar {
        title: title.to_owned(),
        shade: shade(reach),
    };
    sheet.scales = vec![
        (0, scale("LCA (loss of the class)", reach)),
        (
            1,
            scale("LCA of an optimizer step (loss of the class)", over_time),
        ),
    ];
    sheet.rows = vec![
        PanelRow {
            share: 1.0,
            panels: vec![layers],
        },
        PanelRow {
            share: 1.0,
            panels: vec![time],
        },
    ];
    sheet.notes.push(format!(
        "The LCA of a class splits the mean loss of its own examples ({} probe). {}",
        map.probe,
        colours(&map.over_time, over_time)
    ));
    if map.left_out > 0 {
        sheet.notes.push(format!(
            "Left out because not finite: {}.",
            counted(map.left_out as u64, "step")
        ));
    }
    sheet.draw()
}

fn number(lca: f64) -> String {
    if lca.is_finite() {
        short(lca)
    } else {
        "not finite".into()
    }
}

/// Returns the note on the colours of cells over time.
pub(super) fn colours(raster: &Raster, reach: f64) -> String {
    let mut text = format!(
        "Over time, full colour stands for ±{}, the 99th percentile of |LCA| without zeros.",
        short(reach)
    );
    if raster.steps_per_column > 1 {
        text.push_str(&format!(
            " A column averages {} recorded steps.",
            raster.steps_per_column
        ));
    }
    text
}

pub(super) fn columns(raster: &Raster, options: &CheckedOptions) -> Axis {
    let ends = raster
        .starts
        .first()
        .copied()
        .into_iter()
        .chain(end(raster));
    options.iterations(ends)
}

/// Returns the edges of the columns: each extends from its first iteration to that of the next.
pub(super) fn edges(raster: &Raster) -> Vec<f64> {
    let starts = raster.starts.iter().map(|start| *start as f64 - 0.5);
    starts
        .chain(end(raster).map(|end| end as f64 + 0.5))
        .collect()
}

/// Returns the last iteration of the last column, which is as wide as the one before it where
/// only every n-th step was recorded.
fn end(raster: &Raster) -> Option<u64> {
    let gap = unrecorded(raster).unwrap_or(0);
    raster.last.map(|last| last.saturating_add(gap))
}

/// Returns how many optimizer steps between the columns were not recorded, where columns are single
/// steps and there are some.
pub(super) fn unrecorded(raster: &Raster) -> Option<u64> {
    (raster.steps_per_column == 1 && raster.unrecorded > 0).then_some(raster.unrecorded)
}
