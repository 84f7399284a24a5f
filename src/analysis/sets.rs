//! Runs in sets, such as those with a frozen layer and those without, and how the sets differ.

use serde::Serialize;

use crate::error::LcaError;
use crate::record::Run;

use super::layers::{Layers, LayersOptions, layers};
use super::significance::{Welch, holm_of_known};

/// Runs of one kind: seeds of one setting.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RunSet {
    /// What the set is called.
    pub name: String,
    /// Its runs.
    pub runs: Vec<Run>,
}

impl RunSet {
    /// Returns a set of runs.
    #[must_use]
    pub fn new(name: impl Into<String>, runs: Vec<Run>) -> Self {
        Self {
            name: name.into(),
            runs,
        }
    }
}

/// LCA by layer of one of several sets of runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SetLayers {
    /// What the set is called.
    pub set: String,
    /// The layers of its runs.
    #[serde(flatten)]
    pub layers: Layers,
    /// How each of these layers differs from the one of that name in the first set; `None` in the
    /// first set, and of a layer that the first does not have.
    pub differences: Vec<Option<SetDifference>>,
}

/// How a layer's LCA in one set of runs differs from that in the first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SetDifference {
    /// Mean LCA in this set − that in the first.
    pub lca: f64,
    /// Whether it differs from zero; `None` unless both sets have several runs, which differ.
    pub test: Option<DifferenceTest>,
}

impl SetDifference {
    /// Returns the difference with all that is in the unit of the loss divided by a number of
    /// parameters.
    #[must_use]
    pub fn divided(self, parameters: u64) -> Self {
        let parameters = parameters as f64;
        Self {
            lca: self.lca / parameters,
            test: self.test.map(|test| DifferenceTest {
                standard_error: test.standard_error / parameters,
                interval: test.interval.map(|end| end / parameters),
                ..test
            }),
        }
    }
}

/// Whether the means of two sets of runs differ, on either side (Welch, 1947).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DifferenceTest {
    /// The standard error of the difference.
    pub standard_error: f64,
    /// The difference over its standard error.
    pub t: f64,
    /// The 95 % confidence interval of the difference.
    pub interval: [f64; 2],
    /// The p-value.
    pub p: f64,
    /// The same, corrected for the number of layers of this set (Holm).
    pub p_corrected: f64,
}

/// Returns LCA by layer of several sets of runs, and how the sets differ from the first.
///
/// Welch's t-test assumes runs that are independent, and sums near to normal; the sets may scatter
/// differently.
///
/// # Errors
///
/// Those of [`layers`](super::layers()) for the runs of any set.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let (a, b) = (example::recorded_run(), example::recorded_run());
/// use burn_lca::Run;
/// use burn_lca::analysis::{layers::LayersOptions, sets, sets::RunSet};
///
/// let plain = RunSet::new("plain", vec![Run::open(a.path())?]);
/// let frozen = RunSet::new("frozen", vec![Run::open(b.path())?]);
/// for set in sets(&[plain, frozen], &LayersOptions::default())? {
///     println!("{}: {:+.3}", set.set, set.layers.lca);
/// }
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn sets(sets: &[RunSet], options: &LayersOptions) -> Result<Vec<SetLayers>, LcaError> {
    let mut found: Vec<SetLayers> = Vec::new();
    for set in sets {
        let of_set = layers(&set.runs, options)?;
        let differences = match found.first() {
            Some(first) => differences(&of_set, &first.layers),
            None => vec![None; of_set.layers.len()],
        };
        found.push(SetLayers {
            set: set.name.clone(),
            layers: of_set,
            differences,
        });
    }
    Ok(found)
}

fn differences(of_set: &Layers, first: &Layers) -> Vec<Option<SetDifference>> {
    let pairs = of_set.layers.iter().map(|layer| {
        let mut others = first.layers.iter();
        let other = others.find(|other| other.name == layer.name)?;
        let test = Welch::new(&other.by_run, &layer.by_run);
        Some((layer.lca - other.lca, test))
    });
    let pairs: Vec<Option<(f64, Option<Welch>)>> = pairs.collect();
    let p: Vec<Option<f64>> = pairs
        .iter()
        .map(|pair| Some(pair.as_ref()?.1.as_ref()?.p_two_sided()))
        .collect();
    let pairs = pairs.into_iter().zip(holm_of_known(&p));
    pairs
        .map(|(pair, p_corrected)| {
            let (lca, test) = pair?;
            let test = test
                .zip(p_corrected)
                .map(|(test, p_corrected)| DifferenceTest {
                    standard_error: test.error(),
                    t: test.t(),
                    interval: test.interval(),
                    p: test.p_two_sided(),
                    p_corrected,
                });
            Some(SetDifference { lca, test })
        })
        .collect()
}
