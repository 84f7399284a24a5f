//! The tables and their columns, as `docs/schema.md` promises them.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

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

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    U64,
    U32,
    U16,
    I32,
    I8,
    F64,
    F32,
    Bool,
    Text,
}

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) nullable: bool,
}

/// The columns that say which iterations a row is about, first and last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) first: &'static str,
    pub(super) last: &'static str,
    /// Whether `last` is the first iteration that the row is no longer about.
    pub(super) exclusive: bool,
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

    /// Returns the name of the table, which is the name of its folder.
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

    /// Returns the names and Arrow types of the columns, as [`crate::Scan`] reads them.
    pub fn schema(self) -> SchemaRef {
        let field = |column: &Column| Field::new(column.name, column.kind.read(), column.nullable);
        Arc::new(Schema::new(
            self.columns().iter().map(field).collect::<Vec<_>>(),
        ))
    }

    /// Returns the Arrow schema of the batches that are written.
    pub(super) fn written(self) -> SchemaRef {
        let field =
            |column: &Column| Field::new(column.name, column.kind.written(), column.nullable);
        Arc::new(Schema::new(
            self.columns().iter().map(field).collect::<Vec<_>>(),
        ))
    }

    /// Returns the columns that a filter by iteration looks at, if rows belong to iterations.
    pub(super) fn span(self) -> Option<Span> {
        match self {
            Self::ParameterTotals => None,
            Self::Histograms => Some(Span {
                first: "window_start",
                last: "window_end",
                exclusive: true,
            }),
            _ => Some(Span {
                first: "iteration",
                last: "iteration",
                exclusive: false,
            }),
        }
    }

    /// Returns the columns in their order.
    pub(super) fn columns(self) -> &'static [Column] {
        match self {
            Self::Steps => STEPS,
            Self::Tensors => TENSORS,
            Self::Classes => CLASSES,
            Self::Units => UNITS,
            Self::Parameters => PARAMETERS,
            Self::ParameterTotals => PARAMETER_TOTALS,
            Self::Histograms => HISTOGRAMS,
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Kind {
    /// Returns the Arrow type that readers get.
    fn read(self) -> DataType {
        match self {
            Self::U64 => DataType::UInt64,
            Self::U32 => DataType::UInt32,
            Self::U16 => DataType::UInt16,
            Self::I32 => DataType::Int32,
            Self::I8 => DataType::Int8,
            Self::F64 => DataType::Float64,
            Self::F32 => DataType::Float32,
            Self::Bool => DataType::Boolean,
            Self::Text => DataType::Utf8,
        }
    }

    /// Returns the Arrow type that is written: names are dictionaries, so that a tensor's
    /// path is not copied once per row on its way to the file.
    fn written(self) -> DataType {
        match self {
            Self::Text => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            kind => kind.read(),
        }
    }

    /// Returns whether this is a floating-point type.
    pub(super) fn is_float(self) -> bool {
        matches!(self, Self::F64 | Self::F32)
    }
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column {
        name,
        kind,
        nullable: false,
    }
}

const fn optional(name: &'static str, kind: Kind) -> Column {
    Column {
        name,
        kind,
        nullable: true,
    }
}

const STEPS: &[Column] = &[
    column("iteration", Kind::U64),
    column("epoch", Kind::U32),
    column("probe", Kind::Text),
    column("loss_before", Kind::F64),
    column("loss_after", Kind::F64),
    column("lca", Kind::F64),
    column("residual", Kind::F64),
    optional("buffers", Kind::F64),
    column("splits", Kind::U16),
    column("sweeps", Kind::U16),
    column("capped", Kind::Bool),
    column("helping", Kind::U64),
    column("hurting", Kind::U64),
    column("zero", Kind::U64),
    column("lca_helping", Kind::F64),
    column("lca_hurting", Kind::F64),
    column("learning_rate", Kind::F64),
    column("probe_seconds", Kind::F64),
];

const TENSORS: &[Column] = &[
    column("iteration", Kind::U64),
    column("probe", Kind::Text),
    optional("class", Kind::I32),
    column("tensor", Kind::Text),
    column("lca", Kind::F64),
    column("helping", Kind::U64),
    column("hurting", Kind::U64),
    column("zero", Kind::U64),
    column("step_norm", Kind::F64),
    column("gradient_norm", Kind::F64),
];

const CLASSES: &[Column] = &[
    column("iteration", Kind::U64),
    column("probe", Kind::Text),
    column("class", Kind::I32),
    column("examples", Kind::U64),
    column("loss_before", Kind::F64),
    column("loss_after", Kind::F64),
    column("lca", Kind::F64),
    column("residual", Kind::F64),
];

const UNITS: &[Column] = &[
    column("iteration", Kind::U64),
    column("tensor", Kind::Text),
    column("unit", Kind::U32),
    column("lca", Kind::F32),
];

const PARAMETERS: &[Column] = &[
    column("iteration", Kind::U64),
    column("tensor", Kind::Text),
    column("index", Kind::U32),
    column("lca", Kind::F32),
    column("step", Kind::F32),
    column("gradient", Kind::F32),
];

const PARAMETER_TOTALS: &[Column] = &[
    column("tensor", Kind::Text),
    column("index", Kind::U32),
    column("lca", Kind::F64),
    optional("lca_validation", Kind::F64),
    column("helping", Kind::U32),
    column("hurting", Kind::U32),
    column("zero", Kind::U32),
    column("step_sign_changes", Kind::U32),
    column("gradient_sign_changes", Kind::U32),
    column("initial", Kind::F32),
    column("final", Kind::F32),
    column("step_sign", Kind::I8),
    column("gradient_sign", Kind::I8),
];

const HISTOGRAMS: &[Column] = &[
    column("window_start", Kind::U64),
    column("window_end", Kind::U64),
    column("tensor", Kind::Text),
    optional("from", Kind::F64),
    optional("to", Kind::F64),
    column("count", Kind::U64),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The cells of the lines that look like a table's, below a heading.
    fn documented(heading: &str) -> Vec<Vec<String>> {
        let document = include_str!("../../docs/schema.md");
        let (_, section) = document
            .split_once(&format!("### `{heading}`\n"))
            .expect(heading);
        section
            .lines()
            .take_while(|line| !line.starts_with('#'))
            .filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'))
            .map(|line| line.split('|').map(|cell| cell.trim().to_owned()).collect())
            .skip(2)
            .collect()
    }

    fn word(kind: Kind) -> &'static str {
        match kind {
            Kind::U64 => "u64",
            Kind::U32 => "u32",
            Kind::U16 => "u16",
            Kind::I32 => "i32",
            Kind::I8 => "i8",
            Kind::F64 => "f64",
            Kind::F32 => "f32",
            Kind::Bool => "bool",
            Kind::Text => "string",
        }
    }

    #[test]
    fn the_document_describes_every_column_of_every_table_and_no_other() {
        for table in Table::ALL {
            let rows = documented(table.name());
            let described: Vec<(&str, &str, bool)> = rows
                .iter()
                .map(|row| (row[0].as_str(), row[1].as_str(), row[2] != "never"))
                .collect();
            let columns: Vec<(&str, &str, bool)> = table
                .columns()
                .iter()
                .map(|column| (column.name, word(column.kind), column.nullable))
                .collect();
            assert_eq!(described, columns, "{table}");
            assert!(
                rows.iter().all(|row| row.len() == 5 && !row[4].is_empty()),
                "{table}"
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
