//! What is made of all rows of a table, as it grows.

use std::cell::Cell;
use std::sync::Arc;

use arrow::datatypes::{Float32Type, Float64Type};

use super::super::cache::PartCache;
use super::super::kept::Keep;
use super::*;

/// A number that every row and their order have a part in, and how many there are.
#[derive(Debug, Clone, PartialEq)]
struct Mixed {
    value: f64,
    rows: usize,
}

impl Keep for Mixed {
    fn bytes(&self) -> usize {
        100
    }
}

impl Mixed {
    fn new() -> Self {
        Self {
            value: 0.0,
            rows: 0,
        }
    }

    fn add(&mut self, batch: &RecordBatch) {
        let column = batch.column(0);
        let values: Vec<f64> = match column.as_primitive_opt::<Float64Type>() {
            Some(column) => column.values().to_vec(),
            None => {
                let column = column.as_primitive::<Float32Type>().values();
                column.iter().map(|value| f64::from(*value)).collect()
            }
        };
        for value in values {
            self.value = self.value * 0.99 + value;
            self.rows += 1;
        }
    }
}

/// Returns what is made of a table's LCA, and of how many rows it had to be.
fn mixed(folder: &Path, table: Table, cache: Option<&Arc<PartCache>>) -> (Mixed, usize) {
    let read = Cell::new(0);
    let scan = Run::open(folder).unwrap().scan(table).columns(["lca"]);
    let found = scan.kept_in(cache.cloned()).fold(
        "",
        |_| true,
        Mixed::new,
        |mixed, batch| {
            read.set(read.get() + batch.num_rows());
            mixed.add(batch);
            Ok(())
        },
        |mixed| Ok(mixed.clone()),
    );
    (found.unwrap(), read.get())
}

/// Asserts that reading on makes the same as reading everything, and of how many rows.
fn assert_read(folder: &Path, cache: &Arc<PartCache>, rows: usize) {
    let (kept, read) = mixed(folder, Table::Steps, Some(cache));
    assert_eq!(read, rows);
    assert_eq!(kept, mixed(folder, Table::Steps, None).0);
}

fn write(writer: &RunWriter, epoch: u32, lca: impl Fn(u64) -> f64) {
    let end = u64::from(epoch) * 10;
    for iteration in end - 10..end {
        let lca = lca(iteration);
        writer.write(vec![Rows::Steps(vec![StepRow {
            lca,
            ..step(iteration)
        }])]);
    }
    writer.epoch_end(epoch, end);
}

#[test]
fn only_new_rows_of_a_table_are_read_and_all_of_one_that_is_no_longer_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let cache = Arc::new(PartCache::new(0, 1 << 20));
    let settings = Recorder::new(folder).part_rows(3);
    let sine = |iteration: u64| (iteration as f64).sin();
    let writer = RunWriter::create(&settings, info(), None).unwrap();
    for epoch in 1..=3 {
        write(&writer, epoch, sine);
        assert_read(folder, &cache, 10);
        assert_read(folder, &cache, 0);
    }
    // The rows are encoded anew, as one row group.
    writer.finish(RunState::Interrupted).unwrap();
    assert_read(folder, &cache, 30);
    // The run goes on after its first epoch: with fewer rows at first, then with as many others.
    let settings = settings.resume();
    let writer = RunWriter::create(&settings, info(), Some(1)).unwrap();
    assert_read(folder, &cache, 10);
    write(&writer, 2, f64::from_bits);
    assert_read(folder, &cache, 10);
    write(&writer, 3, |_| 0.5);
    assert_read(folder, &cache, 10);
    drop(writer);
    let settings = Recorder::new(folder).part_rows(3).resume();
    let writer = RunWriter::create(&settings, info(), Some(1)).unwrap();
    write(&writer, 2, |_| 0.25);
    write(&writer, 3, |_| 0.125);
    assert_read(folder, &cache, 30);
    drop(writer);
    // Another run in the same folder, with the same rows.
    let settings = Recorder::new(folder).part_rows(3).overwrite();
    let writer = RunWriter::create(&settings, info(), None).unwrap();
    write(&writer, 1, sine);
    assert_read(folder, &cache, 10);
    // What has no room is read every time.
    let none = Arc::new(PartCache::new(0, 99));
    assert_read(folder, &none, 10);
    assert_read(folder, &none, 10);
}

#[test]
fn a_table_is_the_same_when_its_large_row_groups_are_merged_into_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let cache = Arc::new(PartCache::new(0, 1 << 20));
    let count = 1 << 16;
    let settings = Recorder::new(folder).part_rows(1);
    let writer = RunWriter::create(&settings, RunInfo::default(), None).unwrap();
    for iteration in 0..3 {
        let lca = (0..count).map(|index| (index as f32).cos()).collect();
        writer.write(vec![Rows::Units(UnitRows {
            iteration,
            span: 1,
            tensor: "a".into(),
            unit: ElementIndices::All,
            lca,
        })]);
    }
    writer.epoch_end(1, 3);
    let (before, read) = mixed(folder, Table::Units, Some(&cache));
    assert_eq!(read, 3 * count);
    writer.finish(RunState::Finished).unwrap();
    assert_eq!(parts(folder, Table::Units).len(), 1);
    assert_eq!(mixed(folder, Table::Units, Some(&cache)), (before, 0));
}

#[test]
fn what_an_error_interrupts_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Arc::new(PartCache::new(0, 1 << 20));
    let settings = Recorder::new(folder.path()).part_rows(3);
    let writer = RunWriter::create(&settings, info(), None).unwrap();
    write(&writer, 1, |iteration| iteration as f64);
    assert_read(folder.path(), &cache, 10);
    write(&writer, 2, |iteration| iteration as f64);
    let last = parts(folder.path(), Table::Steps).pop().unwrap();
    let whole = std::fs::read(&last).unwrap();
    std::fs::write(&last, &whole[..whole.len() / 2]).unwrap();
    let scan = Run::open(folder.path()).unwrap().scan(Table::Steps);
    let add = |mixed: &mut Mixed, batch: &RecordBatch| {
        mixed.add(batch);
        Ok(())
    };
    let scan = scan.columns(["lca"]).kept_in(Some(cache.clone()));
    let found = scan.fold("", |_| true, Mixed::new, add, |_| Ok(()));
    assert!(found.is_err());
    std::fs::write(&last, whole).unwrap();
    assert_read(folder.path(), &cache, 20);
}
