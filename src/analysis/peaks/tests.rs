//! Planted peaks, and layers that have nothing to do with one another.

use rand::Rng;

use super::super::series::Series;
use super::super::tests::random::{gaussian, generator, p_of_uniform, uniform};
use super::*;

const LAYERS: [&str; 4] = ["conv1", "conv2", "fc1", "fc2"];

/// A table of one series per layer, from the layer's number and the step.
fn table(steps: usize, mut value: impl FnMut(usize, usize) -> f64) -> SeriesTable {
    let series = |(layer, name): (usize, &&str)| Series {
        name: (*name).to_owned(),
        class: None,
        values: (0..steps).map(|step| value(layer, step)).collect(),
    };
    SeriesTable {
        series: LAYERS.iter().enumerate().map(series).collect(),
        iterations: (0..steps as u64).collect(),
        firsts: (0..steps as u64).collect(),
    }
}

/// The alignment over all classes, in as many layers as asked for.
fn alignment(table: &SeriesTable, options: &PeaksOptions, layers: usize) -> Alignment {
    let found = PeakSet::new(table, options);
    assert_eq!(found.layers.len(), LAYERS.len());
    let model = NullModel {
        window: options.window,
        permutations: options.permutations,
        seed: options.seed,
    };
    let steps = table.iterations.len();
    let mut all = alignment::alignments(&found.trains(), LAYERS.len(), steps, model);
    all.pop().unwrap().swap_remove(layers - 2)
}

/// The p-value with ties broken at random: uniform where the null model holds, also for counts.
fn randomized_p(alignment: &Alignment, rng: &mut impl Rng) -> f64 {
    let equal = *alignment.null.get(alignment.observed).unwrap_or(&0);
    let greater: u64 = alignment.null.iter().skip(alignment.observed + 1).sum();
    let permutations: u64 = alignment.null.iter().sum();
    (greater as f64 + uniform(rng) * (equal + 1) as f64) / (permutations + 1) as f64
}

/// The p-values of 200 draws of layers that are independent given how they start.
fn independent(options: &PeaksOptions, layers: usize, start: impl Fn(usize) -> f64) -> Vec<f64> {
    let mut rng = generator(7);
    let draw = |seed| {
        // Momentum: a step's LCA resembles that of the step before.
        let mut momentum = [0.0; 4];
        let table = table(1000, |layer, step| {
            momentum[layer] = 0.5 * momentum[layer] + gaussian(&mut rng);
            let scale = (1 + layer) as f64;
            scale * start(step) * (momentum[layer] - 1.0)
        });
        let options = PeaksOptions {
            permutations: 199,
            seed,
            ..options.clone()
        };
        let alignment = alignment(&table, &options, layers);
        randomized_p(&alignment, &mut generator(1000 + seed))
    };
    (0..200).map(draw).collect()
}

#[test]
fn independent_layers_give_uniform_p_values_also_with_a_steep_start() {
    let flat = |_| 1.0;
    let steep = |step| 1.0 + 30.0 * (-(step as f64) / 30.0).exp();
    let steeper = |step| 1.0 + 30.0 * (-(step as f64) / 8.0).exp();
    let check = |start: &dyn Fn(usize) -> f64, detrend, top, layers| {
        let options = PeaksOptions {
            top,
            detrend,
            ..PeaksOptions::default()
        };
        let p = p_of_uniform(independent(&options, layers, start));
        assert!(p > 0.01, "{p} of {options:?} in {layers} layers");
    };
    check(&flat, 51, 100, 2);
    check(&steep, 51, 20, 2);
    check(&steep, 0, 100, 4);
    check(&steeper, 51, 100, 3);
}

/// Noise, a steep start, and a deep minimum of every layer at each planted step, moved by
/// `delay` steps in the last layer.
fn planted(steps: &[usize], delay: usize) -> SeriesTable {
    let mut rng = generator(3);
    table(1000, |layer, step| {
        let own = step.wrapping_sub(if layer == 3 { delay } else { 0 });
        let depth = if steps.contains(&own) { 9.0 } else { 0.0 };
        let start = 1.0 + 2.0 * (-(step as f64) / 30.0).exp();
        -start + 0.3 * gaussian(&mut rng) - depth
    })
}

const PLANTED: [usize; 7] = [11, 60, 215, 216 + 40, 500, 777, 990];

#[test]
fn planted_peaks_are_found_and_line_up_more_than_chance_allows() {
    let options = PeaksOptions {
        top: PLANTED.len(),
        ..PeaksOptions::default()
    };
    let together = planted(&PLANTED, 0);
    let found = PeakSet::new(&together, &options);
    for series in &found.series {
        let mut positions = series.positions.clone();
        positions.sort_unstable();
        assert_eq!(positions, PLANTED, "{}", series.peaks.layer);
    }
    let all = alignment(&together, &options, 4);
    assert_eq!((all.observed, all.p), (PLANTED.len(), 1.0 / 1001.0));

    let delayed = planted(&PLANTED, 1);
    assert_eq!(alignment(&delayed, &options, 4).observed, 0);
    assert_eq!(alignment(&delayed, &options, 4).p, 1.0);
    let three = alignment(&delayed, &options, 3);
    assert_eq!((three.observed, three.p), (PLANTED.len(), 1.0 / 1001.0));
}
