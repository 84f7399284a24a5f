//! What each layer has done so far.

use crate::analysis::layers::{LayerCurve, Trajectories};
use crate::report::draw::{
    Axis, LegendEntry, LegendSample, Mark, Panel, PanelRow, Stroke, counted,
};

use super::largest::largest;
use super::options::CheckedOptions;

/// The most layers that are drawn: those that moved the loss most.
const MOST: usize = 12;

/// Draws the cumulative LCA of the layers, a panel for each probe.
pub(super) fn draw(probes: &[Trajectories], options: &CheckedOptions) -> String {
    let height = 120.0 + 210.0 * probes.len().max(1) as f64;
    let mut sheet = options.sheet("Cumulative LCA by layer", height);
    let names = shown(probes);
    let drawn = |layer: &&LayerCurve| names.contains(&layer.layer.as_str());
    let values = || {
        let layers = probes.iter().flat_map(|probe| &probe.layers).filter(drawn);
        layers
            .flat_map(|layer| {
                let edges = band(layer).into_iter().flat_map(|(_, values)| values);
                edges.chain(layer.cumulative.iter().copied())
            })
            .chain([0.0])
    };
    let ends = || {
        let all = probes.iter().flat_map(|probe| &probe.iterations);
        let firsts = probes.iter().filter_map(|probe| probe.first_iteration);
        all.map(|iteration| iteration.saturating_add(1))
            .chain(firsts)
    };
    for (number, probe) in probes.iter().enumerate() {
        let last = number + 1 == probes.len();
        let x = options.iterations(ends());
        let x = if last { x } else { x.unlabelled() };
        let mut panel = Panel::new(
            &probe.probe,
            x,
            Axis::linear("cumulative LCA (loss)", values()),
        );
        panel.heading = format!("{} probe", probe.probe);
        panel.marks.push(Mark::Horizontal(
            0.0,
            Stroke::solid(options.palette.zero(), 1.0),
        ));
        for layer in &probe.layers {
            let Some(index) = names.iter().position(|name| *name == layer.layer) else {
                continue;
            };
            // The sum with step t is reached at iteration t + 1.
            let begin = probe.first_iteration.map(|first| (first as f64, 0.0));
            let steps = probe
                .iterations
                .iter()
                .map(|iteration| *iteration as f64 + 1.0);
            let stroke = Stroke::series(options.palette, index);
            let line = |name: String, values: Vec<f64>, stroke| Mark::Line {
                name,
                points: begin.into_iter().chain(steps.clone().zip(values)).collect(),
                stroke,
            };
            for (edge, values) in band(layer) {
                let faint = Stroke::solid(stroke.color, 1.0).faint(0.5);
                panel
                    .marks
                    .push(line(format!("{} {edge}", layer.layer), values, faint));
            }
            let name = layer.layer.clone();
            panel
                .marks
                .push(line(name, layer.cumulative.clone(), stroke));
        }
        if probe.left_out > 0 {
            let steps = counted(probe.left_out as u64, "step");
            sheet.notes.push(format!(
                "Left out on the {} probe because LCA is not finite: {steps}.",
                probe.probe
            ));
        }
        if probe.iterations.is_empty() {
            let message = "At no step is the LCA of every layer finite.".to_owned();
            panel.marks.push(Mark::Message(message));
        }
        sheet.rows.push(PanelRow::of(panel));
    }
    let mut curves = probes.iter().flat_map(|probe| &probe.layers);
    if curves.any(|curve| curve.margin.is_some()) {
        sheet.notes.push(
            "Of a sampled probe, LCA over all examples lies between the faint lines with 95 % \
             confidence."
                .to_owned(),
        );
    }
    let entries = names.iter().enumerate().map(|(index, name)| {
        LegendEntry::new(
            *name,
            LegendSample::Line(Stroke::series(options.palette, index)),
        )
    });
    sheet.legend = entries.collect();
    let all = probes
        .iter()
        .map(|probe| probe.layers.len())
        .max()
        .unwrap_or(0);
    if all > names.len() {
        let hidden = all - names.len();
        sheet.notes.push(format!(
            "{hidden} layers that moved the loss less are not drawn."
        ));
    }
    sheet.draw()
}

/// Returns the edges of the 95 % confidence intervals around a curve, where its probe is sampled.
fn band(layer: &LayerCurve) -> Vec<(&'static str, Vec<f64>)> {
    let Some(margin) = &layer.margin else {
        return Vec::new();
    };
    let edge = |sign: f64| {
        let sums = layer.cumulative.iter().zip(margin);
        sums.map(|(sum, margin)| sum + sign * margin).collect()
    };
    vec![("− 95 %", edge(-1.0)), ("+ 95 %", edge(1.0))]
}

/// Returns the layers to draw, in the model's order.
fn shown(probes: &[Trajectories]) -> Vec<&str> {
    let Some(first) = probes.first() else {
        return Vec::new();
    };
    let far = largest(first.layers.iter().collect(), MOST, |layer| layer.reach);
    far.into_iter().map(|layer| layer.layer.as_str()).collect()
}
