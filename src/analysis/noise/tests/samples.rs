//! Samples of known laws, by inverting their distribution functions.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::analysis::noise::bins::FineBins;
use crate::analysis::stats::Bin;

/// Uniform numbers between 0 and 1 (SplitMix64), the same in every run of the tests.
pub(super) struct Uniform(pub(super) u64);

impl Uniform {
    pub(super) fn draw(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64 + f64::EPSILON / 4.0
    }
}

/// Draws from a double Weibull distribution.
pub(super) fn double_weibull(shape: f64, scale: f64, count: usize, seed: u64) -> Vec<f32> {
    let mut uniform = Uniform(seed);
    let draw = |_| {
        let sign = if uniform.draw() < 0.5 { -1.0 } else { 1.0 };
        (sign * scale * (-uniform.draw().ln()).powf(1.0 / shape)) as f32
    };
    (0..count).map(draw).collect()
}

/// Draws from a Gaussian.
pub(super) fn gaussian(mean: f64, deviation: f64, count: usize, seed: u64) -> Vec<f32> {
    let mut uniform = Uniform(seed);
    let law = Normal::new(mean, deviation).unwrap();
    let draw = |_| law.inverse_cdf(uniform.draw()) as f32;
    (0..count).map(draw).collect()
}

pub(super) fn fine(values: &[f32]) -> Vec<Bin> {
    let mut bins = FineBins::new();
    values.iter().for_each(|value| bins.add(*value));
    bins.bins()
}

/// The same values in the bins of the table `histograms`: 4 per factor of ten.
pub(super) fn histogram(values: &[f32]) -> Vec<Bin> {
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
