//! What was made of the rows of tables, kept so that only new ones have to be read.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::checksum;

/// The row groups that a table begins with, in a word: tables of which these are the same hold the
/// same rows so far, whatever files they are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RowGroups {
    pub(super) number: usize,
    /// Of the checksums of all columns.
    checksum: u64,
}

impl RowGroups {
    pub(super) const NONE: Self = Self {
        number: 0,
        checksum: checksum::EMPTY,
    };

    /// Adds the next one, by the checksums of its columns.
    pub(super) fn add(&mut self, columns: &[u64]) {
        self.number += 1;
        self.checksum = checksum::add_words(self.checksum, columns);
    }
}

/// What can be kept.
pub(crate) trait Keep: Any + Send {
    /// Returns about how many bytes it takes.
    fn bytes(&self) -> usize;
}

/// What was made of the first row groups of a table.
pub(super) struct Made<T> {
    pub(super) run_id: String,
    pub(super) row_groups: RowGroups,
    pub(super) of_them: T,
}

/// The folder of a run, what is made of it, and which of several of that kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place(PathBuf, TypeId, String);

impl Place {
    pub(super) fn of<T: Keep>(folder: PathBuf, which: &str) -> Self {
        Self(folder, TypeId::of::<T>(), which.to_owned())
    }
}

/// One at a time reads what is new there; who comes meanwhile waits for that.
type Shelf = Arc<Mutex<Option<Box<dyn Any + Send>>>>;

/// What was made of the tables of runs. What does not fit is made anew every time.
#[derive(Debug)]
pub(super) struct KeptSums {
    /// Bytes, at most.
    most: usize,
    shelves: Mutex<HashMap<Place, (usize, Shelf)>>,
}

impl KeptSums {
    /// Returns one that keeps so many bytes at most.
    #[cfg_attr(
        not(feature = "report"),
        allow(dead_code, reason = "only the served page keeps what it read")
    )]
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            shelves: Mutex::default(),
        }
    }

    pub(super) fn shelf(&self, place: &Place) -> Shelf {
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        shelves.entry(place.clone()).or_default().1.clone()
    }

    /// Returns whether there is room for so many bytes in a place, and has it taken if there is.
    pub(super) fn has_room(&self, place: &Place, bytes: usize) -> bool {
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        let others = shelves.iter().filter(|(other, _)| *other != place);
        let taken: usize = others.map(|(_, (bytes, _))| bytes).sum();
        let fits = taken.saturating_add(bytes) <= self.most;
        if let Some((own, _)) = shelves.get_mut(place) {
            *own = if fits { bytes } else { 0 };
        }
        fits
    }
}
