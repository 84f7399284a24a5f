//! Figures read back: marks against the analyses' numbers, and runs at the extremes.

mod extremes;
mod parameters;
mod runs;

use roxmltree::{Document, Node};

use crate::analysis::classes::ClassMapOptions;
use crate::analysis::helping::HelpingOptions;
use crate::analysis::layers::LayersOptions;
use crate::analysis::loss::LossPoint;
use crate::analysis::peaks::PeaksOptions;
use crate::analysis::tests::random::noise_at;
use crate::analysis::tests::synthetic::{At, Synthetic};
use crate::analysis::{
    class_maps, distribution, helping, layers, loss_curves, peaks, trajectories,
};
use crate::error::LcaError;
use crate::record::Run;
use crate::report::export::{FileFormat, encode};
use crate::report::palette::Palette;

use super::{Figure, FigureOptions};

/// A panel of a figure, and the way from its places back to numbers.
struct DrawnPanel<'a, 'input> {
    node: Node<'a, 'input>,
    area: Vec<f64>,
    x: (f64, f64),
    y: (f64, f64),
}

impl<'a, 'input> DrawnPanel<'a, 'input> {
    fn find(document: &'a Document<'input>, name: &str) -> Self {
        let is_it = |node: &Node| {
            node.attribute("class") == Some("panel") && node.attribute("data-name") == Some(name)
        };
        let node = document.descendants().find(is_it).unwrap();
        let numbers = |attribute: &str| -> Vec<f64> {
            let words = node.attribute(attribute).unwrap().split(' ');
            words.filter_map(|word| word.parse().ok()).collect()
        };
        let (x, y) = (numbers("data-x"), numbers("data-y"));
        Self {
            node,
            area: numbers("data-area"),
            x: (x[0], x[1]),
            y: (y[0], y[1]),
        }
    }

    fn marks(&self, class: &str) -> Vec<Node<'a, 'input>> {
        let of_class = |node: &Node| node.attribute("class") == Some(class);
        self.node.descendants().filter(of_class).collect()
    }

    /// The points of a line, in the units of linear axes.
    fn line(&self, name: &str) -> Vec<(f64, f64)> {
        let lines = self.marks("line");
        let line = lines
            .iter()
            .find(|line| line.attribute("data-name") == Some(name))
            .unwrap();
        let path = line.attribute("d").unwrap().replace("h0", "");
        let points = path.split(['M', 'L']).filter(|point| !point.is_empty());
        let point = |text: &str| {
            let (x, y) = text.split_once(' ').unwrap();
            (
                self.across(x.parse().unwrap()),
                self.down(y.parse().unwrap()),
            )
        };
        points.map(point).collect()
    }

    /// The numbers that the dots of a name stand for.
    fn dots(&self, name: &str) -> Vec<(f64, f64)> {
        let groups = self.marks("dots");
        let group = groups
            .iter()
            .find(|group| group.attribute("data-name") == Some(name));
        let number = |node: &Node, of: &str| node.attribute(of).unwrap().parse::<f64>().unwrap();
        let dots = group.unwrap().children().filter(Node::is_element);
        dots.map(|dot| (number(&dot, "data-x"), number(&dot, "data-y")))
            .collect()
    }

    fn across(&self, at: f64) -> f64 {
        self.x.0 + (at - self.area[0]) / self.area[2] * (self.x.1 - self.x.0)
    }

    fn down(&self, at: f64) -> f64 {
        self.y.1 - (at - self.area[1]) / self.area[3] * (self.y.1 - self.y.0)
    }

    /// Half a thousandth of a point, by which each of a mark's place and a panel's two edges may
    /// be rounded, in the units of the axis.
    fn tolerance(&self) -> f64 {
        (self.y.1 - self.y.0).abs() / self.area[3] * 0.0016
    }

    fn assert_line(&self, name: &str, expected: impl IntoIterator<Item = (f64, f64)>) {
        let drawn = self.line(name);
        let expected: Vec<(f64, f64)> = expected.into_iter().collect();
        assert_eq!(drawn.len(), expected.len(), "{name}");
        for (drawn, expected) in drawn.iter().zip(expected) {
            assert!(
                (drawn.0 - expected.0).abs() < 0.01,
                "{name}: {drawn:?} {expected:?}"
            );
            let apart = (drawn.1 - expected.1).abs();
            assert!(apart <= self.tolerance(), "{name}: {drawn:?} {expected:?}");
        }
    }
}

/// A run of three layers, of which `fc2` hurts.
fn learned() -> Synthetic {
    let lca = |at: At| {
        let mean = if at.tensor.starts_with("fc2") {
            0.001
        } else {
            -0.002
        };
        mean + 0.01 * noise_at(at)
    };
    Synthetic::new(
        &[
            ("fc1.weight", 12),
            ("fc1.bias", 3),
            ("fc2.weight", 6),
            ("fc3.weight", 4),
        ],
        60,
    )
    .classes(3)
    .validation()
    .lca(lca)
    .step(noise_at)
    .residual(|iteration| 1e-4 * (iteration % 3) as f64)
}

fn opened(run: &Synthetic) -> (tempfile::TempDir, Run) {
    let folder = tempfile::tempdir().unwrap();
    let run = run.write(folder.path());
    (folder, run)
}

#[test]
fn lines_of_the_loss_are_the_measured_and_the_explained_one() {
    let (_folder, run) = opened(&learned());
    let curves = loss_curves(&run).unwrap();
    let svg = Figure::Loss(&curves)
        .draw(&FigureOptions::default())
        .unwrap();
    let document = Document::parse(&svg).unwrap();
    let (above, below) = (
        DrawnPanel::find(&document, "loss"),
        DrawnPanel::find(&document, "residual"),
    );
    assert_eq!(curves.len(), 2);
    for curve in &curves {
        let after = |value: fn(&LossPoint) -> f64| {
            let points = curve.points.iter();
            let points = points.map(move |point| (point.iteration as f64 + 1.0, value(point)));
            std::iter::once((0.0, curve.start)).chain(points)
        };
        above.assert_line(
            &format!("{} measured", curve.probe),
            after(|point| point.loss),
        );
        above.assert_line(
            &format!("{} explained", curve.probe),
            after(|point| point.explained),
        );
        let residuals = curve
            .points
            .iter()
            .map(|point| (point.iteration as f64, point.residual));
        below.assert_line(&format!("{} residual", curve.probe), residuals);
    }
    // The explained loss is short of the measured one by all residuals, as planted.
    let last = curves[0].points.last().unwrap();
    assert!((last.loss - last.explained - 60.0 * 1e-4).abs() < 1e-9);
}

/// Of 60 steps whose halves differ by 0.001 in one tensor: 1.96 · √60 · 0.001.
#[test]
fn bars_of_sampled_layers_have_their_interval() {
    let halves = |at: At| {
        if at.tensor == "fc2.weight" {
            0.001
        } else {
            0.0
        }
    };
    let (_folder, run) = opened(&learned().halves(halves));
    let layers = layers(std::slice::from_ref(&run), &LayersOptions::default()).unwrap();
    let svg = Figure::Layers(&layers)
        .draw(&FigureOptions::default())
        .unwrap();
    let document = Document::parse(&svg).unwrap();
    let panel = DrawnPanel::find(&document, "sum");
    let drawn = panel.line("fc2 interval");
    let margin = 1.959_963_984_540_054 * 60_f64.sqrt() * 0.001;
    for (point, end) in drawn.iter().zip([-margin, margin]) {
        let apart = (point.1 - (layers.layers[1].lca + end)).abs();
        assert!(apart <= panel.tolerance(), "{drawn:?}");
    }
    assert!(svg.contains("95 % interval"));
}

#[test]
fn bars_of_layers_stand_for_their_sums_and_hurting_ones_above_the_axis() {
    let (_folder, run) = opened(&learned());
    let layers = layers(std::slice::from_ref(&run), &LayersOptions::default()).unwrap();
    let svg = Figure::Layers(&layers)
        .draw(&FigureOptions::default())
        .unwrap();
    let document = Document::parse(&svg).unwrap();
    for (name, per_parameter) in [("sum", false), ("per parameter", true)] {
        let panel = DrawnPanel::find(&document, name);
        let bars = panel.marks("bar");
        assert_eq!(bars.len(), 3);
        for (bar, layer) in bars.iter().zip(&layers.layers) {
            let lca = if per_parameter {
                layer.lca_per_parameter
            } else {
                layer.lca
            };
            let number =
                |attribute: &str| bar.attribute(attribute).unwrap().parse::<f64>().unwrap();
            assert_eq!(number("data-value"), lca);
            let top = panel.down(number("y"));
            let bottom = panel.down(number("y") + number("height"));
            let end = if lca > 0.0 { top } else { bottom };
            assert!(
                (end - lca).abs() <= 2.0 * panel.tolerance(),
                "{top} {bottom} {lca}"
            );
            let color = match layer.name.as_str() {
                "fc2" => Palette::default().hurts(),
                _ => Palette::default().helps(),
            };
            assert_eq!(bar.attribute("fill"), Some(color.hex().as_str()));
        }
    }
}

#[test]
fn a_mean_over_runs_of_different_lengths_says_so() {
    let noted = |steps: [u64; 2]| {
        let (_folders, runs): (Vec<_>, Vec<Run>) = steps
            .map(|steps| opened(&Synthetic::new(&[("fc1.weight", 3)], steps)))
            .into_iter()
            .unzip();
        let layers = layers(&runs, &LayersOptions::default()).unwrap();
        let svg = Figure::Layers(&layers)
            .draw(&FigureOptions::default())
            .unwrap();
        let (_, notes) = svg.split_once("Probe training").unwrap();
        notes.to_owned()
    };
    assert!(noted([5, 5]).contains("5 steps"));
    let notes = noted([5, 9]);
    assert!(
        notes.contains("(5 to 9 steps): sums over them are not"),
        "{notes}"
    );
}

#[test]
fn trajectories_end_at_the_sums_of_their_layers() {
    let (_folder, run) = opened(&learned());
    let probes = trajectories(&run).unwrap();
    let svg = Figure::Trajectories(&probes)
        .draw(&FigureOptions::default())
        .unwrap();
    let document = Document::parse(&svg).unwrap();
    for probe in &probes {
        let options = LayersOptions::default().probe(Some(probe.probe.clone()));
        let layers = layers(std::slice::from_ref(&run), &options).unwrap();
        let panel = DrawnPanel::find(&document, &probe.probe);
        for layer in layers.layers {
            let end = panel.line(&layer.name).last().unwrap().1;
            assert!(
                (end - layer.lca).abs() <= panel.tolerance(),
                "{}",
                layer.name
            );
        }
    }
}

/// One layer, whose halves differ by 0.1 at each of 4 steps: the edges end 1.96 · 0.1 · √4 away.
#[test]
fn a_sampled_trajectory_is_drawn_between_the_edges_of_its_interval() {
    let (_folder, run) = opened(&Synthetic::new(&[("fc.weight", 2)], 4).halves(|_| 0.1));
    let probes = trajectories(&run).unwrap();
    let svg = Figure::Trajectories(&probes)
        .draw(&FigureOptions::default())
        .unwrap();
    assert!(svg.contains("95 % confidence"));
    let document = Document::parse(&svg).unwrap();
    let panel = DrawnPanel::find(&document, "training");
    let end = |name: &str| panel.line(name).last().unwrap().1;
    for (name, margin) in [("fc − 95 %", -0.391_992_8), ("fc + 95 %", 0.391_992_8)] {
        let off = end(name) - end("fc") - margin;
        assert!(off.abs() <= 2.0 * panel.tolerance(), "{name}: {off}");
    }
}

#[test]
fn cells_and_dots_carry_the_numbers_of_the_analyses() {
    let (_folder, run) = opened(&learned());
    let options = FigureOptions::default();
    let maps = class_maps(&run, &ClassMapOptions::default()).unwrap();
    let map = &maps[0];
    let svg = Figure::Classes(map).draw(&options).unwrap();
    let document = Document::parse(&svg).unwrap();
    let values = |panel: &DrawnPanel| -> Vec<f64> {
        let cells = panel
            .node
            .descendants()
            .filter(|node| node.has_attribute("data-value"));
        cells
            .map(|cell| cell.attribute("data-value").unwrap().parse().unwrap())
            .collect()
    };
    let expected: Vec<f64> = map
        .classes
        .iter()
        .flat_map(|class| class.lca.clone())
        .collect();
    assert_eq!(values(&DrawnPanel::find(&document, "layers")), expected);
    assert_eq!(
        values(&DrawnPanel::find(&document, "time")),
        map.over_time.values
    );

    let peaks = peaks(&run, &PeaksOptions::default()).unwrap();
    let svg = Figure::Peaks(&peaks).draw(&options).unwrap();
    let document = Document::parse(&svg).unwrap();
    let panel = DrawnPanel::find(&document, "peaks");
    let dots = |name: &str| {
        let groups = panel.marks("dots");
        let group = groups
            .iter()
            .find(|group| group.attribute("data-name") == Some(name));
        group.unwrap().children().filter(Node::is_element).count()
    };
    let all: usize = peaks.series.iter().map(|series| series.peaks.len()).sum();
    let aligned = peaks
        .moments
        .iter()
        .flat_map(|moment| &moment.classes)
        .map(|class| class.layers);
    assert_eq!(dots("alone") + dots("aligned"), all);
    let aligned: usize = aligned.sum();
    assert!(aligned > 0);
    assert_eq!(dots("aligned"), aligned);
    // A line through the rows of each class at each moment.
    let moments = peaks.moments.iter().map(|moment| moment.classes.len());
    let line = panel.marks("line")[0].attribute("d").unwrap();
    assert_eq!(line.matches('M').count(), moments.sum::<usize>());
}

#[test]
fn helping_and_its_smoothed_line_are_the_percentages() {
    let (_folder, run) = opened(&learned());
    let smooth = HelpingOptions::default().smooth(Some(5));
    let helping = helping(&run, &smooth).unwrap();
    let svg = Figure::Helping(&helping)
        .draw(&FigureOptions::default())
        .unwrap();
    let document = Document::parse(&svg).unwrap();
    let panel = DrawnPanel::find(&document, "helping");
    let percent: Vec<f64> = helping
        .steps
        .iter()
        .map(|step| 100.0 * step.counts.fraction_of_nonzero().unwrap())
        .collect();
    let raw = percent
        .iter()
        .enumerate()
        .map(|(at, percent)| (at as f64, *percent));
    panel.assert_line("of those not zero raw", raw);
    let middle = panel.line("of those not zero smoothed")[30].1;
    let mean = percent[28..=32].iter().sum::<f64>() / 5.0;
    assert!((middle - mean).abs() <= panel.tolerance());
}

#[test]
fn bars_of_a_distribution_count_every_value_that_is_not_zero() {
    let (_folder, run) = opened(&learned());
    let distribution = distribution(&run).unwrap();
    let svg = Figure::Distribution(&distribution)
        .draw(&FigureOptions::default())
        .unwrap();
    let document = Document::parse(&svg).unwrap();
    for panel in ["linear", "log"] {
        let sum = |name: &str| -> f64 {
            let bars = DrawnPanel::find(&document, panel).marks("bar");
            let bars = bars
                .iter()
                .filter(|bar| bar.attribute("data-name") == Some(name));
            bars.map(|bar| bar.attribute("data-value").unwrap().parse::<f64>().unwrap())
                .sum()
        };
        assert_eq!(sum("helping"), distribution.counts.helping as f64);
        assert_eq!(sum("hurting"), distribution.counts.hurting as f64);
    }
}

#[test]
fn a_file_begins_as_its_format_does_and_is_the_same_every_time() {
    let (_folder, run) = opened(&Synthetic::new(&[("fc1.weight", 3)], 5));
    let svg = Figure::Loss(&loss_curves(&run).unwrap())
        .draw(&FigureOptions::default())
        .unwrap();
    for (file, magic) in [
        ("a.svg", "<svg"),
        ("a.PNG", "\u{89}PNG"),
        ("a.pdf", "%PDF-"),
    ] {
        let format = FileFormat::of(file.as_ref()).unwrap();
        let bytes = encode(&svg, format).unwrap();
        let magic: Vec<u8> = magic.chars().map(|letter| letter as u8).collect();
        assert!(bytes.starts_with(&magic), "{file}");
        for _ in 0..3 {
            assert!(encode(&svg, format).unwrap() == bytes, "{file} differs");
        }
    }
    for file in ["a.gif", "figure", ".svg"] {
        let error = FileFormat::of(file.as_ref()).unwrap_err().to_string();
        assert!(error.contains(".svg, .png or .pdf"), "{error}");
    }
}

#[test]
fn sizes_that_can_not_be_drawn_are_refused() {
    for (width, height) in [(10.0, None), (f64::NAN, None), (680.0, Some(1e9))] {
        let options = FigureOptions::default().width(width).height(height);
        let error = Figure::Loss(&[]).draw(&options).unwrap_err();
        assert!(matches!(error, LcaError::Setting { .. }), "{error}");
    }
}
