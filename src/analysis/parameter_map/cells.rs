//! Going through the parameters of a run, one picture after the other.

use std::collections::HashMap;
use std::ops::Range;

use crate::analysis::read::{self, Columns};
use crate::error::LcaError;
use crate::record::{Run, Table};

use super::blocks::TensorBlock;
use super::quantity::ParameterQuantity;

/// The cells of all blocks at an iteration.
pub(super) struct Cells<'a> {
    pub(super) iteration: u64,
    /// Sums by quantity and cell.
    pub(super) sums: &'a [Vec<f64>],
    /// How many parameters of each cell are recorded.
    pub(super) counts: &'a [u32],
}

impl Cells<'_> {
    /// Returns the means of all cells for one of the quantities asked for; a cell without
    /// recorded parameters has none.
    pub(super) fn means(&self, quantity: usize) -> impl Iterator<Item = Option<f64>> {
        let cells = self.sums[quantity].iter().zip(self.counts);
        cells.map(|(sum, count)| (*count > 0).then(|| sum / f64::from(*count)))
    }
}

/// The cells as far as rows were added.
#[derive(Debug)]
pub(super) struct CellSums {
    iteration: Option<u64>,
    /// Whether that one is shown; of others, only what accumulates is added.
    shown: bool,
    sums: Vec<Vec<f64>>,
    counts: Vec<u32>,
}

impl CellSums {
    /// Returns those of no rows.
    pub(super) fn new(blocks: &[TensorBlock], quantities: &[ParameterQuantity]) -> Self {
        let cells = blocks.iter().map(TensorBlock::cells).sum();
        Self {
            iteration: None,
            shown: false,
            sums: vec![vec![0.0; cells]; quantities.len()],
            counts: vec![0; cells],
        }
    }

    /// Returns those of the rows up to and with an iteration, before any later one.
    pub(super) fn after(cells: &Cells, quantities: &[ParameterQuantity]) -> Self {
        let sums = quantities.iter().zip(cells.sums);
        let sums = sums.map(|(quantity, sums)| match quantity {
            ParameterQuantity::Cumulative => sums.clone(),
            _ => vec![0.0; sums.len()],
        });
        Self {
            iteration: None,
            shown: false,
            sums: sums.collect(),
            counts: vec![0; cells.counts.len()],
        }
    }

    /// Returns the cells at the iteration that the last rows were of, if it is shown.
    pub(super) fn cells(&self) -> Option<Cells<'_>> {
        let iteration = self.iteration.filter(|_| self.shown)?;
        Some(Cells {
            iteration,
            sums: &self.sums,
            counts: &self.counts,
        })
    }

    /// Returns about how many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        let sums = self.sums.iter().map(|sums| size_of_val(&**sums));
        sums.sum::<usize>() + size_of_val(&*self.counts)
    }

    /// Makes room for another iteration.
    fn begin(&mut self, iteration: u64, shown: bool, quantities: &[ParameterQuantity]) {
        if self.shown {
            self.counts.fill(0);
            for (quantity, sums) in quantities.iter().zip(&mut self.sums) {
                if *quantity != ParameterQuantity::Cumulative {
                    sums.fill(0.0);
                }
            }
        }
        self.iteration = Some(iteration);
        self.shown = shown;
    }
}

/// Shows the cells at these iterations, in order.
pub(super) fn each_frame(
    run: &Run,
    blocks: &[TensorBlock],
    iterations: &[u64],
    quantities: &[ParameterQuantity],
    look: impl FnMut(Cells) -> Result<(), LcaError>,
) -> Result<(), LcaError> {
    let sums = CellSums::new(blocks, quantities);
    each_frame_after(sums, run, blocks, iterations, quantities, look)
}

/// Shows the cells at these iterations of a run that goes on from those sums.
pub(super) fn each_frame_after(
    mut sums: CellSums,
    run: &Run,
    blocks: &[TensorBlock],
    iterations: &[u64],
    quantities: &[ParameterQuantity],
    mut look: impl FnMut(Cells) -> Result<(), LcaError>,
) -> Result<(), LcaError> {
    let mut gather = Gather::new(run, blocks, quantities);
    let shown = |iteration: u64| iterations.binary_search(&iteration).is_ok();
    read::each(
        run,
        Table::Parameters,
        &Gather::columns(quantities),
        |batch| gather.add(&mut sums, batch, shown, &mut look),
    )?;
    sums.cells().map_or(Ok(()), look)
}

/// Rows of more than this part of a tensor say that it is recorded as a whole, so that a table of its
/// cells is not larger than what is read.
const LARGE_PART: usize = 8;

/// Sums parameters by cell.
pub(super) struct Gather<'a> {
    run: &'a Run,
    quantities: &'a [ParameterQuantity],
    blocks: HashMap<&'a str, &'a TensorBlock>,
    /// The cells of all parameters, of tensors that are recorded as a whole.
    of_all: HashMap<&'a str, Vec<usize>>,
    /// The cells of the rows that are added.
    cells: Vec<usize>,
}

impl<'a> Gather<'a> {
    pub(super) fn new(
        run: &'a Run,
        blocks: &'a [TensorBlock],
        quantities: &'a [ParameterQuantity],
    ) -> Self {
        let by_tensor = blocks.iter().map(|block| (block.tensor.as_str(), block));
        Self {
            run,
            quantities,
            blocks: by_tensor.collect(),
            of_all: HashMap::new(),
            cells: Vec::new(),
        }
    }

    /// Returns the columns that batches must have.
    pub(super) fn columns(quantities: &[ParameterQuantity]) -> Vec<&'static str> {
        let mut columns = vec!["iteration", "tensor", "index"];
        for quantity in quantities {
            if !columns.contains(&quantity.column()) {
                columns.push(quantity.column());
            }
        }
        columns
    }

    /// Adds the next rows, and has a look at the cells at every iteration that is over by then and
    /// shown.
    pub(super) fn add(
        &mut self,
        sums: &mut CellSums,
        batch: &Columns,
        is_shown: impl Fn(u64) -> bool,
        mut look: impl FnMut(Cells) -> Result<(), LcaError>,
    ) -> Result<(), LcaError> {
        let values: Vec<&[f32]> = self
            .quantities
            .iter()
            .map(|quantity| batch.f32(quantity.column()))
            .collect::<Result<_, _>>()?;
        let indices = batch.u32("index")?;
        let mut stretches = read::stretches(batch.text("tensor")?).peekable();
        let mut start = 0;
        for same in batch.u64("iteration")?.chunk_by(|a, b| a == b) {
            let (iteration, rows) = (same[0], start..start + same.len());
            start = rows.end;
            if sums.iteration != Some(iteration) {
                sums.cells().map_or(Ok(()), &mut look)?;
                sums.begin(iteration, is_shown(iteration), self.quantities);
            }
            while let Some((tensor, stretch)) = stretches.peek() {
                let rows = stretch.start.max(rows.start)..stretch.end.min(rows.end);
                self.add_stretch(sums, tensor, rows, indices, &values)?;
                if stretch.end > start {
                    break;
                }
                stretches.next();
            }
        }
        Ok(())
    }

    /// Adds rows of a tensor at an iteration.
    fn add_stretch(
        &mut self,
        to: &mut CellSums,
        tensor: &str,
        rows: Range<usize>,
        indices: &[u32],
        values: &[&[f32]],
    ) -> Result<(), LcaError> {
        let Some(block) = self.blocks.get(tensor).copied() else {
            return Ok(());
        };
        let indices = &indices[rows.clone()];
        let parameters = block.parameters();
        if let Some(index) = indices.iter().find(|index| **index as usize >= parameters) {
            return Err(LcaError::Damaged {
                path: self.run.folder().join(Table::Parameters.name()),
                problem: format!(
                    "has index {index} of tensor {tensor}, which has {parameters} parameters in \
                     run.json"
                ),
                remedy: "restore both from a copy of the run".into(),
            });
        }
        self.look_up(block, indices);
        if to.shown {
            self.cells.iter().for_each(|cell| to.counts[*cell] += 1);
        }
        for ((quantity, sums), values) in self.quantities.iter().zip(&mut to.sums).zip(values) {
            if to.shown || *quantity == ParameterQuantity::Cumulative {
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
}
