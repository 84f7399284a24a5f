//! The parameters that helped and hurt most.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::record_batch::RecordBatch;

use crate::error::LcaError;
use crate::record::{Keep, Run, Table};

use super::super::read::{Columns, stretches};

/// A parameter of the model.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ParameterId {
    pub(super) tensor: String,
    pub(super) index: u32,
}

/// Returns the parameters with the least and the greatest sum of LCA, `count` of either sign,
/// among those that `parameters` has rows of; the most helpful first.
pub(super) fn extremes(
    run: &Run,
    tensor: Option<&str>,
    count: usize,
) -> Result<Vec<ParameterId>, LcaError> {
    let mut extremes = Extremes {
        count,
        helping: Vec::new(),
        hurting: Vec::new(),
    };
    if run.has(Table::ParameterTotals)? {
        from_totals(run, tensor, &mut extremes)?;
    } else {
        from_parameters(run, tensor, &mut extremes)?;
    }
    let Extremes {
        helping, hurting, ..
    } = extremes;
    let ascending = helping.into_iter().chain(hurting.into_iter().rev());
    Ok(ascending.map(|extreme| extreme.parameter).collect())
}

struct Extreme {
    lca: f64,
    parameter: ParameterId,
}

/// The most extreme parameters so far, on either side the furthest from zero first.
struct Extremes {
    count: usize,
    helping: Vec<Extreme>,
    hurting: Vec<Extreme>,
}

impl Extremes {
    fn offer(&mut self, tensor: &str, index: u32, lca: f64) {
        let side = if lca < 0.0 {
            &mut self.helping
        } else if lca > 0.0 {
            &mut self.hurting
        } else {
            return;
        };
        let nearest = side.last().map_or(0.0, |last| last.lca.abs());
        if side.len() == self.count && lca.abs() <= nearest {
            return;
        }
        let rank = side.partition_point(|known| known.lca.abs() >= lca.abs());
        let tensor = tensor.to_owned();
        let parameter = ParameterId { tensor, index };
        side.insert(rank, Extreme { lca, parameter });
        side.truncate(self.count);
    }
}

fn from_totals(run: &Run, tensor: Option<&str>, extremes: &mut Extremes) -> Result<(), LcaError> {
    let mut scan = run.scan(Table::ParameterTotals);
    if let Some(tensor) = tensor {
        scan = scan.tensor(tensor);
    }
    let tensors = run.info().tensors.iter();
    let sizes: HashMap<&str, u64> = tensors
        .map(|tensor| (tensor.path.as_str(), tensor.parameters))
        .collect();
    for batch in scan.columns(["tensor", "index", "lca"]).batches()? {
        let batch = batch?;
        let columns = Columns(&batch);
        let (index, lca) = (columns.u32("index")?, columns.f64("lca")?);
        for (path, rows) in stretches(columns.text("tensor")?) {
            let size = sizes.get(path).copied().unwrap_or(0);
            let recorded = RecordedIndices::of(run, path, size);
            for row in rows.filter(|row| recorded.has(index[*row])) {
                extremes.offer(path, index[row], lca[row]);
            }
        }
    }
    Ok(())
}

/// The parameters of a tensor that are recorded one by one.
enum RecordedIndices {
    All,
    None,
    Some(Arc<[u32]>),
}

impl RecordedIndices {
    /// Returns those of a tensor with so many parameters.
    fn of(run: &Run, path: &str, parameters: u64) -> Self {
        let Some(selection) = &run.info().record.parameters else {
            return Self::All;
        };
        if !selection.wants_tensor(path) {
            return Self::None;
        }
        match selection.indices(path, parameters as usize) {
            Some(indices) => Self::Some(indices),
            None => Self::All,
        }
    }

    fn has(&self, index: u32) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Some(indices) => indices.binary_search(&index).is_ok(),
        }
    }
}

fn from_parameters(
    run: &Run,
    tensor: Option<&str>,
    extremes: &mut Extremes,
) -> Result<(), LcaError> {
    let mut scan = run.scan(Table::Parameters);
    if let Some(tensor) = tensor {
        scan = scan.tensor(tensor);
    }
    let which = tensor.unwrap_or_default();
    let scan = scan.columns(["tensor", "index", "lca"]);
    scan.fold(
        which,
        |_| true,
        Totals::default,
        Totals::add,
        |totals| {
            for (path, sums) in &totals.0 {
                for (index, lca) in sums {
                    extremes.offer(path, *index, *lca);
                }
            }
            Ok(())
        },
    )
}

/// LCA summed over the rows of each parameter, by tensor and index.
#[derive(Default)]
struct Totals(BTreeMap<String, BTreeMap<u32, f64>>);

impl Totals {
    fn add(&mut self, batch: &RecordBatch) -> Result<(), LcaError> {
        let columns = Columns(batch);
        let (index, lca) = (columns.u32("index")?, columns.f32("lca")?);
        for (path, rows) in stretches(columns.text("tensor")?) {
            let sums = self.0.entry(path.to_owned()).or_default();
            for row in rows {
                *sums.entry(index[row]).or_default() += f64::from(lca[row]);
            }
        }
        Ok(())
    }
}

impl Keep for Totals {
    fn bytes(&self) -> usize {
        let parameters: usize = self.0.values().map(BTreeMap::len).sum();
        // A node of a tree is half full at least.
        2 * parameters * size_of::<(u32, f64)>()
    }
}
