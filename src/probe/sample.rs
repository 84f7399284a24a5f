//! A fresh part of a probe's examples for every step, in two halves that say how far off it can be.
//!
//! See `docs/method.md` for the estimator and its variance.

use std::collections::HashMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::error::LcaError;

/// Examples of a class at least, one for each half.
const LEAST: usize = 2;

/// Half of the examples that a step draws of a class, or a block of that half.
pub(super) struct Half {
    /// Ascending.
    pub examples: Vec<usize>,
    /// How many examples of the class one of these stands for.
    pub stands_for: f64,
    /// The factor of its share of LCA in the difference between the halves.
    pub contrast: f64,
}

/// Draws the samples of one step, class by class. They depend on nothing but the seed and the
/// iteration.
pub(super) struct Draw(ChaCha8Rng);

impl Draw {
    pub fn new(seed: u64, iteration: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(iteration);
        Self(rng)
    }

    /// Draws some examples of a class, without replacement.
    ///
    /// With m of N in halves of h and m − h, a contrast is √((1 − m/N)·h·(m − h)) over the size of
    /// the half, so that the square of the difference is the variance.
    pub fn halves(&mut self, class: &[usize], count: usize) -> [Half; 2] {
        let mut first = self.pick(class, count);
        let mut second = first.split_off(count.div_ceil(2));
        first.sort_unstable();
        second.sort_unstable();
        let left_out = (class.len() - count) as f64 / class.len() as f64;
        let spread = (left_out * first.len() as f64 * second.len() as f64).sqrt();
        [(first, spread), (second, -spread)].map(|(examples, spread)| Half {
            contrast: spread / examples.len() as f64,
            stands_for: class.len() as f64 / count as f64,
            examples,
        })
    }

    /// Draws some examples in random order: the first steps of a Fisher-Yates shuffle, of which
    /// only the moved places are kept.
    fn pick(&mut self, examples: &[usize], count: usize) -> Vec<usize> {
        let mut moved: HashMap<usize, usize> = HashMap::new();
        let place = |moved: &HashMap<usize, usize>, index| *moved.get(&index).unwrap_or(&index);
        (0..count)
            .map(|index| {
                let other = index + self.below(examples.len() - index);
                let drawn = place(&moved, other);
                moved.insert(other, place(&moved, index));
                examples[drawn]
            })
            .collect()
    }

    /// A uniform number below a limit, by Lemire's method. This needs nothing of a random number
    /// library but the bits of ChaCha, which no later version can change.
    pub fn below(&mut self, limit: usize) -> usize {
        let limit = limit as u64;
        let unfair = limit.wrapping_neg() % limit;
        loop {
            let product = u128::from(self.0.next_u64()) * u128::from(limit);
            if product as u64 >= unfair {
                return (product >> 64) as usize;
            }
        }
    }
}

/// Shares a sample among classes of these sizes: each has two examples, or all where it has fewer,
/// and the rest goes one by one to the class that lacks most of its share (Webster's method).
pub(super) fn allocate(sizes: &[usize], sample: usize) -> Result<Vec<usize>, LcaError> {
    let mut shares: Vec<usize> = sizes.iter().map(|size| LEAST.min(*size)).collect();
    let least: usize = shares.iter().sum();
    if sample < least {
        return Err(LcaError::setting(
            "Probe::sampled",
            format!(
                "{sample} examples can't hold {LEAST} of each of the {} classes that have examples",
                sizes.len()
            ),
            format!("use at least {least}, or leave out the classes"),
        ));
    }
    for _ in least..sample {
        // N/(m + ½) compared exactly.
        let product = |a: usize, b: usize| sizes[a] as u128 * (2 * shares[b] as u128 + 1);
        let open = (0..sizes.len()).filter(|&class| shares[class] < sizes[class]);
        if let Some(class) = open.max_by(|&a, &b| product(a, b).cmp(&product(b, a))) {
            shares[class] += 1;
        }
    }
    Ok(shares)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::probe::Probe;
    use crate::probe::chunks::Chunks;
    use crate::probe::plan::Plan;
    use crate::probe::plan::tests::plain;

    fn sampled(probe: Probe<(usize, usize), Vec<usize>>, chunk_size: usize) -> Chunks<Vec<usize>> {
        let plan = Plan::new("training", &probe).unwrap();
        plan.cut(Box::new(probe), chunk_size, &[Device::default()])
            .unwrap()
    }

    /// The halves of a step's sample: whether it is the first, and its indices.
    fn drawn(chunks: &mut Chunks<Vec<usize>>, iteration: u64) -> Vec<(bool, Vec<usize>)> {
        chunks.draw(iteration).unwrap();
        let halves = chunks.iter().map(|half| {
            let (chunk, batch) = half.unwrap();
            (chunk.contrast >= 0.0, batch)
        });
        halves.collect()
    }

    /// Published results rest on it: these numbers may never change.
    #[test]
    fn a_seed_and_an_iteration_draw_the_same_on_every_machine_and_in_every_version() {
        let mut chunks = sampled(plain(&[0; 1000]).sampled(6, 7), 100);
        let steps = [0, 1, 1_000_000].map(|iteration| {
            let halves = drawn(&mut chunks, iteration).into_iter();
            halves.flat_map(|(_, half)| half).collect::<Vec<_>>()
        });
        assert_eq!(
            steps,
            [
                [157, 168, 704, 362, 602, 727],
                [10, 722, 992, 62, 529, 597],
                [309, 588, 984, 244, 695, 895]
            ]
        );
    }

    /// Of 12 examples 5 are drawn, 3 of them into the first half: each is drawn with probability
    /// 5/12, and with 3/12 into the first half. Of 6,000 steps that is 2,500 ± 38 and 1,500 ± 34.
    #[test]
    fn every_example_is_drawn_as_often_as_any_other_and_once_a_step() {
        let mut chunks = sampled(plain(&[0; 12]).sampled(5, 3), 100);
        let mut counts = [[0_i32; 2]; 12];
        for iteration in 0..6000 {
            let mut seen = Vec::new();
            for (first, half) in drawn(&mut chunks, iteration) {
                assert_eq!(half.len(), if first { 3 } else { 2 });
                for &example in &half {
                    counts[example][usize::from(!first)] += 1;
                }
                seen.extend(half);
            }
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), 5, "step {iteration} has an example twice");
        }
        for [first, second] in counts {
            assert!((first - 1500).abs() < 150, "{counts:?}");
            assert!((first + second - 2500).abs() < 170, "{counts:?}");
        }
    }

    #[test]
    fn consecutive_steps_have_nothing_to_do_with_each_other() {
        let mut chunks = sampled(plain(&[0; 100]).sampled(50, 3), 100);
        let mut sample = |iteration| -> Vec<usize> {
            let halves = drawn(&mut chunks, iteration).into_iter();
            halves.flat_map(|(_, half)| half).collect()
        };
        // Two independent samples share 50 · 50/100 = 25 examples, ± 2.5; the mean over 400 ± 0.13.
        let shared: usize = (0..400)
            .map(|iteration| {
                let next = sample(iteration + 1);
                let common = sample(iteration).into_iter().filter(|k| next.contains(k));
                common.count()
            })
            .sum();
        assert!((shared as f64 / 400.0 - 25.0).abs() < 0.5, "{shared}");
    }

    #[test]
    fn classes_keep_their_share_but_have_an_example_for_each_half() {
        let swept = |sizes: &[usize], sample| allocate(sizes, sample).unwrap();
        assert_eq!(swept(&[700, 300], 101), [71, 30]);
        assert_eq!(swept(&[990, 8, 1, 1], 20), [16, 2, 1, 1]);
        assert_eq!(swept(&[5, 5, 5], 15), [5, 5, 5]);
        assert_eq!(swept(&[5, 1], 4), [3, 1]);
        let error = allocate(&[10, 10, 1], 4).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("Probe::sampled") && error.contains("at least 5"),
            "{error}"
        );
    }

    /// A class of 5 of which 3 are swept, in halves of 2 and 1: √((1 − 3/5) · 2 · 1) = √0.8.
    #[test]
    fn chunks_are_of_one_class_and_one_half_and_know_what_they_count_for() {
        let labels = [0, 1, 0, 0, 1, 0, 0];
        let probe = plain(&labels).classes(2, |&(_, label)| label);
        let chunks = sampled(probe.sampled(5, 1), 1);
        let spread = 0.8_f64.sqrt();
        let expected = [spread / 2.0, spread / 2.0, -spread, 0.0, -0.0];
        assert_eq!(chunks.chunks.len(), expected.len());
        for (half, expected) in chunks.iter().zip(expected) {
            let (chunk, batch) = half.unwrap();
            assert!((chunk.contrast - expected).abs() < 1e-15);
            assert!(batch.iter().all(|&example| labels[example] == chunk.row));
        }
    }
}
