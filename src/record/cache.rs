//! Columns of parts that stay in memory for whoever reads the same run again.

use std::collections::{HashMap, HashSet};
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use arrow::array::{Array, ArrayRef};

use super::footer::Footer;
use super::kept::KeptSums;
use super::schema::Table;

/// What was read of the parts of runs, for the next time that they are read.
///
/// Parts don't change once they are there, so that of a run that grows only the new ones have to be
/// read. A part that is another one by size or time is read anew. What does not fit is read every
/// time; what is gone from a table's folder is forgotten when the table is read.
#[derive(Debug)]
pub(crate) struct PartCache {
    /// Bytes of columns, at most.
    most: usize,
    kept: Mutex<Kept>,
    /// What analyses made of all rows of a table.
    sums: KeptSums,
}

#[derive(Debug, Default)]
struct Kept {
    bytes: usize,
    parts: HashMap<PathBuf, KeptPart>,
}

#[derive(Debug)]
struct KeptPart {
    stamp: Stamp,
    footer: Arc<Footer>,
    columns: HashMap<Place, Chunks>,
}

/// A row group, and a column of the table.
type Place = (usize, usize);

/// Batches of a column, in the order of their rows.
pub(super) type Chunks = Arc<[ArrayRef]>;

/// What tells a file from another one of its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
    /// The device, and the number that the file has there.
    #[cfg(unix)]
    file: (u64, u64),
}

impl Stamp {
    pub(super) fn of(about: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt;
        Self {
            bytes: about.len(),
            modified: about.modified().ok(),
            #[cfg(unix)]
            file: (about.dev(), about.ino()),
        }
    }
}

impl PartCache {
    /// Returns one that keeps so many bytes of columns and footers at most, and so many of what is made
    /// of tables.
    #[cfg_attr(
        not(feature = "report"),
        allow(dead_code, reason = "only the served page keeps what it read")
    )]
    pub(crate) fn new(most: usize, most_made: usize) -> Self {
        Self {
            most,
            kept: Mutex::default(),
            sums: KeptSums::new(most_made),
        }
    }

    pub(super) fn sums(&self) -> &KeptSums {
        &self.sums
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether columns of a table are kept. The values of single parameters are too many,
    /// and read of few tensors or steps at a time.
    pub(super) fn keeps(table: Table) -> bool {
        !matches!(table, Table::Parameters | Table::ParameterTotals)
    }

    /// Returns the footer of a part, if it is kept.
    pub(super) fn footer(&self, path: &Path, stamp: &Stamp) -> Option<Arc<Footer>> {
        Some(self.kept().part(path, stamp)?.footer.clone())
    }

    /// Returns a column of a row group, if it is kept.
    pub(super) fn column(&self, path: &Path, stamp: &Stamp, place: Place) -> Option<Chunks> {
        self.kept().part(path, stamp)?.columns.get(&place).cloned()
    }

    /// Keeps the footer of a part, if there is room.
    pub(super) fn keep_footer(&self, path: &Path, stamp: &Stamp, footer: &Arc<Footer>) {
        let bytes = footer.size();
        let mut kept = self.kept();
        kept.forget(path);
        if kept.bytes + bytes <= self.most {
            kept.bytes += bytes;
            let part = KeptPart {
                stamp: stamp.clone(),
                footer: footer.clone(),
                columns: HashMap::new(),
            };
            kept.parts.insert(path.to_owned(), part);
        }
    }

    /// Keeps a column of a row group, if there is room and the part's footer is kept.
    pub(super) fn keep(&self, path: &Path, stamp: &Stamp, place: Place, column: Vec<ArrayRef>) {
        let bytes = size(&column);
        let mut kept = self.kept();
        if kept.bytes + bytes > self.most {
            return;
        }
        let Some(part) = kept.parts.get_mut(path) else {
            return;
        };
        // Two may have read it at the same time.
        if part.stamp == *stamp && part.columns.insert(place, column.into()).is_none() {
            kept.bytes += bytes;
        }
    }

    /// Returns how many bytes may still be kept.
    pub(super) fn room(&self) -> usize {
        self.most.saturating_sub(self.kept().bytes)
    }

    /// Forgets the parts of a table's folder that are not among these.
    pub(super) fn keep_only<'a>(&self, folder: &Path, parts: impl Iterator<Item = &'a PathBuf>) {
        let there: HashSet<&PathBuf> = parts.collect();
        let mut kept = self.kept();
        let gone = kept.parts.keys();
        let gone = gone.filter(|path| path.parent() == Some(folder) && !there.contains(path));
        let gone: Vec<PathBuf> = gone.cloned().collect();
        for path in gone {
            kept.forget(&path);
        }
    }
}

impl Kept {
    fn part(&self, path: &Path, stamp: &Stamp) -> Option<&KeptPart> {
        self.parts.get(path).filter(|part| part.stamp == *stamp)
    }

    fn forget(&mut self, path: &Path) {
        if let Some(part) = self.parts.remove(path) {
            let columns = part.columns.values().map(|chunks| size(chunks));
            self.bytes -= part.footer.size() + columns.sum::<usize>();
        }
    }
}

/// Returns the bytes of a column in memory.
fn size(chunks: &[ArrayRef]) -> usize {
    chunks
        .iter()
        .map(|chunk| chunk.get_array_memory_size())
        .sum()
}
