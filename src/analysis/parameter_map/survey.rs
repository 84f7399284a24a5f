//! What the pictures of a run have in common, and some of them.

use std::sync::Arc;

use crate::analysis::read::Columns;
use crate::analysis::stats::Magnitudes;
use crate::error::LcaError;
use crate::record::{Keep, Run, Table};

use super::blocks::TensorBlock;
use super::cells::{CellSums, Cells, Gather};
use super::quantity::ParameterQuantity;

/// Returns how many bytes a picture takes that is kept.
pub(super) fn bytes_of_a_picture(cells: usize, quantities: usize) -> usize {
    cells * (quantities * size_of::<f64>() + size_of::<u32>())
}

/// The magnitudes of all cells at all recorded iterations, and evenly spaced pictures.
pub(super) struct Survey {
    blocks: Vec<TensorBlock>,
    quantities: Vec<ParameterQuantity>,
    /// The cells at the last iteration, which is in nothing else here.
    last: CellSums,
    /// Iterations before that.
    before: usize,
    magnitudes: Vec<Magnitudes>,
    /// Every `stride`-th picture, from the first.
    kept: Vec<KeptCells>,
    stride: usize,
}

/// The cells at an iteration.
struct KeptCells {
    iteration: u64,
    sums: Vec<Vec<f64>>,
    /// Mostly those of the picture before.
    counts: Arc<[u32]>,
}

impl KeptCells {
    fn cells(&self) -> Cells<'_> {
        Cells {
            iteration: self.iteration,
            sums: &self.sums,
            counts: &self.counts,
        }
    }
}

/// Looks through all that a run has recorded; of a run whose reading is kept, only through what is
/// new. So many pictures are kept at most, two at least.
pub(super) fn survey<R>(
    run: &Run,
    blocks: &[TensorBlock],
    quantities: &[ParameterQuantity],
    most_kept: usize,
    look: impl FnOnce(&Survey) -> Result<R, LcaError>,
) -> Result<R, LcaError> {
    let mut gather = Gather::new(run, blocks, quantities);
    let scan = run.scan(Table::Parameters);
    let cells: usize = blocks.iter().map(TensorBlock::cells).sum();
    scan.columns(Gather::columns(quantities)).fold(
        &format!("{quantities:?} in {cells} cells"),
        |kept: &Survey| kept.blocks == blocks && kept.quantities == quantities,
        || Survey::new(blocks, quantities),
        |survey, batch| survey.add(&mut gather, &Columns(batch), most_kept.max(2)),
        look,
    )
}

impl Survey {
    fn new(blocks: &[TensorBlock], quantities: &[ParameterQuantity]) -> Self {
        Self {
            blocks: blocks.to_vec(),
            quantities: quantities.to_vec(),
            last: CellSums::new(blocks, quantities),
            before: 0,
            magnitudes: quantities.iter().map(|_| Magnitudes::new()).collect(),
            kept: Vec::new(),
            stride: 1,
        }
    }

    fn add(
        &mut self,
        gather: &mut Gather,
        batch: &Columns,
        most_kept: usize,
    ) -> Result<(), LcaError> {
        let Self {
            last,
            before,
            magnitudes,
            kept,
            stride,
            ..
        } = self;
        gather.add(
            last,
            batch,
            |_| true,
            |cells| {
                count(magnitudes, &cells);
                if before.is_multiple_of(*stride) {
                    if kept.len() == most_kept {
                        let mut place = 0..;
                        kept.retain(|_| {
                            place
                                .next()
                                .is_some_and(|place: usize| place.is_multiple_of(2))
                        });
                        *stride *= 2;
                    }
                    if before.is_multiple_of(*stride) {
                        keep(kept, &cells);
                    }
                }
                *before += 1;
                Ok(())
            },
        )
    }

    /// Returns the magnitudes of every quantity.
    pub(super) fn magnitudes(&self) -> Vec<Magnitudes> {
        let mut magnitudes = self.magnitudes.clone();
        if let Some(cells) = self.last.cells() {
            count(&mut magnitudes, &cells);
        }
        magnitudes
    }

    /// Returns the cells at the iteration at a place of all that are recorded, if they are kept.
    pub(super) fn cells(&self, place: usize) -> Option<Cells<'_>> {
        if place == self.before {
            return self.last.cells();
        }
        let kept = place.is_multiple_of(self.stride);
        let kept = kept.then(|| self.kept.get(place / self.stride)).flatten();
        kept.map(KeptCells::cells)
    }

    /// Returns the latest place before another one that is kept, and what adding up goes on from after
    /// it.
    pub(super) fn before(&self, place: usize) -> Option<(usize, CellSums)> {
        let kept = place.checked_sub(1)? / self.stride;
        let kept = kept.min(self.kept.len().checked_sub(1)?);
        let sums = CellSums::after(&self.kept[kept].cells(), &self.quantities);
        Some((kept * self.stride, sums))
    }
}

fn count(magnitudes: &mut [Magnitudes], cells: &Cells) {
    for (quantity, magnitudes) in magnitudes.iter_mut().enumerate() {
        let means = cells.means(quantity).flatten();
        means.for_each(|mean| magnitudes.add(mean));
    }
}

fn keep(kept: &mut Vec<KeptCells>, cells: &Cells) {
    let before = kept.last().filter(|last| *last.counts == *cells.counts);
    let counts = before.map_or_else(|| cells.counts.into(), |last| last.counts.clone());
    kept.push(KeptCells {
        iteration: cells.iteration,
        sums: cells.sums.to_vec(),
        counts,
    });
}

impl Keep for Survey {
    fn bytes(&self) -> usize {
        let magnitudes = self.magnitudes.iter().map(Magnitudes::bytes);
        // As if none shared their counts.
        let of_a_picture = self.last.bytes();
        let blocks = self.blocks.len() * size_of::<TensorBlock>();
        magnitudes.sum::<usize>() + (self.kept.len() + 1) * of_a_picture + blocks
    }
}
