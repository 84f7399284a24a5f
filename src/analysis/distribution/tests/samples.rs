//! Samples of known distributions, by inverting their distribution functions.

use crate::analysis::stats::{Bin, FineBins};
use crate::analysis::tests::random::{self, generator, uniform};

/// Draws from a double Weibull distribution.
pub(in crate::analysis::distribution) fn double_weibull(
    shape: f64,
    scale: f64,
    count: usize,
    seed: u64,
) -> Vec<f32> {
    let mut rng = generator(seed);
    let draw = |_| {
        let sign = if uniform(&mut rng) < 0.5 { -1.0 } else { 1.0 };
        (sign * scale * (-uniform(&mut rng).ln()).powf(1.0 / shape)) as f32
    };
    (0..count).map(draw).collect()
}

/// Draws from a Gaussian.
pub(in crate::analysis::distribution) fn gaussian(
    mean: f64,
    deviation: f64,
    count: usize,
    seed: u64,
) -> Vec<f32> {
    let mut rng = generator(seed);
    let draw = |_| (mean + deviation * random::gaussian(&mut rng)) as f32;
    (0..count).map(draw).collect()
}

pub(in crate::analysis::distribution) fn fine(values: &[f32]) -> Vec<Bin> {
    let mut bins = FineBins::new();
    values.iter().for_each(|value| bins.add(*value));
    bins.bins()
}

/// The same values in the bins of the table `histograms`: 4 per factor of ten.
pub(in crate::analysis::distribution) fn histogram(values: &[f32]) -> Vec<Bin> {
    let mut bins: Vec<Bin> = Vec::new();
    let edge = |step: f64| 10f64.powf(step / 4.0);
    for value in values {
        let value = f64::from(*value);
        let step = (value.abs().log10() * 4.0).floor();
        let (lower, upper) = if value > 0.0 {
            (edge(step), edge(step + 1.0))
        } else {
            (-edge(step + 1.0), -edge(step))
        };
        match bins.iter_mut().find(|bin| bin.lower == lower) {
            Some(bin) => bin.count += 1,
            None => bins.push(Bin::new(lower, upper, 1)),
        }
    }
    bins.sort_by(|a, b| a.lower.total_cmp(&b.lower));
    bins
}
