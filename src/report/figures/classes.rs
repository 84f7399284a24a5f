//! Which layer learned which class, and when.

use crate::analysis::Raster;
use crate::analysis::classes::{ClassMap, MeanClassMap};
use crate::report::draw::{Axis, Mark, Panel, PanelRow, Scalebar, Shade, counted, short};

use super::options::CheckedOptions;

/// With more layers than this, cells have no printed numbers.
const MOST_PRINTED: usize = 10;

/// Draws LCA by class and layer, and below by class over time.
pub(super) fn draw(map: &ClassMap, options: &CheckedOptions) -> String {
    let values = || map.classes.iter().flat_map(|class| &class.lca);
    let mut notes = vec![format!("{OWN_LOSS} ({} probe).", map.probe)];
    if map.left_out > 0 {
        notes.push(format!(
            "Left out because not finite: {}.",
            counted(map.left_out as u64, "step")
        ));
    }
    let drawn = Drawn {
        names: map.classes.iter().map(|class| &*class.class.name).collect(),
        layers: &map.layers,
        values: values().copied().collect(),
        printed: values().map(|lca| number(*lca)).collect(),
        reach: map.color_range.unwrap_or(0.0),
        over_time: Some(&map.over_time),
        notes,
    };
    drawn.draw(options)
}

/// Draws the same of several runs: means, with the deviation printed.
pub(super) fn draw_mean(map: &MeanClassMap, options: &CheckedOptions) -> String {
    let cells = || {
        let classes = map.classes.iter();
        classes.flat_map(|class| class.lca.iter().zip(&class.deviation))
    };
    let mut notes = vec![format!(
        "{OWN_LOSS} ({} probe). Means over {}, ± one standard deviation.",
        map.probe,
        counted(map.runs as u64, "run")
    )];
    notes.extend(map.cautions.iter().cloned());
    let printed = |(lca, deviation): (&f64, &f64)| {
        if lca.is_finite() {
            format!("{} ± {}", short(*lca), short(*deviation))
        } else {
            number(*lca)
        }
    };
    let drawn = Drawn {
        names: map.classes.iter().map(|class| &*class.class.name).collect(),
        layers: &map.layers,
        values: cells().map(|(lca, _)| *lca).collect(),
        printed: cells().map(printed).collect(),
        reach: map.color_range.unwrap_or(0.0),
        over_time: map.over_time.as_ref(),
        notes,
    };
    drawn.draw(options)
}

const OWN_LOSS: &str = "The LCA of a class splits the mean loss of its own examples";

/// What is drawn of one run or several.
struct Drawn<'a> {
    names: Vec<&'a str>,
    layers: &'a [String],
    /// By class, layer by layer.
    values: Vec<f64>,
    printed: Vec<String>,
    reach: f64,
    over_time: Option<&'a Raster>,
    notes: Vec<String>,
}

impl Drawn<'_> {
    fn draw(self, options: &CheckedOptions) -> String {
        let panels = 1.0 + f64::from(u8::from(self.over_time.is_some()));
        let height = (100.0 + 18.0 * self.names.len() as f64).clamp(230.0, 500.0);
        let mut sheet = options.sheet("LCA by class, layer and time", panels * height);
        let names = || {
            let names = self.names.iter().map(|name| (*name).to_owned());
            Axis::names("class", names).reversed()
        };
        let shade = |reach: f64| Shade {
            palette: options.palette,
            reach,
        };
        let scale = |title: &str, reach: f64| Scalebar {
            title: title.to_owned(),
            shade: shade(reach),
        };
        let mut layers = Panel::new("layers", Axis::names("", self.layers.to_vec()), names());
        layers.heading = "over the run, by layer".into();
        layers.marks.push(Mark::Cells {
            edges: (0..=self.layers.len()).map(|edge| edge as f64).collect(),
            values: self.values,
            shade: shade(self.reach),
            printed: if self.layers.len() <= MOST_PRINTED {
                self.printed
            } else {
                Vec::new()
            },
        });
        sheet.rows.push(PanelRow::of(layers));
        sheet.scales = vec![(0, scale("LCA (loss of the class)", self.reach))];
        sheet.notes = self.notes;
        if let Some(over_time) = self.over_time {
            let reach = over_time.color_range.unwrap_or(0.0);
            let mut time = Panel::new("time", columns(over_time, options), names());
            time.heading = "step by step, all layers together".into();
            time.marks.push(Mark::Cells {
                edges: edges(over_time),
                values: over_time.values.clone(),
                shade: shade(reach),
                printed: Vec::new(),
            });
            sheet.rows.push(PanelRow::of(time));
            let title = "LCA of an optimizer step (loss of the class)";
            sheet.scales.push((1, scale(title, reach)));
            sheet.notes[0].push_str(&format!(" {}", colours(over_time, reach)));
        }
        sheet.draw()
    }
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
