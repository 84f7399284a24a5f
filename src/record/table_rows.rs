//! The rows of one table on their way to its part files.

use std::mem::size_of_val;

use arrow::record_batch::RecordBatch;

use crate::error::LcaError;

use super::columns::{TableBlock, TableRow};
use super::rows::{
    ClassRow, HistogramRow, ParameterRows, ParameterTotalRows, StepRow, TensorRow, UnitRows,
};
use super::schema::Table;

/// Rows for one table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Rows {
    Steps(Vec<StepRow>),
    Tensors(Vec<TensorRow>),
    Classes(Vec<ClassRow>),
    Units(UnitRows),
    Parameters(ParameterRows),
    /// The whole table: a snapshot that replaces the one before.
    Totals(Vec<ParameterTotalRows>),
    Histograms(Vec<HistogramRow>),
}

impl Rows {
    /// Returns the table that these rows belong to.
    pub(crate) fn table(&self) -> Table {
        match self {
            Self::Steps(_) => Table::Steps,
            Self::Tensors(_) => Table::Tensors,
            Self::Classes(_) => Table::Classes,
            Self::Units(_) => Table::Units,
            Self::Parameters(_) => Table::Parameters,
            Self::Totals(_) => Table::ParameterTotals,
            Self::Histograms(_) => Table::Histograms,
        }
    }

    /// Returns about how much memory the rows hold, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Steps(rows) => size_of_val(rows.as_slice()),
            Self::Tensors(rows) => size_of_val(rows.as_slice()),
            Self::Classes(rows) => size_of_val(rows.as_slice()),
            Self::Units(block) => block.bytes(),
            Self::Parameters(block) => block.bytes(),
            Self::Totals(blocks) => blocks.iter().map(TableBlock::bytes).sum(),
            Self::Histograms(rows) => size_of_val(rows.as_slice()),
        }
    }

    /// Hands the rows to a function as record batches, one at a time.
    pub(super) fn batches(
        self,
        mut each: impl FnMut(RecordBatch) -> Result<(), LcaError>,
    ) -> Result<(), LcaError> {
        let schema = self.table().written_schema();
        match self {
            Self::Steps(rows) => TableRow::batches(&rows, &schema, each),
            Self::Tensors(rows) => TableRow::batches(&rows, &schema, each),
            Self::Classes(rows) => TableRow::batches(&rows, &schema, each),
            Self::Units(block) => block.batches(&schema, each),
            Self::Parameters(block) => block.batches(&schema, each),
            Self::Totals(blocks) => blocks
                .into_iter()
                .try_for_each(|block| block.batches(&schema, &mut each)),
            Self::Histograms(rows) => TableRow::batches(&rows, &schema, each),
        }
    }
}
