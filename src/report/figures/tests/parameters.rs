//! Figures of single parameters and units, read back.

use roxmltree::{Document, Node};

use crate::analysis::tests::synthetic::{At, Synthetic};
use crate::analysis::trace::{TraceOptions, TraceStep};
use crate::analysis::units::UnitMapOptions;
use crate::analysis::{noise, trace, unit_maps};
use crate::report::figures::{Figure, FigureOptions};

use super::{DrawnPanel, learned, noise_at, opened};

fn number(node: &Node, attribute: &str) -> f64 {
    node.attribute(attribute).unwrap().parse().unwrap()
}

#[test]
fn lines_and_bars_of_a_trace_are_the_numbers_of_its_steps() {
    // Other numbers than those of the steps, for a figure that takes one for the other.
    let gradient = |at: At| {
        noise_at(At {
            iteration: at.iteration + 1000,
            ..at
        })
    };
    let (_folder, run) = opened(&learned().gradient(gradient));
    let trace = trace(&run, &TraceOptions::default()).unwrap();
    let svg = Figure::Trace(&trace)
        .draw(&FigureOptions::default())
        .unwrap();
    let document = Document::parse(&svg).unwrap();
    assert_eq!(trace.parameters.len(), 6);
    for parameter in &trace.parameters {
        let panel = |quantity: &str| {
            let name = format!("{}[{}] {quantity}", parameter.tensor, parameter.index);
            DrawnPanel::find(&document, &name)
        };
        let points = |value: fn(&TraceStep) -> f32| {
            let steps = parameter.steps.iter();
            steps.map(move |step| (step.iteration as f64, f64::from(value(step))))
        };
        panel("step").assert_line("step", points(|step| step.step));
        panel("gradient").assert_line("gradient", points(|step| step.gradient));

        let panel = panel("LCA");
        let mut bars = Vec::new();
        for band in panel.marks("band") {
            let helps = band.attribute("data-name") == Some("helping");
            for bar in band.children().filter(Node::is_element) {
                let middle = number(&bar, "x") + number(&bar, "width") / 2.0;
                let far = if helps { number(&bar, "height") } else { 0.0 };
                bars.push((panel.across(middle), panel.down(number(&bar, "y") + far)));
            }
        }
        bars.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert_eq!(bars.len(), 60);
        for (bar, (iteration, lca)) in bars.iter().zip(points(|step| step.lca)) {
            assert!((bar.0 - iteration).abs() < 0.01, "{bar:?} {iteration}");
            let apart = (bar.1 - lca).abs();
            assert!(apart <= 2.0 * panel.tolerance(), "{bar:?} {lca}");
        }
    }
}

#[test]
fn a_trace_speaks_of_colours_only_where_it_has_some() {
    for (steps, words) in [
        (1500, "Negative LCA (dark) helps"),
        (1501, "LCA below zero helps"),
    ] {
        let (_folder, run) = opened(&Synthetic::new(&[("w", 1)], steps));
        let trace = trace(&run, &TraceOptions::default()).unwrap();
        let svg = Figure::Trace(&trace)
            .draw(&FigureOptions::default())
            .unwrap();
        let document = Document::parse(&svg).unwrap();
        let bands = DrawnPanel::find(&document, "w[0] LCA").marks("band");
        assert_eq!(bands.is_empty(), steps > 1500);
        assert!(svg.contains(words), "{steps}");
    }
}

#[test]
fn bars_and_brackets_of_heroes_are_counts_and_what_chance_gives() {
    let (_folder, run) = opened(&learned());
    let heroes = noise::heroes(&run).unwrap();
    let svg = Figure::Heroes(&heroes)
        .draw(&FigureOptions::default())
        .unwrap();
    let document = Document::parse(&svg).unwrap();
    let panel = DrawnPanel::find(&document, "heroes");
    let bars = panel.marks("bar");
    let bands = panel.marks("band");
    let is_chance = |line: &Node| line.attribute("data-name") == Some("by chance");
    let chances: Vec<Node> = panel.marks("line").into_iter().filter(is_chance).collect();
    assert_eq!(bars.len(), heroes.bins.len());
    for (index, bin) in heroes.bins.iter().enumerate() {
        let bar = bars[index];
        assert_eq!(number(&bar, "data-value"), bin.parameters as f64);
        let middle = panel.across(number(&bar, "x") + number(&bar, "width") / 2.0);
        assert!(
            (middle - 50.0 * (bin.lower + bin.upper)).abs() < 0.05,
            "{middle}"
        );
        let top = panel.down(number(&bar, "y"));
        assert!((top - bin.parameters as f64).abs() <= panel.tolerance());

        let band = bands[index].first_element_child().unwrap();
        let (low, high) = (bin.chance_low, bin.chance_high);
        assert!((panel.down(number(&band, "y")) - high).abs() <= panel.tolerance());
        let bottom = panel.down(number(&band, "y") + number(&band, "height"));
        assert!((bottom - low).abs() <= 2.0 * panel.tolerance());

        let path = chances[index].attribute("d").unwrap().replace("h0", "");
        let height = path.rsplit(' ').next().unwrap().parse().unwrap();
        assert!((panel.down(height) - bin.by_chance).abs() <= panel.tolerance());
    }
    // Counted apart from the figure: every parameter that moved is in one bar.
    let drawn: f64 = bars.iter().map(|bar| number(bar, "data-value")).sum();
    assert_eq!(drawn, 25.0);
}

/// The share of full colour at every cell, read back from paths of a colour each.
fn levels(panel: &DrawnPanel, rows: usize, columns: usize) -> Vec<i32> {
    let mut levels = vec![None; rows * columns];
    let [left, top, width, height] = [0, 1, 2, 3].map(|index| panel.area[index]);
    let paths = panel.node.descendants();
    for path in paths.filter(|node| node.has_attribute("data-level")) {
        let level: i32 = path.attribute("data-level").unwrap().parse().unwrap();
        let boxes = path.attribute("d").unwrap().split('z');
        for cells in boxes.filter(|cells| !cells.is_empty()) {
            let numbers: Vec<f64> = cells
                .split(['M', ' ', 'H', 'V'])
                .filter_map(|word| word.parse().ok())
                .collect();
            let row = ((numbers[1] - top) / height * rows as f64).round() as usize;
            // Boxes reach a little under their neighbours.
            let column = |x: f64| ((x - 0.2 - left) / width * columns as f64).round() as usize;
            for column in column(numbers[0])..column(numbers[2]) {
                levels[row * columns + column] = Some(level);
            }
        }
    }
    levels.into_iter().map(Option::unwrap).collect()
}

#[test]
fn cells_of_units_have_the_values_or_the_colours_of_the_analysis() {
    let (_folder, run) = opened(&learned());
    let maps = unit_maps(&run, &UnitMapOptions::default()).unwrap();
    let svg = Figure::Units(&maps)
        .draw(&FigureOptions::default())
        .unwrap();
    let document = Document::parse(&svg).unwrap();
    assert_eq!(maps.len(), 3);
    for map in &maps {
        let panel = DrawnPanel::find(&document, &map.layer);
        let values = panel.node.descendants();
        let values: Vec<f64> = values
            .filter(|node| node.has_attribute("data-value"))
            .map(|cell| number(&cell, "data-value"))
            .collect();
        if map.layer != "fc1" {
            assert_eq!(values, map.raster.values, "{}", map.layer);
            continue;
        }
        // 12 units of 60 steps are too many for an element each.
        assert!(values.is_empty());
        let cells = &panel.marks("cells")[0];
        let (reach, most) = (number(cells, "data-reach"), number(cells, "data-levels"));
        assert_eq!(reach, map.raster.color_range.unwrap());
        let expected: Vec<i32> = map
            .raster
            .values
            .iter()
            .map(|value| (most * (value / reach).clamp(-1.0, 1.0)).round() as i32)
            .collect();
        let rows = map.raster.by_row().len();
        assert_eq!(levels(&panel, rows, 60), expected);
    }
}
