//! Noise that is the same at every look.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Returns a number from −1 to 1, uniform over iterations, names and salts.
pub(super) fn noise(iteration: u64, name: &str, salt: u64) -> f64 {
    let mut hasher = DefaultHasher::new();
    (iteration, name, salt).hash(&mut hasher);
    hasher.finish() as f64 / u64::MAX as f64 * 2.0 - 1.0
}
