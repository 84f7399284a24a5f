//! The measured loss against what LCA adds up to, and what it misses.

use crate::analysis::loss::{LossCurve, LossPoint};
use crate::report::draw::{
    Axis, LegendEntry, LegendSample, Mark, Panel, PanelRow, Stroke, counted, minus, short,
};

use super::options::CheckedOptions;

/// Draws the loss of every probe against loss(0) + ΣLCA, with the residual of each step below.
///
/// The loss at iteration t is the one before step t.
pub(super) fn draw(curves: &[LossCurve], options: &CheckedOptions) -> String {
    let mut sheet = options.sheet("Measured loss, and the sum of its allocation", 440.0);
    let losses = curves.iter().flat_map(|curve| {
        let points = curve
            .points
            .iter()
            .flat_map(|point| [point.loss, point.explained]);
        points.chain([curve.start])
    });
    let iterations = curves
        .iter()
        .flat_map(|curve| &curve.points)
        .flat_map(|point| [point.first_iteration, point.iteration]);
    let ends = iterations.flat_map(|iteration| [iteration, iteration.saturating_add(1)]);
    let x = options.iterations(ends);
    let y = if options.log {
        Axis::log("loss", losses)
    } else {
        Axis::linear("loss", losses)
    };
    let mut above = Panel::new("loss", x.unlabelled(), y);
    let residuals = curves
        .iter()
        .flat_map(|curve| &curve.points)
        .map(|point| point.residual);
    let residual_axis = Axis::linear("residual (loss)", residuals.chain([0.0]));
    let mut below = Panel::new("residual", x, residual_axis);
    below.marks.push(Mark::Horizontal(
        0.0,
        Stroke::solid(options.palette.zero(), 1.0),
    ));
    for (number, curve) in curves.iter().enumerate() {
        let color = options.palette.series(number);
        let measured = Stroke::solid(color, 4.0).faint(0.45);
        let explained = Stroke::solid(color.darker(), 1.5).dashed("5 3");
        let residual = Stroke::solid(color, 1.1);
        let after = |value: fn(&LossPoint) -> f64| {
            let first = curve
                .points
                .first()
                .map(|point| (point.first_iteration as f64, curve.start));
            let rest = curve.points.iter();
            first
                .into_iter()
                .chain(rest.map(move |point| (point.iteration as f64 + 1.0, value(point))))
                .collect()
        };
        let name = |what: &str| format!("{} {what}", curve.probe);
        above.marks.push(Mark::Line {
            name: name("measured"),
            points: after(|point| point.loss),
            stroke: measured,
        });
        above.marks.push(Mark::Line {
            name: name("explained"),
            points: after(|point| point.explained),
            stroke: explained,
        });
        let residuals = curve
            .points
            .iter()
            .map(|point| (point.iteration as f64, point.residual));
        below.marks.push(Mark::Line {
            name: name("residual"),
            points: residuals.collect(),
            stroke: residual,
        });
        sheet.legend.extend([
            LegendEntry::new(&curve.probe, LegendSample::Nothing),
            LegendEntry::new("measured", LegendSample::Line(measured)),
            LegendEntry::new("loss(0) + ΣLCA", LegendSample::Line(explained)),
            LegendEntry::new("residual", LegendSample::Line(residual)),
        ]);
        let sums = &curve.reconciliation;
        let mut note = format!(
            "{}: loss change {:.4}, ΣLCA {:.4}, difference {}",
            curve.probe,
            sums.loss_change,
            sums.lca,
            short(sums.difference)
        );
        if sums.not_finite > 0 {
            let steps = counted(sums.not_finite, "step");
            note.push_str(&format!(
                "; {steps} whose loss or LCA is not finite {} left out of the sum",
                if sums.not_finite == 1 { "is" } else { "are" }
            ));
        }
        sheet.notes.push(minus(&format!("{note}.")));
    }
    if curves
        .iter()
        .any(|curve| curve.reconciliation.margin.is_some())
    {
        sheet.notes.push(
            "Every step was measured on examples of its own: the curves may part by as much as such \
             samples differ, the residual should be small."
                .to_owned(),
        );
    }
    sheet.rows = vec![
        PanelRow {
            share: 2.6,
            panels: vec![above],
        },
        PanelRow::of(below),
    ];
    sheet.draw()
}
