//! How many cells a picture may have.

use std::collections::BinaryHeap;

use crate::analysis::options::options;

use super::blocks::{BlockAxis, TensorBlock, number_cells};

options! {
    /// How many cells there may be, a gap between kernels counted as one; tensors with more
    /// parameters are binned.
    #[derive(Copy)]
    pub struct CellLimits {
        /// Down, of one block.
        pub rows: usize = 480,
        /// Across, of one block.
        pub columns: usize = 900,
        /// Over all blocks; each keeps one at least.
        pub cells: usize = 500_000,
    }
}

/// The longer direction loses cells first where the shorter one has so few.
const FEW: usize = 16;

impl CellLimits {
    /// Bins blocks until all limits hold, and numbers their cells.
    pub(super) fn apply(self, blocks: &mut [TensorBlock]) {
        for block in &mut *blocks {
            // A kernel apart from its neighbours takes a pixel more.
            let gaps = |axis: &BlockAxis, kernels: bool| if kernels { axis.length - 1 } else { 0 };
            loop {
                let kernels = block.kernel().is_some();
                let [rows, columns] = [&mut block.rows, &mut block.columns];
                // Only the longer one loses cells from here on: all at once, as they may be many.
                if !kernels && rows.cells() <= FEW {
                    columns.coarsen_to(self.columns.max(FEW));
                } else if !kernels && columns.cells() <= FEW {
                    rows.coarsen_to(self.rows.max(FEW));
                }
                let down = block.rows.cells() + gaps(&block.rows, kernels);
                let across = block.columns.cells() + gaps(&block.columns, kernels);
                if down <= self.rows.max(1) && across <= self.columns.max(1) {
                    break;
                }
                block.coarsen();
            }
        }
        let mut cells = number_cells(blocks);
        let sized = blocks.iter().enumerate();
        let mut largest: BinaryHeap<_> = sized.map(|(at, block)| (block.cells(), at)).collect();
        while cells > self.cells {
            match largest.pop() {
                Some((before, at)) if before > 1 => {
                    blocks[at].coarsen();
                    let after = blocks[at].cells();
                    cells -= before - after;
                    largest.push((after, at));
                }
                _ => break,
            }
        }
        // A bias keeps in step with the weight that it stands beside.
        for second in 1..blocks.len() {
            if blocks[second].beside {
                let main = &blocks[second - 1].rows;
                blocks[second].rows.bin = main.bin.div_ceil(main.kernel);
            }
        }
        number_cells(blocks);
    }
}

impl TensorBlock {
    fn coarsen(&mut self) {
        let longer = self.rows.cells().max(self.columns.cells());
        // Cells are whole kernels in both directions or in none.
        let kernels = self.kernel().is_some();
        for axis in [&mut self.rows, &mut self.columns] {
            if kernels || axis.cells() > FEW || axis.cells() == longer {
                axis.coarsen();
            }
        }
    }
}
