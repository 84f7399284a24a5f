//! The types that a field of a row or block can have, and the Arrow columns that they make.

use std::mem::size_of_val;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, DictionaryArray, Int32Array,
    PrimitiveArray, StringArray, StringDictionaryBuilder, new_null_array,
};
use arrow::datatypes::{
    ArrowNativeType, DataType, Float32Type, Float64Type, Int8Type, Int32Type, UInt16Type,
    UInt32Type, UInt64Type,
};

use super::columns::{BlockColumn, CellValue, ColumnType, Slicer};

impl ColumnType for bool {
    const DATA_TYPE: DataType = DataType::Boolean;
}

impl CellValue for bool {
    fn array<'a>(values: impl Iterator<Item = &'a Self>) -> ArrayRef {
        Arc::new(values.map(|value| Some(*value)).collect::<BooleanArray>())
    }
}

impl ColumnType for Arc<str> {
    const DATA_TYPE: DataType = DataType::Utf8;
}

impl CellValue for Arc<str> {
    fn array<'a>(values: impl Iterator<Item = &'a Self>) -> ArrayRef {
        let mut builder = StringDictionaryBuilder::<Int32Type>::new();
        values.for_each(|text| builder.append_value(text));
        Arc::new(builder.finish())
    }
}

impl BlockColumn for Arc<str> {
    fn slicer(self) -> Slicer {
        // Stored once.
        let text = Arc::new(StringArray::from_iter_values([&*self]));
        Box::new(move |rows| {
            let keys = Int32Array::from_value(0, rows.len());
            Arc::new(DictionaryArray::new(keys, text.clone()))
        })
    }

    fn push_column(&mut self, rows: usize, column: &dyn Array) -> Option<()> {
        let texts = column.as_string_opt::<i32>()?;
        if rows == 0 && !texts.is_empty() {
            *self = texts.value(0).into();
        }
        texts.iter().all(|text| text == Some(self)).then_some(())
    }
}

/// A number that Arrow stores as it is.
pub(super) trait Number: ArrowNativeType {
    type Arrow: ArrowPrimitiveType<Native = Self>;
}

macro_rules! numbers {
    ($($number:ty => $arrow:ty),+) => {
        $(impl Number for $number { type Arrow = $arrow; })+
    };
}

numbers!(
    u64 => UInt64Type, u32 => UInt32Type, u16 => UInt16Type, i32 => Int32Type, i8 => Int8Type,
    f64 => Float64Type, f32 => Float32Type
);

impl<T: Number> ColumnType for T {
    const DATA_TYPE: DataType = T::Arrow::DATA_TYPE;
}

impl<T: Number> CellValue for T {
    fn array<'a>(values: impl Iterator<Item = &'a Self>) -> ArrayRef
    where
        Self: 'a,
    {
        Arc::new(PrimitiveArray::<T::Arrow>::from_iter_values(
            values.copied(),
        ))
    }
}

impl<T: Number> BlockColumn for T {
    fn slicer(self) -> Slicer {
        Box::new(move |rows| Arc::new(PrimitiveArray::<T::Arrow>::from_value(self, rows.len())))
    }

    fn push_column(&mut self, rows: usize, column: &dyn Array) -> Option<()> {
        let values = column.as_primitive_opt::<T::Arrow>()?.values();
        if let (0, Some(first)) = (rows, values.first()) {
            *self = *first;
        }
        values.iter().all(|value| value == self).then_some(())
    }
}

impl<T: Number> ColumnType for Option<T> {
    const DATA_TYPE: DataType = T::DATA_TYPE;
    const NULLABLE: bool = true;
}

impl<T: Number> CellValue for Option<T> {
    fn array<'a>(values: impl Iterator<Item = &'a Self>) -> ArrayRef
    where
        Self: 'a,
    {
        Arc::new(values.copied().collect::<PrimitiveArray<T::Arrow>>())
    }
}

impl<T: Number> ColumnType for Vec<T> {
    const DATA_TYPE: DataType = T::DATA_TYPE;
}

impl<T: Number> BlockColumn for Vec<T> {
    fn length(&self) -> Option<usize> {
        Some(self.len())
    }

    fn bytes(&self) -> usize {
        size_of_val(self.as_slice())
    }

    fn slicer(self) -> Slicer {
        let values = PrimitiveArray::<T::Arrow>::new(self.into(), None);
        Box::new(move |rows| Arc::new(values.slice(rows.start, rows.len())))
    }

    fn push_column(&mut self, _rows: usize, column: &dyn Array) -> Option<()> {
        self.extend(column.as_primitive_opt::<T::Arrow>()?.values());
        Some(())
    }
}

impl<T: Number> ColumnType for Option<Vec<T>> {
    const DATA_TYPE: DataType = T::DATA_TYPE;
    const NULLABLE: bool = true;
}

/// All null, or none.
impl<T: Number> BlockColumn for Option<Vec<T>> {
    fn length(&self) -> Option<usize> {
        self.as_ref().map(Vec::len)
    }

    fn bytes(&self) -> usize {
        self.as_ref().map_or(0, Vec::bytes)
    }

    fn slicer(self) -> Slicer {
        match self {
            Some(values) => values.slicer(),
            None => Box::new(|rows| new_null_array(&T::DATA_TYPE, rows.len())),
        }
    }

    fn push_column(&mut self, rows: usize, column: &dyn Array) -> Option<()> {
        let nulls = column.null_count();
        if self.is_none() && nulls == column.len() {
            return Some(());
        }
        if self.is_none() && rows == 0 {
            *self = Some(Vec::new());
        }
        self.as_mut()
            .filter(|_| nulls == 0)?
            .push_column(rows, column)
    }
}
