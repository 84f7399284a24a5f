//! What a run has recorded of single parameters.

use std::collections::HashSet;
use std::ops::Range;

use crate::analysis::read::{self, Columns};
use crate::error::LcaError;
use crate::record::{Keep, Run, Table};

use super::blocks::{TensorBlock, blocks};
use super::cells::{Cells, each_frame};
use super::options::ParameterMapOptions;
use super::quantity::ParameterQuantity;

/// The iterations and tensors that the table `parameters` has.
#[derive(Debug)]
pub(super) struct Recorded {
    /// The first and the last step that rows are about, ascending.
    steps: Vec<(u64, u64)>,
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
        let columns = ["iteration", "span", "tensor"];
        let add = |index: &mut Index, columns: &Columns| index.add(run, columns);
        let of_index = |index: &Index| {
            let tensors = run.info().tensors.iter();
            let (recorded, missing): (Vec<_>, Vec<_>) =
                tensors.partition(|tensor| index.tensors.contains(&tensor.path));
            let mut blocks = blocks(&recorded);
            options.limits.apply(&mut blocks);
            let missing = missing.into_iter().map(|tensor| tensor.path.clone());
            Ok(Self {
                steps: index.steps.clone(),
                blocks,
                missing: missing.collect(),
            })
        };
        read::fold(
            run,
            Table::Parameters,
            &columns,
            Index::default,
            add,
            of_index,
        )
    }

    /// Shows the cells at every recorded iteration, in order.
    pub(super) fn each(
        &self,
        run: &Run,
        quantities: &[ParameterQuantity],
        look: impl FnMut(Cells) -> Result<(), LcaError>,
    ) -> Result<(), LcaError> {
        let firsts: Vec<u64> = self.steps.iter().map(|(first, _)| *first).collect();
        each_frame(run, &self.blocks, &firsts, quantities, look)
    }

    /// Returns the first and the last step that the rows are about at a place.
    pub(super) fn step(&self, place: usize) -> (u64, u64) {
        self.steps[place]
    }

    /// Returns the last step of the rows that begin at an iteration.
    pub(super) fn last_of(&self, iteration: u64) -> u64 {
        let found = self.steps.binary_search_by_key(&iteration, |step| step.0);
        found.map_or(iteration, |place| self.steps[place].1)
    }

    /// Returns the places of the steps that there may be pictures of.
    pub(super) fn wanted(&self, options: &ParameterMapOptions) -> Range<usize> {
        let (from, to) = options.iterations.unwrap_or((0, u64::MAX));
        let start = self.steps.partition_point(|step| step.1 < from);
        let end = self.steps.partition_point(|step| step.0 <= to);
        start..end.max(start)
    }

    /// Returns where the rows begin of which there are pictures: some of those.
    pub(super) fn shown(&self, options: &ParameterMapOptions) -> Vec<u64> {
        let wanted = self.wanted(options);
        let first = |place: usize| self.steps[wanted.start + place].0;
        match options.frames {
            frames if frames >= wanted.len() => (0..wanted.len()).map(first).collect(),
            1 => vec![first(wanted.len() - 1)],
            frames if options.log_steps => logarithmic(wanted.len(), frames)
                .into_iter()
                .map(first)
                .collect(),
            frames => {
                let gaps = frames - 1;
                let at = |frame| (frame * (wanted.len() - 1) + gaps / 2) / gaps;
                (0..frames).map(|frame| first(at(frame))).collect()
            }
        }
    }

    /// Returns the places of which there are pictures, if those of a run that grows are to stay the
    /// same ones: every second, fourth, eighth, … of the run, and its last. Of a whole run there are
    /// at most so many.
    pub(super) fn lasting(&self, options: &ParameterMapOptions, most: usize) -> Vec<usize> {
        let wanted = self.wanted(options);
        let frames = if wanted.len() == self.steps.len() {
            options.frames.min(most.max(2))
        } else {
            options.frames
        };
        if frames == 1 {
            return wanted.last().into_iter().collect();
        }
        let ends_run = wanted.end == self.steps.len() && !wanted.is_empty();
        let at = |stride: usize| {
            let first = wanted.start.next_multiple_of(stride);
            let mut places: Vec<usize> = (first..wanted.end).step_by(stride).collect();
            if ends_run && places.last() != Some(&(wanted.end - 1)) {
                places.push(wanted.end - 1);
            }
            places
        };
        let mut stride = 1;
        loop {
            let places = at(stride);
            if places.len() <= frames {
                return places;
            }
            stride *= 2;
        }
    }
}

/// The steps and tensors that there are rows of.
#[derive(Debug, Default)]
struct Index {
    /// The first and the last optimizer step of each.
    steps: Vec<(u64, u64)>,
    tensors: HashSet<String>,
}

impl Index {
    fn add(&mut self, run: &Run, columns: &Columns) -> Result<(), LcaError> {
        let steps = columns.steps()?;
        for step in (0..columns.rows()).map(steps) {
            match self.steps.last() {
                Some(last) if *last == step => {}
                Some((last, _)) if *last >= step.0 => {
                    return Err(read::out_of_order(run, Table::Parameters, step.0, *last));
                }
                _ => self.steps.push(step),
            }
        }
        for (tensor, _) in read::stretches(columns.text("tensor")?) {
            if !self.tensors.contains(tensor) {
                self.tensors.insert(tensor.to_owned());
            }
        }
        Ok(())
    }
}

impl Keep for Index {
    fn bytes(&self) -> usize {
        let paths: usize = self.tensors.iter().map(String::len).sum();
        size_of_val(&*self.steps) + paths + self.tensors.len() * size_of::<String>()
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
    use super::*;

    #[test]
    fn the_pictures_of_a_run_that_grows_are_enough_and_stay_the_same_ones_but_for_the_last() {
        let options = ParameterMapOptions::default().frames(10);
        let mut before: Vec<usize> = Vec::new();
        for steps in 1..300 {
            let recorded = Recorded {
                steps: (0..steps).map(|at| (at, at)).collect(),
                blocks: Vec::new(),
                missing: Vec::new(),
            };
            let places = recorded.lasting(&options, 8);
            let steps = steps as usize;
            assert!(places.len() <= 8 && places.len() >= steps.min(5), "{steps}");
            assert_eq!((places[0], places.last()), (0, Some(&(steps - 1))));
            let lasting = places[..places.len() - 1].iter();
            let known = |place: &&usize| **place >= steps - 1 || before.contains(place);
            assert!(
                before.is_empty() || lasting.clone().all(|place| known(&place)),
                "{steps}"
            );
            before = places;
            // A part of the run has as many as are asked for, and where the others have some, too.
            let some = ParameterMapOptions::default()
                .frames(10)
                .iterations(Some((3, 103)));
            let some = recorded.lasting(&some, 8);
            let possible = steps.saturating_sub(3).min(101);
            assert!(
                some.len() <= 10 && some.len() >= possible.min(5),
                "{steps}: {some:?}"
            );
        }
    }

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
