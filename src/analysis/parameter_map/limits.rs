//! How many cells a picture may have.

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
                let down = block.rows.cells() + gaps(&block.rows, kernels);
                let across = block.columns.cells() + gaps(&block.columns, kernels);
                if down <= self.rows.max(1) && across <= self.columns.max(1) {
                    break;
                }
                block.coarsen();
            }
        }
        while number_cells(blocks) > self.cells {
            match blocks.iter_mut().max_by_key(|block| block.cells()) {
                Some(largest) if largest.cells() > 1 => largest.coarsen(),
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
