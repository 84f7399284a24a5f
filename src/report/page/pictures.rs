//! The microscope's pictures, as many and as fine as the page has room for.

use miniz_oxide::deflate::compress_to_vec;
use serde::Serialize;

use crate::report::microscope::{self, Block, Limits, Microscope, Options, Quantity, code};
use crate::{LcaError, Run};

use super::columns::Packed;

/// Steps of colour to either side of zero; fewer than a code has, since noise of more steps
/// does not compress.
const LEVELS: i8 = 15;
/// Pictures to begin with, and the fewest before cells are made larger instead.
const MOST_PICTURES: usize = 100;
const FEWEST_PICTURES: usize = 16;
/// Cells of a picture to begin with, and the fewest before the pictures are what they are.
const MOST_CELLS: usize = 120_000;
const FEWEST_CELLS: usize = 2_000;

/// The parameters of a run over time, in bytes that a page has room for.
#[derive(Serialize)]
pub(super) struct Pictures {
    blocks: Vec<Block>,
    missing: Vec<String>,
    iterations: Vec<u64>,
    recorded_iterations: usize,
    cells: usize,
    percentile: f64,
    levels: i8,
    pictures: Vec<PackedPictures>,
}

#[derive(Serialize)]
struct PackedPictures {
    quantity: Quantity,
    full: Option<f64>,
    /// Whether a picture is given by its difference, modulo 256, from the one before it.
    differences: bool,
    codes: Packed,
}

/// Returns pictures of at most so many bytes in base64, unless the coarsest take more.
pub(super) fn pictures(run: &Run, budget: usize) -> Result<Pictures, LcaError> {
    let mut cells = MOST_CELLS;
    loop {
        let options = Options {
            frames: MOST_PICTURES,
            limits: Limits {
                cells,
                ..Limits::default()
            },
            ..Options::default()
        };
        let found = microscope::frames(run, &Quantity::ALL, &options)?;
        let coarsest = cells <= FEWEST_CELLS;
        let (mut step, mut packed) = (1, pack(found, 1));
        loop {
            if packed.1.bytes() <= budget {
                return Ok(packed.1);
            }
            // Sizes go with the number of pictures.
            step = (step + 1).max(packed.1.bytes().div_ceil(budget.max(1)));
            let left = packed.0.iterations.len().div_ceil(step);
            if left < FEWEST_PICTURES.min(packed.0.iterations.len()) && !coarsest {
                break;
            }
            if left <= 1 {
                return Ok(pack(packed.0, usize::MAX).1);
            }
            packed = pack(packed.0, step);
        }
        cells = (cells / 2).min(packed.0.cells / 2).max(FEWEST_CELLS);
    }
}

/// Packs every `step`-th picture, the last among them; gives what it was made of back.
fn pack(found: Microscope, step: usize) -> (Microscope, Pictures) {
    let frames = found.iterations.len();
    let kept: Vec<usize> = (0..frames)
        .filter(|frame| (frames - 1 - frame).is_multiple_of(step))
        .collect();
    let pictures = found.pictures.iter().map(|pictures| {
        let frame = |frame: &usize| &pictures.codes[frame * found.cells..(frame + 1) * found.cells];
        let coarse: Vec<i8> = kept
            .iter()
            .flat_map(frame)
            .map(|code| coarser(*code))
            .collect();
        let plain = deflate(coarse.iter().map(|code| code.to_le_bytes()[0]));
        let before = |place: usize| {
            place
                .checked_sub(found.cells)
                .map_or(0, |place| coarse[place])
        };
        let differences = coarse.iter().enumerate();
        let differences = deflate(
            differences.map(|(place, code)| code.wrapping_sub(before(place)).to_le_bytes()[0]),
        );
        let smaller = differences.len() < plain.len();
        PackedPictures {
            quantity: pictures.quantity,
            full: pictures.scale.full,
            differences: smaller,
            codes: Packed(if smaller { differences } else { plain }),
        }
    });
    let packed = Pictures {
        pictures: pictures.collect(),
        blocks: found.blocks.clone(),
        missing: found.missing.clone(),
        iterations: kept.iter().map(|frame| found.iterations[*frame]).collect(),
        recorded_iterations: found.recorded_iterations,
        cells: found.cells,
        percentile: found
            .pictures
            .first()
            .map_or(0.0, |pictures| pictures.scale.percentile),
        levels: LEVELS,
    };
    (found, packed)
}

impl Pictures {
    /// Returns the bytes of all pictures in base64.
    fn bytes(&self) -> usize {
        self.pictures
            .iter()
            .map(|pictures| pictures.codes.0.len().div_ceil(3) * 4)
            .sum()
    }
}

/// Returns a code with fewer steps; what is not exactly zero stays so, and no value stays none.
fn coarser(code: i8) -> i8 {
    if code == code::MISSING || code == code::NOT_FINITE {
        return code;
    }
    let part = f64::from(code.unsigned_abs()) / f64::from(code::FULL);
    let level = (part * f64::from(LEVELS)).round() as i8;
    level.max(i8::from(code != 0)) * code.signum()
}

fn deflate(bytes: impl Iterator<Item = u8>) -> Vec<u8> {
    compress_to_vec(&bytes.collect::<Vec<u8>>(), 6)
}
