//! Values counted in bins so fine that a distribution can be read from them without sorting.

use crate::record::Keep;

use super::quantile::Bin;

/// Binary digits, after the leading one, that values keep.
///
/// As many as a run of the *full* preset has, whose values are therefore counted exactly.
const BITS: u32 = 10;
const DROPPED: u32 = f32::MANTISSA_DIGITS - 1 - BITS;
const HALF: u32 = 1 << (DROPPED - 1);
/// One bin for every finite magnitude with so many digits.
const MAGNITUDES: usize = (f32::INFINITY.to_bits() >> DROPPED) as usize;

/// Counts of values by sign and magnitude, of a fixed size (4 MB) for any number of values.
///
/// Values are rounded to 10 binary digits after the leading one, which is by less than one part
/// in 2,000.
#[derive(Debug, Clone)]
pub(crate) struct FineBins {
    negative: Vec<u64>,
    positive: Vec<u64>,
    pub(crate) zero: u64,
    pub(crate) not_finite: u64,
    /// Of the finite values, before rounding.
    pub(crate) sum: f64,
}

impl FineBins {
    pub(crate) fn new() -> Self {
        Self {
            negative: vec![0; MAGNITUDES],
            positive: vec![0; MAGNITUDES],
            zero: 0,
            not_finite: 0,
            sum: 0.0,
        }
    }

    /// Counts a value.
    pub(crate) fn add(&mut self, value: f32) {
        if !value.is_finite() {
            self.not_finite += 1;
        } else if value == 0.0 {
            self.zero += 1;
        } else {
            self.sum += f64::from(value);
            // The bits of a magnitude grow with it: dropping the low ones rounds it.
            let key = ((value.abs().to_bits() + HALF) >> DROPPED) as usize;
            let side = if value < 0.0 {
                &mut self.negative
            } else {
                &mut self.positive
            };
            // The greatest magnitudes would round to infinity.
            side[key.min(MAGNITUDES - 1)] += 1;
        }
    }

    /// Returns the bins that are not empty, in ascending order, with that of exact zeros.
    pub(crate) fn bins(&self) -> Vec<Bin> {
        let negative = magnitudes(&self.negative)
            .rev()
            .map(|bin| Bin::new(-bin.upper, -bin.lower, bin.count));
        let zero = Bin::new(0.0, 0.0, self.zero);
        negative
            .chain((self.zero > 0).then_some(zero))
            .chain(magnitudes(&self.positive))
            .collect()
    }
}

impl Keep for FineBins {
    fn bytes(&self) -> usize {
        size_of_val(&*self.negative) + size_of_val(&*self.positive)
    }
}

/// Returns the bins of one sign that are not empty, by magnitude.
fn magnitudes(counts: &[u64]) -> impl DoubleEndedIterator<Item = Bin> {
    let counted = counts.iter().enumerate().filter(|(_, count)| **count > 0);
    counted.map(|(key, count)| {
        let center = (key as u32) << DROPPED;
        let edge = |bits| f64::from(f32::from_bits(bits));
        Bin::new(
            edge(center.saturating_sub(HALF)),
            edge(center + HALF),
            *count,
        )
    })
}

/// Bins per factor of ten of [`coarse`], as in the table `histograms`.
const PER_DECADE: f64 = 4.0;

/// Returns the same counts in few bins, for a figure: 4 per factor of ten and sign.
///
/// A bin on an edge of these is counted where its middle lies.
pub(crate) fn coarse(bins: &[Bin]) -> Vec<Bin> {
    let mut coarse: Vec<Bin> = Vec::new();
    for bin in bins {
        let center = bin.center();
        let step = (center.abs().log10() * PER_DECADE).floor();
        let edge = |step: f64| 10f64.powf(step / PER_DECADE);
        let (lower, upper) = if center == 0.0 {
            (0.0, 0.0)
        } else if center < 0.0 {
            (-edge(step + 1.0), -edge(step))
        } else {
            (edge(step), edge(step + 1.0))
        };
        Bin::new(lower, upper, bin.count).append_to(&mut coarse);
    }
    coarse
}
