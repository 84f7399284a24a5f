//! [`NormNet`] a second time, in plain Rust and f64.

use std::collections::BTreeMap;

use burn::module::Module;

use crate::digits::Digit;
use crate::norm_net::{CHANNELS, HIDDEN, NormNet, PIXELS, WIDTH};
use crate::scaffold::{CLASSES, cross_entropy, label, values};

/// A point in the space of parameters and buffers.
#[derive(Clone)]
pub struct Point {
    values: BTreeMap<String, Vec<f64>>,
    epsilons: [f64; 2],
}

/// What a normalization normalizes with.
#[derive(Clone, Copy, PartialEq)]
pub enum Statistics {
    Running,
    Batch,
}

/// Which coordinates move.
#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Parameters,
    Buffers,
}

impl Point {
    pub fn of(model: &NormNet, epsilons: [f64; 2]) -> Self {
        // Folds the last batch into the running statistics.
        let values = values(&model.valid())
            .into_iter()
            .map(|(path, values)| (path, values.into_iter().map(f64::from).collect()))
            .collect();
        Self { values, epsilons }
    }

    /// `self + alpha · (to − from)`, in all coordinates or those of one kind.
    pub fn along(&self, [from, to]: [&Self; 2], alpha: f64, only: Option<Kind>) -> Self {
        let mut moved = self.clone();
        for (path, values) in &mut moved.values {
            let kind = if path.contains("running") {
                Kind::Buffers
            } else {
                Kind::Parameters
            };
            if only.is_some_and(|only| only != kind) {
                continue;
            }
            for (k, value) in values.iter_mut().enumerate() {
                *value += alpha * (to.values[path][k] - from.values[path][k]);
            }
        }
        moved
    }

    /// Mean cross entropy over some digits.
    pub fn loss(&self, digits: &[Digit], statistics: Statistics) -> f64 {
        let pixels = |digit: &Digit| digit.pixels.iter().map(|&pixel| pixel.into()).collect();
        let images: Vec<Vec<f64>> = digits.iter().map(pixels).collect();
        let tanh = |rows: Vec<Vec<f64>>| -> Vec<Vec<f64>> {
            let row = |row: Vec<f64>| row.into_iter().map(f64::tanh).collect();
            rows.into_iter().map(row).collect()
        };
        let hidden = self.linear("fc1", &images, [PIXELS, HIDDEN]);
        let hidden = tanh(self.normalize(0, hidden, statistics));
        let hidden = self.linear("fc2", &hidden, [HIDDEN, HIDDEN]);
        let hidden = tanh(self.normalize(1, hidden, statistics));
        let logits = self.linear("fc3", &hidden, [HIDDEN, CLASSES]);
        let losses = digits.iter().zip(&logits);
        let sum: f64 = losses
            .map(|(digit, logits)| cross_entropy(logits, label(digit)))
            .sum();
        sum / digits.len() as f64
    }

    fn linear(&self, name: &str, rows: &[Vec<f64>], [input, output]: [usize; 2]) -> Vec<Vec<f64>> {
        let weight = &self.values[&format!("{name}.weight")];
        let bias = &self.values[&format!("{name}.bias")];
        rows.iter()
            .map(|row| {
                let mut sums = bias.clone();
                for i in 0..input {
                    for (o, sum) in sums.iter_mut().enumerate() {
                        *sum += row[i] * weight[i * output + o];
                    }
                }
                sums
            })
            .collect()
    }

    /// y = γ (x − μ)/√(v + ε) + β by channel; the variance of a batch is its biased one.
    fn normalize(
        &self,
        which: usize,
        mut rows: Vec<Vec<f64>>,
        statistics: Statistics,
    ) -> Vec<Vec<f64>> {
        let (name, channels) = [("z_norm", CHANNELS), ("a_norm", HIDDEN)][which];
        let width = [WIDTH, 1][which];
        let value = |field: &str, channel: usize| self.values[&format!("{name}.{field}")][channel];
        for channel in 0..channels {
            let of_channel = channel * width..(channel + 1) * width;
            let all = || rows.iter().flat_map(|row| &row[of_channel.clone()]);
            let mean_of = |sum: f64| sum / (rows.len() * width) as f64;
            let (mean, variance) = match statistics {
                Statistics::Running => (
                    value("running_mean", channel),
                    value("running_var", channel),
                ),
                Statistics::Batch => {
                    let mean = mean_of(all().sum());
                    (mean, mean_of(all().map(|x| (x - mean).powi(2)).sum()))
                }
            };
            let scale = value("gamma", channel) / (variance + self.epsilons[which]).sqrt();
            let shift = value("beta", channel);
            for row in &mut rows {
                for x in &mut row[of_channel.clone()] {
                    *x = (*x - mean) * scale + shift;
                }
            }
        }
        rows
    }
}

/// Simpson's rule over two intervals: what `Integrator::fixed(2)` uses.
const SIMPSON: [(f64, f64); 3] = [(0.0, 1.0 / 6.0), (0.5, 4.0 / 6.0), (1.0, 1.0 / 6.0)];

/// The share of one kind of coordinates in the loss change from one point to another: the
/// derivative of the loss along their step, by central differences, integrated along the whole
/// step.
pub fn share(kind: Kind, [from, to]: [&Point; 2], digits: &[Digit]) -> f64 {
    const H: f64 = 1e-4;
    let derivative = |alpha: f64| {
        let here = from.along([from, to], alpha, None);
        let [ahead, behind] = [H, -H].map(|h| {
            here.along([from, to], h, Some(kind))
                .loss(digits, Statistics::Running)
        });
        (ahead - behind) / (2.0 * H)
    };
    SIMPSON
        .iter()
        .map(|&(alpha, weight)| weight * derivative(alpha))
        .sum()
}
