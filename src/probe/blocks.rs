//! Samples of successive examples, where only such can be read together.
//!
//! See `docs/method.md` for the estimator and its variance.

use std::ops::Range;

use super::sample::{Draw, Half};

/// Fewer examples are not worth a pass of their own.
const LEAST: usize = 16;

/// More blocks spread a half further, but cost more passes.
const MOST_OF_HALF: usize = 4;

/// Examples in their order, cut into blocks of nearly equal size, of which a half of a sample is a
/// few that are evenly spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Blocks {
    examples: usize,
    count: usize,
    of_half: usize,
}

impl Blocks {
    /// Cuts examples, at least one, so that a sample is about as many as a batch.
    pub fn new(examples: usize, batch: usize) -> Self {
        let half = batch.div_ceil(2);
        let of_half = (half / LEAST).clamp(1, MOST_OF_HALF);
        let size = half.div_ceil(of_half).max(1);
        Self {
            examples,
            count: examples.div_ceil(size),
            of_half,
        }
    }

    /// The most examples of one block.
    pub fn size(&self) -> usize {
        self.examples.div_ceil(self.count)
    }

    /// The most examples of one sample.
    pub fn sampled(&self) -> usize {
        2 * self.of_half * self.size()
    }

    /// Draws the halves of a sample, block by block, independently of each other.
    pub(super) fn draw(&self, draw: &mut Draw) -> Vec<Half> {
        let mut drawn = Vec::with_capacity(2 * self.of_half);
        for contrast in [1.0, -1.0] {
            let start = draw.below(self.examples);
            drawn.extend(self.half(start).map(|block| Half {
                contrast,
                stands_for: self.examples as f64 / (2 * self.of_half * block.len()) as f64,
                examples: block.collect(),
            }));
        }
        drawn
    }

    /// The blocks around these examples: one, and those evenly spaced from it. As large blocks are
    /// hit more often, the means of blocks, with the same weight for each, estimate that of all.
    fn half(&self, start: usize) -> impl Iterator<Item = Range<usize>> {
        (0..self.of_half).map(move |k| {
            let example = (start + k * self.examples / self.of_half) % self.examples;
            self.around(example)
        })
    }

    fn around(&self, example: usize) -> Range<usize> {
        let bound = |block| block * self.examples / self.count;
        let block = ((example + 1) * self.count - 1) / self.examples;
        bound(block)..bound(block + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_about_as_large_as_a_batch_and_spread_in_blocks_that_are_worth_a_pass() {
        let of = |batch| {
            let blocks = Blocks::new(100_000, batch);
            (blocks.of_half, blocks.size(), blocks.sampled())
        };
        assert_eq!(of(1), (1, 1, 2));
        assert_eq!(of(32), (1, 16, 32));
        assert_eq!(of(64), (2, 16, 64));
        assert_eq!(of(100), (3, 17, 102));
        assert_eq!(of(256), (4, 32, 256));
        assert_eq!(of(1024), (4, 128, 1024));
    }

    /// Each of the starts is as likely. Over all of them, an example must be in a half with a weight
    /// of 1/N in all: the mean of a half is then that of all examples, whatever they are.
    #[test]
    fn a_half_is_unbiased_to_the_last_example() {
        for (examples, batch) in [(103, 12), (200, 64), (257, 100), (64, 2), (1000, 256)] {
            let blocks = Blocks::new(examples, batch);
            let mut weight = vec![0.0; examples];
            for start in 0..examples {
                let half: Vec<_> = blocks.half(start).collect();
                assert!(half.iter().all(|block| block.len() <= blocks.size()));
                for block in &half {
                    let each = 1.0 / (half.len() * block.len() * examples) as f64;
                    block.clone().for_each(|example| weight[example] += each);
                }
            }
            let even = 1.0 / examples as f64;
            assert!(weight.iter().all(|weight| (weight - even).abs() < 1e-12));
        }
    }

    #[test]
    fn the_halves_of_a_step_and_the_steps_have_nothing_to_do_with_each_other() {
        let blocks = Blocks::new(1600, 32);
        let mut drawn = Vec::new();
        for iteration in 0..2000 {
            let halves = blocks.draw(&mut Draw::new(7, iteration));
            drawn.extend(halves.iter().map(|half| half.examples[0] / 16));
        }
        // Of 100 blocks two are the same once in 100 times: of 2,000 pairs 20 ± 4.5.
        let same = |apart: usize| {
            let pairs = drawn.iter().zip(&drawn[apart..]).step_by(2);
            pairs.filter(|(a, b)| a == b).count()
        };
        for apart in [1, 2, 3] {
            assert!((5..=40).contains(&same(apart)), "{}", same(apart));
        }
    }
}
