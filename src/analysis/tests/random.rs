//! Noise for tests, the same on every machine and in every version.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{ContinuousCDF, Normal, Uniform};
use statrs::stats_tests::NaNPolicy;
use statrs::stats_tests::ks_test::{KSOneSampleAlternativeMethod, ks_onesample};

use super::synthetic::At;

/// Returns a generator of numbers.
pub(crate) fn generator(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Returns a number from −1 to 1, uniform over iterations, names and salts, and the same at every
/// look.
pub(crate) fn noise(iteration: u64, name: &str, salt: u64) -> f64 {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&iteration.to_le_bytes());
    seed[8..16].copy_from_slice(&salt.to_le_bytes());
    for (index, byte) in name.bytes().enumerate() {
        let mixed = &mut seed[16 + index % 16];
        *mixed = mixed.rotate_left(3) ^ byte;
    }
    2.0 * ChaCha8Rng::from_seed(seed).random::<f64>() - 1.0
}

/// Returns a number from 0 to 1, uniform over the arguments.
pub(crate) fn chance_at(number: u64) -> f64 {
    0.5 + 0.5 * noise(number, "", 0)
}

/// Returns noise of a parameter at a step, for each class its own.
pub(crate) fn noise_at(at: At) -> f64 {
    let class = at.class.map_or(0, |class| class as u64 + 1);
    noise(at.iteration, at.tensor, at.index as u64 * 1_000 + class)
}

/// Returns the p-value of the Kolmogorov-Smirnov test of a sample against the uniform distribution.
pub(crate) fn p_of_uniform(sample: Vec<f64>) -> f64 {
    let uniform = Uniform::new(0.0, 1.0).unwrap();
    let method = KSOneSampleAlternativeMethod::TwoSidedAsymptotic;
    let test = ks_onesample(sample, &uniform, method, NaNPolicy::Error);
    test.unwrap().1
}

/// Draws a number strictly between 0 and 1.
pub(crate) fn uniform(rng: &mut impl Rng) -> f64 {
    rng.sample(rand::distr::Open01)
}

/// Draws from the standard normal distribution.
pub(crate) fn gaussian(rng: &mut impl Rng) -> f64 {
    Normal::standard().inverse_cdf(uniform(rng))
}
