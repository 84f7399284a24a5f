//! One tensor of ten million elements.

use arrow::array::UInt32Array;
use arrow::datatypes::{Float32Type, Int8Type, UInt32Type};

use super::*;

const COUNT: usize = 10_000_000;
/// What writing may take besides the rows that are handed over.
const EXTRA: usize = 300 << 20;

/// The most memory that this process has had, in bytes; `None` where the system doesn't say.
fn peak_memory() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: usize = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes << 10)
}

/// Some values that differ from index to index.
fn values<T>(value: impl Fn(usize) -> T) -> Vec<T> {
    (0..COUNT).map(value).collect()
}

/// Hands over rows, waits until they are on disk, and checks what that took.
fn write(writer: &RunWriter, epoch: u32, rows: Rows) {
    let (before, bytes) = (peak_memory(), rows.bytes());
    writer.write(vec![rows]);
    writer.epoch_end(epoch, 1);
    if let (Some(before), Some(after)) = (before, peak_memory()) {
        assert!(
            after < before + EXTRA,
            "{} MB more for {} MB",
            (after - before) >> 20,
            bytes >> 20
        );
    }
}

/// Hands every batch of a table to a function, with the index of its first row.
fn each_batch(folder: &Path, table: Table, mut check: impl FnMut(usize, RecordBatch)) {
    let mut row = 0;
    for batch in Run::open(folder).unwrap().scan(table).batches().unwrap() {
        let batch = batch.unwrap();
        let count = batch.num_rows();
        check(row, batch);
        row += count;
    }
    assert_eq!(row, COUNT, "{table}");
}

fn write_and_read_ten_million(folder: &Path) {
    let tensor: Arc<str> = "embedding.weight".into();
    let mut info = info();
    info.tensors[0] = TensorInfo::new(&*tensor, &[COUNT], Some(0));
    let writer = RunWriter::create(&Recorder::new(folder), info.clone(), None).unwrap();
    let float = |index: usize| index as f32;
    let units = UnitRows {
        iteration: 0,
        span: 1,
        tensor: tensor.clone(),
        unit: ElementIndices::All,
        lca: values(float),
    };
    write(&writer, 1, Rows::Units(units));
    let parameters = ParameterRows {
        iteration: 0,
        span: 1,
        tensor: tensor.clone(),
        index: ElementIndices::All,
        lca: values(float),
        step: vec![0.5; COUNT],
        gradient: vec![-0.5; COUNT],
    };
    write(&writer, 2, Rows::Parameters(parameters));
    let totals = ParameterTotalRows {
        tensor: tensor.clone(),
        index: ElementIndices::All,
        lca: vec![0.25; COUNT],
        lca_validation: None,
        helping: values(|index| index as u32),
        hurting: vec![1; COUNT],
        zero: vec![2; COUNT],
        step_sign_changes: vec![3; COUNT],
        gradient_sign_changes: vec![4; COUNT],
        initial: vec![0.0; COUNT],
        last: values(float),
        step_sign: values(|index| (index % 3) as i8 - 1),
        gradient_sign: vec![1; COUNT],
    };
    writer.write(vec![Rows::Steps(vec![step(0)])]);
    write(&writer, 3, Rows::Totals(vec![totals]));
    writer.finish(RunState::Finished).unwrap();

    for (table, index) in [(Table::Units, "unit"), (Table::Parameters, "index")] {
        each_batch(folder, table, |first, batch| {
            let rows = first..first + batch.num_rows();
            let expected = UInt32Array::from_iter_values(rows.clone().map(|row| row as u32));
            assert_eq!(batch[index].as_primitive(), &expected);
            let lca = batch["lca"].as_primitive::<Float32Type>().values();
            assert!(rows.zip(lca).all(|(row, lca)| *lca == row as f32));
        });
    }
    each_batch(folder, Table::ParameterTotals, |first, batch| {
        let helping = batch["helping"].as_primitive::<UInt32Type>().values();
        let sign = batch["step_sign"].as_primitive::<Int8Type>().values();
        let rows = first..first + batch.num_rows();
        assert!(rows.clone().zip(helping).all(|(row, n)| *n as usize == row));
        assert!(rows.zip(sign).all(|(row, s)| *s == (row % 3) as i8 - 1));
    });
    let recorder = Recorder::new(folder).resume();
    let mut writer = RunWriter::create(&recorder, info, Some(3)).unwrap();
    let totals = writer.take_totals().unwrap().remove(0);
    assert_eq!((totals.tensor, totals.lca.len()), (tensor, COUNT));
    assert_eq!(totals.helping.last(), Some(&(COUNT as u32 - 1)));
}

#[test]
fn a_tensor_of_ten_million_elements_takes_little_more_memory_than_its_rows() {
    if let Some(folder) = child_folder() {
        return write_and_read_ten_million(&folder);
    }
    let folder = tempfile::tempdir().unwrap();
    // A process of its own, so that the memory is that of nothing else.
    let test = "large::a_tensor_of_ten_million_elements_takes_little_more_memory_than_its_rows";
    let output = child(test, folder.path()).output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    // Nothing would be written, and nothing fail, if the child ran no test.
    assert_eq!(iterations(folder.path(), Table::Steps), [0]);
}
