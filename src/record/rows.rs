//! What the training side hands over: one plain struct per table.

use std::mem::size_of;
use std::sync::Arc;

use super::schema::Table;

/// One row of `steps`: one observed step, seen by one probe.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StepRow {
    pub(crate) iteration: u64,
    pub(crate) epoch: u32,
    pub(crate) probe: Arc<str>,
    pub(crate) loss_before: f64,
    pub(crate) loss_after: f64,
    pub(crate) lca: f64,
    pub(crate) residual: f64,
    /// The share of the moving buffers; `None` where buffers don't move along the step.
    pub(crate) buffers: Option<f64>,
    pub(crate) splits: u16,
    pub(crate) sweeps: u16,
    pub(crate) capped: bool,
    pub(crate) helping: u64,
    pub(crate) hurting: u64,
    pub(crate) zero: u64,
    pub(crate) lca_helping: f64,
    pub(crate) lca_hurting: f64,
    pub(crate) learning_rate: f64,
    pub(crate) probe_seconds: f64,
}

/// One row of `tensors`: one tensor's share of a step, of one class or (`None`) of all.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TensorRow {
    pub(crate) iteration: u64,
    pub(crate) probe: Arc<str>,
    pub(crate) class: Option<i32>,
    pub(crate) tensor: Arc<str>,
    pub(crate) lca: f64,
    pub(crate) helping: u64,
    pub(crate) hurting: u64,
    pub(crate) zero: u64,
    pub(crate) step_norm: f64,
    pub(crate) gradient_norm: f64,
}

/// One row of `classes`: one class's own grounded sum over a step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ClassRow {
    pub(crate) iteration: u64,
    pub(crate) probe: Arc<str>,
    pub(crate) class: i32,
    pub(crate) examples: u64,
    pub(crate) loss_before: f64,
    pub(crate) loss_after: f64,
    pub(crate) lca: f64,
    pub(crate) residual: f64,
}

/// The units of one tensor at one step; a unit's number is its place in `lca`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct UnitRows {
    pub(crate) iteration: u64,
    pub(crate) tensor: Arc<str>,
    pub(crate) lca: Vec<f32>,
}

/// Parameters of one tensor at one step. The three columns have one entry per index.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ParameterRows {
    pub(crate) iteration: u64,
    pub(crate) tensor: Arc<str>,
    /// Row-major flat indices; `None` is every index from 0.
    pub(crate) indices: Option<Arc<[u32]>>,
    pub(crate) lca: Vec<f32>,
    pub(crate) step: Vec<f32>,
    pub(crate) gradient: Vec<f32>,
}

/// The totals of one tensor's parameters so far; every column has one entry per parameter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ParameterTotalRows {
    pub(crate) tensor: Arc<str>,
    pub(crate) lca: Vec<f64>,
    pub(crate) lca_validation: Option<Vec<f64>>,
    pub(crate) helping: Vec<u32>,
    pub(crate) hurting: Vec<u32>,
    pub(crate) zero: Vec<u32>,
    pub(crate) step_sign_changes: Vec<u32>,
    pub(crate) gradient_sign_changes: Vec<u32>,
    pub(crate) initial: Vec<f32>,
    /// The column `final`, which is a reserved word here.
    pub(crate) last: Vec<f32>,
    /// Sign of the last change that was not zero; 0 before the first.
    pub(crate) step_sign: Vec<i8>,
    /// Sign of the probe's last gradient that was not zero; 0 before the first.
    pub(crate) gradient_sign: Vec<i8>,
}

/// One tensor's LCA over a window of steps, counted in the bins of [`super::histogram_bin`].
///
/// A window must not reach over the end of an epoch: a resumed run could not take it apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HistogramRows {
    pub(crate) window_start: u64,
    /// The first iteration after the window.
    pub(crate) window_end: u64,
    pub(crate) tensor: Arc<str>,
    /// One count per bin, [`super::HISTOGRAM_BINS`] of them.
    pub(crate) counts: Vec<u64>,
}

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
    Histograms(Vec<HistogramRows>),
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
            Self::Steps(rows) => size_of::<StepRow>() * rows.len(),
            Self::Tensors(rows) => size_of::<TensorRow>() * rows.len(),
            Self::Classes(rows) => size_of::<ClassRow>() * rows.len(),
            Self::Units(rows) => 4 * rows.lca.len(),
            Self::Parameters(rows) => 12 * rows.lca.len(),
            Self::Totals(tensors) => tensors.iter().map(|rows| 46 * rows.lca.len()).sum(),
            Self::Histograms(tensors) => tensors.iter().map(|rows| 8 * rows.counts.len()).sum(),
        }
    }
}
