//! Pictures one by one, whatever their number.

use crate::analysis::stats::Magnitudes;
use crate::error::LcaError;
use crate::record::Run;

use super::blocks::TensorBlock;
use super::cells::{Cells, each_frame};
use super::options::ParameterMapOptions;
use super::quantity::ParameterQuantity;
use super::recorded::Recorded;
use super::scale::{ColorScale, code};

/// Every parameter of a run as a cell of a picture, for one quantity: pictures are made one by
/// one, as they are asked for.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/recorded_run.rs")); }
/// # let folder = example::recorded_run();
/// use burn_lca::Run;
/// use burn_lca::analysis::parameter_map::{FrameReader, ParameterMapOptions, ParameterQuantity};
///
/// let run = Run::open(folder.path())?;
/// let options = ParameterMapOptions::default().frames(3);
/// let reader = FrameReader::new(&run, ParameterQuantity::Lca, &options)?;
/// let mut seen = Vec::new();
/// reader.frames(|iteration, cells| {
///     // hidden.weight, hidden.bias, output.weight and output.bias.
///     assert_eq!(cells.len(), 8 + 8 + 8 + 1);
///     seen.push(iteration);
///     Ok(())
/// })?;
/// assert_eq!(seen, reader.iterations());
/// assert_eq!(seen.len(), 3);
/// # Ok::<(), burn_lca::LcaError>(())
/// ```
#[derive(Debug)]
pub struct FrameReader<'a> {
    run: &'a Run,
    quantity: ParameterQuantity,
    recorded: Recorded,
    /// Where the rows that are shown begin.
    firsts: Vec<u64>,
    /// The last step of each.
    iterations: Vec<u64>,
    /// How many are recorded of those that were asked for.
    recorded_iterations: usize,
    scale: ColorScale,
    not_finite: bool,
    partly_missing: bool,
}

impl<'a> FrameReader<'a> {
    /// Looks through all that a run has recorded for what its pictures have in common, however many
    /// of them are shown.
    ///
    /// # Errors
    ///
    /// [`LcaError::NotRecorded`] if the run has no table `parameters`, [`LcaError::Setting`] if an
    /// option can't work, and the errors of [`Scan`](crate::Scan) if the table can't be read.
    pub fn new(
        run: &'a Run,
        quantity: ParameterQuantity,
        options: &ParameterMapOptions,
    ) -> Result<Self, LcaError> {
        let recorded = Recorded::of(run, options)?;
        let firsts = recorded.shown(options);
        let lasts = firsts.iter().map(|first| recorded.last_of(*first));
        let iterations = lasts.collect();
        let mut magnitudes = Magnitudes::new();
        let (mut not_finite, mut partly_missing) = (false, false);
        recorded.each(run, &[quantity], |cells| {
            let shown = firsts.binary_search(&cells.iteration).is_ok();
            for mean in cells.means(0) {
                partly_missing |= shown && mean.is_none();
                not_finite |= shown && mean.is_some_and(|mean| !mean.is_finite());
                magnitudes.add(mean.unwrap_or(0.0));
            }
            Ok(())
        })?;
        Ok(Self {
            run,
            quantity,
            recorded_iterations: recorded.wanted(options).len(),
            recorded,
            firsts,
            iterations,
            scale: ColorScale::new(&magnitudes, options.percentile),
            not_finite,
            partly_missing,
        })
    }

    /// Hands over every picture in turn: its iteration and the code of every cell, block after
    /// block.
    ///
    /// # Errors
    ///
    /// Those of [`Scan`](crate::Scan), and those that `look` returns.
    pub fn frames(
        &self,
        mut look: impl FnMut(u64, &[i8]) -> Result<(), LcaError>,
    ) -> Result<(), LcaError> {
        let mut codes = Vec::new();
        each_frame(
            self.run,
            &self.recorded.blocks,
            &self.firsts,
            &[self.quantity],
            |cells| {
                codes.clear();
                codes.extend(quantised(&cells, 0, &self.scale));
                look(self.recorded.last_of(cells.iteration), &codes)
            },
        )
    }

    /// Returns what is looked at.
    #[must_use]
    pub fn quantity(&self) -> ParameterQuantity {
        self.quantity
    }

    /// Returns the blocks of the tensors that are recorded.
    #[must_use]
    pub fn blocks(&self) -> &[TensorBlock] {
        &self.recorded.blocks
    }

    /// Returns the paths of tensors of which no parameter is recorded.
    #[must_use]
    pub fn missing(&self) -> &[String] {
        &self.recorded.missing
    }

    /// Returns the iterations that are shown.
    #[must_use]
    pub fn iterations(&self) -> &[u64] {
        &self.iterations
    }

    /// Returns how many iterations are recorded of those that were asked for.
    #[must_use]
    pub fn recorded_iterations(&self) -> usize {
        self.recorded_iterations
    }

    /// Returns whether a cell that is shown is NaN or infinite.
    #[must_use]
    pub fn not_finite(&self) -> bool {
        self.not_finite
    }

    /// Returns whether a cell of the blocks is not recorded at an iteration that is shown.
    #[must_use]
    pub fn partly_missing(&self) -> bool {
        self.partly_missing
    }

    /// Returns the scale that all pictures have.
    #[must_use]
    pub fn scale(&self) -> ColorScale {
        self.scale
    }
}

/// Returns the codes of all cells.
pub(super) fn quantised<'a>(
    cells: &'a Cells,
    quantity: usize,
    scale: &'a ColorScale,
) -> impl Iterator<Item = i8> + 'a {
    let code = |mean: Option<f64>| mean.map_or(code::MISSING, |mean| scale.code(mean));
    cells.means(quantity).map(code)
}
