//! All pictures at once, for a few quantities.

use serde::Serialize;

use crate::analysis::stats::Magnitudes;
use crate::{LcaError, Run};

use super::Options;
use super::blocks::Block;
use super::cells::each_frame;
use super::quantity::Quantity;
use super::record::Recorded;
use super::scale::{Scale, code};

/// The parameters of a run as pictures.
#[derive(Debug, Clone, Serialize)]
pub struct Microscope {
    /// The tensors that are recorded.
    pub blocks: Vec<Block>,
    /// The paths of tensors of which no parameter is recorded.
    pub missing: Vec<String>,
    /// The iterations that are shown.
    pub iterations: Vec<u64>,
    /// How many iterations are recorded.
    pub recorded_iterations: usize,
    /// How many cells a frame has, over all blocks.
    pub cells: usize,
    /// The pictures of each quantity that was asked for.
    pub pictures: Vec<Pictures>,
}

/// The pictures of one quantity.
#[derive(Debug, Clone, Serialize)]
pub struct Pictures {
    /// What they show.
    pub quantity: Quantity,
    /// What a code stands for.
    pub scale: Scale,
    /// A code per iteration and cell, see [`code`]; the cells of an iteration stand together,
    /// block after block, row after row.
    #[serde(skip)]
    pub codes: Vec<i8>,
}

/// Returns pictures of these quantities; takes 9 bytes for every cell of every frame and
/// quantity.
///
/// Fails if the run has no table `parameters`, or the options can't be.
pub fn frames(
    run: &Run,
    quantities: &[Quantity],
    options: &Options,
) -> Result<Microscope, LcaError> {
    let recorded = Recorded::of(run, options)?;
    let iterations = recorded.evenly(options.frames);
    let cells: usize = recorded.blocks.iter().map(Block::cells).sum();
    let mut values = vec![Vec::with_capacity(cells * iterations.len()); quantities.len()];
    each_frame(run, &recorded.blocks, &iterations, quantities, |cells| {
        for (quantity, values) in values.iter_mut().enumerate() {
            values.extend(
                cells
                    .means(quantity)
                    .map(|mean| mean.map(|mean| mean as f32)),
            );
        }
        Ok(())
    })?;
    let pictures = quantities.iter().zip(values).map(|(quantity, values)| {
        let mut magnitudes = Magnitudes::new();
        let of = |value: f32| f64::from(value);
        values
            .iter()
            .flatten()
            .for_each(|value| magnitudes.add(of(*value)));
        let scale = Scale {
            full: magnitudes.color_range(options.percentile),
            percentile: options.percentile,
        };
        let code = |value: Option<f32>| value.map_or(code::MISSING, |value| scale.code(of(value)));
        Pictures {
            quantity: *quantity,
            scale,
            codes: values.into_iter().map(code).collect(),
        }
    });
    Ok(Microscope {
        pictures: pictures.collect(),
        missing: recorded.missing,
        recorded_iterations: recorded.iterations.len(),
        blocks: recorded.blocks,
        iterations,
        cells,
    })
}
