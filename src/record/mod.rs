//! The record of a run: a folder of Parquet tables and a `run.json`.
//!
//! Writing goes through `RunWriter`: the training side hands over plain rows, one thread
//! turns them into part files. Reading goes through [`Run`]: one streaming scan per table.
//! Nothing here knows about tensors, devices or models; what the columns mean is in
//! `docs/schema.md`.

mod batches;
mod bins;
mod cache;
mod checksum;
mod column_types;
mod columns;
mod files;
mod fold;
mod folder;
mod footer;
mod info;
mod iterations;
mod kept;
mod lock;
mod notes;
mod part;
mod pattern;
mod queue;
mod reader;
mod readme;
mod resume;
mod rewrite;
mod rows;
mod run;
mod run_json;
mod scan;
mod schema;
mod selection;
mod sequence;
mod settings;
mod signals;
mod size;
mod snapshot;
mod table_rows;
mod tables;
mod totals;
mod writer;

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use bins::histogram_bin;
pub(crate) use bins::{HISTOGRAM_BINS, histogram_rows};
#[cfg(feature = "report")]
pub(crate) use cache::PartCache;
pub use columns::ColumnInfo;
pub(crate) use columns::ElementIndices;
pub use info::{
    ClassInfo, EpochInfo, IntegratorInfo, ObservedInfo, ProbeInfo, RecordInfo, RunInfo, RunState,
    RunTotals, SampleInfo, TensorInfo,
};
#[cfg(feature = "analysis")]
pub(crate) use kept::Keep;
#[cfg(feature = "report")]
pub(crate) use notes::notes_of_named;
#[cfg_attr(
    not(feature = "analysis"),
    allow(unused_imports, reason = "only analyses group tensors")
)]
pub(crate) use pattern::matches;
pub(crate) use rows::{ClassRow, ParameterRows, ParameterTotalRows, StepRow, TensorRow, UnitRows};
pub use run::{Run, RunStatus};
pub use scan::{Batches, Scan};
pub use schema::{SCHEMA_VERSION, Table};
pub use selection::ParameterSelection;
pub use settings::Recorder;
pub(crate) use size::DiskSpace;
pub(crate) use table_rows::Rows;
pub(crate) use writer::RunWriter;
