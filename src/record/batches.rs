//! The rows of a part, of the file or of memory.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

use crate::error::LcaError;

use super::cache::{Chunks, PartCache, Stamp};
use super::footer::damaged;

/// The rows of a row group, batch by batch, with their columns in the order of a schema.
pub(super) struct PartBatches {
    pub(super) path: PathBuf,
    pub(super) schema: SchemaRef,
    /// Which columns of the table these are.
    pub(super) table_columns: Vec<usize>,
    /// The columns that are in memory.
    pub(super) known: Vec<Option<Chunks>>,
    /// The other ones, if any is in the file.
    pub(super) rows: Option<ParquetRecordBatchReader>,
    pub(super) next: usize,
    pub(super) keeping: Option<Keeping>,
}

/// Columns that stay in memory once all of their rows are read.
pub(super) struct Keeping {
    pub(super) cache: Arc<PartCache>,
    pub(super) stamp: Stamp,
    pub(super) row_group: usize,
    /// Bytes that there are for them.
    pub(super) room: usize,
    /// Bytes of those that were read.
    pub(super) bytes: usize,
    pub(super) columns: Vec<Vec<ArrayRef>>,
}

impl Iterator for PartBatches {
    type Item = Result<RecordBatch, LcaError>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.next;
        self.next += 1;
        let batch = match &mut self.rows {
            Some(rows) => match rows.next() {
                Some(batch) => Some(batch),
                None => {
                    self.keep();
                    return None;
                }
            },
            None => None,
        };
        let batch = match batch.transpose() {
            Ok(batch) => batch,
            Err(error) => return Some(Err(damaged(&self.path, error.to_string()))),
        };
        let known = self.known.iter().flatten().next();
        let known = known.and_then(|chunks| chunks.get(at));
        let rows = batch.as_ref().map(RecordBatch::num_rows);
        let rows = rows.or(known.map(|chunk| chunk.len()))?;
        let batch = self.arrange(at, rows, batch.as_ref());
        Some(batch.map_err(|error| damaged(&self.path, error.to_string())))
    }
}

impl PartBatches {
    /// Puts columns into the order of the schema; those that the file lacks are null.
    fn arrange(
        &mut self,
        at: usize,
        rows: usize,
        read: Option<&RecordBatch>,
    ) -> Result<RecordBatch, ArrowError> {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.known.len());
        for (place, field) in self.schema.fields().iter().enumerate() {
            let known = self.known[place].as_ref();
            let known = known.and_then(|chunks| chunks.get(at));
            let read = read.and_then(|batch| batch.column_by_name(field.name()));
            columns.push(match (known, read) {
                (Some(column), _) => column.clone(),
                (None, Some(column)) => {
                    if let Some(keeping) = &mut self.keeping {
                        keeping.bytes += column.get_array_memory_size();
                        keeping.columns[place].push(column.clone());
                    }
                    column.clone()
                }
                (None, None) => new_null_array(field.data_type(), rows),
            });
        }
        self.keeping.take_if(|keeping| keeping.bytes > keeping.room);
        RecordBatch::try_new(self.schema.clone(), columns)
    }

    fn keep(&mut self) {
        let Some(keeping) = self.keeping.take() else {
            return;
        };
        let columns = self.table_columns.iter().copied().zip(keeping.columns);
        let columns = columns.filter(|(_, chunks)| !chunks.is_empty());
        for (column, chunks) in columns {
            let place = (keeping.row_group, column);
            keeping
                .cache
                .keep(&self.path, &keeping.stamp, place, chunks);
        }
    }
}
