//! Axes: from numbers to a place between 0 and 1, with ticks.

use crate::report::font;

use super::numbers::{decimal, minus, power_of_ten};
use super::style::{TICK_SIZE, WIDEST};

/// How an axis spreads numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::report) enum Scale {
    Linear,
    Log,
    /// Logarithmic on both sides of zero, linear nearer to zero than this.
    SignedLog(f64),
    /// The logarithm of one more than a number, for iterations, which begin at 0.
    LogSteps,
}

/// A tick: its position and its label, in which `^` raises what follows.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct Tick {
    pub(in crate::report) at: f64,
    pub(in crate::report) label: String,
}

/// One axis of a panel.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct Axis {
    pub(in crate::report) title: String,
    pub(in crate::report) scale: Scale,
    pub(in crate::report) from: f64,
    pub(in crate::report) to: f64,
    pub(in crate::report) ticks: Vec<Tick>,
    /// Smaller ticks between, without labels.
    pub(in crate::report) minor: Vec<f64>,
    /// Whether ticks stand for names, one per unit of the axis, and have no grid.
    pub(in crate::report) named: bool,
}

impl Axis {
    /// A linear axis that covers the finite ones of these values, with some room.
    pub(in crate::report) fn linear(title: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let (from, to) = range(values).unwrap_or((0.0, 1.0));
        let room = if to > from {
            0.04 * (to - from)
        } else if from == 0.0 {
            1.0
        } else {
            from.abs() * 0.5
        };
        Self::exactly(title, from - room, to + room)
    }

    /// A linear axis between exactly these numbers.
    pub(in crate::report) fn exactly(title: &str, from: f64, to: f64) -> Self {
        let step = step(to - from);
        let ticks: Vec<f64> = ((from / step).ceil() as i64..=(to / step).floor() as i64)
            .map(|at| at as f64 * step)
            .collect();
        let largest = ticks.iter().fold(0.0, |most: f64, at| most.max(at.abs()));
        let exponent = largest.log10().floor();
        // Long numbers share a power of ten, which the title has.
        let shared = largest > 0.0 && !(-2.0..6.0).contains(&exponent);
        let factor = if shared { 10f64.powf(exponent) } else { 1.0 };
        let decimals = (-(step / factor).log10().floor()).max(0.0) as usize;
        let power = minus(&exponent.to_string());
        let title = match title.split_once(" (") {
            _ if !shared => title.to_owned(),
            Some((what, unit)) => format!("{what} (10^{power} {unit}"),
            None => format!("{title} (×10^{power})"),
        };
        Self {
            title,
            scale: Scale::Linear,
            from,
            to,
            ticks: ticks
                .into_iter()
                .map(|at| Tick {
                    at,
                    label: decimal(at / factor, decimals),
                })
                .collect(),
            minor: Vec::new(),
            named: false,
        }
    }

    /// An axis of iterations, with half a step of room.
    pub(in crate::report) fn iterations(values: impl IntoIterator<Item = u64>) -> Self {
        let values = values.into_iter().map(|iteration| iteration as f64);
        let (from, to) = range(values).unwrap_or((0.0, 0.0));
        // Half of it is nothing to iterations that a float can't tell apart.
        let room = (4.0 * f64::EPSILON * to).max(0.5);
        Self::exactly("iteration", from - room, to + room).whole()
    }

    /// An axis of iterations that shows the first ones widest: of the logarithm of 1 + iteration.
    pub(in crate::report) fn log_iterations(values: impl IntoIterator<Item = u64>) -> Self {
        let linear = Self::iterations(values);
        let within = |at: &f64| (linear.from..=linear.to).contains(at);
        let powers = (0..20).map(|power| 10f64.powi(power));
        let powers: Vec<f64> = powers.take_while(|power| *power <= linear.to).collect();
        let between = powers
            .iter()
            .flat_map(|power| (2..10).map(move |n| f64::from(n) * power));
        let first = [0.0].into_iter().chain(powers.iter().copied());
        let mut at: Vec<f64> = first.filter(within).collect();
        if at.len() < 3 {
            // Over few powers of ten, plain numbers say more.
            at = linear.ticks.iter().map(|tick| tick.at).collect();
        }
        let minor = between.filter(within).filter(|place| !at.contains(place));
        Self {
            title: "iteration (logarithmic)".into(),
            scale: Scale::LogSteps,
            minor: minor.collect(),
            ticks: at
                .iter()
                .map(|at| Tick {
                    at: *at,
                    label: decimal(*at, 0),
                })
                .collect(),
            ..linear
        }
    }

    /// Puts ticks where epochs end, with their numbers, in place of those of iterations.
    pub(in crate::report) fn with_epochs(mut self, ends: &[(u32, u64)]) -> Self {
        // The last epoch ends with the last step, up to which an axis of steps may not reach.
        let next = |at: &f64| *at > self.to && *at <= self.to + 1.0;
        let last = ends.iter().map(|(_, end)| *end as f64).find(next);
        self.to = last.unwrap_or(self.to);
        let within = |at: &f64| (self.from..=self.to).contains(at);
        let ticks = ends.iter().map(|(epoch, end)| (*end as f64, epoch));
        let ticks = ticks.filter(|(at, _)| within(at));
        self.ticks = ticks
            .map(|(at, epoch)| Tick {
                at,
                label: epoch.to_string(),
            })
            .collect();
        self.minor.clear();
        self.title = match self.scale {
            Scale::LogSteps => "end of epoch (logarithmic in iterations)".into(),
            _ => "end of epoch".into(),
        };
        self
    }

    /// Keeps only the ticks at whole numbers, for counts.
    pub(in crate::report) fn whole(mut self) -> Self {
        self.ticks.retain(|tick| tick.at.fract() == 0.0);
        for tick in &mut self.ticks {
            tick.label = decimal(tick.at, 0);
        }
        self
    }

    /// A logarithmic axis that covers the values above zero.
    pub(in crate::report) fn log(title: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let positive = values.into_iter().filter(|value| *value > 0.0);
        let (from, to) = range(positive).unwrap_or((1.0, 10.0));
        let (from, to) = (from / 1.3, to * 1.3);
        let (first, last) = (from.log10().ceil() as i32, to.log10().floor() as i32);
        let every = ((last - first) / 7 + 1).max(1);
        let tick = |power: i32| Tick {
            at: 10f64.powi(power),
            label: power_of_ten(power),
        };
        let mut ticks: Vec<Tick> = (first..=last)
            .filter(|power| power.rem_euclid(every) == 0)
            .map(tick)
            .collect();
        let within = |at: &f64| (from..=to).contains(at);
        let between = (first - 1..=last).flat_map(|power| (2..10).map(move |n| (n, power)));
        let minor = between.map(|(n, power)| f64::from(n) * 10f64.powi(power));
        let minor = match every {
            1 => minor.filter(within).collect(),
            _ => Vec::new(),
        };
        if ticks.len() < 2 {
            // Over fewer than two powers of ten, plain numbers say more.
            ticks = Self::exactly(title, from, to).ticks;
            ticks.retain(|tick| tick.at > 0.0);
        }
        Self {
            title: title.to_owned(),
            scale: Scale::Log,
            from,
            to,
            ticks,
            minor,
            named: false,
        }
    }

    /// A signed logarithmic axis to ±`reach`, linear within ±`linear`.
    pub(in crate::report) fn signed_log(title: &str, linear: f64, reach: f64) -> Self {
        let powers = linear.log10().round() as i32..=reach.log10().floor() as i32;
        let every = ((powers.end() - powers.start()) / 4 + 1).max(1);
        let mut ticks = vec![Tick {
            at: 0.0,
            label: "0".into(),
        }];
        // Not next to zero, where the labels of both sides and of zero would meet.
        let clear = powers.start() + every.min(2);
        for power in powers.filter(|power| power.rem_euclid(every) == 0 && *power >= clear) {
            let size = 10f64.powi(power);
            for (at, sign) in [(-size, "−"), (size, "")] {
                let label = format!("{sign}{}", power_of_ten(power));
                ticks.push(Tick { at, label });
            }
        }
        ticks.sort_by(|a, b| a.at.total_cmp(&b.at));
        Self {
            title: title.to_owned(),
            scale: Scale::SignedLog(linear),
            from: -reach,
            to: reach,
            ticks,
            minor: Vec::new(),
            named: false,
        }
    }

    /// An axis of names: the n-th stands at n + ½.
    pub(in crate::report) fn names(
        title: &str,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let length = names.len();
        let middles = (0..length).map(|index| index as f64 + 0.5);
        Self::names_at(title, middles.zip(names).collect(), length as f64)
    }

    /// An axis from 0 to a length, with names somewhere on it.
    pub(in crate::report) fn names_at(title: &str, names: Vec<(f64, String)>, to: f64) -> Self {
        let texts = names.iter().map(|(_, name)| name.as_str());
        let labels = font::shorten_apart(texts, TICK_SIZE, WIDEST);
        let ticks = names.iter().zip(labels);
        Self {
            title: title.to_owned(),
            scale: Scale::Linear,
            from: 0.0,
            to: to.max(1.0),
            ticks: ticks
                .map(|((at, _), label)| Tick { at: *at, label })
                .collect(),
            minor: Vec::new(),
            named: true,
        }
    }

    /// Turns the axis around, so that the first name of a vertical axis stands at the top.
    pub(in crate::report) fn reversed(self) -> Self {
        Self {
            from: self.to,
            to: self.from,
            ..self
        }
    }

    /// The same axis without title and labels, for a panel above another one that has them.
    pub(in crate::report) fn unlabelled(&self) -> Self {
        let tick = |tick: &Tick| Tick {
            at: tick.at,
            label: String::new(),
        };
        Self {
            title: String::new(),
            ticks: self.ticks.iter().map(tick).collect(),
            ..self.clone()
        }
    }

    /// Returns every n-th tick, with the least n at which no two labels touch; zero is one of them.
    ///
    /// `at` returns where a number is drawn, `room` how much a label takes there.
    pub(super) fn ticks_apart(
        &self,
        at: impl Fn(f64) -> f64,
        room: impl Fn(&Tick) -> f64,
    ) -> Vec<&Tick> {
        let zero = self.ticks.iter().position(|tick| tick.at == 0.0);
        let zero = zero.unwrap_or(0);
        let every = |n: usize| {
            let ticks = self.ticks.iter().enumerate();
            let chosen = ticks.filter(move |(index, _)| index % n == zero % n);
            chosen.map(|(_, tick)| tick).collect::<Vec<&Tick>>()
        };
        let apart = |ticks: &Vec<&Tick>| {
            ticks.windows(2).all(|pair| {
                let distance = (at(pair[1].at) - at(pair[0].at)).abs();
                distance >= (room(pair[0]) + room(pair[1])) / 2.0
            })
        };
        let all = self.ticks.len().max(1);
        (1..=all).map(every).find(apart).unwrap_or_default()
    }

    /// Returns where a value lies: 0 at the beginning of the axis, 1 at its end.
    pub(in crate::report) fn position(&self, value: f64) -> f64 {
        let (from, to) = (self.spread(self.from), self.spread(self.to));
        (self.spread(value) - from) / (to - from)
    }

    fn spread(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => value,
            Scale::Log => value.log10(),
            Scale::LogSteps => (1.0 + value).log10(),
            Scale::SignedLog(linear) => {
                let size = value.abs() / linear;
                let spread = if size <= 1.0 {
                    size
                } else {
                    1.0 + size.log10()
                };
                spread.copysign(value)
            }
        }
    }
}

/// Returns the least and greatest of the values that are finite.
fn range(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let finite = values.into_iter().filter(|value| value.is_finite());
    finite.fold(None, |range, value| {
        let (least, most) = range.unwrap_or((value, value));
        Some((least.min(value), most.max(value)))
    })
}

/// Returns a spacing of ticks that is 1, 2 or 5 times a power of ten, for 4 to 8 ticks.
fn step(length: f64) -> f64 {
    let rough = length / 5.0;
    let power = 10f64.powf(rough.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    let factor = factors.into_iter().find(|factor| factor * power >= rough);
    factor.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn ticks_are_round_numbers_within_the_axis() {
        let axis = Axis::linear("loss", [0.0, 2.31]);
        assert_eq!(labels(&axis), ["0.0", "0.5", "1.0", "1.5", "2.0"]);
        let small = Axis::linear("LCA", [-3.2e-6, 1.0e-6, f64::NAN]);
        assert_eq!(small.title, "LCA (×10^−6)");
        assert_eq!(labels(&small), ["−3", "−2", "−1", "0", "1"]);
        let unit = Axis::linear("LCA (loss)", [-3.2e-6, 1.0e-6]);
        assert_eq!(unit.title, "LCA (10^−6 loss)");
    }

    #[test]
    fn a_single_value_and_no_value_have_an_axis() {
        for axis in [
            Axis::linear("", [0.0]),
            Axis::linear("", [f64::NAN]),
            Axis::linear("", [7e-30]),
            Axis::log("", []),
            Axis::iterations([5]),
            Axis::iterations([u64::MAX - 1, u64::MAX]),
        ] {
            assert!(axis.from < axis.to, "{axis:?}");
            assert!(!axis.ticks.is_empty(), "{axis:?}");
            assert!((axis.position(axis.to) - 1.0).abs() < 1e-12, "{axis:?}");
        }
    }

    #[test]
    fn few_powers_of_ten_have_ticks_between_them() {
        let axis = Axis::log("loss", [0.07, 3.0]);
        assert_eq!(labels(&axis), ["10^−1", "1"]);
        // 0.06 to 0.09, 0.2 to 0.9, 2 and 3.
        assert_eq!(axis.minor.len(), 4 + 8 + 2);
        assert!(
            axis.minor
                .iter()
                .all(|at| (0.0..1.0).contains(&axis.position(*at)))
        );
        assert!(Axis::log("values", [1.0, 1e30]).minor.is_empty());
    }

    #[test]
    fn a_logarithm_of_iterations_begins_at_the_first_and_shows_it_widest() {
        let axis = Axis::log_iterations([0, 8999]);
        assert_eq!(labels(&axis), ["0", "1", "10", "100", "1000"]);
        let place = |iteration: f64| axis.position(iteration);
        // From −0.5 to 8999.5, logarithms of 0.5 and 9000.5.
        let all = (9000.5_f64 / 0.5).log10();
        assert!((place(9.0) - (10.0_f64 / 0.5).log10() / all).abs() < 1e-12);
        assert!(place(1.0) - place(0.0) > place(2.0) - place(1.0));
        let later = Axis::log_iterations([200, 300]);
        assert_eq!(labels(&later), ["200", "250", "300"]);
        let epochs = axis.with_epochs(&[(1, 45), (2, 9000), (3, 20_000)]);
        assert_eq!(labels(&epochs), ["1", "2"]);
    }

    #[test]
    fn a_signed_logarithm_is_odd_and_reaches_both_ends() {
        let axis = Axis::signed_log("LCA", 1e-9, 1e-3);
        assert_eq!(axis.position(0.0), 0.5);
        assert!((axis.position(1e-3) - 1.0).abs() < 1e-12);
        assert!((axis.position(-1e-6) + axis.position(1e-6) - 1.0).abs() < 1e-12);
    }
}
