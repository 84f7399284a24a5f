//! Curves over time: what they add up to, in windows and without.

use super::random::noise_at;
use super::synthetic::{At, Synthetic};
use crate::analysis::classes::ClassMapOptions;
use crate::analysis::helping::HelpingOptions;
use crate::analysis::layers::LayersOptions;
use crate::analysis::loss::LossCurve;
use crate::analysis::overlay::OverlayOf;
use crate::analysis::sets::RunSet;
use crate::analysis::trace::TraceOptions;
use crate::analysis::{
    class_maps, compare, distribution, helping, helping_by_layer, layers, loss_curves, overlay,
    summary, trace, trajectories,
};
use crate::record::Run;

fn assert_near(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-9, "{value}, not {expected}");
}

/// Noise around −0.1, of which class 1 has a NaN in one layer at step 4.
fn lca(at: At) -> f64 {
    if at.class == Some(1) && at.iteration == 4 && at.tensor == "fc2.weight" {
        return f64::NAN;
    }
    noise_at(at) - 0.1
}

fn written(steps: u64) -> (tempfile::TempDir, Run) {
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::new(
        &[("fc1.weight", 3), ("fc1.bias", 1), ("fc2.weight", 2)],
        steps,
    )
    .classes(2)
    .validation()
    .lca(lca)
    .residual(|iteration| 1e-3 * iteration as f64)
    .write(folder.path());
    (folder, run)
}

#[test]
fn windows_keep_what_adds_up_and_end_where_the_run_does() {
    let (_folder, run) = written(50);
    let curve = loss_curves(&run).unwrap().swap_remove(0);
    let windows = curve.clone().in_windows(8);
    assert_eq!((windows.steps_per_window, windows.points.len()), (7, 8));
    let residuals = |points: &[crate::analysis::loss::LossPoint]| -> f64 {
        points.iter().map(|point| point.residual).sum()
    };
    assert_near(residuals(&windows.points), residuals(&curve.points));
    let (last, end) = (curve.points.last(), windows.points.last());
    assert_eq!(last.unwrap().iteration, end.unwrap().iteration);
    assert_eq!(windows.points[0].iteration, 6);
    assert_eq!(windows.points[0].explained, curve.points[6].explained);

    let all = helping(&run, &HelpingOptions::default()).unwrap();
    let windows = all.clone().in_windows(8);
    assert_eq!((windows.steps_per_window, windows.steps.len()), (7, 8));
    assert_eq!(
        windows
            .steps
            .iter()
            .map(|step| step.counts)
            .sum::<crate::analysis::HelpingCounts>(),
        all.all
    );
    let (first, last) = (windows.steps[0], windows.steps[7]);
    assert_eq!((first.first_iteration, first.iteration), (0, 6));
    assert_eq!((last.first_iteration, last.iteration), (49, 49));

    let probe = trajectories(&run).unwrap().swap_remove(0);
    let windows = probe.clone().in_windows(8);
    assert_eq!((windows.steps_per_window, windows.iterations.len()), (7, 7));
    for (layer, windows) in probe.layers.iter().zip(&windows.layers) {
        assert_eq!(windows.cumulative[2], layer.cumulative[20]);
        assert_eq!(windows.cumulative.last(), layer.cumulative.last());
        assert_near(windows.lca.iter().sum(), *layer.cumulative.last().unwrap());
        assert_eq!(windows.reach, layer.reach);
    }

    let (_other_folder, other) = written(50);
    let both = RunSet::new("both", vec![run.clone(), other]);
    let of_both = overlay(&[both], OverlayOf::Helping { smooth: None }).unwrap();
    let mean = of_both.panels[0].sets[0].mean.clone().unwrap();
    let windows = mean.clone().in_windows(8);
    assert_eq!((windows.steps_per_window, windows.mean.len()), (7, 8));
    assert_eq!(windows.iterations[..2], [6, 13]);
    assert_eq!(windows.mean[1], mean.mean[13]);
    assert_eq!(windows.high.last(), mean.high.last());

    let options = TraceOptions::default()
        .tensor(Some("fc1.weight".into()))
        .indices(vec![1]);
    let parameter = trace(&run, &options).unwrap().parameters.swap_remove(0);
    let (steps, windows) = parameter.in_windows(8);
    assert_eq!((steps, windows.len()), (7, 8));
    assert_near(windows.iter().map(|window| window.lca).sum(), parameter.lca);
    assert_near(
        windows.iter().map(|window| window.step).sum(),
        parameter.moved,
    );
    assert!((windows[0].gradient - 0.1).abs() < 1e-7);
}

#[test]
fn the_loss_changes_by_a_step_and_by_a_window_as_planted() {
    // The loss falls by 1, 2, …, 7: in windows of 3, 3 and 1 by 6, 15 and 7.
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::new(&[("w", 1)], 7)
        .lca(|at| -(at.iteration as f64 + 1.0))
        .write(folder.path());
    let curve = loss_curves(&run).unwrap().swap_remove(0);
    let change = |curve: &LossCurve| -> Vec<f64> {
        let points = curve.points.iter();
        points.map(|point| point.change.round()).collect()
    };
    assert_eq!(change(&curve), [-1.0, -2.0, -3.0, -4.0, -5.0, -6.0, -7.0]);
    let starts = curve.points.iter().map(|point| point.before);
    let ends = curve.points.iter().map(|point| point.loss);
    starts
        .skip(1)
        .zip(ends)
        .for_each(|(start, end)| assert_near(start, end));
    assert_eq!(change(&curve.in_windows(3)), [-6.0, -15.0, -7.0]);
}

#[test]
fn a_trace_counts_and_sums_its_own_steps() {
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::new(&[("w", 1)], 6)
        .lca(|at| [-0.5, 0.25, 0.0, -0.5, -0.25, 0.125][at.iteration as usize])
        .step(|at| at.iteration as f64)
        .write(folder.path());
    let found = trace(&run, &TraceOptions::default()).unwrap().parameters;
    let [parameter] = &found[..] else {
        panic!("{found:?}")
    };
    let counts = parameter.counts;
    assert_eq!((counts.helping, counts.hurting, counts.zero), (3, 2, 1));
    assert_eq!((parameter.moved, parameter.lca), (15.0, -0.875));
    let sums: Vec<f64> = parameter.steps.iter().map(|step| step.cumulative).collect();
    assert_eq!(sums, [-0.5, -0.25, -0.25, -0.75, -1.0, -0.875]);
}

#[test]
fn smoothed_fractions_are_means_in_the_middle_and_never_beyond_what_a_fraction_can_be() {
    // All of ten help at the first step, one less at each of the following.
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::new(&[("a.weight", 10), ("b.weight", 10)], 11)
        .without_parameters()
        .lca(|at| match at.tensor {
            "a.weight" if at.index as u64 >= at.iteration => -1.0,
            "a.weight" => 1.0,
            // Nearly all help at the first steps, so that a line goes beyond.
            _ if at.iteration < 2 || at.index > 4 => -1.0,
            _ => 1.0,
        })
        .write(folder.path());
    let of = |options: &HelpingOptions| helping_by_layer(&run, options).unwrap();
    let layers = of(&HelpingOptions::default().smooth(Some(4)));
    let a = &layers[0].helping;
    assert_eq!((a.smoothing_window, a.steps_per_window), (5, 1));
    for (step, iteration) in a.steps.iter().zip(0..) {
        let fraction = 1.0 - 0.1 * f64::from(iteration);
        assert_near(step.counts.fraction_of_all().unwrap(), fraction);
        // A straight line stays what it is.
        assert_near(step.smoothed_of_all.unwrap(), fraction);
        assert_near(step.smoothed_of_nonzero.unwrap(), fraction);
    }
    let b = &layers[1].helping;
    // 1, 1, 1/2, 1/2, 1/2: mean 0.7, slope −0.15: 1.0 at the first step.
    assert_near(b.steps[0].smoothed_of_all.unwrap(), 1.0);
    assert_near(b.steps[1].smoothed_of_all.unwrap(), 0.85);
    assert_near(b.steps[2].smoothed_of_all.unwrap(), 0.7);
    let raw = &of(&HelpingOptions::default())[1].helping;
    assert_eq!(raw.smoothing_window, 1);
    assert_eq!(raw.steps[1].smoothed_of_all, Some(1.0));
    assert!(helping(&run, &HelpingOptions::default().smooth(Some(0))).is_err());
}

#[test]
fn a_class_map_leaves_out_a_class_at_a_step_that_is_not_finite_as_the_layers_do() {
    let (_folder, run) = written(50);
    let options = ClassMapOptions::default().columns(10).window_sums(120);
    let maps = class_maps(&run, &options).unwrap();
    assert_eq!(maps.len(), 2);
    let map = &maps[0];
    assert_eq!(
        (map.probe.as_str(), &map.layers[..]),
        ("training", &["fc1".into(), "fc2".into()][..])
    );
    for (number, class) in map.classes.iter().enumerate() {
        assert_eq!(class.class.name, format!("class {number}"));
        assert_eq!(class.left_out, number);
        let options = LayersOptions::default().class(Some(number as i32));
        let layers = layers(std::slice::from_ref(&run), &options).unwrap().layers;
        for (lca, layer) in class.lca.iter().zip(&layers) {
            assert_near(*lca, layer.lca);
        }
    }
    assert_eq!(
        (map.over_time.starts.len(), map.over_time.steps_per_column),
        (10, 5)
    );
    // 60 sums a probe: 4 rows of 10 windows, and 2 of all layers together.
    let windows = &map.windows;
    assert_eq!((windows.steps_per_window, windows.starts.len()), (5, 10));
    assert_eq!((windows.starts[1], windows.ends[1]), (5, 9));
    let rows: Vec<&[f64]> = windows.cumulative.chunks(10).collect();
    for (number, class) in map.classes.iter().enumerate() {
        assert_near(rows[number][9], class.lca[0]);
        assert_near(rows[2 + number][9], class.lca[1]);
        assert_near(rows[4 + number][2], rows[number][2] + rows[2 + number][2]);
    }
    let magnitudes = map.classes.iter().flat_map(|class| &class.lca);
    let greatest = magnitudes.map(|lca| lca.abs()).reduce(f64::max);
    assert_eq!(map.color_range, greatest);
    assert_eq!(map.left_out, 1);
}

#[test]
fn every_analysis_gives_a_layer_and_the_values_the_same_numbers() {
    // With a step at which one layer is not finite.
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::new(&[("fc1.weight", 3), ("fc2.weight", 2)], 40)
        .lca(|at| match (at.tensor, at.iteration) {
            ("fc2.weight", 7) => f64::NAN,
            _ => noise_at(at) + if at.tensor == "fc2.weight" { 0.3 } else { -0.3 },
        })
        .write(folder.path());
    let runs = std::slice::from_ref(&run);
    let layers = layers(runs, &LayersOptions::default()).unwrap().layers;
    let probe = trajectories(&run).unwrap().swap_remove(0);
    for (layer, curve) in layers.iter().zip(&probe.layers) {
        assert_near(*curve.cumulative.last().unwrap(), layer.lca);
    }
    let compared = compare(&run, &run).unwrap().layers;
    let summary = summary(&run).unwrap();
    for (layer, compared) in layers.iter().zip(&compared) {
        assert_eq!(compared.lca.first, layer.lca);
        let harm = summary.hurting_layers.iter();
        let harm = harm.filter(|harm| harm.layer == layer.name);
        let harm: Vec<f64> = harm.map(|harm| harm.lca).collect();
        assert_eq!(harm, if layer.hurts { vec![layer.lca] } else { vec![] });
    }

    let noise = distribution(&run).unwrap();
    let quantiles = summary.quantiles.unwrap();
    assert_eq!(quantiles.source, noise.source);
    assert_eq!(quantiles.not_finite, noise.not_finite);
    assert_eq!(noise.mean, summary.helping[0].mean);
    for quantile in quantiles.quantiles {
        assert!(noise.quantiles.contains(&quantile), "{quantile:?}");
    }
    let curve = loss_curves(&run).unwrap().swap_remove(0);
    assert_eq!(
        curve.reconciliation.not_finite,
        summary.reconciliation[0].not_finite
    );
    let all = helping(&run, &HelpingOptions::default()).unwrap().all;
    assert_eq!(all, summary.helping[0].counts);
}
