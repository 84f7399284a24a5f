//! Figures of several runs, and of some of their steps.

use roxmltree::Document;

use crate::analysis::layers::LayersOptions;
use crate::analysis::overlay::OverlayOf;
use crate::analysis::sets::RunSet;
use crate::analysis::setting::SettingOptions;
use crate::analysis::tests::synthetic::{At, Synthetic};
use crate::analysis::{distribution, loss_curves, overlay, sets, setting};
use crate::record::Run;
use crate::report::figures::{Figure, FigureOptions};

use super::{DrawnPanel, learned, opened};

fn drawn(figure: Figure) -> String {
    figure.draw(&FigureOptions::default()).unwrap()
}

/// A run of one parameter that helps by this much at each of so many steps, from a loss of 2.5.
fn falling(by: f64, steps: u64) -> (tempfile::TempDir, Run) {
    opened(&Synthetic::new(&[("fc.weight", 1)], steps).lca(move |_| -by))
}

/// Losses of 2.5 − 0.1 t and 2.5 − 0.3 t: mean 2.5 − 0.2 t, deviation 0.1 · √2 · t; the longer one goes
/// on alone after 4 steps.
#[test]
fn the_mean_of_losses_has_its_band_and_ends_with_the_shortest_run() {
    let (_a, short) = falling(0.1, 4);
    let (_b, long) = falling(0.3, 6);
    let (_c, other) = falling(0.2, 5);
    let given = [
        RunSet::new("seeds", vec![short, long]),
        RunSet::new("other", vec![other]),
    ];
    let found = overlay(&given, OverlayOf::Loss).unwrap();
    let svg = drawn(Figure::Overlay(&found));
    let document = Document::parse(&svg).unwrap();
    let panel = DrawnPanel::find(&document, "training");
    let steps = |many: u64| (0..=many).map(|t| t as f64);
    panel.assert_line("seeds", steps(4).map(|t| (t, 2.5 - 0.2 * t)));
    panel.assert_line("seeds run 1", steps(6).map(|t| (t, 2.5 - 0.3 * t)));
    panel.assert_line("other", steps(5).map(|t| (t, 2.5 - 0.2 * t)));
    // Along the upper edge, and back along the lower one.
    let ribbon = panel.marks("ribbon")[0].attribute("d").unwrap();
    let corners = ribbon.trim_matches(['M', 'Z']).split('L');
    let heights: Vec<f64> = corners
        .map(|corner| panel.down(corner.split_once(' ').unwrap().1.parse().unwrap()))
        .collect();
    let reach = |t: f64| 0.1 * 2.0_f64.sqrt() * t;
    let upper = steps(4).map(|t| 2.5 - 0.2 * t + reach(t));
    let lower: Vec<f64> = steps(4).map(|t| 2.5 - 0.2 * t - reach(t)).collect();
    let expected: Vec<f64> = upper.chain(lower.into_iter().rev()).collect();
    assert_eq!(heights.len(), expected.len());
    for (height, expected) in heights.iter().zip(expected) {
        assert!(
            (height - expected).abs() <= panel.tolerance(),
            "{height} {expected}"
        );
    }
    assert!(svg.contains("The runs of seeds end at iterations 4 to 6"));
    assert!(svg.contains("seeds (2 runs)") && !svg.contains("The runs of other"));
}

#[test]
fn cumulative_lca_of_several_runs_has_a_panel_for_each_layer() {
    let run = |hurts: f64| {
        let lca = move |at: At| if at.tensor == "b.weight" { hurts } else { -0.1 };
        opened(&Synthetic::new(&[("a.weight", 1), ("b.weight", 1)], 5).lca(lca))
    };
    let (_folders, runs): (Vec<_>, Vec<Run>) = [0.1, 0.3].map(run).into_iter().unzip();
    let found = overlay(&[RunSet::new("mean", runs)], OverlayOf::Cumulative).unwrap();
    let svg = drawn(Figure::Overlay(&found));
    let document = Document::parse(&svg).unwrap();
    for (layer, slope) in [("a", -0.1), ("b", 0.2)] {
        let steps = (0..=5).map(f64::from);
        DrawnPanel::find(&document, layer).assert_line("mean", steps.map(|t| (t, slope * t)));
    }
}

#[test]
fn bars_of_sets_stand_side_by_side_for_their_means() {
    let (_a, first) = falling(0.1, 4);
    let (_b, second) = falling(0.3, 4);
    let (_c, other) = falling(0.5, 4);
    let given = [
        RunSet::new("plain", vec![first, second]),
        RunSet::new("frozen", vec![other]),
    ];
    let found = sets(&given, &LayersOptions::default()).unwrap();
    let svg = drawn(Figure::Sets(&found));
    let document = Document::parse(&svg).unwrap();
    let panel = DrawnPanel::find(&document, "sets");
    let bars: Vec<(Option<&str>, f64)> = panel
        .marks("bar")
        .iter()
        .map(|bar| {
            let value = bar.attribute("data-value").unwrap().parse().unwrap();
            (bar.attribute("data-name"), value)
        })
        .collect();
    for ((name, value), (expected, lca)) in
        bars.iter().zip([("plain fc", -0.8), ("frozen fc", -2.0)])
    {
        assert_eq!(*name, Some(expected));
        assert!((value - lca).abs() < 1e-9, "{value}");
    }
    // ± 0.4 · √2 around −0.8.
    let reach = 0.4 * 2.0_f64.sqrt();
    let whisker = panel.line("plain fc deviation");
    assert!(
        (whisker[0].1 - (-0.8 - reach)).abs() <= panel.tolerance(),
        "{whisker:?}"
    );
}

#[test]
fn a_figure_of_some_steps_begins_with_the_loss_at_the_first_of_them() {
    let (_folder, run) = opened(&learned());
    let whole = loss_curves(&run).unwrap().swap_remove(0);
    let some = loss_curves(&run.clone().between(20..=39)).unwrap();
    let svg = drawn(Figure::Loss(&some));
    let document = Document::parse(&svg).unwrap();
    let panel = DrawnPanel::find(&document, "loss");
    let before = std::iter::once((20.0, whole.points[19].loss));
    let points = whole.points[20..40].iter();
    let points = points.map(|point| (point.iteration as f64 + 1.0, point.loss));
    panel.assert_line("training measured", before.chain(points));
    let note = run.between(20..=39).notes().concat();
    assert!(note.contains("only iterations 20 to 39"), "{note}");
}

#[test]
fn bars_around_the_mean_count_the_values_that_are_near_it() {
    let (_folder, run) = opened(&learned());
    let found = distribution(&run).unwrap();
    let svg = drawn(Figure::DistributionAroundMean(&found));
    let document = Document::parse(&svg).unwrap();
    let histogram = found.around_mean.as_ref().unwrap();
    let all = (found.counts.helping + found.counts.hurting) as f64;
    for panel in ["linear", "log"] {
        let bars = DrawnPanel::find(&document, panel).marks("bar");
        let counts = bars.iter().map(|bar| bar.attribute("data-value").unwrap());
        let sum: f64 = counts.map(|count| count.parse::<f64>().unwrap()).sum();
        assert!(
            (sum + histogram.beyond - all).abs() < 1e-6 * all,
            "{sum} of {all}"
        );
        assert!(sum >= 0.98 * all);
    }
}

/// Two runs at each of three numbers, in which `fc` does 10 · (x + 0.01 · seed) − 2: six residuals
/// of 0.1, so the slope's standard error is √(6 · 0.1²/4 / (4 · 0.4²)) = 0.153.
#[test]
fn a_line_against_a_setting_goes_through_the_means_with_its_whiskers() {
    let seeds = [0.0, 0.4, 0.8].map(|value| [(value, -1.0), (value, 1.0)]);
    let (_folders, runs): (Vec<_>, Vec<(f64, Run)>) = seeds
        .into_iter()
        .flatten()
        .map(|(value, seed)| {
            let lca = move |_: At| (10.0 * (value + 0.01 * seed) - 2.0) / 10.0;
            let (folder, run) = opened(&Synthetic::new(&[("fc.weight", 1)], 10).lca(lca));
            (folder, (value, run))
        })
        .unzip();
    let options = SettingOptions::default().name("momentum".into());
    let found = setting(&runs, &options).unwrap();
    let svg = Figure::Setting(&found)
        .draw(&FigureOptions::default())
        .unwrap();
    let document = Document::parse(&svg).unwrap();
    let panel = DrawnPanel::find(&document, "fc");
    panel.assert_line("line", [(0.0, -2.0), (0.8, 6.0)]);
    // Whiskers of ± 0.1 · √2, first at 0.
    let reach = 0.1 * 2.0_f64.sqrt();
    panel.assert_line("deviation", [(0.0, -2.0 - reach), (0.0, -2.0 + reach)]);
    let points = &found.layers[0].points;
    assert_eq!(panel.dots("mean, helping"), [(0.0, points[0].lca)]);
    assert_eq!(
        panel.dots("mean, hurting"),
        [(0.4, points[1].lca), (0.8, points[2].lca)]
    );
    assert_eq!(panel.dots("runs").len(), 6);
    assert!(svg.contains("fc: 10.0 ± 0.153, p = "), "{svg}");
}
