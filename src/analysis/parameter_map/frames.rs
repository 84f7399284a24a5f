//! All pictures at once, for a few quantities.

use serde::Serialize;

use crate::error::LcaError;
use crate::record::Run;

use super::blocks::TensorBlock;
use super::cells::{CellSums, Cells, each_frame_after};
use super::options::ParameterMapOptions;
use super::quantity::ParameterQuantity;
use super::reader::quantised;
use super::recorded::Recorded;
use super::scale::ColorScale;
use super::survey::{bytes_of_a_picture, survey};

/// Bytes of the pictures that are kept of a whole run, at most.
const MOST_KEPT: usize = 64 << 20;

/// Every parameter of a run as a cell of a picture, for several quantities.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ParameterMap {
    /// The tensors that are recorded.
    pub blocks: Vec<TensorBlock>,
    /// The paths of tensors of which no parameter is recorded.
    pub missing: Vec<String>,
    /// The iterations that are shown, of several steps that were measured as one the last.
    pub iterations: Vec<u64>,
    /// How many iterations are recorded of those that were asked for.
    pub recorded_iterations: usize,
    /// How many cells a frame has, over all blocks.
    pub cells: usize,
    /// The pictures of each quantity that was asked for, in that order.
    pub pictures: Vec<QuantityFrames>,
}

/// The pictures of one quantity.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct QuantityFrames {
    /// What they show.
    pub quantity: ParameterQuantity,
    /// What a code stands for.
    pub scale: ColorScale,
    /// A code per iteration and cell, see [`code`](super::code); the cells of an iteration stand together,
    /// block after block, row after row.
    #[serde(skip)]
    pub codes: Vec<i8>,
}

/// Returns the pictures of these quantities.
///
/// They are of every second, fourth, eighth, … recorded iteration, counted from the run's first, so
/// that there are enough of them, and of the run's last: the pictures of a run that grows stay what
/// they were; of a whole run there are no more than there is room for in 64 MiB, at 8 bytes for every
/// cell and quantity.
///
/// # Errors
///
/// [`LcaError::NotRecorded`] if the run has no table `parameters`, [`LcaError::Setting`] if an
/// option can't work, and the errors of [`Scan`](crate::Scan) if the table can't be read.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::Run;
/// use burn_lca::analysis::parameter_map::{ParameterMapOptions, ParameterQuantity};
/// use burn_lca::analysis::parameter_map;
///
/// let run = Run::open(folder.path())?;
/// let quantities = [ParameterQuantity::Lca, ParameterQuantity::Gradient];
/// let map = parameter_map(&run, &quantities, &ParameterMapOptions::default())?;
/// assert_eq!(map.iterations.len(), 30);
/// // One byte for every cell of every picture.
/// assert_eq!(map.pictures[1].codes.len(), 30 * map.cells);
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
pub fn parameter_map(
    run: &Run,
    quantities: &[ParameterQuantity],
    options: &ParameterMapOptions,
) -> Result<ParameterMap, LcaError> {
    map(run, quantities, options, MOST_KEPT)
}

/// Returns the pictures, of which so many bytes of a whole run are kept.
pub(super) fn map(
    run: &Run,
    quantities: &[ParameterQuantity],
    options: &ParameterMapOptions,
    most_kept: usize,
) -> Result<ParameterMap, LcaError> {
    let recorded = Recorded::of(run, options)?;
    let cells: usize = recorded.blocks.iter().map(TensorBlock::cells).sum();
    let most_kept = most_kept / bytes_of_a_picture(cells, quantities.len()).max(1);
    let places = recorded.lasting(options, most_kept);
    // What is kept of the run, and where to read on for the rest.
    let (mut pictures, rest) = survey(run, &recorded.blocks, quantities, most_kept, |survey| {
        let magnitudes = survey.magnitudes();
        let pictures = quantities.iter().zip(&magnitudes);
        let pictures = pictures.map(|(quantity, magnitudes)| QuantityFrames {
            quantity: *quantity,
            scale: ColorScale::new(magnitudes, options.percentile),
            codes: Vec::with_capacity(cells * places.len()),
        });
        let mut pictures: Vec<QuantityFrames> = pictures.collect();
        let mut shown = 0;
        for cells in places.iter().map_while(|place| survey.cells(*place)) {
            add_codes(&mut pictures, &cells);
            shown += 1;
        }
        let rest = places
            .get(shown)
            .map(|place| (shown, survey.before(*place)));
        Ok((pictures, rest))
    })?;
    if let Some((shown, before)) = rest {
        let firsts = places[shown..].iter().map(|place| recorded.step(*place).0);
        let firsts: Vec<u64> = firsts.collect();
        let (start, sums) = match before {
            Some((place, sums)) => (recorded.step(place).1 + 1, sums),
            None => (0, CellSums::new(&recorded.blocks, quantities)),
        };
        let last = firsts.last().copied().unwrap_or(start);
        let rest = run.clone().between(start..=last);
        let look = |cells: Cells| {
            add_codes(&mut pictures, &cells);
            Ok(())
        };
        each_frame_after(sums, &rest, &recorded.blocks, &firsts, quantities, look)?;
    }
    let lasts = places.iter().map(|place| recorded.step(*place).1);
    Ok(ParameterMap {
        pictures,
        recorded_iterations: recorded.wanted(options).len(),
        iterations: lasts.collect(),
        missing: recorded.missing,
        blocks: recorded.blocks,
        cells,
    })
}

fn add_codes(pictures: &mut [QuantityFrames], cells: &Cells) {
    for (quantity, pictures) in pictures.iter_mut().enumerate() {
        let codes = quantised(cells, quantity, &pictures.scale);
        pictures.codes.extend(codes);
    }
}
