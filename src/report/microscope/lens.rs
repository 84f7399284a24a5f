//! Pictures one by one, whatever their number.

use crate::analysis::stats::Magnitudes;
use crate::{LcaError, Run};

use super::Options;
use super::blocks::Block;
use super::cells::{Cells, each_frame};
use super::quantity::Quantity;
use super::record::Recorded;
use super::scale::{Scale, code};

/// The parameters of a run as pictures of one quantity, made as they are asked for.
pub struct Lens<'a> {
    run: &'a Run,
    quantity: Quantity,
    recorded: Recorded,
    iterations: Vec<u64>,
    scale: Scale,
    not_finite: bool,
    partly_missing: bool,
}

impl<'a> Lens<'a> {
    /// Looks through a run for what the pictures have in common.
    ///
    /// Fails if the run has no table `parameters`, or the options can't be.
    pub fn new(run: &'a Run, quantity: Quantity, options: &Options) -> Result<Self, LcaError> {
        let recorded = Recorded::of(run, options)?;
        let iterations = recorded.evenly(options.frames);
        let mut magnitudes = Magnitudes::new();
        let (mut not_finite, mut partly_missing) = (false, false);
        each_frame(run, &recorded.blocks, &iterations, &[quantity], |cells| {
            for mean in cells.means(0) {
                partly_missing |= mean.is_none();
                not_finite |= mean.is_some_and(|mean| !mean.is_finite());
                magnitudes.add(mean.unwrap_or(0.0));
            }
            Ok(())
        })?;
        Ok(Self {
            run,
            quantity,
            recorded,
            iterations,
            scale: Scale {
                full: magnitudes.color_range(options.percentile),
                percentile: options.percentile,
            },
            not_finite,
            partly_missing,
        })
    }

    /// Shows every picture: its iteration and the code of every cell, block after block.
    pub fn frames(
        &self,
        mut look: impl FnMut(u64, &[i8]) -> Result<(), LcaError>,
    ) -> Result<(), LcaError> {
        let mut codes = Vec::new();
        each_frame(
            self.run,
            &self.recorded.blocks,
            &self.iterations,
            &[self.quantity],
            |cells| {
                codes.clear();
                codes.extend(quantised(&cells, 0, &self.scale));
                look(cells.iteration, &codes)
            },
        )
    }

    /// Returns what is looked at.
    pub fn quantity(&self) -> Quantity {
        self.quantity
    }

    /// Returns the blocks of the tensors that are recorded.
    pub fn blocks(&self) -> &[Block] {
        &self.recorded.blocks
    }

    /// Returns the paths of tensors of which no parameter is recorded.
    pub fn missing(&self) -> &[String] {
        &self.recorded.missing
    }

    /// Returns the iterations that are shown.
    pub fn iterations(&self) -> &[u64] {
        &self.iterations
    }

    /// Returns how many iterations are recorded.
    pub fn recorded_iterations(&self) -> usize {
        self.recorded.iterations.len()
    }

    /// Returns whether a cell that is shown is NaN or infinite.
    pub fn not_finite(&self) -> bool {
        self.not_finite
    }

    /// Returns whether a cell of the blocks is not recorded at an iteration that is shown.
    pub fn partly_missing(&self) -> bool {
        self.partly_missing
    }

    /// Returns the scale that all pictures have.
    pub fn scale(&self) -> Scale {
        self.scale
    }
}

/// Returns the codes of all cells.
pub(super) fn quantised<'a>(
    cells: &'a Cells,
    quantity: usize,
    scale: &'a Scale,
) -> impl Iterator<Item = i8> + 'a {
    let code = |mean: Option<f64>| mean.map_or(code::MISSING, |mean| scale.code(mean));
    cells.means(quantity).map(code)
}
