//! Where blocks stand in a picture, in pixels.

use crate::analysis::parameter_map::{BlockAxis, TensorBlock};

/// The greatest width and height of a cell, in pixels.
const LARGEST_CELL: usize = 8;
/// The smallest width of a bias beside its weight, in pixels.
const BESIDE: usize = 8;
/// Pixels between two kernels.
const GAP: usize = 1;
/// Pixels between a weight and its bias.
const ASIDE: usize = 5;
/// The width that a bias takes beside its weight, with the gap, in pixels.
pub(super) const BIAS: usize = BESIDE + ASIDE;

/// The room that blocks have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spacing {
    /// Pixels across.
    pub(super) width: usize,
    /// Pixels down that are aimed for; many tensors may take more.
    pub(super) height: usize,
    /// Pixels above each group of blocks for its heading.
    pub(super) heading: usize,
    /// Pixels between groups.
    pub(super) gap: usize,
}

/// Where a block stands, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BlockPlace {
    /// Left edge of the first cell.
    pub(super) x: usize,
    /// Upper edge of the first cell.
    pub(super) y: usize,
    /// Width of the block.
    pub(super) width: usize,
    /// Height of the block.
    pub(super) height: usize,
    /// Width and height of a cell.
    pub(super) cell: [usize; 2],
    /// Space between two kernels, and between the units of a bias beside them.
    pub(super) gap: usize,
}

impl BlockPlace {
    /// Returns the left and the upper edge of a cell.
    pub(super) fn corner(&self, block: &TensorBlock, row: usize, column: usize) -> [usize; 2] {
        let [height, width] = block.kernel().unwrap_or([1; 2]);
        [
            self.x + column * self.cell[0] + column / width * self.gap,
            self.y + row * self.cell[1] + row / height * self.gap,
        ]
    }
}

/// Puts blocks on shelves, in their order, from left to right and from top to bottom, with cells as
/// large as the room allows.
///
/// `heading` returns the width of the heading of a group: a block and those beside it. Returns the
/// place of each block, and the height of all.
pub(super) fn pack(
    blocks: &[TensorBlock],
    spacing: Spacing,
    heading: impl Fn(&[TensorBlock]) -> usize,
) -> (Vec<BlockPlace>, usize) {
    let groups: Vec<(&[TensorBlock], usize)> = blocks
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

fn shelves(
    groups: &[(&[TensorBlock], usize)],
    spacing: Spacing,
    tallest: usize,
) -> (Vec<BlockPlace>, usize) {
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

/// Returns the places of a block and those beside it, relative to the first.
fn group_places(group: &[TensorBlock], width: usize, tallest: usize) -> Vec<BlockPlace> {
    let Some(main) = group.first() else {
        return Vec::new();
    };
    let room = width.saturating_sub((group.len() - 1) * BIAS);
    let gap = if main.kernel().is_some() { GAP } else { 0 };
    let gaps = |axis: &BlockAxis| (axis.length - 1) * gap;
    let fits = |axis: &BlockAxis, room: usize| room.saturating_sub(gaps(axis)) / axis.cells();
    let size = fits(&main.columns, room)
        .min(fits(&main.rows, tallest))
        .clamp(1, LARGEST_CELL);
    let first = BlockPlace {
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
        places.push(BlockPlace {
            x: left,
            width: wide,
            height: first.height,
            cell: [wide, kernel * size],
            ..first
        });
    }
    places
}
