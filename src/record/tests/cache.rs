//! Rows that stay in memory.

use std::sync::Arc;

use tempfile::tempdir;

use super::super::cache::PartCache;
use super::*;

fn read_kept(folder: &Path, cache: &Arc<PartCache>) -> RecordBatch {
    let scan = Run::open(folder).unwrap().scan(Table::Steps);
    read_scan(scan.kept_in(Some(cache.clone())))
}

/// Records steps into a folder, and removes what was there.
fn record(folder: &Path, steps: std::ops::Range<u64>) -> RunWriter {
    let settings = Recorder::new(folder).overwrite();
    let writer = RunWriter::create(&settings, info(), None).unwrap();
    for iteration in steps {
        writer.write(rows(iteration));
    }
    writer
}

#[test]
fn what_stays_in_memory_is_what_the_files_have() {
    // Room for everything, for one column of the first part, and for nothing.
    for most in [1 << 30, 3000, 0] {
        let folder = tempdir().unwrap();
        let cache = Arc::new(PartCache::new(most, 0));
        record(folder.path(), 0..5)
            .finish(RunState::Finished)
            .unwrap();
        for _ in 0..3 {
            assert_eq!(
                read_kept(folder.path(), &cache),
                read(folder.path(), Table::Steps)
            );
        }
        // Some columns of those in memory, in another order, with some of the rows.
        let scan = || {
            let scan = Run::open(folder.path()).unwrap().scan(Table::Steps);
            scan.columns(["lca", "iteration"]).iterations(1..4)
        };
        let kept = read_scan(scan().kept_in(Some(cache.clone())));
        assert_eq!(kept, read_scan(scan()));
        assert_eq!(kept.num_rows(), 3);
        // Another run in the same folder, with files of the same names.
        record(folder.path(), 10..17)
            .finish(RunState::Finished)
            .unwrap();
        let now = read_kept(folder.path(), &cache);
        assert_eq!(now.num_rows(), 7);
        assert_eq!(now, read(folder.path(), Table::Steps));
    }
}
