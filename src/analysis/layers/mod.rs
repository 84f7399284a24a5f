//! Which layers learned, and whether other seeds agree.

mod sums;

use serde::Serialize;

use crate::{LcaError, Run};

use super::alike::require_alike;
use super::series::Grouping;
use super::significance::{SignFlip, StudentT, deviation, holm, mean};
use sums::{RunSums, Sum, sums};

/// Settings of [`layers`].
#[derive(Debug, Clone, PartialEq)]
pub struct LayersOptions {
    /// Whether sums are by layer or by tensor.
    pub by: Grouping,
    /// The probe whose loss is split.
    pub probe: String,
    /// The class whose loss is split; `None`: all classes together.
    pub class: Option<i32>,
    /// The seed of the flips of sign that are drawn where there are too many to enumerate.
    pub seed: u64,
}

impl Default for LayersOptions {
    fn default() -> Self {
        Self {
            by: Grouping::Layer,
            probe: "training".into(),
            class: None,
            seed: 0,
        }
    }
}

/// LCA by layer or tensor, of one run or several of one model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Layers {
    /// The runs, in the order given.
    pub runs: Vec<LayersRun>,
    /// Whether sums are by layer or by tensor.
    pub by: Grouping,
    /// The probe whose loss is split.
    pub probe: String,
    /// The class whose loss is split; `None`: all classes together.
    pub class: Option<i32>,
    /// LCA of the network over a run, in the unit of the loss; mean over the runs.
    pub lca: f64,
    /// How layers are tested; `None` of one run, which can't tell what other seeds would give.
    pub test: Option<RunsTest>,
    /// Every layer or tensor, in the model's order.
    pub layers: Vec<LayerSum>,
}

/// A run as far as it is in the sums.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
pub struct LayerSum {
    /// The path of the layer or tensor.
    pub name: String,
    /// How many parameters it has.
    pub parameters: u64,
    /// LCA over a run, in the unit of the loss: negative helped, positive hurt. Mean over the
    /// runs.
    pub lca: f64,
    /// LCA over each run.
    pub by_run: Vec<f64>,
    /// Standard deviation between runs, of several.
    pub deviation: Option<f64>,
    /// 100 · `lca` / LCA of the network: positive if it did as the network did.
    pub percent_of_network: f64,
    /// `lca` / `parameters`.
    pub per_parameter: f64,
    /// 100 · helping / (helping + hurting + zero), counted over its parameters, all steps and
    /// runs.
    pub percent_of_all: f64,
    /// 100 · helping / (helping + hurting).
    pub percent_of_nonzero: f64,
    /// Whether `lca` is positive: it hurt over the run.
    pub hurts: bool,
    /// Whether its LCA differs from zero over the runs; `None` of one run, or if it is the same
    /// in all.
    pub significance: Option<Significance>,
}

/// Whether LCA differs from zero over the runs, on either side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
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
/// Steps at which a tensor's LCA is not finite are left out of all sums.
///
/// Fails without a run, if one is given twice, if the runs have different tensors, if one has not recorded the probe or
/// the class or has no finite steps yet, or if they can't be read.
///
/// ```no_run
/// # use burn_lca::{LcaError, Run};
/// use burn_lca::analysis::{LayersOptions, layers};
///
/// let runs = [Run::open("artifacts/seed1")?, Run::open("artifacts/seed2")?];
/// for layer in layers(&runs, &LayersOptions::default())?.layers {
///     println!("{}: {:+.3}{}", layer.name, layer.lca, if layer.hurts { " hurts" } else { "" });
/// }
/// # Ok::<(), LcaError>(())
/// ```
pub fn layers(runs: &[Run], options: &LayersOptions) -> Result<Layers, LcaError> {
    require_alike("layers", runs)?;
    let of_runs: Vec<RunSums> = runs
        .iter()
        .map(|run| sums(run, options))
        .collect::<Result<_, _>>()?;
    let network = of_runs
        .iter()
        .map(|run| run.tensors.iter().map(|sum| sum.lca).sum());
    let network = mean(&network.collect::<Vec<f64>>());
    let mut layers = Vec::new();
    for group in groups(&runs[0], options.by) {
        layers.push(layer(group, &of_runs, network));
    }
    let test = (runs.len() > 1).then(|| test(&mut layers, runs.len(), options.seed));
    let runs = runs.iter().zip(&of_runs).map(|(run, sums)| LayersRun {
        folder: run.folder().display().to_string(),
        steps: sums.steps,
        not_finite: sums.not_finite,
    });
    Ok(Layers {
        runs: runs.collect(),
        by: options.by,
        probe: options.probe.clone(),
        class: options.class,
        lca: network,
        test,
        layers,
    })
}

/// Tensors that are summed as one.
struct Group {
    name: String,
    parameters: u64,
    /// Their places in the model's order.
    places: Vec<usize>,
}

fn groups(run: &Run, by: Grouping) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (place, tensor) in run.info().tensors.iter().enumerate() {
        let name = by.of(&tensor.path);
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => {
                group.parameters += tensor.parameters;
                group.places.push(place);
            }
            None => groups.push(Group {
                name: name.to_owned(),
                parameters: tensor.parameters,
                places: vec![place],
            }),
        }
    }
    groups
}

fn layer(group: Group, runs: &[RunSums], network: f64) -> LayerSum {
    let mut all = Sum::default();
    let mut by_run = Vec::new();
    for run in runs {
        let mut sum = Sum::default();
        for place in &group.places {
            sum.add(run.tensors[*place]);
        }
        by_run.push(sum.lca);
        all.add(sum);
    }
    let lca = mean(&by_run);
    let nonzero = all.helping + all.hurting;
    let percent = |of: u64| 100.0 * all.helping as f64 / of as f64;
    LayerSum {
        name: group.name,
        parameters: group.parameters,
        lca,
        deviation: deviation(&by_run),
        by_run,
        percent_of_network: 100.0 * lca / network,
        per_parameter: lca / group.parameters as f64,
        percent_of_all: percent(nonzero + all.zero),
        percent_of_nonzero: percent(nonzero),
        hurts: lca > 0.0,
        significance: None,
    }
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
    for (place, (layer, student)) in tested.into_iter().enumerate() {
        layer.significance = Some(Significance {
            t: student.t(),
            interval: student.interval(),
            p_t: p_t[place],
            p_t_corrected: p_t_corrected[place],
            p_sign_flip: p_sign_flip[place],
            p_sign_flip_corrected: p_sign_flip_corrected[place],
        });
    }
    RunsTest {
        runs,
        layers: count,
        sign_flip,
    }
}
