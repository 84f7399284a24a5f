//! The tables and their columns, as `docs/schema.md` promises them.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::columns::ColumnInfo;
use super::iterations::IterationColumns;
use super::rows::{
    ClassRow, HistogramRow, ParameterRows, ParameterTotalRows, StepRow, TensorRow, UnitRows,
};

/// The version of the schema that this crate writes, and the newest that it reads.
pub const SCHEMA_VERSION: u32 = 1;

/// A table of a run: a sub-folder of Parquet part files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Table {
    /// One row per observed step and probe.
    Steps,
    /// One row per step, probe, tensor and class (null: all classes).
    Tensors,
    /// One row per step, probe and class.
    Classes,
    /// One row per recorded step, tensor and unit (neuron or channel).
    Units,
    /// One row per recorded step and parameter.
    Parameters,
    /// One row per parameter: its totals over the run so far.
    ParameterTotals,
    /// One row per window of steps, tensor and bin that is not empty.
    Histograms,
}

impl Table {
    /// Every table, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::Steps,
        Self::Tensors,
        Self::Classes,
        Self::Units,
        Self::Parameters,
        Self::ParameterTotals,
        Self::Histograms,
    ];

    /// Returns what a row is about.
    pub(super) fn about(self) -> &'static str {
        match self {
            Self::Steps => "One row per observed step and probe.",
            Self::Tensors => "One row per step, probe, tensor and class (null: all classes).",
            Self::Classes => "One row per step, probe and class.",
            Self::Units => "One row per recorded step, tensor and unit (neuron or channel).",
            Self::Parameters => "One row per recorded step and parameter.",
            Self::ParameterTotals => "One row per parameter: its totals over the run so far.",
            Self::Histograms => "One row per window of steps, tensor and bin that is not empty.",
        }
    }

    /// Returns the name of the table, which is the name of its folder.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Tensors => "tensors",
            Self::Classes => "classes",
            Self::Units => "units",
            Self::Parameters => "parameters",
            Self::ParameterTotals => "parameter_totals",
            Self::Histograms => "histograms",
        }
    }

    /// Returns the columns in their order, with what they mean.
    ///
    /// ```
    /// let columns = burn_lca::Table::Steps.columns();
    /// let lca = columns.iter().find(|column| column.name == "lca").unwrap();
    /// assert_eq!((lca.unit, lca.meaning), ("loss", "sum over all parameters"));
    /// ```
    #[must_use]
    pub fn columns(self) -> &'static [ColumnInfo] {
        match self {
            Self::Steps => StepRow::COLUMNS,
            Self::Tensors => TensorRow::COLUMNS,
            Self::Classes => ClassRow::COLUMNS,
            Self::Units => UnitRows::COLUMNS,
            Self::Parameters => ParameterRows::COLUMNS,
            Self::ParameterTotals => ParameterTotalRows::COLUMNS,
            Self::Histograms => HistogramRow::COLUMNS,
        }
    }

    /// Returns the names and Arrow types of the columns, as [`crate::Scan`] reads them.
    ///
    /// ```
    /// let schema = burn_lca::Table::Units.schema();
    /// let names: Vec<_> = schema.fields().iter().map(|field| field.name()).collect();
    /// assert_eq!(names, ["iteration", "span", "tensor", "unit", "lca"]);
    /// ```
    #[must_use]
    pub fn schema(self) -> SchemaRef {
        self.arrow_schema(|column| column.data_type.clone())
    }

    /// Returns the Arrow schema of the batches that are written: names are dictionaries, so that
    /// a tensor's path is not copied once per row on its way to the file.
    pub(super) fn written_schema(self) -> SchemaRef {
        self.arrow_schema(|column| match &column.data_type {
            DataType::Utf8 => {
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
            }
            data_type => data_type.clone(),
        })
    }

    fn arrow_schema(self, data_type: impl Fn(&ColumnInfo) -> DataType) -> SchemaRef {
        let columns = self.columns().iter();
        let field =
            |column: &ColumnInfo| Field::new(column.name, data_type(column), column.null.is_some());
        Arc::new(Schema::new(columns.map(field).collect::<Vec<_>>()))
    }

    /// Returns the columns that say which iterations a row is about, if it is about any.
    pub(super) fn iteration_columns(self) -> Option<IterationColumns> {
        match self {
            Self::ParameterTotals => None,
            Self::Histograms => Some(IterationColumns::WINDOW),
            _ => Some(IterationColumns::STEPS),
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a table's list of columns as the document has it.
    fn listed(table: Table) -> String {
        let mut lines = String::from(
            "| column | type | null | unit | meaning |\n| --- | --- | --- | --- | --- |\n",
        );
        for column in table.columns() {
            let data_type = match column.data_type {
                DataType::UInt64 => "u64",
                DataType::UInt32 => "u32",
                DataType::UInt16 => "u16",
                DataType::Int32 => "i32",
                DataType::Int8 => "i8",
                DataType::Float64 => "f64",
                DataType::Float32 => "f32",
                DataType::Boolean => "bool",
                DataType::Utf8 => "string",
                ref unknown => panic!("the document has no word for {unknown}"),
            };
            let cells = [
                column.name,
                data_type,
                column.null.unwrap_or("never"),
                column.unit,
                column.meaning,
            ];
            lines += &format!("| {} |\n", cells.join(" | ")).replace("|  |", "| |");
        }
        lines
    }

    #[test]
    fn the_document_lists_the_columns_as_they_are_declared() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema.md");
        let document = std::fs::read_to_string(path).unwrap();
        let mut expected = document.clone();
        for table in Table::ALL {
            let section = expected
                .find(&format!("### `{table}`\n"))
                .unwrap_or_else(|| panic!("the document has no section {table}"));
            let start = section + expected[section..].find("\n|").expect("a list") + 1;
            let end = start + expected[start..].find("\n\n").expect("an end") + 1;
            expected.replace_range(start..end, &listed(table));
        }
        if std::env::var_os("BURN_LCA_BLESS").is_some() {
            std::fs::write(path, expected).unwrap();
        } else {
            assert!(
                document == expected,
                "docs/schema.md is out of date: run this test with BURN_LCA_BLESS=1"
            );
        }
    }

    #[test]
    fn the_document_is_of_this_version_and_has_these_tables() {
        let document = include_str!("../../docs/schema.md");
        assert!(document.contains(&format!("schema version **{SCHEMA_VERSION}**")));
        assert_eq!(document.matches("\n### `").count(), Table::ALL.len());
    }
}
