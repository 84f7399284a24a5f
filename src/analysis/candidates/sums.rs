//! Whether a sum over the steps differs from zero, for one run or several.

use std::collections::HashMap;
use std::iter;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::super::significance::StudentT;
use super::super::stats::rank;
use crate::analysis::thousands;

/// The fewest steps that the block bootstrap needs: fewer make too few blocks to resample.
const MIN_STEPS: usize = 200;

/// How a sum is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "test", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SumTest {
    /// Student's t over the runs' sums, one-sided. Assumes that runs are independent (other
    /// seeds), and sums near to normal.
    #[non_exhaustive]
    StudentT {
        /// How many runs.
        runs: usize,
    },
    /// Circular block bootstrap over the steps of one run, one-sided. Assumes that what happened
    /// could have happened in another order of blocks, and that steps of different blocks have
    /// nothing to do with each other. It says whether the sum is more than the noise of this
    /// run's steps, not whether another seed would give it too.
    #[non_exhaustive]
    BlockBootstrap {
        /// Steps of a block, about the root of the run's.
        block: usize,
        /// How often blocks are drawn.
        resamples: usize,
    },
    /// The run has fewer steps than a bootstrap needs.
    #[non_exhaustive]
    TooFewSteps {
        /// The fewest that it needs.
        min_steps: usize,
    },
}

impl SumTest {
    /// Returns how sums are tested, in words.
    pub(super) fn method(self) -> String {
        match self {
            Self::StudentT { runs } => format!(
                "One-sided t-test over the sums of {runs} runs, 95 % confidence intervals; p \
                 corrected after Holm."
            ),
            Self::BlockBootstrap { block, resamples } => format!(
                "One run: block bootstrap over its steps ({} draws of blocks of {block} steps, as \
                 if they could have come in any order); p corrected after Holm. Other seeds may \
                 differ; give several runs to see.",
                thousands(resamples as u64)
            ),
            Self::TooFewSteps { min_steps } => {
                format!(
                    "No test: fewer than {min_steps} steps of one run can't tell this from chance."
                )
            }
        }
    }
}

/// A sum of LCA over steps, and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LcaSum {
    /// The sum in the unit of the loss; over several runs, their mean.
    pub lca: f64,
    /// Its 95 % confidence interval, where it can be tested.
    pub interval: Option<[f64; 2]>,
    /// Half the width of the 95 % confidence interval that sampling the probe's examples alone gives;
    /// `None` unless it is sampled. The noise of the samples is in `interval`, too.
    pub margin: Option<f64>,
    /// The probability of a sum so far above zero if there were nothing behind it.
    pub p_hurts: Option<f64>,
    /// The same for below zero.
    pub p_helps: Option<f64>,
}

/// Draws that are kept for further series of as many steps, at most: 32 MB.
const KEPT_DRAWS: usize = 4 << 20;

/// Tests sums of series.
#[derive(Debug)]
pub(super) struct SumTester {
    pub(super) test: SumTest,
    seed: u64,
    /// Where blocks begin that are drawn from so many steps, and the generator after that. As every
    /// series has the same seed, it has the same draws.
    drawn: HashMap<usize, (Vec<usize>, ChaCha8Rng)>,
}

impl SumTester {
    /// Chooses the test for a number of runs and of steps in the first.
    pub(super) fn new(runs: usize, steps: usize, resamples: usize, seed: u64) -> Self {
        let test = match (runs, steps) {
            (2.., _) => SumTest::StudentT { runs },
            (_, MIN_STEPS..) => SumTest::BlockBootstrap {
                block: steps.isqrt(),
                resamples,
            },
            _ => SumTest::TooFewSteps {
                min_steps: MIN_STEPS,
            },
        };
        Self {
            test,
            seed,
            drawn: HashMap::new(),
        }
    }

    /// Returns the sum of a series that has one part per run.
    pub(super) fn test(&mut self, runs: &[&[f64]]) -> LcaSum {
        let sums: Vec<f64> = runs.iter().map(|values| values.iter().sum()).collect();
        let untested = LcaSum {
            lca: sums.iter().sum::<f64>() / sums.len().max(1) as f64,
            interval: None,
            margin: None,
            p_hurts: None,
            p_helps: None,
        };
        match (self.test, runs) {
            (SumTest::StudentT { .. }, _) => student_t(&sums, untested),
            (SumTest::BlockBootstrap { block, resamples }, [values]) if values.len() >= block => {
                let draws = resamples.saturating_mul(values.len().div_ceil(block));
                let starts = self.starts(values.len(), draws);
                block_bootstrap(values, block, resamples, starts, untested)
            }
            _ => untested,
        }
    }

    /// Draws the steps at which blocks begin, of which so many are needed.
    fn starts(&mut self, steps: usize, draws: usize) -> impl Iterator<Item = usize> {
        let (first, rng) = self.drawn.entry(steps).or_insert_with(|| {
            let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
            let first = (0..draws.min(KEPT_DRAWS)).map(|_| rng.random_range(0..steps));
            (first.collect(), rng)
        });
        let mut rng = rng.clone();
        let further = iter::from_fn(move || Some(rng.random_range(0..steps)));
        first.iter().copied().chain(further)
    }
}

fn student_t(sums: &[f64], untested: LcaSum) -> LcaSum {
    match StudentT::new(sums) {
        Some(test) => LcaSum {
            interval: Some(test.interval()),
            p_hurts: Some(test.p_above()),
            p_helps: Some(test.p_below()),
            ..untested
        },
        None => untested,
    }
}

/// The circular block bootstrap of Politis and Romano (1992): blocks of consecutive steps, the
/// last one followed by the first, are drawn until there are as many steps as in the run.
fn block_bootstrap(
    values: &[f64],
    block: usize,
    resamples: usize,
    mut starts: impl Iterator<Item = usize>,
    untested: LcaSum,
) -> LcaSum {
    let steps = values.len();
    // before[i] is the sum of the i values from the first on, going round.
    let mut before = vec![0.0];
    for value in values.iter().chain(&values[..block]) {
        before.push(before[before.len() - 1] + value);
    }
    let mut draw = || {
        let mut sum = 0.0;
        let lengths = (0..steps).step_by(block);
        let lengths = lengths.map(|drawn| block.min(steps - drawn));
        for (length, start) in lengths.zip(&mut starts) {
            sum += before[start + length] - before[start];
        }
        sum
    };
    let mut drawn: Vec<f64> = (0..resamples).map(|_| draw()).collect();
    drawn.sort_by(f64::total_cmp);
    let sum = untested.lca;
    // The spread around the sum stands for the spread around zero.
    let fraction = |count: usize| (1 + count) as f64 / (1 + resamples) as f64;
    let below_zero_around = |shifted: f64| drawn.partition_point(|drawn| *drawn < shifted);
    let at_most = drawn.partition_point(|drawn| *drawn <= 2.0 * sum);
    let quantile = |probability: f64| {
        let rank = rank(probability, resamples as u64) as usize;
        drawn.get(rank - 1)
    };
    LcaSum {
        interval: quantile(0.025)
            .zip(quantile(0.975))
            .map(|(low, high)| [*low, *high]),
        p_hurts: Some(fraction(resamples - below_zero_around(2.0 * sum))),
        p_helps: Some(fraction(at_most)),
        ..untested
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::tests::random::{generator, uniform};

    #[test]
    fn the_t_test_agrees_with_the_textbook() {
        // With 3 degrees of freedom and u = t/√3: p = 1/2 − (u/(1 + u²) + atan u)/π; here t is the
        // mean 1.625 over its standard error √(3.6875/12), so u = 1.69246.
        let mut sums = SumTester::new(4, 1, 1, 0);
        let tested = sums.test(&[&[1.0], &[2.0], &[0.5], &[3.0]]);
        assert!(
            (tested.p_hurts.unwrap() - 0.030_465).abs() < 1e-5,
            "{tested:?}"
        );
        assert!((tested.p_helps.unwrap() + tested.p_hurts.unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_seed_gives_the_same_p_value_on_every_machine_and_in_every_version() {
        let values: Vec<f64> = (0..200)
            .map(|step| f64::from(step * 37 % 11) - 4.8)
            .collect();
        let tested = SumTester::new(1, 200, 999, 7).test(&[&values]);
        assert_eq!(tested.p_hurts, Some(0.007));
    }

    #[test]
    fn noise_around_zero_gives_about_uniform_p_values_though_steps_resemble_each_other() {
        let mut rng = generator(5);
        let mut draw = |seed| {
            let mut momentum = 0.0;
            let values: Vec<f64> = (0..1000)
                .map(|_| {
                    momentum = 0.5 * momentum + uniform(&mut rng) - 0.5;
                    momentum
                })
                .collect();
            SumTester::new(1, 1000, 999, seed)
                .test(&[&values])
                .p_hurts
                .unwrap()
        };
        let p: Vec<f64> = (0..400).map(&mut draw).collect();
        // Standard deviation of the share: 0.011 and 0.025.
        for (alpha, reach) in [(0.05, 0.044), (0.5, 0.1)] {
            let share = p.iter().filter(|p| **p <= alpha).count() as f64 / 400.0;
            assert!((share - alpha).abs() < reach, "{share} at most {alpha}");
        }
    }
}
