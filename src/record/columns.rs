//! From the declaration of a table's rows to a struct, its columns and Arrow record batches.
//!
//! Rows come in two shapes. A *row* struct is one row. A *block* is the rows of one tensor by
//! column: a field is one value for all of them, a vector of one value each, or [`ElementIndices`].

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::datatypes::{DataType, SchemaRef, UInt32Type};
use arrow::record_batch::RecordBatch;

use crate::error::LcaError;

/// Rows of one batch at most: what long tensors are cut into, to bound memory.
const BATCH: usize = 1 << 16;

/// Declares the rows of a table, with one line per column: the field (`last as "final"` where the
/// column has another name), its type, unit and meaning, and when it is null if it can be.
///
/// Makes the struct, its `COLUMNS` and what turns it into arrays. The column lists of
/// `docs/schema.md` are written from `COLUMNS`: run the test that compares them with
/// `BURN_LCA_BLESS=1`.
macro_rules! table_rows {
    (
        $(#[$attribute:meta])*
        $shape:ident $name:ident {
            $($field:ident $(as $column:literal)?: $type:ty, $unit:literal, $meaning:literal
                $(, null $null:literal)?;)+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq)]
        pub(crate) struct $name {
            $(#[doc = $meaning] pub(crate) $field: $type,)+
        }

        impl $name {
            pub(super) const COLUMNS: &[ColumnInfo] = &[$(
                ColumnInfo::of::<$type>(
                    table_rows!(@name $field $($column)?),
                    $unit,
                    $meaning,
                    table_rows!(@null $($null)?),
                ),
            )+];
        }

        table_rows!(@$shape $name $($field)+);
    };
    (@row $name:ident $($field:ident)+) => {
        impl TableRow for $name {
            fn arrays(rows: &[Self]) -> Vec<ArrayRef> {
                vec![$(CellValue::array(rows.iter().map(|row| &row.$field)),)+]
            }
        }
    };
    (@block $name:ident $($field:ident)+) => {
        impl TableBlock for $name {
            fn lengths(&self) -> impl Iterator<Item = usize> {
                [$(self.$field.length(),)+].into_iter().flatten()
            }

            fn bytes(&self) -> usize {
                [$(self.$field.bytes(),)+].iter().sum()
            }

            fn slicers(self) -> Vec<Slicer> {
                vec![$(self.$field.slicer(),)+]
            }

            fn append(&mut self, batch: &RecordBatch) -> Option<()> {
                let rows = self.rows();
                let mut columns = batch.columns().iter();
                $(self.$field.push_column(rows, columns.next()?)?;)+
                Some(())
            }
        }
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $column:literal) => { $column };
    (@null) => { None };
    (@null $null:literal) => { Some($null) };
}
pub(super) use table_rows;

/// The type of a field, as a column has it.
pub(super) trait ColumnType {
    /// The Arrow type that readers get.
    const DATA_TYPE: DataType;
    const NULLABLE: bool = false;
}

/// A column of a table: its name and type, and what its values mean.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ColumnInfo {
    /// The name.
    pub name: &'static str,
    /// The type as [`crate::Scan`] reads it.
    pub data_type: DataType,
    /// When a value is null; `None` if it never is.
    pub null: Option<&'static str>,
    /// What the values count or are measured in, such as `loss` or `steps`; empty for none.
    pub unit: &'static str,
    /// What the values are.
    pub meaning: &'static str,
}

impl ColumnInfo {
    /// Returns the column of a field of this type.
    pub(super) const fn of<T: ColumnType>(
        name: &'static str,
        unit: &'static str,
        meaning: &'static str,
        null: Option<&'static str>,
    ) -> Self {
        assert!(
            T::NULLABLE == null.is_some(),
            "a column says when it is null if and only if it can be"
        );
        Self {
            name,
            data_type: T::DATA_TYPE,
            null,
            unit,
            meaning,
        }
    }
}

/// A field of a row.
pub(super) trait CellValue: ColumnType {
    /// Returns the column of some rows.
    fn array<'a>(values: impl Iterator<Item = &'a Self>) -> ArrayRef
    where
        Self: 'a;
}

/// A field of a block.
pub(super) trait BlockColumn: ColumnType {
    /// Returns the number of rows, if the field has a value for each.
    fn length(&self) -> Option<usize> {
        None
    }

    /// Returns how much memory the values hold, in bytes.
    fn bytes(&self) -> usize {
        0
    }

    /// Returns a function that gives the column of a range of rows, without copying values.
    fn slicer(self) -> Slicer;

    /// Adds the values of a column that follow on `rows` rows; `None` if they can't.
    fn push_column(&mut self, rows: usize, column: &dyn Array) -> Option<()>;
}

pub(super) type Slicer = Box<dyn Fn(Range<usize>) -> ArrayRef>;

/// One row of a table.
pub(super) trait TableRow: Sized {
    /// Returns the columns of some rows.
    fn arrays(rows: &[Self]) -> Vec<ArrayRef>;

    /// Hands the record batches of some rows to a function, one at a time.
    fn batches(
        rows: &[Self],
        schema: &SchemaRef,
        mut each: impl FnMut(RecordBatch) -> Result<(), LcaError>,
    ) -> Result<(), LcaError> {
        rows.chunks(BATCH)
            .try_for_each(|rows| each(batch(schema, Self::arrays(rows))?))
    }
}

/// Rows of one tensor.
pub(super) trait TableBlock: Default {
    /// Returns the number of rows by each field that has a value per row; they must agree.
    fn lengths(&self) -> impl Iterator<Item = usize>;

    /// Returns about how much memory the rows hold, in bytes.
    fn bytes(&self) -> usize;

    /// Returns what gives the columns of a range of rows.
    fn slicers(self) -> Vec<Slicer>;

    /// Adds the rows of a batch that was read from the table; `None` if they don't follow on
    /// those that are here.
    fn append(&mut self, batch: &RecordBatch) -> Option<()>;

    /// Returns the number of rows.
    fn rows(&self) -> usize {
        self.lengths().next().unwrap_or(0)
    }

    /// Hands the record batches of the rows to a function, one at a time.
    fn batches(
        self,
        schema: &SchemaRef,
        mut each: impl FnMut(RecordBatch) -> Result<(), LcaError>,
    ) -> Result<(), LcaError> {
        let rows = self.rows();
        if self.lengths().any(|length| length != rows) {
            let lengths: Vec<usize> = self.lengths().collect();
            return Err(LcaError::internal(format!(
                "columns of {lengths:?} rows in a block of {}",
                names(schema)
            )));
        }
        let slicers = self.slicers();
        for start in (0..rows).step_by(BATCH) {
            let range = start..rows.min(start + BATCH);
            let arrays = slicers.iter().map(|slice| slice(range.clone()));
            each(batch(schema, arrays.collect())?)?;
        }
        Ok(())
    }
}

fn batch(schema: &SchemaRef, columns: Vec<ArrayRef>) -> Result<RecordBatch, LcaError> {
    RecordBatch::try_new(schema.clone(), columns)
        .map_err(|error| LcaError::internal(format!("rows of {}: {error}", names(schema))))
}

/// Returns the names of a table's columns.
fn names(schema: &SchemaRef) -> String {
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| &**field.name())
        .collect();
    names.join(", ")
}

/// Which elements of a tensor the rows of a block are about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum ElementIndices {
    /// As many as there are rows, from 0.
    #[default]
    All,
    /// These, ascending.
    Chosen(Arc<[u32]>),
}

impl ColumnType for ElementIndices {
    const DATA_TYPE: DataType = DataType::UInt32;
}

impl BlockColumn for ElementIndices {
    fn length(&self) -> Option<usize> {
        match self {
            Self::All => None,
            Self::Chosen(indices) => Some(indices.len()),
        }
    }

    fn slicer(self) -> Slicer {
        Box::new(move |rows| {
            Arc::new(match &self {
                Self::All => UInt32Array::from_iter_values(rows.start as u32..rows.end as u32),
                Self::Chosen(indices) => UInt32Array::from(indices[rows].to_vec()),
            })
        })
    }

    fn push_column(&mut self, rows: usize, column: &dyn Array) -> Option<()> {
        let indices = column.as_primitive_opt::<UInt32Type>()?.values();
        let follow = (rows as u32..)
            .zip(indices)
            .all(|(row, index)| row == *index);
        (*self == Self::All && follow).then_some(())
    }
}
