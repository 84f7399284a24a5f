//! Columns that another version of the crate wrote, or did not write yet.

use std::fs::{self, File};

use arrow::array::{Int32Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::KeyValue;

use super::super::checksum::{self, chunk_checksum};
use super::super::part::{KEY_BOUNDS, KEY_CHECKSUMS, word};
use super::*;

/// Writes a part anew with other columns, as another version would have.
fn rewrite(path: &Path, change: impl Fn(RecordBatch) -> RecordBatch) {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let notes = reader.metadata().file_metadata().key_value_metadata();
    let notes: Vec<KeyValue> = notes.unwrap().clone();
    let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
    let batches: Vec<RecordBatch> = batches.into_iter().map(change).collect();
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batches[0].schema(), None).unwrap();
    batches
        .iter()
        .for_each(|batch| writer.write(batch).unwrap());
    writer.flush().unwrap();
    writer.sync().unwrap();
    let mut file = File::open(path).unwrap();
    let (mut sums, mut bounds) = (Vec::new(), checksum::EMPTY);
    for group in writer.flushed_row_groups() {
        bounds = checksum::add_bounds(bounds, group);
        let columns = group.columns().iter();
        let sum = |column| word(chunk_checksum(&mut file, group, column).unwrap());
        sums.push(columns.map(sum).collect::<Vec<_>>().join(" "));
    }
    for note in notes {
        let value = match &*note.key {
            KEY_CHECKSUMS => Some(sums.join("\n")),
            KEY_BOUNDS => Some(word(bounds)),
            _ => note.value,
        };
        writer.append_key_value_metadata(KeyValue { value, ..note });
    }
    writer.finish().unwrap();
}

/// Puts a text before all columns and a number behind them.
fn with_more_columns(batch: RecordBatch) -> RecordBatch {
    let rows = batch.num_rows();
    let mut fields: Vec<Field> = batch
        .schema()
        .fields()
        .iter()
        .map(|f| (**f).clone())
        .collect();
    fields.insert(0, Field::new("mood", DataType::Utf8, false));
    fields.push(Field::new("age", DataType::Int32, true));
    let mut columns = batch.columns().to_vec();
    columns.insert(0, Arc::new(StringArray::from(vec!["good"; rows])));
    columns.push(Arc::new(Int32Array::from(vec![None; rows])));
    RecordBatch::try_new(Schema::new(fields).into(), columns).unwrap()
}

/// Leaves out a column that can be null.
fn without_buffers(mut batch: RecordBatch) -> RecordBatch {
    let at = batch.schema().index_of("buffers").unwrap();
    batch.remove_column(at);
    batch
}

/// Two epochs of two steps, a part each.
fn two_epochs(folder: &Path) -> (RunWriter, Vec<PathBuf>) {
    let writer = begin(folder);
    for epoch in 1..=2 {
        (2 * epoch - 2..2 * epoch).for_each(|iteration| writer.write(rows(iteration)));
        writer.epoch_end(epoch as u32, 2 * epoch);
    }
    let parts = parts(folder, Table::Steps);
    (writer, parts)
}

#[test]
fn columns_are_matched_by_name_and_later_ones_passed_over_or_null() {
    let folder = tempfile::tempdir().unwrap();
    let (writer, parts) = two_epochs(folder.path());
    let before = read(folder.path(), Table::Steps);
    rewrite(&parts[0], with_more_columns);
    rewrite(&parts[1], without_buffers);
    assert_eq!(read(folder.path(), Table::Steps), before);
    let run = Run::open(folder.path()).unwrap();
    let some = run.scan(Table::Steps).columns(["buffers"]).iterations(1..4);
    let some = read_scan(some);
    assert_eq!((some.num_rows(), some["buffers"].null_count()), (3, 3));
    let last = run.scan(Table::Steps).columns(["lca", "iteration"]);
    assert_eq!(read_scan(last.iterations(3..)).num_rows(), 1);
    // Nothing is lost by merging: what this version does not know stays in its own file.
    writer.finish(RunState::Finished).unwrap();
    assert_eq!(read(folder.path(), Table::Steps), before);
    let bytes = fs::read(&parts[0]).unwrap();
    assert!(bytes.windows(4).any(|window| window == b"mood"));
}

#[test]
fn a_column_that_is_never_null_can_not_be_missing() {
    let folder = tempfile::tempdir().unwrap();
    let (_writer, parts) = two_epochs(folder.path());
    rewrite(&parts[0], |mut batch| {
        batch.remove_column(batch.schema().index_of("lca").unwrap());
        batch
    });
    let batches = Run::open(folder.path()).unwrap().scan(Table::Steps);
    let error = batches.batches().unwrap().next().unwrap().unwrap_err();
    assert!(error.to_string().contains("column lca"), "{error}");
}

#[test]
fn a_run_is_resumed_over_columns_it_lacks_and_not_over_those_it_would_lose() {
    let folder = tempfile::tempdir().unwrap();
    let (writer, _) = two_epochs(folder.path());
    writer.finish(RunState::Finished).unwrap();
    let part = parts(folder.path(), Table::Steps).remove(0);
    let whole = fs::read(&part).unwrap();
    let recorder = Recorder::new(folder.path()).resume();
    rewrite(&part, with_more_columns);
    // The end of the first epoch is in the middle of the part.
    let error = RunWriter::create(&recorder, info(), Some(1)).err().unwrap();
    assert!(error.to_string().contains("update burn-lca"), "{error}");
    assert_eq!(iterations(folder.path(), Table::Steps), [0, 1, 2, 3]);
    fs::write(&part, whole).unwrap();
    rewrite(&part, without_buffers);
    drop(RunWriter::create(&recorder, info(), Some(1)).unwrap());
    assert_eq!(iterations(folder.path(), Table::Steps), [0, 1]);
    let steps = read(folder.path(), Table::Steps);
    assert_eq!(steps["buffers"].null_count(), 2);
}
