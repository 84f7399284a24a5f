//! Runs written from what docs/schema.md says, without the crate's own writer.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int8Array, Int32Array, StringArray,
    UInt16Array, UInt32Array, UInt64Array,
};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use burn_lca::Table;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};

/// A run whose every parameter helps by the same at every step, but for those of `fc2`, which
/// hurt by half as much.
pub struct Run {
    pub steps: u64,
    /// Paths of tensors, each with 4 parameters.
    pub tensors: Vec<&'static str>,
    /// LCA of a helping parameter at a step.
    pub lca: f64,
    pub state: &'static str,
    pub tables: Vec<Table>,
}

impl Default for Run {
    fn default() -> Self {
        Self {
            steps: 30,
            tensors: vec!["fc1.weight", "fc1.bias", "fc2.weight"],
            lca: -0.001,
            state: "finished",
            tables: Table::ALL.to_vec(),
        }
    }
}

const SIZE: u64 = 4;

impl Run {
    pub fn write(&self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("run.json"), self.info().to_string()).unwrap();
        for table in &self.tables {
            let rows = self.rows(*table);
            if !rows.is_empty() {
                write_part(folder, *table, &rows);
            }
        }
    }

    fn info(&self) -> Value {
        let tensors = self.tensors.iter().map(|path| {
            json!({
                "path": path, "shape": [SIZE], "parameters": SIZE,
                "unit_axis": 0, "units": SIZE, "trainable": true,
            })
        });
        let classes =
            [0, 1].map(|index| json!({"index": index, "name": index.to_string(), "examples": 50}));
        json!({
            "schema_version": 1, "crate_version": "0.1.0", "state": self.state,
            "created": 1000, "updated": 1100,
            "tensors": tensors.collect::<Vec<_>>(),
            "probes": [{"name": "training", "examples": 100, "chunk_size": 50, "chunks": 2, "classes": classes}],
        })
    }

    fn lca(&self, tensor: &str) -> f64 {
        if tensor.starts_with("fc2") {
            self.lca * -0.5
        } else {
            self.lca
        }
    }

    fn rows(&self, table: Table) -> Vec<Value> {
        let mut rows = Vec::new();
        let sum: f64 = self
            .tensors
            .iter()
            .map(|tensor| SIZE as f64 * self.lca(tensor))
            .sum();
        let of_sign = |helping: bool| {
            let tensors = self
                .tensors
                .iter()
                .filter(|tensor| (self.lca(tensor) < 0.0) == helping);
            SIZE * tensors.count() as u64
        };
        for iteration in 0..self.steps {
            let (before, after) = (
                2.5 + sum * iteration as f64,
                2.5 + sum * (iteration + 1) as f64,
            );
            match table {
                Table::Steps => rows.push(json!({
                    "iteration": iteration, "epoch": 1, "probe": "training",
                    "loss_before": number(before), "loss_after": number(after),
                    "lca": number(sum), "residual": 0.0, "buffers": null, "splits": 1,
                    "sweeps": 1, "capped": false, "helping": of_sign(true),
                    "hurting": of_sign(false), "zero": 0, "lca_helping": 0.0,
                    "lca_hurting": 0.0, "learning_rate": 0.1, "probe_seconds": 0.5,
                })),
                Table::Classes => rows.extend([0, 1].map(|class| {
                    json!({
                        "iteration": iteration, "probe": "training", "class": class,
                        "examples": 50, "loss_before": number(before),
                        "loss_after": number(after), "lca": number(sum), "residual": 0.0,
                    })
                })),
                _ => {}
            }
            for tensor in &self.tensors {
                let lca = self.lca(tensor);
                match table {
                    Table::Tensors => rows.extend([Value::Null, json!(0), json!(1)].map(|class| {
                        json!({
                            "iteration": iteration, "probe": "training", "class": class,
                            "tensor": tensor, "lca": number(SIZE as f64 * lca),
                            "helping": if lca < 0.0 { SIZE } else { 0 },
                            "hurting": if lca < 0.0 { 0 } else { SIZE }, "zero": 0,
                            "step_norm": 0.02, "gradient_norm": 0.2,
                        })
                    })),
                    Table::Units => rows.extend((0..SIZE).map(|unit| {
                        json!({
                            "iteration": iteration, "tensor": tensor, "unit": unit,
                            "lca": number(lca),
                        })
                    })),
                    Table::Parameters => rows.extend((0..SIZE).map(|index| {
                        json!({
                            "iteration": iteration, "tensor": tensor, "index": index,
                            "lca": number(lca), "step": -0.01, "gradient": 0.1,
                        })
                    })),
                    _ => {}
                }
            }
        }
        for tensor in self.tensors.iter().filter(|_| self.steps > 0) {
            let (lca, steps) = (self.lca(tensor), self.steps);
            match table {
                Table::ParameterTotals => rows.extend((0..SIZE).map(|index| {
                    json!({
                        "tensor": tensor, "index": index, "lca": number(lca * steps as f64),
                        "lca_validation": null, "helping": if lca < 0.0 { steps } else { 0 },
                        "hurting": if lca < 0.0 { 0 } else { steps }, "zero": 0,
                        "step_turns": 0, "gradient_turns": 0, "initial": 0.0, "final": -0.1,
                        "step_sign": -1, "gradient_sign": 1,
                    })
                })),
                Table::Histograms => rows.push(json!({
                    "window_start": 0, "window_end": steps, "tensor": tensor,
                    "from": if lca < 0.0 { -0.001_778_28 } else { 0.000_316_23 },
                    "to": if lca < 0.0 { -0.000_999 } else { 0.000_562_34 },
                    "count": steps * SIZE,
                })),
                _ => {}
            }
        }
        rows
    }
}

/// JSON has no NaN: a text stands for it.
fn number(value: f64) -> Value {
    if value.is_finite() {
        json!(value)
    } else {
        json!("NaN")
    }
}

/// Writes rows as the only part of a table.
pub fn write_part(folder: &Path, table: Table, rows: &[Value]) {
    let schema = table.schema();
    let columns = schema.fields().iter().map(|field| {
        let cells: Vec<&Value> = rows.iter().map(|row| &row[field.name()]).collect();
        column(field.data_type(), &cells)
    });
    let batch = RecordBatch::try_new(schema.clone(), columns.collect()).unwrap();
    let entries = [
        ("burn_lca.schema_version", "1"),
        ("burn_lca.table", table.name()),
    ];
    let entries = entries.map(|(key, value)| KeyValue::new(key.into(), value.to_owned()));
    let properties = WriterProperties::builder()
        .set_key_value_metadata(Some(entries.into()))
        .build();
    let options = ArrowWriterOptions::new().with_properties(properties);
    fs::create_dir_all(folder.join(table.name())).unwrap();
    let name = match table {
        Table::ParameterTotals => "snapshot.parquet",
        _ => "0000000000-0000000000-000001.parquet",
    };
    let path = folder.join(table.name()).join(name);
    let mut writer =
        ArrowWriter::try_new_with_options(File::create(&path).unwrap(), batch.schema(), options)
            .unwrap();
    writer.write(&batch).unwrap();
    writer.flush().unwrap();
    writer.sync().unwrap();
    let mut bytes = Vec::new();
    File::open(&path).unwrap().read_to_end(&mut bytes).unwrap();
    let mut lines = Vec::new();
    for group in writer.flushed_row_groups() {
        let words = group.columns().iter().map(|chunk| {
            let start = chunk
                .dictionary_page_offset()
                .unwrap_or(chunk.data_page_offset()) as usize;
            let mut sum = fnv(0xcbf2_9ce4_8422_2325, &group.num_rows().to_le_bytes());
            if let Some(statistics) = chunk.statistics() {
                sum = fnv(sum, statistics.min_bytes_opt().unwrap_or_default());
                sum = fnv(sum, statistics.max_bytes_opt().unwrap_or_default());
            }
            let end = start + chunk.compressed_size() as usize;
            format!("{:016x}", fnv(sum, &bytes[start..end]))
        });
        lines.push(words.collect::<Vec<_>>().join(" "));
    }
    writer.append_key_value_metadata(KeyValue::new("burn_lca.checksums".into(), lines.join("\n")));
    writer.close().unwrap();
}

fn fnv(sum: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(sum, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn column(kind: &DataType, cells: &[&Value]) -> ArrayRef {
    let cells = cells.iter();
    let float = |cell: &&Value| cell.as_f64().or(cell.is_string().then_some(f64::NAN));
    let whole = |cell: &&Value| cell.as_i64();
    match kind {
        DataType::UInt64 => Arc::new(UInt64Array::from_iter(cells.map(|cell| cell.as_u64()))),
        DataType::UInt32 => Arc::new(UInt32Array::from_iter(
            cells.map(|cell| Some(whole(cell)? as u32)),
        )),
        DataType::UInt16 => Arc::new(UInt16Array::from_iter(
            cells.map(|cell| Some(whole(cell)? as u16)),
        )),
        DataType::Int32 => Arc::new(Int32Array::from_iter(
            cells.map(|cell| Some(whole(cell)? as i32)),
        )),
        DataType::Int8 => Arc::new(Int8Array::from_iter(
            cells.map(|cell| Some(whole(cell)? as i8)),
        )),
        DataType::Float64 => Arc::new(Float64Array::from_iter(cells.map(float))),
        DataType::Float32 => Arc::new(Float32Array::from_iter(
            cells.map(|cell| Some(float(cell)? as f32)),
        )),
        DataType::Boolean => Arc::new(BooleanArray::from_iter(cells.map(|cell| cell.as_bool()))),
        _ => Arc::new(StringArray::from_iter(cells.map(|cell| cell.as_str()))),
    }
}
