//! A table in memory, read through the crate.

use std::collections::BTreeMap;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use burn_lca::{Run, Table};

/// A table: columns of numbers, which are exact in an `f64`, and of texts.
#[derive(Default)]
pub struct Frame {
    numbers: BTreeMap<String, Vec<Option<f64>>>,
    texts: BTreeMap<String, Vec<String>>,
    rows: usize,
}

impl Frame {
    pub fn read(run: &Run, table: Table) -> Self {
        let mut frame = Self::default();
        for batch in run.scan(table).batches().expect("a table that is there") {
            let batch = batch.expect("a whole file");
            frame.rows += batch.num_rows();
            for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
                let name = field.name().clone();
                if field.data_type() == &DataType::Utf8 {
                    let texts = column.as_string::<i32>().iter();
                    let texts = texts.map(|text| text.expect("no text is null").to_owned());
                    frame.texts.entry(name).or_default().extend(texts);
                } else {
                    let numbers = cast(column, &DataType::Float64).expect("a number");
                    let numbers = numbers.as_primitive::<Float64Type>().iter();
                    frame.numbers.entry(name).or_default().extend(numbers);
                }
            }
        }
        frame
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// A number, or null.
    pub fn get(&self, column: &str, row: usize) -> Option<f64> {
        self.numbers[column][row]
    }

    /// A number that is not null.
    pub fn number(&self, column: &str, row: usize) -> f64 {
        self.get(column, row)
            .unwrap_or_else(|| panic!("{column} is null in row {row}"))
    }

    pub fn text(&self, column: &str, row: usize) -> &str {
        &self.texts[column][row]
    }

    /// The rows that a condition picks.
    pub fn filter(&self, wanted: impl Fn(usize, &Self) -> bool) -> Self {
        let rows: Vec<usize> = (0..self.rows).filter(|&row| wanted(row, self)).collect();
        Self {
            numbers: pick(&self.numbers, &rows),
            texts: pick(&self.texts, &rows),
            rows: rows.len(),
        }
    }
}

fn pick<T: Clone>(columns: &BTreeMap<String, Vec<T>>, rows: &[usize]) -> BTreeMap<String, Vec<T>> {
    let pick = |values: &Vec<T>| rows.iter().map(|&row| values[row].clone()).collect();
    columns
        .iter()
        .map(|(name, values)| (name.clone(), pick(values)))
        .collect()
}
