//! How large blocks are, and where they stand on a canvas.

use serde::Serialize;

use super::blocks::{Axis, Block, place};

/// How many cells there may be, a gap between kernels counted as one; tensors with more
/// parameters are binned.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Down, of one block.
    pub rows: usize,
    /// Across, of one block.
    pub columns: usize,
    /// Over all blocks; each keeps one at least.
    pub cells: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rows: 480,
            columns: 900,
            cells: 500_000,
        }
    }
}

/// The longer direction loses cells first where the shorter one has so few.
const FEW: usize = 16;
/// The most pixels that a cell is wide and high.
const LARGEST_CELL: usize = 8;
/// Pixels across that a bias beside its weight has at least.
const BESIDE: usize = 8;
/// Pixels between two kernels.
const GAP: usize = 1;
/// Pixels between a weight and its bias.
const ASIDE: usize = 5;
/// Pixels across that a bias beside its weight takes in all.
pub const BIAS: usize = BESIDE + ASIDE;

impl Limits {
    /// Bins blocks until all limits hold, and numbers their cells.
    pub(super) fn apply(self, blocks: &mut [Block]) {
        for block in &mut *blocks {
            // A kernel apart from its neighbours takes a pixel more.
            let gaps = |axis: &Axis, kernels: bool| if kernels { axis.length - 1 } else { 0 };
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
        while place(blocks) > self.cells {
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
        place(blocks);
    }
}

impl Block {
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

/// The room that a canvas has.
#[derive(Debug, Clone, Copy)]
pub struct Spacing {
    /// Pixels across.
    pub width: usize,
    /// Pixels down that are striven for; many tensors may take more.
    pub height: usize,
    /// Pixels above each group of blocks for its heading.
    pub heading: usize,
    /// Pixels between groups.
    pub gap: usize,
}

/// Where a block stands on a canvas, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Left edge of the first cell.
    pub x: usize,
    /// Upper edge of the first cell.
    pub y: usize,
    /// Width of the block.
    pub width: usize,
    /// Height of the block.
    pub height: usize,
    /// Width and height of a cell.
    pub cell: [usize; 2],
    /// Space between two kernels, and between the units of a bias beside them.
    pub gap: usize,
}

impl Place {
    /// Returns the left and the upper edge of a cell.
    pub fn corner(&self, block: &Block, row: usize, column: usize) -> [usize; 2] {
        let [height, width] = block.kernel().unwrap_or([1; 2]);
        [
            self.x + column * self.cell[0] + column / width * self.gap,
            self.y + row * self.cell[1] + row / height * self.gap,
        ]
    }
}

/// Puts blocks on shelves, from the left and from above, in their order, with cells as large as
/// the room allows.
///
/// `heading` returns how wide the heading of a group is: of a block and those beside it. Returns
/// the places, one per block, and the height of all.
pub fn pack(
    blocks: &[Block],
    spacing: Spacing,
    heading: impl Fn(&[Block]) -> usize,
) -> (Vec<Place>, usize) {
    let groups: Vec<(&[Block], usize)> = blocks
        .chunk_by(|_, next| next.beside)
        .map(|group| (group, heading(group)))
        .collect();
    // The greatest height of a group for which all of them fit.
    let mut tallest = spacing.height.max(1);
    loop {
        let packed = shelves(&groups, spacing, tallest);
        if packed.1 <= spacing.height || tallest == 1 {
            return packed;
        }
        tallest = (tallest * 9 / 10).max(1);
    }
}

fn shelves(groups: &[(&[Block], usize)], spacing: Spacing, tallest: usize) -> (Vec<Place>, usize) {
    let mut places = Vec::new();
    let (mut x, mut shelf, mut below) = (0, 0, 0);
    for (group, heading) in groups {
        let mut members = group_places(group, spacing.width, tallest);
        let width = members
            .last()
            .map_or(0, |last| last.x + last.width)
            .max(*heading);
        if x > 0 && x + width > spacing.width {
            (x, shelf) = (0, below + spacing.gap);
        }
        for place in &mut members {
            place.x += x;
            place.y = shelf + spacing.heading;
            below = below.max(place.y + place.height);
        }
        x += width + spacing.gap;
        places.append(&mut members);
    }
    (places, below)
}

/// Returns the places of a block and those beside it, from the origin on.
fn group_places(group: &[Block], width: usize, tallest: usize) -> Vec<Place> {
    let Some(main) = group.first() else {
        return Vec::new();
    };
    let room = width.saturating_sub((group.len() - 1) * BIAS);
    let gap = if main.kernel().is_some() { GAP } else { 0 };
    let gaps = |axis: &Axis| (axis.length - 1) * gap;
    let fits = |axis: &Axis, room: usize| room.saturating_sub(gaps(axis)) / axis.cells();
    let size = fits(&main.columns, room)
        .min(fits(&main.rows, tallest))
        .clamp(1, LARGEST_CELL);
    let first = Place {
        x: 0,
        y: 0,
        width: main.columns.cells() * size + gaps(&main.columns),
        height: main.rows.cells() * size + gaps(&main.rows),
        cell: [size; 2],
        gap,
    };
    let mut places = vec![first];
    for _ in 1..group.len() {
        let left = places.last().map_or(0, |last| last.x + last.width) + ASIDE;
        // Each unit is as high as its kernels, so that rows go on from one block to the next.
        let kernel = main.kernel().map_or(1, |[height, _]| height);
        let wide = BESIDE.max(size);
        places.push(Place {
            x: left,
            width: wide,
            height: first.height,
            cell: [wide, kernel * size],
            ..first
        });
    }
    places
}
