//! A tensor as a block of cells.

use serde::Serialize;

use crate::analysis::names::layer_of;
use crate::record::TensorInfo;

/// A tensor as a rectangle of cells, in reading order.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TensorBlock {
    /// The tensor's path.
    pub tensor: String,
    /// The tensor's shape.
    pub shape: Vec<usize>,
    /// What goes down.
    pub rows: BlockAxis,
    /// What goes across.
    pub columns: BlockAxis,
    /// Whether it belongs beside the block before it, row by row, as a bias beside its weight.
    pub beside: bool,
    /// Where its first cell is in a frame.
    pub first: usize,
}

/// One direction of a block.
///
/// The parameter at position p of this direction, of `length * kernel`, adds
/// `p / kernel * stride + p % kernel * kernel_stride` to its index in the tensor. Cell c is the
/// mean over the positions from `c * bin` up to but not including `(c + 1) * bin`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct BlockAxis {
    /// What is counted, such as `input` or `output channel`; empty where there is nothing to
    /// count.
    pub name: &'static str,
    /// How many there are.
    pub length: usize,
    /// Distance of one from the next in the tensor.
    pub stride: usize,
    /// How many elements of a kernel each has; 1 without kernels.
    pub kernel: usize,
    /// Distance of one element of a kernel from the next in the tensor.
    pub kernel_stride: usize,
    /// How many parameters one cell has in this direction.
    pub bin: usize,
}

impl TensorBlock {
    /// Returns how many cells it has.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.rows.cells() * self.columns.cells()
    }

    /// Returns whether cells are means over several parameters.
    #[must_use]
    pub fn is_binned(&self) -> bool {
        self.rows.bin > 1 || self.columns.bin > 1
    }

    /// Returns rows and columns of the kernels that can be told apart, none if cells are whole
    /// kernels or there are no kernels.
    #[must_use]
    pub fn kernel(&self) -> Option<[usize; 2]> {
        let kernel = [self.rows.kernel, self.columns.kernel];
        (kernel != [1, 1] && !self.is_binned()).then_some(kernel)
    }

    /// Returns how many parameters the tensor has.
    pub(crate) fn parameters(&self) -> usize {
        self.rows.positions() * self.columns.positions()
    }

    /// Returns the cell of the frame that a parameter of the tensor is in.
    pub(crate) fn cell_of(&self, index: usize) -> usize {
        let row = self.rows.position(index) / self.rows.bin;
        let column = self.columns.position(index) / self.columns.bin;
        self.first + row * self.columns.cells() + column
    }
}

impl BlockAxis {
    /// Returns how many cells it has.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.positions().div_ceil(self.bin)
    }

    fn positions(&self) -> usize {
        self.length * self.kernel
    }

    /// Returns the position of a parameter in this direction.
    fn position(&self, index: usize) -> usize {
        let element = index / self.stride % self.length;
        if self.kernel == 1 {
            element
        } else {
            element * self.kernel + index / self.kernel_stride % self.kernel
        }
    }

    /// Makes cells larger, so that none has elements of several kernels without all of theirs.
    pub(super) fn coarsen(&mut self) {
        self.bin += if self.bin < self.kernel {
            self.kernel - self.bin
        } else {
            self.kernel
        };
    }

    /// Makes cells just so large that there are no more than this many.
    pub(super) fn coarsen_to(&mut self, cells: usize) {
        if self.cells() > cells {
            self.bin = self
                .positions()
                .div_ceil(cells)
                .next_multiple_of(self.kernel);
        }
    }

    fn of(name: &'static str, length: usize, stride: usize) -> Self {
        Self {
            name,
            length,
            stride,
            kernel: 1,
            kernel_stride: 1,
            bin: 1,
        }
    }

    fn kernel(self, kernel: usize, kernel_stride: usize) -> Self {
        Self {
            kernel,
            kernel_stride,
            ..self
        }
    }
}

/// A block more than this many times as tall as it is wide is turned on its side, since it would
/// leave the rest of its row empty.
const TURNED: usize = 4;

/// Returns the blocks of tensors, unbinned; tensors without parameters have none.
pub(super) fn blocks(tensors: &[&TensorInfo]) -> Vec<TensorBlock> {
    let mut blocks: Vec<TensorBlock> = Vec::new();
    let mut turned_before = false;
    for tensor in tensors {
        if tensor.shape.contains(&0) {
            continue;
        }
        let [mut rows, mut columns] = axes(tensor);
        let turned = rows.positions() > TURNED * columns.positions();
        if turned {
            // Kernels stay upright.
            std::mem::swap(&mut rows.kernel, &mut columns.kernel);
            std::mem::swap(&mut rows.kernel_stride, &mut columns.kernel_stride);
            std::mem::swap(&mut rows, &mut columns);
        }
        let mut block = TensorBlock {
            tensor: tensor.path.clone(),
            shape: tensor.shape.clone(),
            rows,
            columns,
            beside: false,
            first: 0,
        };
        let alone = tensor.shape.len() == 1;
        if let Some(before) = blocks.last()
            && alone
            && before.shape.len() > 1
            && layer_of(&before.tensor) == layer_of(&tensor.path)
            && !turned_before
            && before.rows.length == block.columns.length
        {
            block.beside = true;
            std::mem::swap(&mut block.rows, &mut block.columns);
            block.rows.name = before.rows.name;
        }
        blocks.push(block);
        turned_before = turned;
    }
    number_cells(&mut blocks);
    blocks
}

/// Numbers the cells of the blocks one after the other and returns how many there are.
pub(super) fn number_cells(blocks: &mut [TensorBlock]) -> usize {
    let mut first = 0;
    for block in blocks {
        block.first = first;
        first += block.cells();
    }
    first
}

/// Returns what goes down and what goes across: outputs down, whichever axis they are.
fn axes(tensor: &TensorInfo) -> [BlockAxis; 2] {
    match *tensor.shape.as_slice() {
        [] => [BlockAxis::of("", 1, 1), BlockAxis::of("", 1, 1)],
        [length] => [BlockAxis::of("", 1, 1), BlockAxis::of("unit", length, 1)],
        [inputs, outputs] if tensor.unit_axis == Some(1) => [
            BlockAxis::of("output", outputs, 1),
            BlockAxis::of("input", inputs, outputs),
        ],
        [rows, columns] => [
            BlockAxis::of("axis 0", rows, columns),
            BlockAxis::of("axis 1", columns, 1),
        ],
        [first, second, ref kernel @ .., width] => {
            let height = kernel.iter().product::<usize>();
            let area = height * width;
            // Of a transposed convolution, the outputs are the second axis.
            let (inputs, outputs) = match tensor.unit_axis {
                Some(1) => ((first, second * area), (second, area)),
                _ => ((second, area), (first, second * area)),
            };
            [
                BlockAxis::of("output channel", outputs.0, outputs.1).kernel(height, width),
                BlockAxis::of("input channel", inputs.0, inputs.1).kernel(width, 1),
            ]
        }
    }
}
