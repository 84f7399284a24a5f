//! How many peaks of different layers line up, against chance.
//!
//! Layers that all learn fast at first have their highest peaks there, and so near to each other,
//! without having anything to do with one another. The null model keeps that: the iterations are
//! cut into windows, short at the start where things change fast, and within each window the
//! peaks of a layer are shifted in a circle by a random number of steps. So every layer keeps the
//! number of its peaks in every window and (but for the wrap) the distances between them, and only
//! the exact moment within the window is left to chance. This is the pattern-jitter test of
//! synchrony between neurons (Amarasingham, Harrison, Hatsopoulos and Geman, "Conditional
//! modeling and the jitter method of spike resampling", J. Neurophysiol. 107, 2012), with the
//! shift in a circle, so that a window's positions are all equally likely.
//!
//! A layer is shifted alike in all classes: what the classes share of a step is no evidence that
//! layers share anything.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// How many steps line up in at least a given number of layers, and how many do by chance.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Alignment {
    /// Number of layers that have one of their highest peaks at the same iteration, or more.
    pub layers: usize,
    /// Iterations at which that is so; over several classes, their sum.
    pub observed: usize,
    /// Mean number under the null model.
    pub expected: f64,
    /// (1 + permutations with `observed` or more) / (1 + permutations).
    pub p: f64,
    /// How many permutations had 0, 1, 2, … such iterations.
    pub null: Vec<u64>,
}

/// How many rows are told apart at a glance.
const MOST_TELLING: usize = 12;

impl Alignment {
    /// Returns, of rows for two layers or more up to all, the at most twelve that say most: of those
    /// that are about anything at all the first, the last that was observed, and those furthest from
    /// chance; and `test`, that number of layers.
    #[must_use]
    pub fn telling(rows: &[Self], test: usize) -> Vec<&Self> {
        let about = |row: &&Self| row.observed > 0 || row.expected > 0.0 || row.layers == test;
        let mut order: Vec<&Self> = rows.iter().filter(about).collect();
        let first = order.first().map(|row| row.layers);
        let last = rows.iter().rfind(|row| row.observed > 0);
        let ends = [first, last.map(|row| row.layers), Some(test)];
        order.sort_by(|a, b| {
            let is_inner = |row: &Self| !ends.contains(&Some(row.layers));
            let ends_first = is_inner(a).cmp(&is_inner(b));
            ends_first.then(a.p.total_cmp(&b.p))
        });
        order.truncate(MOST_TELLING);
        order.sort_by_key(|row| row.layers);
        order
    }
}

/// The positions of the highest peaks of each layer, for one class.
pub(super) type Trains = Vec<Vec<usize>>;

/// The least length of a window. It bounds the chance of hitting a given position to 1/8.
pub(super) const MIN_WINDOW: usize = 8;

/// A window is as long as the steps so far divided by this: at the start of training things change
/// within few steps, later within many.
const GROWTH: usize = 4;

/// Parts of the positions that can hold peaks.
#[derive(Debug)]
struct Windows {
    /// First position of each, and at last the end.
    edges: Vec<usize>,
    /// The window of each position.
    of: Vec<usize>,
}

impl Windows {
    /// Cuts `steps` into windows of up to `longest`. The first and the last step have only one
    /// neighbour and so can't be peaks.
    fn new(steps: usize, longest: usize) -> Self {
        let end = steps.saturating_sub(1);
        let mut edges = vec![1];
        let mut start = 1;
        while start < end {
            let length = (start / GROWTH).clamp(MIN_WINDOW, longest);
            // What is left after this one may be too short for a window of its own.
            let is_last = end.saturating_sub(start + length) < MIN_WINDOW;
            start = if is_last { end } else { start + length };
            edges.push(start);
        }
        let mut of = vec![0; steps];
        for (window, edge) in edges.windows(2).enumerate() {
            of[edge[0]..edge[1]].fill(window);
        }
        Self { edges, of }
    }

    fn count(&self) -> usize {
        self.edges.len() - 1
    }

    fn length(&self, window: usize) -> usize {
        self.edges[window + 1] - self.edges[window]
    }
}

/// The null model's settings.
#[derive(Debug, Clone, Copy)]
pub(super) struct NullModel {
    pub(super) window: usize,
    pub(super) permutations: usize,
    pub(super) seed: u64,
}

/// Returns the alignment of every class, for two layers or more up to all of them, and at last
/// that over all classes.
pub(super) fn alignments(
    classes: &[Trains],
    layers: usize,
    steps: usize,
    model: NullModel,
) -> Vec<Vec<Alignment>> {
    if layers < 2 {
        return vec![Vec::new(); classes.len() + 1];
    }
    let windows = Windows::new(steps, model.window);
    let mut rng = ChaCha8Rng::seed_from_u64(model.seed);
    let mut counter = Counter::new(steps, layers);
    let mut shifts = vec![vec![0; windows.count()]; layers];
    let observed = counter.count_all(classes, &windows, &shifts);
    // How many permutations had 0, 1, 2, … such positions, by class and number of layers.
    let mut null: Vec<Vec<Vec<u64>>> = vec![vec![Vec::new(); layers - 1]; classes.len() + 1];
    for _ in 0..model.permutations {
        for layer in &mut shifts {
            for (window, shift) in layer.iter_mut().enumerate() {
                *shift = rng.random_range(0..windows.length(window));
            }
        }
        let drawn = counter.count_all(classes, &windows, &shifts);
        for (null, count) in null.iter_mut().flatten().zip(drawn.into_iter().flatten()) {
            if null.len() <= count {
                null.resize(count + 1, 0);
            }
            null[count] += 1;
        }
    }
    let of_class = |(observed, null): (Vec<usize>, Vec<Vec<u64>>)| {
        let counts = observed.into_iter().zip(null).zip(2..);
        let alignment = |((observed, null), layers)| compare(layers, observed, null);
        counts.map(alignment).collect()
    };
    observed.into_iter().zip(null).map(of_class).collect()
}

fn compare(layers: usize, observed: usize, null: Vec<u64>) -> Alignment {
    let permutations: u64 = null.iter().sum();
    let sum: u64 = null.iter().zip(0..).map(|(many, count)| many * count).sum();
    let reached: u64 = null.iter().skip(observed).sum();
    Alignment {
        layers,
        observed,
        expected: sum as f64 / permutations.max(1) as f64,
        p: (1 + reached) as f64 / (1 + permutations) as f64,
        null,
    }
}

/// Counts positions that several layers share.
struct Counter {
    layers: usize,
    /// Layers with a peak at each position; zero between two counts.
    hits: Vec<usize>,
    touched: Vec<usize>,
}

impl Counter {
    fn new(steps: usize, layers: usize) -> Self {
        Self {
            layers,
            hits: vec![0; steps],
            touched: Vec::new(),
        }
    }

    /// Returns for every class, and at last for their sum, how many positions have a peak of at
    /// least 2, 3, … layers.
    fn count_all(
        &mut self,
        classes: &[Trains],
        windows: &Windows,
        shifts: &[Vec<usize>],
    ) -> Vec<Vec<usize>> {
        let mut sum = vec![0; self.layers - 1];
        let mut counts = Vec::with_capacity(classes.len() + 1);
        for trains in classes {
            let of_class = self.count(trains, windows, shifts);
            for (sum, count) in sum.iter_mut().zip(&of_class) {
                *sum += count;
            }
            counts.push(of_class);
        }
        counts.push(sum);
        counts
    }

    fn count(&mut self, trains: &Trains, windows: &Windows, shifts: &[Vec<usize>]) -> Vec<usize> {
        for (train, shifts) in trains.iter().zip(shifts) {
            for position in train {
                let window = windows.of[*position];
                let start = windows.edges[window];
                let shifted = (position - start + shifts[window]) % windows.length(window);
                let hits = &mut self.hits[start + shifted];
                if *hits == 0 {
                    self.touched.push(start + shifted);
                }
                *hits += 1;
            }
        }
        let mut counts = vec![0; self.layers - 1];
        for position in self.touched.drain(..) {
            let hits = std::mem::take(&mut self.hits[position]);
            for count in &mut counts[..hits - 1] {
                *count += 1;
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_hold_every_step_that_can_be_a_peak_and_none_is_short() {
        for steps in 0..700 {
            for longest in [8, 30, 64] {
                let windows = Windows::new(steps, longest);
                let ends = (windows.edges[0], *windows.edges.last().unwrap());
                assert_eq!(ends, (1, steps.saturating_sub(1).max(1)));
                for window in 0..windows.count() {
                    let least = MIN_WINDOW.min(steps - 2);
                    let length = windows.length(window);
                    assert!(
                        (least..longest + MIN_WINDOW).contains(&length),
                        "{windows:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn two_layers_with_one_peak_each_meet_as_often_as_the_window_is_long() {
        // 10 positions in one window: a chance of 1/10.
        let model = NullModel {
            window: 64,
            permutations: 20_000,
            seed: 1,
        };
        let met = alignments(&[vec![vec![3], vec![3]]], 2, 12, model);
        let alignment = &met[0][0];
        assert_eq!((alignment.layers, alignment.observed), (2, 1));
        // Five standard deviations of the number of hits.
        assert!((alignment.expected - 0.1).abs() < 5.0 * (0.09f64 / 20_000.0).sqrt());
        assert!((alignment.p - alignment.expected).abs() < 1e-3);
        // The seed gives the same p on every machine and in every version.
        assert_eq!(alignment.p, 2_011.0 / 20_001.0);
        assert_eq!(alignment.null.iter().sum::<u64>(), 20_000);
        assert_eq!(met[0], met[1]);
    }

    #[test]
    fn the_rows_that_say_most_are_the_ends_the_test_and_those_furthest_from_chance() {
        let row = |layers: usize, observed: usize, expected: f64, p: f64| Alignment {
            layers,
            observed,
            expected,
            p,
            null: Vec::new(),
        };
        // Up to 40 layers are met by chance, up to 30 were observed; 21 to 35 are far from chance.
        let rows: Vec<Alignment> = (2..=150)
            .map(|layers| {
                let observed = 31_usize.saturating_sub(layers);
                let expected = 41_usize.saturating_sub(layers) as f64;
                let far = (21..=35).contains(&layers);
                row(
                    layers,
                    observed,
                    expected,
                    if far { layers as f64 / 1e3 } else { 0.5 },
                )
            })
            .collect();
        let layers = |test| -> Vec<usize> {
            let telling = Alignment::telling(&rows, test);
            telling.iter().map(|row| row.layers).collect()
        };
        assert_eq!(layers(75), [2, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 75]);
        assert_eq!(layers(2), [2, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31]);
        // All of few rows, but for those in which nothing is.
        let few = [
            row(2, 3, 2.0, 0.2),
            row(3, 0, 0.1, 1.0),
            row(4, 0, 0.0, 1.0),
        ];
        assert_eq!(Alignment::telling(&few, 2).len(), 2);
        assert_eq!(Alignment::telling(&few, 4).len(), 3);
    }

    #[test]
    fn classes_that_are_copies_of_each_other_are_no_further_evidence() {
        let trains = vec![vec![5, 40, 77, 90], vec![5, 31, 60, 90]];
        let model = NullModel {
            window: 64,
            permutations: 500,
            seed: 2,
        };
        let classes = vec![trains; 3];
        let met = alignments(&classes, 2, 100, model);
        assert_eq!(met[3][0].observed, 3 * met[0][0].observed);
        assert_eq!(met[3][0].p, met[0][0].p);
    }
}
