//! Which layers learned, when, and whether other seeds agree.

mod options;
mod sums;
mod trajectories;

use serde::Serialize;

use crate::error::LcaError;
use crate::record::{Run, Table};

use super::alike::require_alike;
use super::grouping::Grouping;
use super::lengths::different_lengths;
use super::read::{NO_FINITE_STEPS, NO_STEPS, not_recorded, require};
use super::sampling::{margin, p_of_estimate};
use super::significance::{SignFlip, StudentT, deviation, holm, holm_of_known, mean, spread};
use super::stats::HelpingCounts;
use sums::{GroupSum, RunSums, check, sums};

pub use options::LayersOptions;
pub use trajectories::{LayerCurve, Trajectories, trajectories};

/// LCA by layer, tensor or group, of one run or several of one model.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Layers {
    /// The runs, in the order given.
    pub runs: Vec<LayersRun>,
    /// What LCA is summed over.
    pub by: Grouping,
    /// The probe whose loss is split.
    pub probe: String,
    /// The class whose loss is split; `None`: all classes together.
    pub class: Option<i32>,
    /// LCA of the network over a run, in the unit of the loss; mean over the runs.
    pub lca: f64,
    /// How layers are tested; `None` of one run, which can't tell what other seeds would give.
    pub test: Option<RunsTest>,
    /// What makes the runs hard to compare, in words; `None` if nothing does.
    pub caution: Option<String>,
    /// Every layer, tensor or group, in the model's order.
    pub layers: Vec<LayerSum>,
}

/// A run as far as it is in the sums.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LayersRun {
    /// Its folder.
    pub folder: String,
    /// Observed steps that are in the sums.
    pub steps: u64,
    /// Observed steps at which a tensor's LCA is not finite; they are left out.
    pub not_finite: u64,
}

/// How layers are tested over several runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RunsTest {
    /// How many runs.
    pub runs: usize,
    /// How many layers vary between the runs and so are tested; p-values are corrected for
    /// their number.
    pub layers: usize,
    /// The flips of the permutation test, and the least p-value that they can reach.
    pub sign_flip: SignFlip,
}

/// LCA of a layer or tensor, summed over the run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LayerSum {
    /// The path of the layer or tensor.
    pub name: String,
    /// How many parameters it has.
    pub parameters: u64,
    /// LCA over a run, in the unit of the loss: negative helped, positive hurt. Mean over the
    /// runs.
    pub lca: f64,
    /// Standard error of `lca` from sampling the probe's examples, whatever varies between runs;
    /// `None` unless the probe of a run is sampled.
    pub standard_error: Option<f64>,
    /// Half the width of the 95 % confidence interval of `lca` that goes with `standard_error`.
    pub margin: Option<f64>,
    /// That interval: `margin` to either side of `lca`.
    pub sampled_interval: Option<[f64; 2]>,
    /// The probability of an estimate so far from zero, on either side, if `lca` over all examples
    /// were zero: by the samples of these very runs, whatever other seeds would give. `None` unless
    /// sampled.
    pub p_sampled: Option<f64>,
    /// The same, corrected for the number of layers (Holm).
    pub p_sampled_corrected: Option<f64>,
    /// The part of `lca` that is due to weight decay; `None` unless it is recorded of all steps.
    pub lca_decay: Option<f64>,
    /// LCA over each run.
    pub by_run: Vec<f64>,
    /// Standard deviation between runs, of several.
    pub deviation: Option<f64>,
    /// From one `deviation` below `lca` to one above.
    pub spread: Option<[f64; 2]>,
    /// `lca` / LCA of the network: positive if it did as the network did, 1 if it did all.
    pub fraction_of_network: f64,
    /// `lca` / `parameters`.
    pub lca_per_parameter: f64,
    /// How often its parameters helped, hurt or did neither, over all steps and runs.
    #[serde(flatten)]
    pub counts: HelpingCounts,
    /// The fraction of the steps at which its LCA is positive, over all runs.
    pub fraction_hurting_steps: f64,
    /// Whether `lca` is positive: it hurt over the run.
    pub hurts: bool,
    /// Whether its LCA differs from zero over the runs; `None` of one run, or if it is the same
    /// in all.
    pub significance: Option<Significance>,
}

/// Whether LCA differs from zero over the runs, on either side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Significance {
    /// The mean over its standard error.
    pub t: f64,
    /// The 95 % confidence interval of the mean after Student, for this layer alone.
    pub interval: [f64; 2],
    /// The p-value of Student's t-test.
    pub p_t: f64,
    /// The same, corrected for the number of layers (Holm).
    pub p_t_corrected: f64,
    /// The p-value of the sign-flip permutation test.
    pub p_sign_flip: f64,
    /// The same, corrected for the number of layers (Holm).
    pub p_sign_flip_corrected: f64,
}

impl LayerSum {
    /// Returns the layer with all that is in the unit of the loss divided by the number of its
    /// parameters: its LCA, the share of decay, its errors, its deviation and spread, and the
    /// interval.
    #[must_use]
    pub fn per_parameter(&self) -> Self {
        let parameters = self.parameters as f64;
        Self {
            lca: self.lca_per_parameter,
            standard_error: self.standard_error.map(|error| error / parameters),
            margin: self.margin.map(|margin| margin / parameters),
            sampled_interval: self
                .sampled_interval
                .map(|ends| ends.map(|end| end / parameters)),
            lca_decay: self.lca_decay.map(|decay| decay / parameters),
            by_run: self.by_run.iter().map(|lca| lca / parameters).collect(),
            deviation: self.deviation.map(|deviation| deviation / parameters),
            spread: self.spread.map(|ends| ends.map(|end| end / parameters)),
            significance: self.significance.map(|found| Significance {
                interval: found.interval.map(|end| end / parameters),
                ..found
            }),
            ..self.clone()
        }
    }
}

/// Returns LCA summed over the run by layer or tensor, and over several runs (seeds of one
/// model) its mean, deviation, and whether it differs from zero.
///
/// Two two-sided tests stand beside each other, since each has what the other lacks. Student's
/// t-test assumes runs that are independent and sums near to normal. The sign-flip test (Fisher,
/// 1935) compares the mean with those after flipping the sign of some runs' LCA; it assumes
/// independent runs and LCA that would be as often positive as negative at every magnitude if
/// there were nothing behind it, but no normal distribution. Up to 16 runs all flips are
/// enumerated, beyond that 9,999 are drawn. With n runs its p-value is at least 2/2ⁿ: of fewer
/// than six it never gets to 0.05. Both are corrected for the number of layers after Holm
/// (1979). Runs of the same seed are not independent, and copies of each other are not tested.
///
/// Steps at which a tensor's LCA is not finite are left out of all sums: what the other tensors
/// did at such a step is not grounded.
///
/// # Errors
///
/// [`LcaError::Setting`] without a run, if one is given twice, if the runs have different tensors
/// or if a run has no such class; [`LcaError::NotRecorded`] if one has not recorded the probe or
/// its classes, or has no finite steps yet; and the errors of [`Scan`](crate::Scan) if the table
/// `tensors` can't be read.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::Run;
/// use burn_lca::analysis::{layers, layers::LayersOptions};
///
/// let runs = [Run::open(folder.path())?];
/// for layer in layers(&runs, &LayersOptions::default())?.layers {
///     println!("{}: {:+.3}{}", layer.name, layer.lca, if layer.hurts { " hurts" } else { "" });
/// }
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn layers(runs: &[Run], options: &LayersOptions) -> Result<Layers, LcaError> {
    let mut found = sums_over_runs(runs, options)?;
    if runs.len() > 1 {
        found.test = Some(test(&mut found.layers, runs.len(), options.seed));
    }
    Ok(found)
}

/// Returns the layers of runs of one model, not tested.
pub(super) fn sums_over_runs(runs: &[Run], options: &LayersOptions) -> Result<Layers, LcaError> {
    require_alike("layers", runs)?;
    let mut of_runs: Vec<RunSums> = Vec::new();
    for run in runs {
        check(run, options)?;
        let sums = sums(run, options)?;
        if sums.steps == 0 {
            let probe = options.probe_of(run);
            let problem = format!("has no finite steps of probe {probe} in table tensors");
            return Err(not_recorded(run, problem, NO_FINITE_STEPS));
        }
        of_runs.push(sums);
    }
    let network = of_runs.iter().map(RunSums::lca);
    let network = mean(&network.collect::<Vec<f64>>());
    let described = runs.iter().zip(&of_runs).map(|(run, sums)| LayersRun {
        folder: run.folder().display().to_string(),
        steps: sums.steps,
        not_finite: sums.not_finite,
    });
    let described: Vec<LayersRun> = described.collect();
    Ok(Layers {
        caution: different_lengths(
            None,
            described.iter().map(|run| run.steps),
            "sums over them are not quite the same thing",
        ),
        runs: described,
        by: options.by.clone(),
        probe: options.probe_of(&runs[0]).to_owned(),
        class: options.class,
        lca: network,
        test: None,
        layers: layer_sums(&of_runs, network),
    })
}

/// Returns the layers of a run on a probe; none has moved the loss if no step is finite.
///
/// Fails without the table `tensors`, lest layers that are not known count as none that hurt.
pub(super) fn layers_of_run(run: &Run, probe: &str) -> Result<Vec<LayerSum>, LcaError> {
    require(run, Table::Tensors, NO_STEPS)?;
    let sums = sums(run, &LayersOptions::default().probe(Some(probe.to_owned())))?;
    let network = sums.lca();
    Ok(layer_sums(&[sums], network))
}

/// Returns every layer over runs that have the same ones.
fn layer_sums(runs: &[RunSums], network: f64) -> Vec<LayerSum> {
    let first = runs.iter().take(1).flat_map(|run| &run.groups);
    let layer = |(index, group): (usize, &GroupSum)| {
        let of_runs = || runs.iter().map(|run| &run.groups[index]);
        let by_run: Vec<f64> = of_runs().map(|group| group.lca).collect();
        let lca = mean(&by_run);
        let deviation = deviation(&by_run);
        let variances = of_runs().filter_map(|group| group.variance);
        let variance = variances.reduce(|sum, variance| sum + variance);
        let decays = runs.iter().map(|run| run.lca_decay(index));
        let decays: Option<Vec<f64>> = decays.collect();
        let standard_error = variance.map(|sum| sum.sqrt() / runs.len() as f64);
        let margin = standard_error.map(margin);
        let steps: u64 = runs.iter().map(|run| run.steps).sum();
        let hurting: u64 = of_runs().map(|group| group.hurting_steps).sum();
        LayerSum {
            name: group.name.clone(),
            parameters: group.parameters,
            lca,
            deviation,
            spread: spread(&by_run),
            standard_error,
            margin,
            lca_decay: decays.map(|decays| mean(&decays)),
            sampled_interval: margin.map(|margin| [lca - margin, lca + margin]),
            p_sampled: standard_error.and_then(|error| p_of_estimate(lca, error)),
            p_sampled_corrected: None,
            by_run,
            fraction_of_network: lca / network,
            lca_per_parameter: lca / group.parameters as f64,
            counts: of_runs().map(|group| group.counts).sum(),
            fraction_hurting_steps: hurting as f64 / steps as f64,
            hurts: lca > 0.0,
            significance: None,
        }
    };
    let mut layers: Vec<LayerSum> = first.enumerate().map(layer).collect();
    let p: Vec<Option<f64>> = layers.iter().map(|layer| layer.p_sampled).collect();
    for (layer, p) in layers.iter_mut().zip(holm_of_known(&p)) {
        layer.p_sampled_corrected = p;
    }
    layers
}

/// Tests every layer over the runs.
fn test(layers: &mut [LayerSum], runs: usize, seed: u64) -> RunsTest {
    let sign_flip = SignFlip::new(runs);
    let tested = layers.iter_mut().filter_map(|layer| {
        let student = StudentT::new(&layer.by_run)?;
        Some((layer, student))
    });
    let tested: Vec<(&mut LayerSum, StudentT)> = tested.collect();
    let p_t: Vec<f64> = tested
        .iter()
        .map(|(_, student)| student.p_two_sided())
        .collect();
    let p_sign_flip: Vec<f64> = tested
        .iter()
        .map(|(layer, _)| sign_flip.p_two_sided(&layer.by_run, seed))
        .collect();
    let (p_t_corrected, p_sign_flip_corrected) = (holm(&p_t), holm(&p_sign_flip));
    let count = tested.len();
    for (index, (layer, student)) in tested.into_iter().enumerate() {
        layer.significance = Some(Significance {
            t: student.t(),
            interval: student.interval(),
            p_t: p_t[index],
            p_t_corrected: p_t_corrected[index],
            p_sign_flip: p_sign_flip[index],
            p_sign_flip_corrected: p_sign_flip_corrected[index],
        });
    }
    RunsTest {
        runs,
        layers: count,
        sign_flip,
    }
}
