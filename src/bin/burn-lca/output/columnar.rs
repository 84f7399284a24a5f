//! Tables for other programs: CSV and Parquet, with full precision.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, UInt64Array};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;

use super::report::{Cell, Column, Kind, Table};

/// Returns a table as RFC 4180 describes CSV, with line feeds; what is missing is empty.
pub(super) fn csv(table: &Table) -> String {
    let names = table.columns().iter().map(|column| quoted(column.name));
    let mut text = names.collect::<Vec<_>>().join(",");
    text.push('\n');
    for row in table.rows() {
        let cells = row.iter().map(|cell| match cell {
            Cell::Text(text) => quoted(text),
            Cell::Count(count) => count.to_string(),
            Cell::Empty => String::new(),
            number => number
                .number()
                .map_or(String::new(), |number| number.to_string()),
        });
        text.push_str(&cells.collect::<Vec<_>>().join(","));
        text.push('\n');
    }
    text
}

/// Returns a table as a Parquet file; what is missing is null.
pub(super) fn parquet(table: &Table) -> Result<Vec<u8>, parquet::errors::ParquetError> {
    let columns = table.columns().iter().enumerate();
    let arrays = columns.map(|(place, column)| (column.name, array(table, place, column), true));
    let batch = RecordBatch::try_from_iter_with_nullable(arrays)?;
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None)?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(bytes)
}

fn array(table: &Table, place: usize, column: &Column) -> ArrayRef {
    let cells = table
        .rows()
        .iter()
        .map(|row| row.get(place).unwrap_or(&Cell::Empty));
    match column.kind {
        Kind::Text => Arc::new(StringArray::from_iter(cells.map(|cell| match cell {
            Cell::Text(text) => Some(text.as_str()),
            _ => None,
        }))),
        Kind::Count => Arc::new(UInt64Array::from_iter(cells.map(Cell::count))),
        Kind::Number => Arc::new(Float64Array::from_iter(cells.map(Cell::number))),
    }
}

/// Returns a text in quotes if it needs them.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.into()
    }
}
