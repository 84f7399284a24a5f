//! The microscope's pictures, as many and as fine as the page has room for.

use miniz_oxide::deflate::compress_to_vec;
use serde::Serialize;

use crate::analysis::parameter_map::{
    CellLimits, ParameterMap, ParameterMapOptions, ParameterQuantity, TensorBlock, code,
    parameter_map,
};
use crate::error::LcaError;
use crate::record::Run;

use super::columns::Packed;
use super::series::Shown;

/// Steps of colour to either side of zero; fewer than a code has, since noise of more steps
/// does not compress.
const LEVELS: i8 = 15;
/// Pictures to begin with, and the fewest before cells are made larger instead.
const MOST_PICTURES: usize = 150;
const FEWEST_PICTURES: usize = 16;
/// Cells of a picture to begin with, and the fewest before the pictures are what they are.
const MOST_CELLS: usize = 120_000;
const FEWEST_CELLS: usize = 2_000;

/// The parameters of a run over time, in bytes that a page has room for.
#[derive(Serialize)]
pub(super) struct Pictures {
    blocks: Vec<TensorBlock>,
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
    quantity: ParameterQuantity,
    full: Option<f64>,
    /// The sizes of the steps of value, from the least; nothing without `full`.
    values: Vec<f64>,
    /// What the size of every value with the first step is below.
    below: f64,
    /// Whether a picture is given by its difference, modulo 256, from the one before it.
    differences: bool,
    codes: Packed,
}

/// Returns pictures of at most so many bytes in base64, unless the coarsest take more.
pub(super) fn pictures(run: &Run, shown: Shown, budget: usize) -> Result<Pictures, LcaError> {
    let budget = budget.max(1);
    let mut cells = MOST_CELLS;
    loop {
        let options = ParameterMapOptions::default()
            .frames(MOST_PICTURES)
            .iterations(Some((shown.first, shown.last)))
            .limits(CellLimits::default().cells(cells));
        let found = parameter_map(run, &ParameterQuantity::ALL, &options)?;
        let frames = found.iterations.len();
        // Sizes go with the number of pictures, so that few of them tell for how many there is
        // room.
        let mut step = frames.div_ceil(FEWEST_PICTURES).max(1);
        let mut packed = pack(&found, step);
        if packed.bytes() > budget && cells > FEWEST_CELLS {
            cells = (cells / 2).min(found.cells / 2).max(FEWEST_CELLS);
            continue;
        }
        let fitting = |step: usize, bytes: usize| (step * bytes).div_ceil(budget).max(1);
        let wanted = fitting(step, packed.bytes());
        if wanted < step {
            step = wanted;
            packed = pack(&found, step);
        }
        while packed.bytes() > budget && packed.iterations.len() > 1 {
            step = fitting(step, packed.bytes()).max(step + 1);
            packed = pack(&found, step);
        }
        return Ok(packed);
    }
}

/// Packs every `step`-th picture, the last among them.
fn pack(found: &ParameterMap, step: usize) -> Pictures {
    let frames = found.iterations.len();
    let kept: Vec<usize> = (0..frames)
        .filter(|frame| (frames - 1 - frame).is_multiple_of(step))
        .collect();
    let pictures = found.pictures.iter().map(|pictures| {
        let frame = |frame: &usize| &pictures.codes[frame * found.cells..(frame + 1) * found.cells];
        let codes: Vec<i8> = kept
            .iter()
            .flat_map(frame)
            .map(|code| coarser(*code))
            .collect();
        let differences = differences_are_smaller(&codes, found.cells);
        PackedPictures {
            quantity: pictures.quantity,
            full: pictures.scale.full,
            values: (1..=LEVELS)
                .filter_map(|level| Some(pictures.scale.full? * step_size(level)))
                .collect(),
            below: pictures.scale.full.unwrap_or(0.0) * step_size(1) * 1.5,
            differences,
            codes: Packed(if differences {
                deflate(changes(&codes, found.cells))
            } else {
                deflate(codes.iter().copied())
            }),
        }
    });
    Pictures {
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
    }
}

/// Whether pictures take less room as changes from one to the next, by some in the middle.
fn differences_are_smaller(codes: &[i8], cells: usize) -> bool {
    const LOOKED_AT: usize = 6;
    let cells = cells.max(1);
    let pictures = codes.len() / cells;
    let first = pictures.saturating_sub(LOOKED_AT) / 2;
    let some = &codes[first * cells..(first + LOOKED_AT).min(pictures) * cells];
    deflate(changes(some, cells)).len() < deflate(some.iter().copied()).len()
}

/// Returns the codes of the first picture, and of the others their change modulo 256.
fn changes(codes: &[i8], cells: usize) -> impl Iterator<Item = i8> {
    let before = std::iter::repeat_n(0, cells).chain(codes.iter().copied());
    codes
        .iter()
        .zip(before)
        .map(|(code, before)| code.wrapping_sub(before))
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

/// Returns the part of full colour that a step of value stands for.
fn step_size(level: i8) -> f64 {
    f64::from(level) / f64::from(LEVELS)
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

fn deflate(codes: impl Iterator<Item = i8>) -> Vec<u8> {
    let bytes: Vec<u8> = codes.map(i8::cast_unsigned).collect();
    compress_to_vec(&bytes, 6)
}
