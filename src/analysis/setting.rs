//! LCA of layers against a number that was set for each run, such as a momentum.

use serde::Serialize;

use crate::error::LcaError;
use crate::record::Run;

use super::grouping::Grouping;
use super::layers::{LayersOptions, LayersRun, sums_over_runs};
use super::options::options;
use super::significance::{StudentT, deviation, holm_of_known, mean, spread};

pub use super::regression::{Line, SlopeTest};

options! {
    /// Settings of [`setting`](super::setting()).
    pub struct SettingOptions {
        /// What was set, for headings and axes.
        pub name: String = "setting".to_owned(),
        /// Whether lines are fitted against the decimal logarithm of the number, which has to be
        /// above zero then; a slope is per factor of ten.
        pub log: bool = false,
        /// Which sums of LCA are fitted.
        pub sums: LayersOptions = LayersOptions::default(),
    }
}

/// LCA of every layer against a number that was set for each run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Setting {
    /// What was set.
    pub name: String,
    /// Whether lines are fitted against its decimal logarithm.
    pub log: bool,
    /// The runs, in the order given.
    pub runs: Vec<SettingRun>,
    /// What LCA is summed over.
    pub by: Grouping,
    /// The probe whose loss is split.
    pub probe: String,
    /// The class whose loss is split; `None`: all classes together.
    pub class: Option<i32>,
    /// What makes the runs hard to compare, in words; `None` if nothing does.
    pub caution: Option<String>,
    /// Every layer, tensor or group, in the model's order.
    pub layers: Vec<SettingLayer>,
    /// All of them together. Its p-values are not corrected.
    pub network: SettingLayer,
}

/// A run, and what was set for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SettingRun {
    /// The number that was set.
    pub value: f64,
    /// What is in its sums.
    #[serde(flatten)]
    pub run: LayersRun,
}

/// LCA of a layer against the setting.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SettingLayer {
    /// The path of the layer or tensor, or the name of the group.
    pub name: String,
    /// How many parameters it has.
    pub parameters: u64,
    /// LCA over each run, in the unit of the loss: negative helped, positive hurt.
    pub by_run: Vec<f64>,
    /// Its LCA at every number that was set, ascending.
    pub points: Vec<SettingPoint>,
    /// The straight line through the runs' LCA; `None` of runs that all have the same number.
    pub line: Option<Line>,
    /// The p-value of the line's slope, corrected for the number of layers (Holm).
    pub p_corrected: Option<f64>,
    /// The number at which the line crosses zero, if it is among those that were set: there the
    /// layer turns between helping and hurting.
    pub turns_at: Option<f64>,
}

/// LCA of a layer over the runs of one setting.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SettingPoint {
    /// The number that was set.
    pub value: f64,
    /// How many runs have it.
    pub runs: usize,
    /// Mean LCA over these runs.
    pub lca: f64,
    /// Standard deviation between these runs, of several.
    pub deviation: Option<f64>,
    /// From one `deviation` below `lca` to one above.
    pub spread: Option<[f64; 2]>,
    /// Standard error of the mean, of several runs.
    pub standard_error: Option<f64>,
    /// The 95 % confidence interval of the mean after Student; `None` of one run, or of copies.
    pub interval: Option<[f64; 2]>,
}

/// Returns LCA of every layer against a number that was set for each run, such as the momentum of
/// the last layer: mean and deviation at every number, and the straight line through all runs with
/// the standard error and p-value of its slope.
///
/// The line is that of least squares through the runs, each a point. Its tests assume runs that
/// are independent (of different seeds) and whose LCA scatters around the line normally and alike
/// at every number. Whether a straight line is right at all is another test, which takes several
/// runs with one number: [`Line::p_straight`]. P-values of slopes are corrected for the number of
/// layers after Holm (1979).
///
/// # Errors
///
/// [`LcaError::Setting`] if a number is not finite, or not above zero for a logarithm, and the
/// errors of [`layers`](super::layers()).
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let (a, b) = (example::recorded_run(), example::recorded_run());
/// use burn_lca::Run;
/// use burn_lca::analysis::{setting, setting::SettingOptions};
///
/// let runs = [(0.0, Run::open(a.path())?), (0.9, Run::open(b.path())?)];
/// let found = setting(&runs, &SettingOptions::default().name("momentum".into()))?;
/// for layer in &found.layers {
///     let slope = layer.line.map(|line| line.slope);
///     println!("{}: {slope:?} per unit of momentum", layer.name);
/// }
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn setting(runs: &[(f64, Run)], options: &SettingOptions) -> Result<Setting, LcaError> {
    let values = values(runs, options.log)?;
    let runs: Vec<Run> = runs.iter().map(|(_, run)| run.clone()).collect();
    let sums = sums_over_runs(&runs, &options.sums)?;
    let place = |value: f64| if options.log { value.log10() } else { value };
    let layer = |name: &str, parameters: u64, by_run: &[f64]| {
        let mut points: Vec<(f64, f64)> = values.iter().copied().zip(by_run.to_vec()).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let at = points.chunk_by(|a, b| a.0 == b.0).map(SettingPoint::of);
        let placed: Vec<(f64, f64)> = points.iter().map(|(x, y)| (place(*x), *y)).collect();
        let line = Line::fit(&placed);
        let ends = placed.first().zip(placed.last());
        let turns_at = line.zip(ends).and_then(|(line, ends)| {
            let zero = -line.intercept / line.slope;
            let among = (ends.0.0..=ends.1.0).contains(&zero);
            among.then(|| if options.log { 10f64.powf(zero) } else { zero })
        });
        SettingLayer {
            name: name.to_owned(),
            parameters,
            by_run: by_run.to_vec(),
            points: at.collect(),
            line,
            p_corrected: None,
            turns_at,
        }
    };
    let all = sums.layers.iter();
    let parameters = all.clone().map(|sum| sum.parameters);
    let parameters = parameters.fold(0, u64::saturating_add);
    let by_run = |run: usize| sums.layers.iter().map(|sum| sum.by_run[run]).sum();
    let by_run: Vec<f64> = (0..runs.len()).map(by_run).collect();
    let network = layer("all", parameters, &by_run);
    let layers = all.map(|sum| layer(&sum.name, sum.parameters, &sum.by_run));
    let mut layers: Vec<SettingLayer> = layers.collect();
    let p: Vec<Option<f64>> = layers.iter().map(SettingLayer::p).collect();
    for (layer, p) in layers.iter_mut().zip(holm_of_known(&p)) {
        layer.p_corrected = p;
    }
    let runs = values.iter().zip(sums.runs);
    Ok(Setting {
        name: options.name.clone(),
        log: options.log,
        runs: runs
            .map(|(value, run)| SettingRun { value: *value, run })
            .collect(),
        by: sums.by,
        probe: sums.probe,
        class: sums.class,
        caution: sums.caution,
        layers,
        network,
    })
}

/// Returns the numbers that were set; zero has one sign.
fn values(runs: &[(f64, Run)], log: bool) -> Result<Vec<f64>, LcaError> {
    let value = |(value, run): &(f64, Run)| {
        let refused = |remedy| {
            let problem = format!("{value} is set for {}", run.folder().display());
            Err(LcaError::setting("setting", problem, remedy))
        };
        if !value.is_finite() {
            refused("give a finite number")
        } else if log && *value <= 0.0 {
            refused("a logarithm takes numbers above zero; give such, or take no logarithm")
        } else {
            Ok(value + 0.0)
        }
    };
    runs.iter().map(value).collect()
}

impl Setting {
    /// Returns what slopes are per, in words: a unit of the setting, or a factor of ten in it.
    #[must_use]
    pub fn unit(&self) -> String {
        if self.log {
            format!("factor of ten in {}", self.name)
        } else {
            format!("unit of {}", self.name)
        }
    }
}

impl SettingLayer {
    /// Returns the p-value of the line's slope.
    #[must_use]
    pub fn p(&self) -> Option<f64> {
        Some(self.line?.test?.p)
    }
}

impl SettingPoint {
    /// Returns what runs of one setting did.
    fn of(runs: &[(f64, f64)]) -> Self {
        let lca: Vec<f64> = runs.iter().map(|(_, lca)| *lca).collect();
        let (mean, deviation) = (mean(&lca), deviation(&lca));
        Self {
            value: runs[0].0,
            runs: runs.len(),
            lca: mean,
            deviation,
            spread: spread(&lca),
            standard_error: deviation.map(|deviation| deviation / (lca.len() as f64).sqrt()),
            interval: StudentT::new(&lca).map(|test| test.interval()),
        }
    }
}
