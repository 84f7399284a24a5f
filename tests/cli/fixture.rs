//! Runs on disk as `docs/schema.md` describes them, written without the crate's own writer.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int8Array, Int32Array, StringArray,
    UInt16Array, UInt32Array, UInt64Array,
};
use arrow::record_batch::RecordBatch;
use burn_lca::Table;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::file::metadata::KeyValue;
use serde_json::json;

/// What is written as a run.
#[derive(Debug, Clone)]
pub struct Fixture {
    /// Paths and numbers of parameters; every parameter is a unit.
    pub tensors: Vec<(String, u32)>,
    pub steps: u64,
    pub classes: i32,
    pub validation: bool,
    pub state: &'static str,
    /// The version that files and `run.json` claim.
    pub schema_version: u32,
    /// Stands in for every LCA, loss, step and gradient.
    pub every_number: Option<f64>,
    /// Stands in for every count.
    pub every_count: Option<u64>,
    /// Stands in for every index of a parameter or unit.
    pub every_index: Option<u32>,
    /// Added to every iteration.
    pub first_iteration: u64,
}

impl Default for Fixture {
    fn default() -> Self {
        Self {
            tensors: [
                ("fc1.weight", 6),
                ("fc1.bias", 2),
                ("fc2.weight", 4),
                ("fc2.bias", 2),
            ]
            .map(|(path, size)| (path.into(), size))
            .into(),
            steps: 60,
            classes: 2,
            validation: true,
            state: "finished",
            schema_version: 1,
            every_number: None,
            every_count: None,
            every_index: None,
            first_iteration: 0,
        }
    }
}

/// Where a number is in a run.
#[derive(Clone, Copy)]
struct At {
    step: u64,
    tensor: usize,
    index: u32,
    class: Option<i32>,
    validation: bool,
}

impl Fixture {
    /// Writes the run into a folder.
    pub fn write(&self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("run.json"), self.info().to_string()).unwrap();
        for table in Table::ALL {
            let columns = self.columns(table);
            if columns[0].is_empty() {
                continue;
            }
            fs::create_dir_all(folder.join(table.name())).unwrap();
            fs::write(part_path(folder, table), self.part(table, columns)).unwrap();
        }
    }

    fn info(&self) -> serde_json::Value {
        let count = |count: u64| self.every_count.unwrap_or(count);
        let tensors = self.tensors.iter().map(|(path, size)| {
            json!({
                "path": path, "shape": [size], "parameters": count((*size).into()),
                "unit_axis": 0, "units": size, "trainable": true,
            })
        });
        let classes: Vec<_> = (0..self.classes)
            .map(|class| json!({"index": class, "name": format!("c{class}"), "examples": 10}))
            .collect();
        let probes = self.probes().map(|(name, _)| {
            json!({
                "name": name, "examples": count(20), "chunk_size": 20, "chunks": 1,
                "classes": classes,
            })
        });
        json!({
            "schema_version": self.schema_version, "crate_version": "0.1.0", "state": self.state,
            "created": 1_700_000_000, "updated": 1_700_000_060, "model": "made up",
            "tensors": tensors.collect::<Vec<_>>(), "probes": probes.collect::<Vec<_>>(),
            "device": "none", "a_field_of_the_future": [1, 2],
        })
    }

    fn probes(&self) -> impl Iterator<Item = (&'static str, bool)> + use<> {
        let all = [("training", false), ("validation", true)];
        all.into_iter().take(1 + usize::from(self.validation))
    }

    /// The first tensor helps and the last hurts, by amounts that differ from step to step; what
    /// is of all classes is the mean over them.
    fn lca(&self, at: At) -> f64 {
        if let Some(number) = self.every_number {
            return number;
        }
        let Some(class) = at.class else {
            let of = |class| {
                self.lca(At {
                    class: Some(class),
                    ..at
                })
            };
            return (0..self.classes.max(1)).map(of).sum::<f64>() / f64::from(self.classes.max(1));
        };
        let phase = at.step as f64 * 1.7 + f64::from(at.index) * 0.9 + f64::from(class);
        let sign = if at.tensor + 1 == self.tensors.len() {
            1.0
        } else {
            -1.0
        };
        let scale = if at.validation { 0.75 } else { 1.0 };
        scale * 1e-3 * (0.25 * sign + phase.sin())
    }

    fn tensor_lca(&self, at: At) -> f64 {
        (0..self.tensors[at.tensor].1)
            .map(|index| self.lca(At { index, ..at }))
            .sum()
    }

    fn all_lca(&self, at: At) -> f64 {
        let tensors = 0..self.tensors.len();
        tensors
            .map(|tensor| self.tensor_lca(At { tensor, ..at }))
            .sum()
    }

    /// The loss before a step.
    fn loss(&self, step: u64, class: Option<i32>, validation: bool) -> f64 {
        let at = |step| At {
            step,
            tensor: 0,
            index: 0,
            class,
            validation,
        };
        2.0 + (0..step).map(|step| self.all_lca(at(step))).sum::<f64>()
    }

    /// How many of some parameters help, hurt and do neither.
    fn counts(&self, at: At, tensors: std::ops::Range<usize>) -> [u64; 3] {
        let mut counts = [0; 3];
        for tensor in tensors {
            for index in 0..self.tensors[tensor].1 {
                let lca = self.lca(At {
                    tensor,
                    index,
                    ..at
                });
                counts[if lca < 0.0 {
                    0
                } else if lca > 0.0 {
                    1
                } else {
                    2
                }] += 1;
            }
        }
        self.every_count.map_or(counts, |count| [count; 3])
    }

    fn columns(&self, table: Table) -> Vec<ArrayRef> {
        match table {
            Table::Steps => self.steps(),
            Table::Tensors => self.tensors(),
            Table::Classes => self.classes(),
            Table::Units => self.units(),
            Table::Parameters => self.parameters(),
            Table::ParameterTotals => self.totals(),
            Table::Histograms => self.histograms(),
            table => panic!("no fixture of table {table}"),
        }
    }

    /// The steps and probes that rows are about, with a place to begin from.
    fn moments(&self) -> impl Iterator<Item = (&'static str, At)> {
        (0..self.steps).flat_map(|step| {
            self.probes().map(move |(probe, validation)| {
                (
                    probe,
                    At {
                        step,
                        tensor: 0,
                        index: 0,
                        class: None,
                        validation,
                    },
                )
            })
        })
    }

    /// Every parameter at every step.
    fn each(&self) -> Vec<At> {
        let mut all = Vec::new();
        for step in 0..self.steps {
            for (tensor, (_, size)) in self.tensors.iter().enumerate() {
                for index in 0..*size {
                    all.push(At {
                        step,
                        tensor,
                        index,
                        class: None,
                        validation: false,
                    });
                }
            }
        }
        all
    }

    fn steps(&self) -> Vec<ArrayRef> {
        let rows: Vec<_> = self.moments().collect();
        let n = rows.len();
        let counts: Vec<_> = rows
            .iter()
            .map(|(_, at)| self.counts(*at, 0..self.tensors.len()))
            .collect();
        let signed = |sign: f64| {
            f64s(rows.iter().map(|(_, at)| {
                self.every_number.unwrap_or_else(|| {
                    let mut sum = 0.0;
                    for (tensor, (_, size)) in self.tensors.iter().enumerate() {
                        for index in 0..*size {
                            sum += (sign
                                * self.lca(At {
                                    tensor,
                                    index,
                                    ..*at
                                }))
                            .max(0.0);
                        }
                    }
                    sign * sum
                })
            }))
        };
        vec![
            self.iterations(rows.iter().map(|(_, at)| at.step)),
            Arc::new(UInt32Array::from(vec![1; n])),
            texts(rows.iter().map(|(probe, _)| *probe)),
            f64s(
                rows.iter()
                    .map(|(_, at)| self.loss(at.step, None, at.validation)),
            ),
            f64s(
                rows.iter()
                    .map(|(_, at)| self.loss(at.step + 1, None, at.validation)),
            ),
            f64s(rows.iter().map(|(_, at)| self.all_lca(*at))),
            f64s(rows.iter().map(|_| self.every_number.unwrap_or(0.0))),
            Arc::new(Float64Array::from(vec![None; n])),
            Arc::new(UInt16Array::from(vec![1; n])),
            Arc::new(UInt16Array::from(vec![3; n])),
            Arc::new(BooleanArray::from(vec![false; n])),
            u64s(counts.iter().map(|counts| counts[0])),
            u64s(counts.iter().map(|counts| counts[1])),
            u64s(counts.iter().map(|counts| counts[2])),
            signed(-1.0),
            signed(1.0),
            f64s(rows.iter().map(|_| 0.05)),
            f64s(rows.iter().map(|_| self.every_number.unwrap_or(0.125))),
        ]
    }

    fn tensors(&self) -> Vec<ArrayRef> {
        let mut rows = Vec::new();
        for (probe, at) in self.moments() {
            for class in std::iter::once(None).chain((0..self.classes).map(Some)) {
                for tensor in 0..self.tensors.len() {
                    rows.push((
                        probe,
                        At {
                            class,
                            tensor,
                            ..at
                        },
                    ));
                }
            }
        }
        let count = |place: usize| {
            u64s(
                rows.iter()
                    .map(|(_, at)| self.counts(*at, at.tensor..at.tensor + 1)[place]),
            )
        };
        let norm = |scale: f64| {
            f64s(rows.iter().map(|(_, at)| {
                self.every_number
                    .unwrap_or(scale * (1.5 + (at.step as f64 * 2.3).sin()))
            }))
        };
        vec![
            self.iterations(rows.iter().map(|(_, at)| at.step)),
            texts(rows.iter().map(|(probe, _)| *probe)),
            Arc::new(Int32Array::from_iter(rows.iter().map(|(_, at)| at.class))),
            self.paths(rows.iter().map(|(_, at)| at.tensor)),
            f64s(rows.iter().map(|(_, at)| self.tensor_lca(*at))),
            count(0),
            count(1),
            count(2),
            norm(0.01),
            norm(0.1),
        ]
    }

    fn classes(&self) -> Vec<ArrayRef> {
        let mut rows = Vec::new();
        for (probe, at) in self.moments() {
            rows.extend((0..self.classes).map(|class| {
                (
                    probe,
                    class,
                    At {
                        class: Some(class),
                        ..at
                    },
                )
            }));
        }
        vec![
            self.iterations(rows.iter().map(|(_, _, at)| at.step)),
            texts(rows.iter().map(|(probe, _, _)| *probe)),
            Arc::new(Int32Array::from_iter(
                rows.iter().map(|(_, class, _)| *class),
            )),
            u64s(rows.iter().map(|_| self.every_count.unwrap_or(10))),
            f64s(
                rows.iter()
                    .map(|(_, _, at)| self.loss(at.step, at.class, at.validation)),
            ),
            f64s(
                rows.iter()
                    .map(|(_, _, at)| self.loss(at.step + 1, at.class, at.validation)),
            ),
            f64s(rows.iter().map(|(_, _, at)| self.all_lca(*at))),
            f64s(rows.iter().map(|_| self.every_number.unwrap_or(0.0))),
        ]
    }

    fn units(&self) -> Vec<ArrayRef> {
        let rows = self.each();
        vec![
            self.iterations(rows.iter().map(|at| at.step)),
            self.paths(rows.iter().map(|at| at.tensor)),
            self.places(&rows),
            f32s(rows.iter().map(|at| self.lca(*at))),
        ]
    }

    fn parameters(&self) -> Vec<ArrayRef> {
        let rows = self.each();
        let moved = |at: &At| {
            self.every_number
                .unwrap_or((at.step as f64 * 0.7).sin() * 1e-2)
        };
        let slope = |at: &At| {
            self.every_number
                .unwrap_or((at.step as f64 * 1.1).cos() * 1e-1)
        };
        vec![
            self.iterations(rows.iter().map(|at| at.step)),
            self.paths(rows.iter().map(|at| at.tensor)),
            self.places(&rows),
            f32s(rows.iter().map(|at| self.lca(*at))),
            f32s(rows.iter().map(moved)),
            f32s(rows.iter().map(slope)),
        ]
    }

    fn totals(&self) -> Vec<ArrayRef> {
        let rows: Vec<At> = self.each().into_iter().filter(|at| at.step == 0).collect();
        let sum = |at: &At, validation| -> f64 {
            let steps = 0..self.steps;
            steps
                .map(|step| {
                    self.lca(At {
                        step,
                        validation,
                        ..*at
                    })
                })
                .sum()
        };
        let count = |sign: fn(f64) -> bool| -> ArrayRef {
            Arc::new(UInt32Array::from_iter_values(rows.iter().map(|at| {
                let steps =
                    (0..self.steps).filter(|step| sign(self.lca(At { step: *step, ..*at })));
                self.every_count
                    .map_or(steps.count() as u32, |count| count as u32)
            })))
        };
        let turns = || -> ArrayRef {
            let turns = self
                .every_count
                .map_or(self.steps as u32 / 4, |count| count as u32);
            Arc::new(UInt32Array::from(vec![turns; rows.len()]))
        };
        let sign = || -> ArrayRef { Arc::new(Int8Array::from(vec![1; rows.len()])) };
        vec![
            self.paths(rows.iter().map(|at| at.tensor)),
            self.places(&rows),
            f64s(rows.iter().map(|at| sum(at, false))),
            Arc::new(Float64Array::from_iter(
                rows.iter().map(|at| self.validation.then(|| sum(at, true))),
            )),
            count(|lca| lca < 0.0),
            count(|lca| lca > 0.0),
            count(|lca| lca == 0.0),
            turns(),
            turns(),
            f32s(rows.iter().map(|_| 0.5)),
            f32s(rows.iter().map(|at| {
                self.every_number
                    .unwrap_or(0.5 + 0.01 * f64::from(at.index))
            })),
            sign(),
            sign(),
        ]
    }

    /// One window; a tensor's values are all in the bin of their smallest possible size or,
    /// where they are no numbers, in the bin of these.
    fn histograms(&self) -> Vec<ArrayRef> {
        let tensors = if self.steps == 0 {
            0
        } else {
            self.tensors.len()
        };
        let finite = self.every_number.is_none_or(f64::is_finite);
        let edge = |edge: f64| -> ArrayRef {
            Arc::new(Float64Array::from(vec![finite.then_some(edge); tensors]))
        };
        let sizes = self
            .tensors
            .iter()
            .take(tensors)
            .map(|(_, size)| u64::from(*size) * self.steps);
        vec![
            self.iterations(std::iter::repeat_n(0, tensors)),
            self.iterations(std::iter::repeat_n(self.steps, tensors)),
            self.paths(0..tensors),
            edge(-1e-3),
            edge(-10f64.powf(-3.25)),
            u64s(sizes.map(|size| self.every_count.unwrap_or(size))),
        ]
    }

    fn iterations(&self, steps: impl Iterator<Item = u64>) -> ArrayRef {
        u64s(steps.map(|step| self.first_iteration.wrapping_add(step)))
    }

    fn paths(&self, tensors: impl Iterator<Item = usize>) -> ArrayRef {
        texts(tensors.map(|tensor| self.tensors[tensor].0.as_str()))
    }

    /// The parameter's index, which is its unit as well.
    fn places(&self, rows: &[At]) -> ArrayRef {
        let place = |at: &At| self.every_index.unwrap_or(at.index);
        Arc::new(UInt32Array::from_iter_values(rows.iter().map(place)))
    }

    /// Returns the bytes of a part with its metadata and checksums.
    fn part(&self, table: Table, columns: Vec<ArrayRef>) -> Vec<u8> {
        let batch = RecordBatch::try_new(table.schema(), columns).unwrap();
        let options = ArrowWriterOptions::new().with_skip_arrow_metadata(true);
        let mut writer =
            ArrowWriter::try_new_with_options(Vec::new(), table.schema(), options).unwrap();
        writer.write(&batch).unwrap();
        writer.flush().unwrap();
        writer.sync().unwrap();
        let mut sums = Vec::new();
        for group in writer.flushed_row_groups() {
            for column in group.columns() {
                let (start, length) = column.byte_range();
                let mut sum = fnv(0xcbf2_9ce4_8422_2325, &group.num_rows().to_le_bytes());
                if let Some(bounds) = column.statistics() {
                    sum = fnv(sum, bounds.min_bytes_opt().unwrap_or_default());
                    sum = fnv(sum, bounds.max_bytes_opt().unwrap_or_default());
                }
                let bytes = &writer.inner()[start as usize..(start + length) as usize];
                sums.push(format!("{:016x}", fnv(sum, bytes)));
            }
        }
        for (key, value) in [
            ("burn_lca.schema_version", self.schema_version.to_string()),
            ("burn_lca.crate_version", "0.1.0".into()),
            ("burn_lca.table", table.name().into()),
            ("burn_lca.run", self.info().to_string()),
            ("burn_lca.checksums", sums.join(" ")),
        ] {
            writer.append_key_value_metadata(KeyValue::new(key.into(), value));
        }
        writer.into_inner().unwrap()
    }
}

/// Returns where the one part of a table is.
pub fn part_path(folder: &Path, table: Table) -> std::path::PathBuf {
    let name = match table {
        Table::ParameterTotals => "snapshot.parquet",
        _ => "0000000000-0000000059-000001.parquet",
    };
    folder.join(table.name()).join(name)
}

fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn u64s(values: impl Iterator<Item = u64>) -> ArrayRef {
    Arc::new(UInt64Array::from_iter_values(values))
}

fn f64s(values: impl Iterator<Item = f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(values))
}

fn f32s(values: impl Iterator<Item = f64>) -> ArrayRef {
    Arc::new(Float32Array::from_iter_values(
        values.map(|value| value as f32),
    ))
}

fn texts<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}
