//! Tables for other programs: CSV and Parquet of one and the same record batch, in full precision.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, UInt64Array};
use arrow::csv::WriterBuilder;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use burn_lca::LcaError;
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;

use crate::terminal::printable;

use super::answer::{AnswerColumn, AnswerTable, Cell};

/// Returns a table as RFC 4180 describes CSV, with line feeds; missing values are empty, and
/// characters that a terminal would obey are replaced.
pub(super) fn csv(table: &AnswerTable) -> Result<Vec<u8>, LcaError> {
    let write = || -> Result<_, ArrowError> {
        let batch = batch(table, safe)?;
        let mut writer = WriterBuilder::new().build(Vec::new());
        writer.write(&batch)?;
        Ok(writer.into_inner())
    };
    write().map_err(|error| failed(table, error))
}

/// Returns a table as a Parquet file; missing values are null.
pub(super) fn parquet(table: &AnswerTable) -> Result<Vec<u8>, LcaError> {
    let write = || -> Result<_, ParquetError> {
        let batch = batch(table, str::to_owned)?;
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None)?;
        writer.write(&batch)?;
        writer.into_inner()
    };
    write().map_err(|error| failed(table, error))
}

fn failed(table: &AnswerTable, error: impl std::fmt::Display) -> LcaError {
    LcaError::Internal(format!("table {} can't be encoded: {error}", table.name()))
}

/// Returns a text that a terminal can show; line breaks and tabs are those of the field.
fn safe(text: &str) -> String {
    let pieces = text.split_inclusive(['\n', '\t']);
    let piece = |piece: &str| match piece.strip_suffix(['\n', '\t']) {
        Some(before) => printable(before) + &piece[before.len()..],
        None => printable(piece),
    };
    pieces.map(piece).collect()
}

fn batch(table: &AnswerTable, text: fn(&str) -> String) -> Result<RecordBatch, ArrowError> {
    let columns = table.columns().iter();
    let fields = columns
        .clone()
        .map(|column| Field::new(column.name, column.data_type.clone(), true));
    let schema = Schema::new(fields.collect::<Vec<_>>());
    RecordBatch::try_new(
        Arc::new(schema),
        columns.map(|column| array(column, text)).collect(),
    )
}

fn array(column: &AnswerColumn, text: fn(&str) -> String) -> ArrayRef {
    let cells = column.cells.iter();
    match column.data_type {
        DataType::Utf8 => Arc::new(StringArray::from_iter(
            cells.map(|cell| cell.as_text().map(text)),
        )),
        DataType::UInt64 => Arc::new(UInt64Array::from_iter(cells.map(Cell::as_count))),
        _ => Arc::new(Float64Array::from_iter(cells.map(Cell::as_number))),
    }
}
