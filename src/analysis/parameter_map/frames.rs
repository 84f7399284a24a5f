//! All pictures at once, for a few quantities.

use serde::Serialize;

use crate::analysis::stats::Magnitudes;
use crate::error::LcaError;
use crate::record::Run;

use super::blocks::TensorBlock;
use super::options::ParameterMapOptions;
use super::quantity::ParameterQuantity;
use super::recorded::Recorded;
use super::scale::{ColorScale, code};

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
    /// A code per iteration and cell, see [`code`]; the cells of an iteration stand together,
    /// block after block, row after row.
    #[serde(skip)]
    pub codes: Vec<i8>,
}

/// Returns the pictures of these quantities; takes 9 bytes of memory for every cell of every
/// picture.
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
    let recorded = Recorded::of(run, options)?;
    let firsts = recorded.shown(options);
    let cells: usize = recorded.blocks.iter().map(TensorBlock::cells).sum();
    let mut values = vec![Vec::with_capacity(cells * firsts.len()); quantities.len()];
    let mut magnitudes: Vec<Magnitudes> = quantities.iter().map(|_| Magnitudes::new()).collect();
    recorded.each(run, quantities, |cells| {
        let shown = firsts.binary_search(&cells.iteration).is_ok();
        let of_quantities = values.iter_mut().zip(&mut magnitudes).enumerate();
        for (quantity, (values, magnitudes)) in of_quantities {
            cells
                .means(quantity)
                .flatten()
                .for_each(|mean| magnitudes.add(mean));
            if shown {
                let means = cells.means(quantity);
                values.extend(means.map(|mean| mean.map(|mean| mean as f32)));
            }
        }
        Ok(())
    })?;
    let pictures = quantities.iter().zip(values).zip(magnitudes);
    let pictures = pictures.map(|((quantity, values), magnitudes)| {
        let scale = ColorScale::new(&magnitudes, options.percentile);
        let code = |value: f32| scale.code(f64::from(value));
        let values = values.into_iter();
        QuantityFrames {
            quantity: *quantity,
            scale,
            codes: values
                .map(|value| value.map_or(code::MISSING, code))
                .collect(),
        }
    });
    let lasts = firsts
        .iter()
        .map(|first| recorded.last_of(*first))
        .collect();
    Ok(ParameterMap {
        pictures: pictures.collect(),
        recorded_iterations: recorded.wanted(options).len(),
        missing: recorded.missing,
        iterations: lasts,
        blocks: recorded.blocks,
        cells,
    })
}
