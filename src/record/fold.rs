//! Making something of all rows of a table, and going on from there as the table grows.

use std::any::Any;
use std::sync::PoisonError;

use arrow::record_batch::RecordBatch;

use crate::error::LcaError;

use super::kept::{Keep, Made, Place};
use super::scan::Scan;

#[cfg_attr(
    not(feature = "analysis"),
    allow(dead_code, reason = "only analyses make something of tables")
)]
impl Scan {
    /// Returns what `look` makes of what [`fold`](Self::fold) keeps of the run; nothing if it keeps
    /// nothing, not even later.
    pub(crate) fn kept<T: Keep, R>(
        &self,
        which: &str,
        look: impl FnOnce(Option<&T>) -> R,
    ) -> Option<R> {
        let cache = self.cache.as_ref().filter(|_| self.iterations.is_none())?;
        let place = Place::of::<T>(self.folder.table(self.table), which);
        let shelf = cache.sums().shelf(&place);
        let shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = shelf
            .as_ref()
            .and_then(|kept| kept.downcast_ref::<Made<T>>());
        let kept = kept.filter(|kept| kept.run_id == self.info.run_id);
        Some(look(kept.map(|kept| &kept.of_them)))
    }

    /// Adds the rows to what `begin` returns, batch by batch in their order, and returns what `look`
    /// makes of that.
    ///
    /// Of a run whose reading is kept, this goes on from what was made of the first row groups before,
    /// if they are still the same ones and it is still what is `wanted`; else it begins anew. So
    /// what comes of it is what comes of reading all rows. `which` tells those apart that are of one
    /// type.
    pub(crate) fn fold<T: Keep, R>(
        self,
        which: &str,
        wanted: impl FnOnce(&T) -> bool,
        begin: impl FnOnce() -> T,
        mut add: impl FnMut(&mut T, &RecordBatch) -> Result<(), LcaError>,
        look: impl FnOnce(&T) -> Result<R, LcaError>,
    ) -> Result<R, LcaError> {
        // A part of a run is read for itself.
        let Some(cache) = self.cache.clone().filter(|_| self.iterations.is_none()) else {
            let mut made = begin();
            for batch in self.batches()? {
                add(&mut made, &batch?)?;
            }
            return look(&made);
        };
        let sums = cache.sums();
        let place = Place::of::<T>(self.folder.table(self.table), which);
        let shelf = sums.shelf(&place);
        let mut shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let run_id = self.info.run_id.clone();
        let kept = shelf
            .take()
            .and_then(|kept| kept.downcast::<Made<T>>().ok());
        let kept = kept.filter(|kept| kept.run_id == run_id && wanted(&kept.of_them));
        let mut batches = self.clone().batches()?;
        let mut made = match kept {
            Some(kept) if batches.pass_over(kept.row_groups)? => kept.of_them,
            _ => {
                batches = self.batches()?;
                begin()
            }
        };
        for batch in &mut batches {
            add(&mut made, &batch?)?;
        }
        let result = look(&made);
        if sums.has_room(&place, made.bytes()) {
            let made = Made {
                run_id,
                row_groups: batches.row_groups(),
                of_them: made,
            };
            *shelf = Some(Box::new(made) as Box<dyn Any + Send>);
        }
        result
    }
}
