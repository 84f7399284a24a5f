//! Below the blocks: the curve of the loss, and beside it what colours stand for.

use crate::analysis::listed;
use crate::analysis::loss::LossCurve;
use crate::analysis::parameter_map::{FrameReader, ParameterQuantity};
use crate::report::draw::{
    Area, Axis, LegendEntry, LegendSample, Mark, Panel, PanelRow, Scalebar, Shade, Sheet, Stroke,
};
use crate::report::palette::{NOT_FINITE, Palette};

use super::colors::{curve, signs};
use super::options::FilmOptions;

/// The height without notes, in pixels.
const HEIGHT: f64 = 220.0;

/// Returns a sheet of this width with one panel, and where the panel lies.
pub(super) fn sheet(
    reader: &FrameReader,
    loss: Option<&LossCurve>,
    options: &FilmOptions,
) -> (Sheet, Area) {
    let shade = Shade {
        palette: signs(options.palette, reader.quantity()),
        reach: reader.scale().full.unwrap_or(0.0),
    };
    let scale = Scalebar {
        title: match reader.quantity() {
            ParameterQuantity::Lca | ParameterQuantity::Cumulative => "LCA (loss)".into(),
            ParameterQuantity::Step => "step".into(),
            ParameterQuantity::Gradient => "gradient (loss)".into(),
        },
        shade,
    };
    let mut sheet = Sheet {
        title: "Loss".into(),
        width: options.width as f64,
        height: HEIGHT,
        legend: legend(reader, shade.palette),
        scales: reader
            .scale()
            .full
            .map(|_| (0, scale))
            .into_iter()
            .collect(),
        notes: notes(reader, loss),
        rows: vec![PanelRow {
            share: 1.0,
            panels: vec![panel(reader, loss, options)],
        }],
    };
    sheet.height += sheet.notes_height();
    // There is an area for each panel.
    let area = sheet.areas().swap_remove(0);
    (sheet, area)
}

fn panel(reader: &FrameReader, loss: Option<&LossCurve>, options: &FilmOptions) -> Panel {
    let points = loss.map_or(&[][..], |loss| &loss.points);
    let shown = reader.iterations().iter().copied();
    let iterations = points.iter().map(|point| point.iteration).chain(shown);
    let losses = points.iter().map(|point| point.loss);
    let known = losses.clone().any(f64::is_finite);
    let x = if options.log_steps {
        Axis::log_iterations(iterations)
    } else {
        Axis::iterations(iterations)
    };
    let mut panel = Panel::new("loss", x, Axis::linear("loss", losses));
    if let Some(loss) = loss.filter(|_| known) {
        panel.heading = format!("loss after the step, {} probe", loss.probe);
        let points = points.iter();
        panel.marks.push(Mark::Line {
            name: "loss".into(),
            points: points
                .map(|point| (point.iteration as f64, point.loss))
                .collect(),
            stroke: Stroke::solid(curve(options.palette), 1.6),
        });
    } else {
        let message = "The loss was never finite.".to_owned();
        panel.marks.push(Mark::Message(message));
    }
    panel
}

/// Returns what single colours stand for.
fn legend(reader: &FrameReader, palette: Palette) -> Vec<LegendEntry> {
    let [negative, positive] = reader.quantity().signs();
    let mut entries = Vec::new();
    if reader.scale().full.is_some() {
        entries.push((positive, palette.diverging(1.0)));
        entries.push((negative, palette.diverging(-1.0)));
    }
    if reader.not_finite() {
        entries.push(("not finite", NOT_FINITE));
    }
    if reader.partly_missing() {
        entries.push(("not recorded", palette.missing()));
    }
    let entry = |(name, color)| LegendEntry::new(name, LegendSample::Box(color));
    entries.into_iter().map(entry).collect()
}

fn notes(reader: &FrameReader, loss: Option<&LossCurve>) -> Vec<String> {
    let scale = reader.scale();
    let mut notes = Vec::new();
    if scale.full.is_some() {
        notes.push(format!(
            "Full colour stands for percentile {} of the magnitudes of all cells at all recorded \
             steps, zeros left out; exact zeros have the middle colour.",
            scale.percentile
        ));
    } else if reader.not_finite() {
        notes.push("Every value is zero or not finite.".into());
    } else {
        notes.push("Every value is exactly zero.".into());
    }
    let observed = loss.map_or(0, |loss| loss.points.len());
    if reader.quantity() == ParameterQuantity::Cumulative && reader.recorded_iterations() < observed
    {
        notes.push(format!(
            "Summed over the {} recorded steps of {observed} observed.",
            reader.recorded_iterations()
        ));
    }
    if !reader.missing().is_empty() {
        let missing = listed(reader.missing());
        notes.push(format!("Not recorded at all: {missing}."));
    }
    notes
}
