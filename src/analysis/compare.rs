//! Two runs side by side: loss, helping, layers and classes.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::error::LcaError;
use crate::record::{Run, Table};

use super::grouping::Grouping;
use super::layers::{LayerSum, layers_of_run};
use super::loss::Reconciliation;
use super::names::ClassName;
use super::read::each;
use super::sampling::{margin, variance};
use super::series::{Quantity, Request, Series, SeriesTable, halves};
use super::summary::{ProbeHelping, Summary, summary};

/// Two runs side by side.
///
/// Everything is over each run's own observed steps. What only one run has is listed in
/// [`Comparison::unmatched`] and not compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// The two runs, in the order in which they were given.
    pub runs: [ComparedRun; 2],
    /// Loss and helping on the probes that both have, in the first run's order.
    pub probes: Vec<ProbeComparison>,
    /// The layers that both have, on the first run's first probe, in its model's order.
    pub layers: Vec<LayerComparison>,
    /// The classes that both have by number and name, on the same probe; empty unless both
    /// split by class.
    pub classes: Vec<ClassComparison>,
    /// What only the first and only the second run has.
    pub unmatched: [Unmatched; 2],
}

/// What was observed of one of two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ComparedRun {
    /// Its folder.
    pub folder: String,
    /// Parameters of its model.
    pub parameters: u64,
    /// Observed steps.
    pub steps: u64,
    /// Optimizer steps that these are about.
    pub optimizer_steps: u64,
    /// The first observed iteration.
    pub first_iteration: u64,
    /// The last observed iteration.
    pub last_iteration: u64,
}

/// A number of two runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Pair {
    /// Of the first run.
    pub first: f64,
    /// Of the second run.
    pub second: f64,
    /// `second` − `first`.
    pub difference: f64,
}

/// How far a number of two runs may be from that over all examples: half the widths of 95 %
/// confidence intervals. Without a sampled probe there are none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PairMargins {
    /// Of the first run's number; `None` unless its probe is sampled.
    pub first: Option<f64>,
    /// Of the second run's; likewise.
    pub second: Option<f64>,
    /// Of the difference; `None` if neither is sampled. Where both runs drew the same examples, it is
    /// that of the steps' differences on these, which may be far less than those of the two.
    pub difference: Option<f64>,
}

/// Loss and helping of two runs on one probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ProbeComparison {
    /// The probe.
    pub probe: String,
    /// The loss before the first observed step.
    pub loss_before: Pair,
    /// The loss after the last observed step.
    pub loss_after: Pair,
    /// The loss change over the run.
    pub loss_change: Pair,
    /// Sum of LCA over all parameters and steps.
    pub lca: Pair,
    /// How far `lca` may be from that over all examples.
    pub lca_margins: PairMargins,
    /// Whether the signs below are those of estimates from samples, which noise draws towards one
    /// half, in either run.
    pub of_estimates: [bool; 2],
    /// Sum of the negative LCA.
    pub lca_helping: Pair,
    /// Sum of the positive LCA.
    pub lca_hurting: Pair,
    /// How often a parameter helped at a step, as a fraction.
    pub fraction_of_all: Pair,
    /// How often a parameter helped where its LCA was not zero, as a fraction.
    pub fraction_of_nonzero: Pair,
}

/// A layer of two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LayerComparison {
    /// The layer.
    pub layer: String,
    /// Its parameters in either run; where they differ, so do the models.
    pub parameters: [u64; 2],
    /// Its LCA, summed over the steps at which all layers are finite.
    pub lca: Pair,
    /// How far `lca` may be from that over all examples.
    pub lca_margins: PairMargins,
    /// Its LCA as a fraction of that of all layers of its run.
    pub fraction_of_network: Pair,
    /// How often one of its parameters helped where its LCA was not zero, as a fraction.
    pub fraction_of_nonzero: Pair,
}

/// A class of two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ClassComparison {
    /// The number of the class.
    pub class: i32,
    /// Its name.
    pub name: String,
    /// The loss of its examples after the last observed step.
    pub loss_after: Pair,
    /// LCA of all parameters on its loss, summed over the steps at which it is finite.
    pub lca: Pair,
    /// How far `lca` may be from that over all examples.
    pub lca_margins: PairMargins,
}

/// What only one of two runs has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Unmatched {
    /// Its probes.
    pub probes: Vec<String>,
    /// Its layers.
    pub layers: Vec<String>,
    /// Its classes, by name.
    pub classes: Vec<String>,
}

/// Returns two runs side by side.
///
/// Sums are over each run's own observed steps: if these differ, so do the sums. Margins are those of
/// sampling the probe's examples, at the steps of these two runs; seeds differ by chance too, and
/// that is not in them.
///
/// # Errors
///
/// [`LcaError::NotRecorded`] if a run has no observed step, or none is on disk yet, and the errors
/// of [`Scan`](crate::Scan) if a table can't be read.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let (a, b) = (example::recorded_run(), example::recorded_run());
/// use burn_lca::{Run, analysis::compare};
///
/// let found = compare(&Run::open(a.path())?, &Run::open(b.path())?)?;
/// for layer in &found.layers {
///     println!("{}: {:+.3} against {:+.3}", layer.layer, layer.lca.first, layer.lca.second);
/// }
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn compare(first: &Run, second: &Run) -> Result<Comparison, LcaError> {
    let [a, b] = [summary(first)?, summary(second)?];
    let runs = [described(first, &a), described(second, &b)];
    let probe = a.reconciliation.first().map(|probe| probe.probe.clone());
    let probe = probe.unwrap_or_default();
    let probes = Matched::new([probes(a), probes(b)], |probe| probe.0.probe.clone());
    let layers = [
        layers_of_run(first, &probe)?,
        layers_of_run(second, &probe)?,
    ];
    let layers = Matched::new(layers, |layer| layer.name.clone());
    let classes = [classes(first, &probe)?, classes(second, &probe)?];
    let classes = Matched::new(classes, |class| class.class.clone());
    fn names<T>(rows: &[T], name: impl Fn(&T) -> &String) -> Vec<String> {
        rows.iter().map(name).cloned().collect()
    }
    let errors = PairErrors::read([first, second], &probe)?;
    let unmatched = [0, 1].map(|run| Unmatched {
        probes: names(&probes.unmatched[run], |probe| &probe.0.probe),
        layers: names(&layers.unmatched[run], |layer| &layer.name),
        classes: names(&classes.unmatched[run], |class| &class.class.name),
    });
    Ok(Comparison {
        runs,
        probes: probes
            .both
            .iter()
            .map(|both| {
                let errors = PairErrors::read([first, second], &both[0].0.probe)?;
                Ok(compare_probes(both, &errors))
            })
            .collect::<Result<_, LcaError>>()?,
        layers: layers
            .both
            .iter()
            .map(|both| compare_layers(both, &errors))
            .collect(),
        classes: classes
            .both
            .into_iter()
            .map(|both| compare_classes(both, &errors))
            .collect(),
        unmatched,
    })
}

/// What two runs have in common, and what only one has.
struct Matched<T> {
    both: Vec<[T; 2]>,
    unmatched: [Vec<T>; 2],
}

impl<T> Matched<T> {
    fn new<K: Ord>([first, second]: [Vec<T>; 2], key: impl Fn(&T) -> K) -> Self {
        let places: BTreeMap<K, usize> = second.iter().map(&key).zip(0..).collect();
        let mut second: Vec<Option<T>> = second.into_iter().map(Some).collect();
        let mut both = Vec::new();
        let mut unmatched = Vec::new();
        for a in first {
            let place = places.get(&key(&a));
            match place.and_then(|place| second[*place].take()) {
                Some(b) => both.push([a, b]),
                None => unmatched.push(a),
            }
        }
        Self {
            both,
            unmatched: [unmatched, second.into_iter().flatten().collect()],
        }
    }
}

impl Pair {
    fn of<T>([first, second]: &[T; 2], number: impl Fn(&T) -> f64) -> Self {
        let (first, second) = (number(first), number(second));
        Self {
            first,
            second,
            difference: second - first,
        }
    }
}

/// Half the differences between the halves of every sample of two runs, on one probe.
struct PairErrors {
    halves: [Option<SeriesTable>; 2],
    /// Whether both runs drew the same examples at the same iteration.
    same_samples: bool,
}

impl PairErrors {
    fn read(runs: [&Run; 2], probe: &str) -> Result<Self, LcaError> {
        let read = |run| {
            let request = Request {
                quantity: Quantity::Lca,
                probe,
                grouping: &Grouping::Layer,
                by_class: true,
            };
            halves(run, request)
        };
        let seed = format!("sample of {probe}");
        let drawn = runs.map(|run| {
            let info = run.info();
            let of_probe = info.probes.iter().find(|known| known.name == probe);
            let seed = info.seeds.get(&seed).copied();
            seed.zip(of_probe.map(|of| (of.examples, &of.sample, &of.classes)))
        });
        Ok(Self {
            halves: [read(runs[0])?, read(runs[1])?],
            same_samples: drawn[0].is_some() && drawn[0] == drawn[1],
        })
    }

    /// Returns the margins of the sums over the series that are asked for.
    fn margins(&self, of: impl Fn(&Series) -> bool) -> PairMargins {
        let sums = self
            .halves
            .each_ref()
            .map(|table| Some(by_step(table.as_ref()?, &of)));
        let one = |sums: &Option<BTreeMap<u64, f64>>| {
            let sums = sums.as_ref()?;
            Some(variance(sums.values().copied()))
        };
        let [first, second] = sums.each_ref().map(one);
        let difference = match &sums {
            [Some(first), Some(second)] if self.same_samples => {
                let steps: BTreeSet<u64> = first.keys().chain(second.keys()).copied().collect();
                let half = |sums: &BTreeMap<u64, f64>, step| sums.get(step).copied().unwrap_or(0.0);
                let differences = steps.iter().map(|at| half(second, at) - half(first, at));
                Some(variance(differences))
            }
            _ => [first, second].into_iter().flatten().reduce(|a, b| a + b),
        };
        let margin = |variance: Option<f64>| variance.map(|variance| margin(variance.sqrt()));
        PairMargins {
            first: margin(first),
            second: margin(second),
            difference: margin(difference),
        }
    }
}

/// Sums some series by where a step begins.
fn by_step(table: &SeriesTable, of: impl Fn(&Series) -> bool) -> BTreeMap<u64, f64> {
    let mut sums: BTreeMap<u64, f64> = BTreeMap::new();
    for series in table.series.iter().filter(|series| of(series)) {
        for (first, half) in table.firsts.iter().zip(&series.values) {
            // A layer that was frozen at a step has no part in it.
            if half.is_finite() {
                *sums.entry(*first).or_default() += half;
            }
        }
    }
    sums
}

fn described(run: &Run, summary: &Summary) -> ComparedRun {
    ComparedRun {
        folder: run.folder().display().to_string(),
        parameters: summary.parameters,
        steps: summary.steps,
        optimizer_steps: summary.optimizer_steps,
        first_iteration: summary.first_iteration,
        last_iteration: summary.last_iteration,
    }
}

fn probes(summary: Summary) -> Vec<(Reconciliation, ProbeHelping)> {
    let losses = summary.reconciliation.into_iter();
    losses.zip(summary.helping).collect()
}

fn compare_probes(
    runs: &[(Reconciliation, ProbeHelping); 2],
    errors: &PairErrors,
) -> ProbeComparison {
    ProbeComparison {
        probe: runs[0].0.probe.clone(),
        loss_before: Pair::of(runs, |(loss, _)| loss.loss_before),
        loss_after: Pair::of(runs, |(loss, _)| loss.loss_after),
        loss_change: Pair::of(runs, |(loss, _)| loss.loss_change),
        lca: Pair::of(runs, |(loss, _)| loss.lca),
        lca_margins: errors.margins(|series| series.class.is_none()),
        of_estimates: runs.each_ref().map(|(_, helping)| helping.of_estimates),
        lca_helping: Pair::of(runs, |(_, helping)| helping.lca_helping),
        lca_hurting: Pair::of(runs, |(_, helping)| helping.lca_hurting),
        fraction_of_all: fractions(runs, |(_, helping)| helping.counts.fraction_of_all()),
        fraction_of_nonzero: fractions(runs, |(_, helping)| helping.counts.fraction_of_nonzero()),
    }
}

/// Returns fractions, NaN where there is nothing that they could be of.
fn fractions<T>(runs: &[T; 2], fraction: impl Fn(&T) -> Option<f64>) -> Pair {
    Pair::of(runs, |run| fraction(run).unwrap_or(f64::NAN))
}

fn compare_layers(layers: &[LayerSum; 2], errors: &PairErrors) -> LayerComparison {
    let name = &layers[0].name;
    LayerComparison {
        layer: name.clone(),
        parameters: layers.each_ref().map(|layer| layer.parameters),
        lca: Pair::of(layers, |layer| layer.lca),
        lca_margins: errors.margins(|series| series.class.is_none() && series.name == *name),
        fraction_of_network: Pair::of(layers, |layer| layer.fraction_of_network),
        fraction_of_nonzero: fractions(layers, |layer| layer.counts.fraction_of_nonzero()),
    }
}

/// A class of one run.
#[derive(Debug)]
struct ClassSum {
    class: ClassName,
    lca: f64,
    /// The last observed step and the loss after it.
    last: (u64, f64),
}

/// Reads the classes of a run in ascending order; none where it does not split by class.
fn classes(run: &Run, probe: &str) -> Result<Vec<ClassSum>, LcaError> {
    let mut classes: BTreeMap<i32, ClassSum> = BTreeMap::new();
    let columns = ["iteration", "probe", "class", "loss_after", "lca"];
    each(run, Table::Classes, &columns, |columns| {
        let (iterations, probes) = (columns.u64("iteration")?, columns.text("probe")?);
        let numbers = columns.i32_or_null("class")?.values();
        let (losses, lca) = (columns.f64("loss_after")?, columns.f64("lca")?);
        for row in (0..lca.len()).filter(|row| probes.value(*row) == probe) {
            let number = numbers[row];
            let class = classes.entry(number).or_insert_with(|| ClassSum {
                class: ClassName::of(run, number),
                lca: 0.0,
                last: (0, f64::NAN),
            });
            if iterations[row] >= class.last.0 {
                class.last = (iterations[row], losses[row]);
            }
            if lca[row].is_finite() {
                class.lca += lca[row];
            }
        }
        Ok(())
    })?;
    Ok(classes.into_values().collect())
}

fn compare_classes(classes: [ClassSum; 2], errors: &PairErrors) -> ClassComparison {
    let loss_after = Pair::of(&classes, |class| class.last.1);
    let lca = Pair::of(&classes, |class| class.lca);
    let [ClassSum { class, .. }, _] = classes;
    let number = class.class;
    ClassComparison {
        class: class.class,
        name: class.name,
        loss_after,
        lca,
        lca_margins: errors.margins(|series| series.class == Some(number)),
    }
}
