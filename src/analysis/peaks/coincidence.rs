//! Whether layers learn most when they move most, or when their gradient is largest.

use std::collections::HashMap;

use serde::Serialize;

use crate::error::LcaError;
use crate::record::Run;

use super::super::series::Quantity;
use super::alignment::{NullModel, Trains, alignments};
use super::options::PeaksOptions;
use super::{PeakSet, finite_series, refuse_sampled};

/// How often the peaks of two quantities of a layer are at the very same iteration.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Coincidence {
    /// The two quantities.
    pub quantities: [Quantity; 2],
    /// How many peaks of the first there are, over layers and classes.
    pub peaks: usize,
    /// At how many of these the second has a peak of the same layer and class; the step's norm has no
    /// class and is compared with every one.
    pub observed: usize,
    /// Mean number under the null model.
    pub expected: f64,
    /// (1 + permutations with `observed` or more) / (1 + permutations).
    pub p: f64,
}

/// Returns how often the highest peaks of LCA, of the step's norm and of the gradient's norm coincide
/// within a layer and class, against chance: for each two of them.
///
/// Peaks and the null model are those of [`peaks`](super::peaks()); each quantity is shifted alike in
/// all layers and classes. [`PeaksOptions::quantity`] does not matter.
///
/// # Errors
///
/// Those of [`peaks`](super::peaks()).
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::Run;
/// use burn_lca::analysis::{coincidences, peaks::PeaksOptions};
///
/// let run = Run::open(folder.path())?;
/// for pair in coincidences(&run, &PeaksOptions::default().top(3).detrend(9).window(8))? {
///     println!("{:?}: {} of {}", pair.quantities, pair.observed, pair.peaks);
/// }
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn coincidences(run: &Run, options: &PeaksOptions) -> Result<Vec<Coincidence>, LcaError> {
    options.check()?;
    refuse_sampled(run, Quantity::Lca)?;
    let quantities = [Quantity::Lca, Quantity::Step, Quantity::Gradient];
    let mut tables = Vec::new();
    for quantity in quantities {
        tables.push(finite_series(run, quantity)?.0);
    }
    for (index, other) in [(0, 1), (0, 2), (1, 0), (2, 0)] {
        let [table, other] = tables
            .get_disjoint_mut([index, other])
            .map_err(|error| LcaError::internal(error.to_string()))?;
        table.keep_steps_of(other);
    }
    let steps = tables[0].iterations.len();
    let sets = quantities.iter().zip(&tables);
    let sets =
        sets.map(|(quantity, table)| PeakSet::new(table, &options.clone().quantity(*quantity)));
    let sets: Vec<PeakSet> = sets.collect();
    let model = NullModel {
        window: options.window,
        permutations: options.permutations,
        seed: options.seed,
    };
    let pairs = [[0, 1], [0, 2], [1, 2]];
    let pair = |pair: [usize; 2]| {
        let trains = together(&sets[pair[0]], &sets[pair[1]]);
        let of_both = alignments(&trains, 2, steps, model).pop();
        let of_both = of_both.and_then(|mut of_both| of_both.pop())?;
        Some(Coincidence {
            quantities: pair.map(|index| quantities[index]),
            peaks: trains.iter().map(|train| train[0].len()).sum(),
            observed: of_both.observed,
            expected: of_both.expected,
            p: of_both.p,
        })
    };
    Ok(pairs.into_iter().filter_map(pair).collect())
}

/// Returns the peaks of two quantities of every layer and class that the first or the second has.
fn together(first: &PeakSet, second: &PeakSet) -> Vec<Trains> {
    let positions = |set: &PeakSet| -> HashMap<(String, Option<i32>), Vec<usize>> {
        let of_series = set.series.iter();
        of_series
            .map(|found| {
                (
                    (found.peaks.layer.clone(), found.peaks.class),
                    found.positions.clone(),
                )
            })
            .collect()
    };
    let (of_first, of_second) = (positions(first), positions(second));
    let has_classes = |set: &PeakSet| set.classes.iter().any(Option::is_some);
    let finer = if has_classes(first) { first } else { second };
    let of = |known: &HashMap<(String, Option<i32>), Vec<usize>>, layer: &str, class| {
        let own = known.get(&(layer.to_owned(), class));
        let own = own.or_else(|| known.get(&(layer.to_owned(), None)));
        own.cloned().unwrap_or_default()
    };
    let keys = finer
        .series
        .iter()
        .map(|found| (&found.peaks.layer, found.peaks.class));
    keys.map(|(layer, class)| vec![of(&of_first, layer, class), of(&of_second, layer, class)])
        .collect()
}
