//! What a run has recorded of single parameters.

use std::collections::BTreeMap;

use crate::analysis::read;
use crate::error::LcaError;
use crate::record::{Run, Table};

use super::blocks::{TensorBlock, blocks};
use super::cells::{Cells, each_frame};
use super::options::ParameterMapOptions;
use super::quantity::ParameterQuantity;

/// The iterations and tensors that the table `parameters` has.
#[derive(Debug)]
pub(super) struct Recorded {
    /// Where every row begins, in order.
    pub(super) iterations: Vec<u64>,
    /// The last step that the rows are about which begin at an iteration.
    lasts: BTreeMap<u64, u64>,
    /// The blocks of the tensors, as small as the limits want them.
    pub(super) blocks: Vec<TensorBlock>,
    /// The paths of tensors that have parameters, but none recorded.
    pub(super) missing: Vec<String>,
}

impl Recorded {
    pub(super) fn of(run: &Run, options: &ParameterMapOptions) -> Result<Self, LcaError> {
        options.check()?;
        read::require(
            run,
            Table::Parameters,
            "record with `Recorder::full`, or choose parameters with `Recorder::parameters` \
             (the examples: `--record full`)",
        )?;
        let mut lasts = BTreeMap::new();
        let mut known: BTreeMap<&str, bool> = BTreeMap::new();
        for tensor in &run.info().tensors {
            known.insert(&tensor.path, false);
        }
        read::each(
            run,
            Table::Parameters,
            &["iteration", "span", "tensor"],
            |columns| {
                let steps = columns.steps()?;
                let mut latest = None;
                for step in (0..columns.rows()).map(steps) {
                    if latest != Some(step) {
                        latest = Some(step);
                        lasts.insert(step.0, step.1);
                    }
                }
                for (tensor, _) in read::stretches(columns.text("tensor")?) {
                    if let Some(recorded) = known.get_mut(tensor) {
                        *recorded = true;
                    }
                }
                Ok(())
            },
        )?;
        let (recorded, missing): (Vec<_>, Vec<_>) = run
            .info()
            .tensors
            .iter()
            .partition(|tensor| known.get(tensor.path.as_str()) == Some(&true));
        let mut blocks = blocks(&recorded);
        options.limits.apply(&mut blocks);
        Ok(Self {
            iterations: lasts.keys().copied().collect(),
            lasts,
            blocks,
            missing: missing
                .into_iter()
                .map(|tensor| tensor.path.clone())
                .collect(),
        })
    }

    /// Shows the cells at every recorded iteration, in order.
    pub(super) fn each(
        &self,
        run: &Run,
        quantities: &[ParameterQuantity],
        look: impl FnMut(Cells) -> Result<(), LcaError>,
    ) -> Result<(), LcaError> {
        each_frame(run, &self.blocks, &self.iterations, quantities, look)
    }

    /// Returns the last step of the rows that begin at an iteration.
    pub(super) fn last_of(&self, iteration: u64) -> u64 {
        self.lasts.get(&iteration).copied().unwrap_or(iteration)
    }

    /// Returns where the rows begin that there may be pictures of.
    pub(super) fn wanted(&self, options: &ParameterMapOptions) -> &[u64] {
        let (from, to) = options.iterations.unwrap_or((0, u64::MAX));
        let all = &self.iterations;
        let start = all.partition_point(|first| self.last_of(*first) < from);
        let end = all.partition_point(|first| *first <= to);
        &all[start..end.max(start)]
    }

    /// Returns where the rows begin of which there are pictures: some of those.
    pub(super) fn shown(&self, options: &ParameterMapOptions) -> Vec<u64> {
        let all = self.wanted(options);
        match options.frames {
            frames if frames >= all.len() => all.to_vec(),
            1 => all.last().copied().into_iter().collect(),
            frames if options.log_steps => logarithmic(all.len(), frames)
                .into_iter()
                .map(|index| all[index])
                .collect(),
            frames => {
                let gaps = frames - 1;
                let at = |frame| (frame * (all.len() - 1) + gaps / 2) / gaps;
                (0..frames).map(|frame| all[at(frame)]).collect()
            }
        }
    }
}

/// Returns so many of the numbers below `length`, two or more, from the first to the last: by the
/// logarithm of one more than the number, but for the first ones, which are too few for that.
fn logarithmic(length: usize, many: usize) -> Vec<usize> {
    let wanted = |place: usize| {
        let part = place as f64 / (many - 1) as f64;
        (length as f64).powf(part).round() as usize - 1
    };
    let mut next = 0;
    (0..many)
        .map(|place| {
            let index = next.max(wanted(place)).min(length - 1);
            next = index + 1;
            index
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::logarithmic;

    #[test]
    fn logarithmic_frames_are_all_different_and_reach_from_the_first_to_the_last() {
        assert_eq!(logarithmic(1000, 4), [0, 9, 99, 999]);
        assert_eq!(logarithmic(8, 7), [0, 1, 2, 3, 4, 5, 7]);
        for (length, many) in [(9000, 400), (3, 2), (401, 400), (1 << 20, 1000)] {
            let chosen = logarithmic(length, many);
            assert!(chosen.windows(2).all(|pair| pair[0] < pair[1]), "{length}");
            assert_eq!((chosen[0], chosen[many - 1]), (0, length - 1));
        }
    }
}
