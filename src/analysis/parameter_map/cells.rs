//! Going through the parameters of a run, one picture after the other.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::analysis::read;
use crate::error::LcaError;
use crate::record::{Run, Table};

use super::blocks::TensorBlock;
use super::quantity::ParameterQuantity;

/// The cells of all blocks at an iteration.
pub(super) struct Cells<'a> {
    pub(super) iteration: u64,
    /// Sums by quantity and cell.
    sums: &'a [Vec<f64>],
    /// How many parameters of each cell are recorded.
    counts: &'a [u32],
}

impl Cells<'_> {
    /// Returns the means of all cells for one of the quantities asked for; a cell without
    /// recorded parameters has none.
    pub(super) fn means(&self, quantity: usize) -> impl Iterator<Item = Option<f64>> {
        let cells = self.sums[quantity].iter().zip(self.counts);
        cells.map(|(sum, count)| (*count > 0).then(|| sum / f64::from(*count)))
    }
}

/// Shows the cells at these iterations, in order.
pub(super) fn each_frame(
    run: &Run,
    blocks: &[TensorBlock],
    iterations: &[u64],
    quantities: &[ParameterQuantity],
    mut look: impl FnMut(Cells) -> Result<(), LcaError>,
) -> Result<(), LcaError> {
    let mut columns = vec!["iteration", "tensor", "index"];
    for quantity in quantities {
        if !columns.contains(&quantity.column()) {
            columns.push(quantity.column());
        }
    }
    let mut gather = Gather::new(blocks, quantities);
    let mut wanted = iterations.iter().copied().peekable();
    let mut current = None;
    read::each(run, Table::Parameters, &columns, |batch| {
        let values: Vec<&[f32]> = quantities
            .iter()
            .map(|quantity| batch.f32(quantity.column()))
            .collect::<Result<_, _>>()?;
        let indices = batch.u32("index")?;
        let mut stretches = read::stretches(batch.text("tensor")?).peekable();
        let mut start = 0;
        for same in batch.u64("iteration")?.chunk_by(|a, b| a == b) {
            let (iteration, rows) = (same[0], start..start + same.len());
            start = rows.end;
            if current.is_some_and(|current| current != iteration) {
                gather.finish(current, &mut wanted, &mut look)?;
            }
            current = Some(iteration);
            let shown = wanted.peek() == Some(&iteration);
            while let Some((tensor, stretch)) = stretches.peek() {
                let rows = stretch.start.max(rows.start)..stretch.end.min(rows.end);
                gather.add(run, tensor, rows.clone(), indices, &values, shown)?;
                if stretch.end > start {
                    break;
                }
                stretches.next();
            }
        }
        Ok(())
    })?;
    gather.finish(current, &mut wanted, &mut look)
}

/// Rows of more than this part of a tensor say that it is recorded as a whole, so that a table of its
/// cells is not larger than what is read.
const LARGE_PART: usize = 8;

/// Sums parameters by cell.
struct Gather<'a> {
    quantities: &'a [ParameterQuantity],
    blocks: BTreeMap<&'a str, &'a TensorBlock>,
    /// The cells of all parameters, of tensors that are recorded as a whole.
    of_all: BTreeMap<&'a str, Vec<usize>>,
    /// The cells of the rows that are added.
    cells: Vec<usize>,
    sums: Vec<Vec<f64>>,
    counts: Vec<u32>,
}

impl<'a> Gather<'a> {
    fn new(blocks: &'a [TensorBlock], quantities: &'a [ParameterQuantity]) -> Self {
        let cells: usize = blocks.iter().map(TensorBlock::cells).sum();
        Self {
            quantities,
            blocks: blocks
                .iter()
                .map(|block| (block.tensor.as_str(), block))
                .collect(),
            of_all: BTreeMap::new(),
            cells: Vec::new(),
            sums: vec![vec![0.0; cells]; quantities.len()],
            counts: vec![0; cells],
        }
    }

    /// Adds rows of a tensor at an iteration; of one that is not shown, only what accumulates.
    fn add(
        &mut self,
        run: &Run,
        tensor: &str,
        rows: Range<usize>,
        indices: &[u32],
        values: &[&[f32]],
        shown: bool,
    ) -> Result<(), LcaError> {
        let Some(block) = self.blocks.get(tensor).copied() else {
            return Ok(());
        };
        let indices = &indices[rows.clone()];
        let parameters = block.parameters();
        if let Some(index) = indices.iter().find(|index| **index as usize >= parameters) {
            return Err(LcaError::Damaged {
                path: run.folder().join(Table::Parameters.name()),
                problem: format!(
                    "has index {index} of tensor {tensor}, which has {parameters} parameters in \
                     run.json"
                ),
                remedy: "restore both from a copy of the run".into(),
            });
        }
        self.look_up(block, indices);
        if shown {
            self.cells.iter().for_each(|cell| self.counts[*cell] += 1);
        }
        for ((quantity, sums), values) in self.quantities.iter().zip(&mut self.sums).zip(values) {
            if shown || *quantity == ParameterQuantity::Cumulative {
                for (cell, value) in self.cells.iter().zip(&values[rows.clone()]) {
                    sums[*cell] += f64::from(*value);
                }
            }
        }
        Ok(())
    }

    /// Finds the cells of parameters of a tensor.
    fn look_up(&mut self, block: &'a TensorBlock, indices: &[u32]) {
        self.cells.clear();
        let parameters = block.parameters();
        let follow_each_other = || {
            indices
                .windows(2)
                .all(|pair| pair[1].checked_sub(pair[0]) == Some(1))
        };
        let is_large_part = indices.len() >= parameters / LARGE_PART;
        let Some(first) = indices
            .first()
            .filter(|_| is_large_part && follow_each_other())
        else {
            let cells = indices.iter().map(|index| block.cell_of(*index as usize));
            self.cells.extend(cells);
            return;
        };
        let of_all = self.of_all.entry(&block.tensor);
        let of_all =
            of_all.or_insert_with(|| (0..parameters).map(|index| block.cell_of(index)).collect());
        let first = *first as usize;
        self.cells
            .extend_from_slice(&of_all[first..first + indices.len()]);
    }

    /// Shows the cells if the iteration is wanted, and makes room for the next.
    fn finish(
        &mut self,
        iteration: Option<u64>,
        wanted: &mut std::iter::Peekable<impl Iterator<Item = u64>>,
        look: &mut impl FnMut(Cells) -> Result<(), LcaError>,
    ) -> Result<(), LcaError> {
        let Some(iteration) = iteration.filter(|iteration| wanted.peek() == Some(iteration)) else {
            return Ok(());
        };
        wanted.next();
        look(Cells {
            iteration,
            sums: &self.sums,
            counts: &self.counts,
        })?;
        self.counts.fill(0);
        for (quantity, sums) in self.quantities.iter().zip(&mut self.sums) {
            if *quantity != ParameterQuantity::Cumulative {
                sums.fill(0.0);
            }
        }
        Ok(())
    }
}
