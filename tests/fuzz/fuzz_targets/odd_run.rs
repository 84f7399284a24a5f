//! Runs and files that hold what no recorder writes.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use arrow::array::{
    Array, ArrayRef, BooleanArray, Float32Array, Float64Array, Int8Array, Int32Array, StringArray,
    UInt16Array, UInt32Array, UInt64Array, new_null_array,
};
use arrow::compute::{interleave, take};
use arrow::datatypes::DataType;
use burn_lca::{Run, Table};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use parquet::file::metadata::ParquetMetaDataReader;
use serde_json::{Map, Value, json};
use tempfile::tempdir;

use crate::fixture::{Fixture, checksums, sealed};

/// Texts in place of names.
const TEXTS: [&str; 16] = [
    "training",
    "validation",
    "fc1.weight",
    "fc1.bias",
    "fc2.weight",
    "fc2",
    "weight",
    "a.b.c.weight",
    "",
    ".",
    "\u{1b}[2J\u{202e}</script>\u{fffe}\r\n\t",
    "'\"&<>,;",
    "failed",
    "running",
    "stratified",
    "NaN",
];

/// Numbers at the ends of what types hold.
const WHOLE_NUMBERS: [u64; 16] = [
    0,
    1,
    2,
    3,
    39,
    40,
    255,
    65_536,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    1 << 40,
    (1 << 53) + 1,
    1 << 63,
    u64::MAX,
];

const NUMBERS: [f64; 12] = [
    0.0,
    -0.0,
    1.0,
    -1e-3,
    1e-300,
    1e300,
    f64::MAX,
    f64::MIN,
    f64::MIN_POSITIVE,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
];

/// Every field that `run.json` may have, as a run is read that says little.
static EVERY_FIELD: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    let folder = tempdir().expect("a temporary folder");
    Fixture::default().write(folder.path());
    let run = Run::open(folder.path()).expect("a run");
    let mut fields = match serde_json::to_value(run.info()) {
        Ok(Value::Object(fields)) => fields,
        other => panic!("run.json is no object: {other:?}"),
    };
    fields.insert(
        "epochs".into(),
        json!([{"epoch": 1, "next_iteration": 2}, {"epoch": 2, "next_iteration": 4}]),
    );
    fields.insert(
        "totals".into(),
        json!({"steps": 4, "capped": 1, "not_finite": 0}),
    );
    fields.insert("seeds".into(), json!({"sample": 3}));
    fields.insert("reason".into(), json!("the disk is full"));
    fields.remove("checksum");
    fields
});

/// Writes a run whose files fit each other, and say odd things.
pub fn write(input: &mut Unstructured, folder: &Path) -> Result<()> {
    let fixture = fixture(input)?;
    let mut said = EVERY_FIELD.clone();
    if let Value::Object(fields) = fixture.info() {
        said.extend(fields);
    }
    for tensor in said["tensors"].as_array_mut().into_iter().flatten() {
        if one_in(4, input)? {
            reshape(tensor, input)?;
        }
    }
    let mut said = Value::Object(said);
    for _ in 0..few(input)? {
        edit_value(&mut said, input)?;
    }
    if !said.is_object() {
        said = json!({});
    }
    let mut failed = None;
    fixture.write_changed(folder, &sealed(&said.to_string()), |table, columns| {
        let changed = changed(table, columns.clone(), input);
        changed.unwrap_or_else(|error| {
            failed = Some(error);
            columns
        })
    });
    failed.map_or(Ok(()), Err)
}

fn fixture(input: &mut Unstructured) -> Result<Fixture> {
    let mut tensors = Fixture::default().tensors;
    if one_in(3, input)? {
        tensors.clear();
        for _ in 0..input.int_in_range(0..=5)? {
            let path = (*input.choose(&TEXTS)?).to_owned();
            tensors.push((path, input.int_in_range(0..=39)?));
        }
    }
    Ok(Fixture {
        tensors,
        steps: *input.choose(&[4, 0, 1, 2, 9, 40, 80])?,
        classes: input.int_in_range(0..=4)?,
        validation: input.arbitrary()?,
        sampled: input.arbitrary()?,
        packed: input.arbitrary()?,
        state: *input.choose(&["running", "finished", "interrupted", "failed"])?,
        every_number: sometimes(input, number)?,
        every_count: sometimes(input, whole_number)?,
        every_index: sometimes(input, |input| Ok(whole_number(input)? as u32))?,
        every_span: sometimes(input, whole_number)?.unwrap_or(1),
        first_iteration: sometimes(input, whole_number)?.unwrap_or(0),
        first_row: sometimes(input, whole_number)?.unwrap_or(0),
        ..Fixture::default()
    })
}

/// Returns something in one of eight cases.
fn sometimes<'a, T>(
    input: &mut Unstructured<'a>,
    of: impl FnOnce(&mut Unstructured<'a>) -> Result<T>,
) -> Result<Option<T>> {
    one_in(8, input)?.then(|| of(input)).transpose()
}

/// Returns whether it is one of so many cases; it is not where no input is left.
pub fn one_in(cases: u8, input: &mut Unstructured) -> Result<bool> {
    Ok(input.int_in_range(1..=cases)? == cases)
}

/// Returns how many edits there are: often none.
fn few(input: &mut Unstructured) -> Result<u8> {
    Ok(input.int_in_range(0..=7_u8)?.saturating_sub(3))
}

fn whole_number(input: &mut Unstructured) -> Result<u64> {
    if one_in(4, input)? {
        return input.arbitrary();
    }
    input.choose(&WHOLE_NUMBERS).copied()
}

fn number(input: &mut Unstructured) -> Result<f64> {
    if one_in(4, input)? {
        return input.arbitrary();
    }
    input.choose(&NUMBERS).copied()
}

/// Gives a tensor another shape, of as many parameters or of any number, that it agrees with.
fn reshape(tensor: &mut Value, input: &mut Unstructured) -> Result<()> {
    let size = tensor["parameters"].as_u64().unwrap_or(0);
    let mut shape = Vec::new();
    for _ in 0..input.int_in_range(0..=4)? {
        shape.push(if one_in(3, input)? {
            whole_number(input)?
        } else {
            input.int_in_range(1..=3)?
        });
    }
    let product = |shape: &[u64]| {
        shape
            .iter()
            .fold(1_u64, |all, axis| all.wrapping_mul(*axis))
    };
    if input.arbitrary()? {
        let others = product(&shape);
        shape.push(size / others.max(1));
    }
    let axis = sometimes(input, |input| input.choose_index(shape.len().max(1)))?.unwrap_or(0);
    tensor["parameters"] = json!(product(&shape));
    tensor["units"] = json!(shape.get(axis).unwrap_or(&1));
    tensor["unit_axis"] = json!(shape.get(axis).map(|_| axis));
    tensor["shape"] = json!(shape);
    Ok(())
}

/// Changes a value somewhere inside another.
fn edit_value(value: &mut Value, input: &mut Unstructured) -> Result<()> {
    let stop = one_in(4, input)?;
    match value {
        Value::Array(values) if !stop && !values.is_empty() => {
            let at = input.choose_index(values.len())?;
            match input.int_in_range(0..=9)? {
                0 => drop(values.remove(at)),
                1 => values.push(values[at].clone()),
                _ => edit_value(&mut values[at], input)?,
            }
        }
        Value::Object(fields) if !stop && !fields.is_empty() => {
            let names: Vec<String> = fields.keys().cloned().collect();
            let name = input.choose(&names)?;
            match input.int_in_range(0..=9)? {
                0 => drop(fields.remove(name)),
                _ => edit_value(&mut fields[name], input)?,
            }
        }
        value => *value = odd_value(input)?,
    }
    Ok(())
}

fn odd_value(input: &mut Unstructured) -> Result<Value> {
    Ok(match input.int_in_range(0..=9)? {
        0 => Value::Null,
        1 => json!(input.arbitrary::<bool>()?),
        2 => json!([]),
        3 => json!({}),
        4 => json!([whole_number(input)?, whole_number(input)?]),
        5 => json!(number(input)?),
        6 => json!(whole_number(input)? as i64),
        7 | 8 => json!(input.choose(&TEXTS)?),
        _ => json!(whole_number(input)?),
    })
}

/// Changes some cells of a table, and how its rows follow on each other.
fn changed(
    table: Table,
    mut columns: Vec<ArrayRef>,
    input: &mut Unstructured,
) -> Result<Vec<ArrayRef>> {
    let schema = table.schema();
    for _ in 0..few(input)? {
        let rows = columns[0].len();
        if rows == 0 {
            break;
        }
        let column = input.choose_index(columns.len())?;
        let first = input.choose_index(rows)?;
        let last = first + input.choose_index(rows - first)?;
        if one_in(4, input)? {
            let places = odd_order(rows, first, last, input)?;
            columns = columns
                .iter()
                .map(|column| take(column, &places, None).expect("rows that are there"))
                .collect();
            continue;
        }
        let old = &columns[column];
        let nullable = schema.field(column).is_nullable();
        let cell = cell(old.data_type(), nullable, input)?;
        let edited: Vec<(usize, usize)> = (0..rows)
            .map(|row| {
                if (first..=last).contains(&row) {
                    (1, 0)
                } else {
                    (0, row)
                }
            })
            .collect();
        columns[column] = interleave(&[&**old, &*cell], &edited).expect("cells of one type");
    }
    Ok(columns)
}

/// Returns the rows of a table with some of them left out, doubled, or last.
fn odd_order(
    rows: usize,
    first: usize,
    last: usize,
    input: &mut Unstructured,
) -> Result<UInt32Array> {
    let all = || 0..rows as u32;
    let some = || first as u32..last as u32 + 1;
    let others = all().filter(|row| !some().contains(row));
    Ok(match input.int_in_range(0..=2)? {
        0 => others.collect::<Vec<u32>>(),
        1 => all().chain(some()).collect(),
        _ => others.chain(some()).collect(),
    }
    .into())
}

/// Returns one cell of a type.
fn cell(data_type: &DataType, nullable: bool, input: &mut Unstructured) -> Result<ArrayRef> {
    if nullable && one_in(4, input)? {
        return Ok(new_null_array(data_type, 1));
    }
    Ok(match data_type {
        DataType::Utf8 => Arc::new(StringArray::from(vec![*input.choose(&TEXTS)?])),
        DataType::Boolean => Arc::new(BooleanArray::from(vec![input.arbitrary::<bool>()?])),
        DataType::Float32 => Arc::new(Float32Array::from(vec![number(input)? as f32])),
        DataType::Float64 => Arc::new(Float64Array::from(vec![number(input)?])),
        DataType::Int8 => Arc::new(Int8Array::from(vec![whole_number(input)? as i8])),
        DataType::Int32 => Arc::new(Int32Array::from(vec![whole_number(input)? as i32])),
        DataType::UInt16 => Arc::new(UInt16Array::from(vec![whole_number(input)? as u16])),
        DataType::UInt32 => Arc::new(UInt32Array::from(vec![whole_number(input)? as u32])),
        DataType::UInt64 => Arc::new(UInt64Array::from(vec![whole_number(input)?])),
        other => panic!("no cell of type {other}"),
    })
}

/// Returns bytes with some replaced, at places that are counted from the end, where a Parquet file
/// says what it holds.
pub fn edited(bytes: &[u8], input: &mut Unstructured) -> Result<Vec<u8>> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=input.int_in_range(0..=7_u8)? {
        let place = input.choose_index(bytes.len())?;
        let place = bytes.len() - 1 - place;
        bytes[place] = input.arbitrary()?;
    }
    Ok(bytes)
}

/// Returns a part whose checksums fit what it holds, if they can be computed.
pub fn resealed(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    let end = bytes.len().checked_sub(8)?;
    let length = u32::from_le_bytes(bytes[end..end + 4].try_into().ok()?);
    let start = end.checked_sub(length as usize)?;
    let metadata = ParquetMetaDataReader::decode_metadata(&bytes[start..end]).ok()?;
    let within = |start: i64, length: i64| {
        start >= 0
            && length >= 0
            && start
                .checked_add(length)
                .is_some_and(|end| end <= bytes.len() as i64)
    };
    let mut columns = metadata
        .row_groups()
        .iter()
        .flat_map(|group| group.columns());
    let fits = columns.all(|column| {
        let start = column
            .dictionary_page_offset()
            .unwrap_or_else(|| column.data_page_offset());
        within(start, column.compressed_size())
    });
    if !fits {
        return None;
    }
    let sums = checksums(metadata.row_groups(), &bytes);
    let notes = metadata.file_metadata().key_value_metadata()?;
    for (key, sum) in ["burn_lca.checksums", "burn_lca.bounds"]
        .into_iter()
        .zip(sums)
    {
        let old = notes.iter().find(|note| note.key == key)?.value.clone()?;
        let place = bytes
            .windows(old.len())
            .rposition(|window| window == old.as_bytes())?;
        if sum.len() != old.len() {
            return None;
        }
        bytes[place..place + sum.len()].copy_from_slice(sum.as_bytes());
    }
    Some(bytes)
}
