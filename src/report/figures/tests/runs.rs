//! Figures of several runs, and of some of their steps.

use roxmltree::Document;

use crate::analysis::classes::ClassMapOptions;
use crate::analysis::layers::LayersOptions;
use crate::analysis::overlay::OverlayOf;
use crate::analysis::sets::RunSet;
use crate::analysis::setting::SettingOptions;
use crate::analysis::shares::SharesOf;
use crate::analysis::tests::synthetic::{At, Synthetic};
use crate::analysis::{distribution, loss_curves, mean_class_map, overlay, sets, setting, shares};
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
    assert!(svg.contains("Runs of different lengths (seeds: 4 to 6 steps)"));
    assert!(svg.contains("seeds (2 runs)") && !svg.contains("(other:"));
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

/// Of 4 parameters 2 help at each of 20 steps in one run and 3 in the other, the rest never: 0.625 ±
/// 0.25/√2 of them always help.
#[test]
fn shares_of_heroes_have_the_mean_and_deviation_of_the_runs_that_have_some() {
    let run = |heroes: usize, by: f64| {
        let lca = move |at: At| if at.index < heroes { -by } else { by };
        opened(&Synthetic::new(&[("fc.weight", 4)], 20).lca(lca))
    };
    let (_a, two) = run(2, 0.01);
    let (_b, three) = run(3, 0.02);
    let (_c, none) = run(4, 0.0);
    let seeds = RunSet::new("seeds", vec![two, three, none]);
    let found = shares(&[seeds], SharesOf::Helping).unwrap();
    let [set] = &found.sets[..] else {
        panic!("{found:?}")
    };
    let mean = set.mean.as_ref().unwrap();
    let near = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-12, "{value}");
    near(mean.mean[0], 0.375);
    near(mean.mean[19], 0.625);
    near(mean.high[19], 0.625 + 0.25 / 2.0_f64.sqrt());
    near(mean.low[19], 0.625 - 0.25 / 2.0_f64.sqrt());
    // Of chance with 1/2 and 3/4: all 20 steps help with 2⁻²⁰ and 0.75²⁰, 19 of them are 95 %.
    let all = |p: f64| p.powi(20) + 20.0 * p.powi(19) * (1.0 - p);
    near(
        set.by_chance.as_ref().unwrap()[19],
        (all(0.5) + all(0.75)) / 2.0,
    );
    assert_eq!((set.runs.len(), found.cautions.len()), (2, 1));

    let svg = drawn(Figure::Shares(&found));
    let document = Document::parse(&svg).unwrap();
    let panel = DrawnPanel::find(&document, "heroes");
    let outline = |first: f64, last: f64| {
        let bars = (0..20).map(f64::from);
        bars.flat_map(move |bar| {
            let height = match bar {
                0.0 => first,
                19.0 => last,
                _ => 0.0,
            };
            [(5.0 * bar, height), (5.0 * bar + 5.0, height)]
        })
    };
    panel.assert_line("seeds", outline(37.5, 62.5));
    panel.assert_line("seeds run 1", outline(25.0, 75.0));
    assert!(svg.contains("has nothing to count, and is left out"));
}

/// One run has −2e-3 only, the other −2e-3 and 2e-6 as often, and as many zeros as both together.
#[test]
fn shares_of_values_are_of_all_values_of_each_run_over_the_same_bars() {
    let run = |lca: fn(At) -> f64| opened(&Synthetic::new(&[("fc.weight", 4)], 10).lca(lca));
    let (_a, one) = run(|_| -2e-3);
    let (_b, other) = run(|at| [-2e-3, 2e-6, 0.0, 0.0][at.index]);
    let set = RunSet::new("both", vec![one, other]);
    let found = shares(&[set], SharesOf::Lca).unwrap();
    assert!(found.edges.is_sorted() && found.edges.len() == found.sets[0].runs[0].shares.len() + 1);
    let share = |run: usize, value: f64| {
        let bar = found.edges.partition_point(|edge| *edge <= value) - 1;
        found.sets[0].runs[run].shares[bar]
    };
    assert_eq!([share(0, -2e-3), share(0, 2e-6)], [1.0, 0.0]);
    assert_eq!([share(1, -2e-3), share(1, 2e-6)], [0.25, 0.25]);
    assert_eq!(found.sets[0].runs[1].counted, 40);
    let svg = drawn(Figure::Shares(&found));
    let document = Document::parse(&svg).unwrap();
    let line = DrawnPanel::find(&document, "linear").line("both");
    let highest = line.iter().map(|(_, height)| *height).fold(0.0, f64::max);
    assert!((highest - 62.5).abs() < 0.2, "{highest}");
}

/// −0.1 and −0.3 at each of 4 steps in class 0, the opposite in class 1: ∓0.8 ± 0.4 · √2.
#[test]
fn cells_of_classes_are_means_over_runs_and_say_their_deviation() {
    let run = |by: f64, steps: u64| {
        let lca = move |at: At| if at.class == Some(0) { -by } else { by };
        opened(
            &Synthetic::new(&[("fc.weight", 1)], steps)
                .classes(2)
                .lca(lca),
        )
    };
    let (_a, first) = run(0.1, 4);
    let (_b, second) = run(0.3, 4);
    let (_c, longer) = run(0.3, 6);
    let options = ClassMapOptions::default();
    let found = mean_class_map(&[first.clone(), second], &options).unwrap();
    let deviation = found.classes[0].deviation[0];
    assert!(
        (deviation - 0.4 * 2.0_f64.sqrt()).abs() < 1e-9,
        "{deviation}"
    );
    let svg = drawn(Figure::ClassMeans(&found));
    let document = Document::parse(&svg).unwrap();
    let values = |name: &str| -> Vec<f64> {
        let panel = DrawnPanel::find(&document, name);
        let [cells] = panel.marks("cells")[..] else {
            panic!("{name}")
        };
        let cells = cells
            .children()
            .filter_map(|cell| cell.attribute("data-value"));
        cells.map(|value| value.parse().unwrap()).collect()
    };
    let expected = [-0.2, -0.2, -0.2, -0.2, 0.2, 0.2, 0.2, 0.2];
    for (value, expected) in values("time").iter().zip(expected) {
        assert!((value - expected).abs() < 1e-9, "{value}");
    }
    for (value, expected) in values("layers").iter().zip([-0.8, 0.8]) {
        assert!((value - expected).abs() < 1e-9, "{value}");
    }
    assert!(svg.contains("± 0.566") && svg.contains("Means over 2 runs"));
    // Of different lengths: the sums, without a common time.
    let svg = drawn(Figure::ClassMeans(
        &mean_class_map(&[first, longer], &options).unwrap(),
    ));
    assert!(svg.contains("The runs have different steps") && !svg.contains("step by step"));
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
