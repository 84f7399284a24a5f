//! Rows as Arrow record batches.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, DictionaryArray, Float32Array, Float64Array, Int8Array, Int32Array,
    StringArray, StringDictionaryBuilder, UInt16Array, UInt32Array, UInt64Array,
};
use arrow::datatypes::Int32Type;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use super::bins::histogram_edges;
use super::rows::{
    ClassRow, HistogramRows, ParameterRows, ParameterTotalRows, Rows, StepRow, TensorRow, UnitRows,
};
use super::schema::Table;

/// Rows of one batch at most: what long tensors are cut into, to bound memory.
const BATCH: usize = 1 << 16;

/// Hands the batches of some rows to a function, one at a time.
pub(super) fn batches<E: From<ArrowError>>(
    rows: Rows,
    mut each: impl FnMut(RecordBatch) -> Result<(), E>,
) -> Result<(), E> {
    match rows {
        Rows::Steps(rows) => each(steps(&rows)?),
        Rows::Tensors(rows) => rows.chunks(BATCH).try_for_each(|rows| each(tensors(rows)?)),
        Rows::Classes(rows) => rows.chunks(BATCH).try_for_each(|rows| each(classes(rows)?)),
        Rows::Units(rows) => each(units(rows)?),
        Rows::Parameters(rows) => parameters(rows, each),
        Rows::Totals(tensors) => tensors
            .into_iter()
            .try_for_each(|rows| totals(rows, &mut each)),
        Rows::Histograms(rows) => each(histograms(&rows)?),
    }
}

fn steps(rows: &[StepRow]) -> Result<RecordBatch, ArrowError> {
    batch(
        Table::Steps,
        vec![
            u64s(rows, |row| row.iteration),
            Arc::new(UInt32Array::from_iter_values(
                rows.iter().map(|row| row.epoch),
            )),
            texts(rows, |row| &row.probe),
            f64s(rows, |row| row.loss_before),
            f64s(rows, |row| row.loss_after),
            f64s(rows, |row| row.lca),
            f64s(rows, |row| row.residual),
            Arc::new(rows.iter().map(|row| row.buffers).collect::<Float64Array>()),
            Arc::new(UInt16Array::from_iter_values(
                rows.iter().map(|row| row.splits),
            )),
            Arc::new(UInt16Array::from_iter_values(
                rows.iter().map(|row| row.sweeps),
            )),
            Arc::new(
                rows.iter()
                    .map(|row| Some(row.capped))
                    .collect::<BooleanArray>(),
            ),
            u64s(rows, |row| row.helping),
            u64s(rows, |row| row.hurting),
            u64s(rows, |row| row.zero),
            f64s(rows, |row| row.lca_helping),
            f64s(rows, |row| row.lca_hurting),
            f64s(rows, |row| row.learning_rate),
            f64s(rows, |row| row.probe_seconds),
        ],
    )
}

fn tensors(rows: &[TensorRow]) -> Result<RecordBatch, ArrowError> {
    batch(
        Table::Tensors,
        vec![
            u64s(rows, |row| row.iteration),
            texts(rows, |row| &row.probe),
            Arc::new(rows.iter().map(|row| row.class).collect::<Int32Array>()),
            texts(rows, |row| &row.tensor),
            f64s(rows, |row| row.lca),
            u64s(rows, |row| row.helping),
            u64s(rows, |row| row.hurting),
            u64s(rows, |row| row.zero),
            f64s(rows, |row| row.step_norm),
            f64s(rows, |row| row.gradient_norm),
        ],
    )
}

fn classes(rows: &[ClassRow]) -> Result<RecordBatch, ArrowError> {
    batch(
        Table::Classes,
        vec![
            u64s(rows, |row| row.iteration),
            texts(rows, |row| &row.probe),
            Arc::new(Int32Array::from_iter_values(
                rows.iter().map(|row| row.class),
            )),
            u64s(rows, |row| row.examples),
            f64s(rows, |row| row.loss_before),
            f64s(rows, |row| row.loss_after),
            f64s(rows, |row| row.lca),
            f64s(rows, |row| row.residual),
        ],
    )
}

fn units(rows: UnitRows) -> Result<RecordBatch, ArrowError> {
    let count = rows.lca.len();
    batch(
        Table::Units,
        vec![
            Arc::new(UInt64Array::from_value(rows.iteration, count)),
            repeated(&rows.tensor, count)?,
            Arc::new(UInt32Array::from_iter_values(0..count as u32)),
            Arc::new(Float32Array::from(rows.lca)),
        ],
    )
}

fn parameters<E: From<ArrowError>>(
    rows: ParameterRows,
    mut each: impl FnMut(RecordBatch) -> Result<(), E>,
) -> Result<(), E> {
    let count = rows.lca.len();
    let values = [rows.lca, rows.step, rows.gradient].map(Float32Array::from);
    for start in (0..count).step_by(BATCH) {
        let length = BATCH.min(count - start);
        let index = match &rows.indices {
            Some(indices) => {
                UInt32Array::from_iter_values(indices.iter().skip(start).take(length).copied())
            }
            None => UInt32Array::from_iter_values(start as u32..(start + length) as u32),
        };
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(UInt64Array::from_value(rows.iteration, length)),
            repeated(&rows.tensor, length)?,
            Arc::new(index),
        ];
        columns.extend(values.iter().map(|column| window(column, start, length)));
        each(batch(Table::Parameters, columns)?)?;
    }
    Ok(())
}

fn totals<E: From<ArrowError>>(
    rows: ParameterTotalRows,
    each: &mut impl FnMut(RecordBatch) -> Result<(), E>,
) -> Result<(), E> {
    let count = rows.lca.len();
    let validation = match rows.lca_validation {
        Some(lca) => Float64Array::from(lca),
        None => Float64Array::new_null(count),
    };
    let lca = Float64Array::from(rows.lca);
    let counts = [
        rows.helping,
        rows.hurting,
        rows.zero,
        rows.step_sign_changes,
        rows.gradient_sign_changes,
    ]
    .map(UInt32Array::from);
    let weights = [rows.initial, rows.last].map(Float32Array::from);
    let signs = [rows.step_sign, rows.gradient_sign].map(Int8Array::from);
    for start in (0..count).step_by(BATCH) {
        let length = BATCH.min(count - start);
        let mut columns: Vec<ArrayRef> = vec![
            repeated(&rows.tensor, length)?,
            Arc::new(UInt32Array::from_iter_values(
                start as u32..(start + length) as u32,
            )),
            window(&lca, start, length),
            window(&validation, start, length),
        ];
        columns.extend(counts.iter().map(|column| window(column, start, length)));
        columns.extend(weights.iter().map(|column| window(column, start, length)));
        columns.extend(signs.iter().map(|column| window(column, start, length)));
        each(batch(Table::ParameterTotals, columns)?)?;
    }
    Ok(())
}

fn histograms(rows: &[HistogramRows]) -> Result<RecordBatch, ArrowError> {
    let filled: Vec<(&HistogramRows, usize, u64)> = rows
        .iter()
        .flat_map(|rows| {
            rows.counts
                .iter()
                .enumerate()
                .map(move |(bin, n)| (rows, bin, *n))
        })
        .filter(|(_, _, count)| *count > 0)
        .collect();
    let edge = |pick: fn((f64, f64)) -> f64| -> ArrayRef {
        let edges = filled
            .iter()
            .map(|(_, bin, _)| histogram_edges(*bin).map(pick));
        Arc::new(edges.collect::<Float64Array>())
    };
    batch(
        Table::Histograms,
        vec![
            u64s(&filled, |(rows, _, _)| rows.window_start),
            u64s(&filled, |(rows, _, _)| rows.window_end),
            texts(&filled, |(rows, _, _)| &rows.tensor),
            edge(|(from, _)| from),
            edge(|(_, to)| to),
            u64s(&filled, |(_, _, count)| *count),
        ],
    )
}

fn batch(table: Table, columns: Vec<ArrayRef>) -> Result<RecordBatch, ArrowError> {
    RecordBatch::try_new(table.written(), columns)
}

fn u64s<R>(rows: &[R], value: impl Fn(&R) -> u64) -> ArrayRef {
    Arc::new(UInt64Array::from_iter_values(rows.iter().map(value)))
}

fn f64s<R>(rows: &[R], value: impl Fn(&R) -> f64) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(rows.iter().map(value)))
}

fn texts<R>(rows: &[R], value: impl Fn(&R) -> &str) -> ArrayRef {
    let mut builder = StringDictionaryBuilder::<Int32Type>::new();
    for row in rows {
        builder.append_value(value(row));
    }
    Arc::new(builder.finish())
}

/// Returns a column of one text over and over, which is stored once.
fn repeated(text: &str, count: usize) -> Result<ArrayRef, ArrowError> {
    let keys = Int32Array::from_value(0, count);
    let values = Arc::new(StringArray::from_iter_values([text]));
    Ok(Arc::new(DictionaryArray::try_new(keys, values)?))
}

/// Returns some rows of a column without copying them.
fn window(column: &dyn arrow::array::Array, start: usize, length: usize) -> ArrayRef {
    column.slice(start, length)
}
