//! Which parameters of which steps go into the `parameters` table.

use std::collections::BTreeSet;
use std::ops::{Range, RangeBounds};
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::error::LcaError;

use super::checksum;
use super::iterations::half_open;
use super::pattern::matches;

/// Binary digits of an `f32` after the leading one.
const MANTISSA: u32 = 23;

/// A choice of parameters and steps: tensors by path, steps by range and cadence, indices.
///
/// ```
/// # use burn_lca::ParameterSelection;
/// // 200 weights of every convolution, in steps 0, 10, 20, … below 5,000.
/// let selection = ParameterSelection::all()
///     .tensors("conv*.weight")
///     .steps(..5_000)
///     .every(10)
///     .random_indices(200, 42);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[must_use = "a selection does nothing until it is given to `Recorder::parameters`"]
pub struct ParameterSelection {
    /// Patterns of which one must match; none selects every tensor.
    patterns: Vec<String>,
    first_step: u64,
    /// The first step that is no longer recorded.
    end_step: Option<u64>,
    cadence: Cadence,
    indices: IndexChoice,
    /// Binary digits that values keep after the leading one; `None` is all of them.
    #[serde(default)]
    mantissa_bits: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Cadence {
    Every(u64),
    LogSpaced { per_decade: u32 },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum IndexChoice {
    All,
    Random { count: usize, seed: u64 },
    Chosen(Vec<u32>),
}

impl ParameterSelection {
    /// Returns the selection of every parameter at every step, with every bit.
    pub fn all() -> Self {
        Self {
            patterns: Vec::new(),
            first_step: 0,
            end_step: None,
            cadence: Cadence::Every(1),
            indices: IndexChoice::All,
            mantissa_bits: None,
        }
    }

    /// Records only tensors whose whole path matches this pattern, or one of several calls.
    ///
    /// `*` stands for any text and `?` for any one character.
    pub fn tensors(mut self, pattern: impl Into<String>) -> Self {
        self.patterns.push(pattern.into());
        self
    }

    /// Records only the steps (iterations, from 0) in a range.
    pub fn steps(mut self, range: impl RangeBounds<u64>) -> Self {
        let range = half_open(range);
        self.first_step = range.start;
        self.end_step = (range.end < u64::MAX).then_some(range.end);
        self
    }

    /// Records every n-th step, counted from the first one selected.
    pub fn every(mut self, steps: u64) -> Self {
        self.cadence = Cadence::Every(steps);
        self
    }

    /// Records steps that are further and further apart, about `per_decade` of them for every
    /// factor of ten.
    pub fn log_spaced(mut self, per_decade: u32) -> Self {
        self.cadence = Cadence::LogSpaced { per_decade };
        self
    }

    /// Records the same `count` random indices of each tensor at every step.
    ///
    /// They depend on the seed and the tensor's path only.
    pub fn random_indices(mut self, count: usize, seed: u64) -> Self {
        self.indices = IndexChoice::Random { count, seed };
        self
    }

    /// Records these indices (flat, row-major) of each tensor that has them.
    pub fn chosen_indices(mut self, indices: impl Into<Vec<u32>>) -> Self {
        self.indices = IndexChoice::Chosen(indices.into());
        self
    }

    /// Rounds the recorded values to this many binary digits after the leading one, of 23.
    ///
    /// The low digits of a measured `f32` are noise that can't be compressed, and take most of the
    /// table's space on disk. Rounding to 10 digits changes a value by at most one part in 2,000,
    /// up as often as down, and halves the table: [`crate::Recorder::full`] does that. Other
    /// tables are not rounded.
    pub fn mantissa_bits(mut self, bits: u32) -> Self {
        self.mantissa_bits = Some(bits);
        self
    }

    /// Rounds values the way they are recorded.
    pub(super) fn round(&self, values: &mut [f32]) {
        let Some(bits) = self.mantissa_bits.filter(|bits| *bits < MANTISSA) else {
            return;
        };
        let dropped = MANTISSA - bits;
        for value in values {
            let exact = value.to_bits();
            // To nearest, ties to even: otherwise sums would drift.
            let half = (1 << (dropped - 1)) - 1 + ((exact >> dropped) & 1);
            let rounded = f32::from_bits(exact.wrapping_add(half) >> dropped << dropped);
            // Not NaN or infinite, and not made so.
            if value.is_finite() && rounded.is_finite() {
                *value = rounded;
            }
        }
    }

    /// Returns whether the parameters of a row are to be recorded that spans these steps, where the
    /// next one begins at `next`.
    pub(crate) fn wants_steps(&self, mut steps: Range<u64>, next: u64) -> bool {
        let within = self.first_step..self.end_step.unwrap_or(u64::MAX);
        let (start, is_inside) = (steps.start, steps.any(|step| within.contains(&step)));
        is_inside && (start..next).any(|step| self.wants_iteration(step))
    }

    /// Returns whether values are rounded as they are recorded.
    pub(super) fn is_rounded(&self) -> bool {
        self.mantissa_bits.is_some_and(|bits| bits < MANTISSA)
    }

    /// Returns whether this step's parameters are to be recorded.
    fn wants_iteration(&self, iteration: u64) -> bool {
        if iteration < self.first_step || self.end_step.is_some_and(|end| iteration >= end) {
            return false;
        }
        let since = iteration - self.first_step;
        match self.cadence {
            Cadence::Every(steps) => since.is_multiple_of(steps),
            Cadence::LogSpaced { per_decade } => {
                // The first step of every interval of width 1/per_decade in log10.
                let interval =
                    |count: u64| ((count as f64).log10() * f64::from(per_decade)).floor();
                since == 0 || interval(since + 1) > interval(since)
            }
        }
    }

    /// Returns whether every parameter of every step is to be recorded.
    #[cfg(feature = "analysis")]
    pub(crate) fn is_everything(&self) -> bool {
        let all_tensors = self.patterns.is_empty() || self.patterns.iter().any(|path| path == "*");
        let all_steps =
            self.cadence == Cadence::Every(1) && self.first_step == 0 && self.end_step.is_none();
        all_tensors && all_steps && self.indices == IndexChoice::All
    }

    /// Returns whether this tensor's parameters are to be recorded.
    pub(crate) fn wants_tensor(&self, path: &str) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(|pattern| matches(pattern, path))
    }

    /// Returns the indices to record of a tensor with `count` elements, ascending; `None` is all.
    pub(crate) fn indices(&self, path: &str, count: usize) -> Option<Arc<[u32]>> {
        match &self.indices {
            IndexChoice::All => None,
            IndexChoice::Random { count: wanted, .. } if *wanted >= count => None,
            IndexChoice::Random {
                count: wanted,
                seed,
            } => Some(sample(path, count, *wanted, *seed)),
            IndexChoice::Chosen(indices) => {
                let there = indices
                    .iter()
                    .copied()
                    .filter(|index| (*index as usize) < count);
                Some(there.collect::<BTreeSet<_>>().into_iter().collect())
            }
        }
    }

    /// Checks the settings against the tensors of a model, by path.
    ///
    /// Fails on settings that can't select anything.
    pub(super) fn check<'a>(
        &self,
        mut tensors: impl Iterator<Item = &'a str>,
    ) -> Result<(), LcaError> {
        const EVERY: &str = "ParameterSelection::every";
        const LOG_SPACED: &str = "ParameterSelection::log_spaced";
        const STEPS: &str = "ParameterSelection::steps";
        const RANDOM: &str = "ParameterSelection::random_indices";
        const CHOSEN: &str = "ParameterSelection::chosen_indices";
        const BITS: &str = "ParameterSelection::mantissa_bits";
        const TENSORS: &str = "ParameterSelection::tensors";
        let fault =
            |setting, problem: &str, remedy: &str| Err(LcaError::setting(setting, problem, remedy));
        match &self.cadence {
            Cadence::Every(0) => return fault(EVERY, "0 steps", "give 1 for every step"),
            Cadence::LogSpaced { per_decade: 0 } => {
                return fault(LOG_SPACED, "0 steps", "give at least 1");
            }
            _ => {}
        }
        if self.end_step.is_some_and(|end| end <= self.first_step) {
            let remedy = "give one that ends after it begins";
            return fault(STEPS, "the range is empty", remedy);
        }
        match &self.indices {
            IndexChoice::Random { count: 0, .. } => {
                return fault(RANDOM, "0 indices", "give at least 1");
            }
            IndexChoice::Chosen(indices) if indices.is_empty() => {
                return fault(CHOSEN, "no indices", "give at least one");
            }
            _ => {}
        }
        if let Some(bits) = self.mantissa_bits.filter(|bits| *bits > MANTISSA) {
            let problem = format!("{bits} bits, but a value has only {MANTISSA}");
            return fault(BITS, &problem, "leave the setting out to keep every bit");
        }
        if !self.patterns.is_empty() && !tensors.any(|path| self.wants_tensor(path)) {
            let problem = format!("no tensor of the model matches {:?}", self.patterns);
            let remedy = "printing the model shows the paths; `*` stands for any text";
            return fault(TENSORS, &problem, remedy);
        }
        Ok(())
    }
}

/// Draws `wanted` of `count` indices without replacement (Floyd's algorithm).
///
/// This needs nothing of a library but the bits of ChaCha, which no later version can change.
fn sample(path: &str, count: usize, wanted: usize, seed: u64) -> Arc<[u32]> {
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ checksum::of(path.as_bytes()));
    let mut drawn = BTreeSet::new();
    for last in count - wanted..count {
        // Biased by less than 2⁻³² for any tensor's size.
        let scaled = u128::from(random.next_u64()) * (last as u128 + 1);
        let index = (scaled >> 64) as u32;
        if !drawn.insert(index) {
            drawn.insert(last as u32);
        }
    }
    drawn.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counts_from_the_first_selected_step() {
        let selection = ParameterSelection::all().steps(5..12).every(3);
        let wanted: Vec<u64> = (0..20).filter(|i| selection.wants_iteration(*i)).collect();
        assert_eq!(wanted, [5, 8, 11]);
    }

    #[test]
    fn log_spaced_steps_thin_out() {
        let selection = ParameterSelection::all().log_spaced(2);
        let wanted: Vec<u64> = (0..1000)
            .filter(|i| selection.wants_iteration(*i))
            .collect();
        // Counted from 1: the first at or after 10^(k/2).
        assert_eq!(wanted, [0, 3, 9, 31, 99, 316, 999]);
    }

    #[test]
    fn random_indices_are_distinct_ascending_and_depend_on_seed_and_path() {
        let draw = |path, seed| {
            ParameterSelection::all()
                .random_indices(50, seed)
                .indices(path, 1000)
                .unwrap()
        };
        let drawn = draw("fc1.weight", 1);
        assert_eq!(drawn.len(), 50);
        assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]) && drawn[49] < 1000);
        assert_eq!(drawn, draw("fc1.weight", 1));
        assert_ne!(drawn, draw("fc1.weight", 2));
        assert_ne!(drawn, draw("fc2.weight", 1));
        assert_eq!(
            ParameterSelection::all()
                .random_indices(50, 1)
                .indices("b", 50),
            None
        );
    }

    #[test]
    fn the_same_seed_draws_these_indices_on_every_machine_and_in_every_version() {
        let selection = ParameterSelection::all().random_indices(6, 42);
        let drawn = selection.indices("fc1.weight", 78_400);
        assert_eq!(
            drawn.as_deref(),
            Some(&[907, 1_315, 31_072, 32_437, 60_028, 60_840][..])
        );
    }

    #[test]
    fn chosen_indices_outside_a_tensor_are_left_out() {
        let selection = ParameterSelection::all().chosen_indices([7, 2, 2, 99]);
        assert_eq!(selection.indices("b", 10).as_deref(), Some(&[2, 7][..]));
    }

    #[test]
    fn rounding_is_to_the_nearest_and_leaves_what_is_not_finite() {
        let mut values = [
            1.0 + 3.0 / 16.0,
            1.125,
            1.375,
            -1.3,
            0.0,
            f32::NAN,
            f32::MAX,
            f32::NEG_INFINITY,
        ];
        ParameterSelection::all()
            .mantissa_bits(2)
            .round(&mut values);
        assert_eq!(values[..5], [1.25, 1.0, 1.5, -1.25, 0.0]);
        assert!(values[5].is_nan());
        assert_eq!(values[6..], [f32::MAX, f32::NEG_INFINITY]);
        let mut exact = [0.1];
        ParameterSelection::all()
            .mantissa_bits(23)
            .round(&mut exact);
        assert_eq!(exact, [0.1]);
    }

    #[test]
    fn a_selection_of_nothing_is_refused() {
        let check = |selection: ParameterSelection| selection.check(["fc1.weight"].into_iter());
        assert!(check(ParameterSelection::all().every(0)).is_err());
        assert!(check(ParameterSelection::all().log_spaced(0)).is_err());
        assert!(check(ParameterSelection::all().steps(5..5)).is_err());
        assert!(check(ParameterSelection::all().random_indices(0, 1)).is_err());
        assert!(check(ParameterSelection::all().chosen_indices([])).is_err());
        assert!(check(ParameterSelection::all().mantissa_bits(24)).is_err());
        assert!(check(ParameterSelection::all().mantissa_bits(23)).is_ok());
        let error = check(ParameterSelection::all().tensors("conv*"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("conv*"), "{error}");
    }
}
