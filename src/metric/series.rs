//! Numeric series of the dashboard, fed by the training loop.
//!
//! Burn's metrics run on a thread of their own and lag the loop by an item or two, so the loop
//! queues one reading per training item, and a metric takes one per update.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::tensor::TensorReadError;
use burn::train::metric::{
    Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry,
    SerializedEntry,
    state::{FormatOptions, NumericMetricState},
};

use crate::{LcaError, StepAllocation};

/// What one series shows of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SeriesKind {
    Lca,
    Helping,
    Residual,
    Validation,
    Layer(String),
    Class(usize),
}

impl SeriesKind {
    fn name(&self) -> String {
        match self {
            Self::Lca => "LCA".to_owned(),
            Self::Helping => "LCA Helping".to_owned(),
            Self::Residual => "LCA Residual".to_owned(),
            Self::Validation => "LCA Validation".to_owned(),
            Self::Layer(path) => format!("LCA {path}"),
            Self::Class(class) => format!("LCA Class {class}"),
        }
    }

    fn description(&self) -> String {
        match self {
            Self::Lca => "Loss change of the whole probe that the step's parameters explain; \
                          negative is progress"
                .to_owned(),
            Self::Helping => {
                "Parameters with negative LCA, of those whose LCA is not zero".to_owned()
            }
            Self::Residual => "Measured loss change less the sum of LCA".to_owned(),
            Self::Validation => "LCA of the validation probe along the same step".to_owned(),
            Self::Layer(path) => format!("LCA of `{path}`"),
            Self::Class(class) => format!("LCA of class {class}, of its own mean loss"),
        }
    }

    /// The value of the series; `None` where the step has no such part.
    fn read(&self, step: &StepAllocation) -> Option<f64> {
        match self {
            Self::Lca => Some(step.lca()),
            Self::Helping => Some(step.probe().tally().percent_helping_of_nonzero()),
            Self::Residual => Some(step.residual()),
            Self::Validation => Some(step.validation()?.lca()),
            Self::Layer(path) => step
                .tensors()
                .iter()
                .filter(|tensor| is_below(tensor.path(), path))
                .map(|tensor| tensor.lca())
                .reduce(|sum, lca| sum + lca),
            Self::Class(class) => Some(step.classes().get(*class)?.measured()?.lca),
        }
    }
}

fn is_below(path: &str, layer: &str) -> bool {
    path.strip_prefix(layer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What the training loop and the series share.
#[derive(Clone)]
pub(crate) struct Board {
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    kinds: Vec<SeriesKind>,
    /// By series, one reading per training item; `None` for an item without an optimizer step.
    queues: Vec<VecDeque<Option<f64>>>,
    /// Why there is nothing, or not all, to show.
    notice: Option<String>,
}

impl Board {
    pub fn new(kinds: Vec<SeriesKind>) -> Self {
        let queues = vec![VecDeque::new(); kinds.len()];
        Self {
            shared: Arc::new(Mutex::new(Shared {
                kinds,
                queues,
                notice: None,
            })),
        }
    }

    /// The metrics to register.
    pub fn series(&self) -> Vec<Series> {
        let kinds = self.lock().kinds.clone();
        kinds
            .into_iter()
            .enumerate()
            .map(|(index, kind)| Series {
                name: Arc::new(kind.name()),
                kind,
                index,
                board: self.clone(),
                state: NumericMetricState::new(),
                is_current: false,
                has_values: false,
            })
            .collect()
    }

    /// Checks the series against what there is to show, by the paths of all tensors and the
    /// number of classes.
    pub fn check(&self, paths: &[&str], classes: usize) -> Result<(), LcaError> {
        for kind in &self.lock().kinds {
            match kind {
                SeriesKind::Layer(layer) if !paths.iter().any(|path| is_below(path, layer)) => {
                    return Err(LcaError::setting(
                        "LcaMetric::layer",
                        format!("the model has no parameters at `{layer}`"),
                        format!("use one of {}, or a part before a dot", paths.join(", ")),
                    ));
                }
                SeriesKind::Class(class) if *class >= classes => {
                    return Err(LcaError::setting(
                        "LcaMetric::class",
                        format!("there is no class {class} among {classes}"),
                        "give the probe classes and use an index below their number",
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Queues what to show of a training item.
    pub fn push(&self, step: Option<&StepAllocation>) {
        let mut shared = self.lock();
        let Shared { kinds, queues, .. } = &mut *shared;
        for (kind, queue) in kinds.iter().zip(queues) {
            queue.push_back(step.and_then(|step| kind.read(step)));
        }
    }

    /// Says beside the series why there is nothing, or not all, to show.
    pub fn notify(&self, notice: String) {
        self.lock().notice = Some(notice);
    }

    /// A thread that panicked while it held the lock left whole readings behind.
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One numeric series.
#[derive(Clone)]
pub(crate) struct Series {
    name: MetricName,
    kind: SeriesKind,
    index: usize,
    board: Board,
    state: NumericMetricState,
    /// Whether the last update brought a value.
    is_current: bool,
    /// Whether any update of the epoch did.
    has_values: bool,
}

impl Series {
    fn format(&self) -> FormatOptions {
        let format = FormatOptions::new(self.name.clone()).precision(3);
        match self.kind {
            SeriesKind::Helping => format.unit("%"),
            _ => format,
        }
    }
}

impl Metric for Series {
    type Input = ();

    fn name(&self) -> MetricName {
        self.name.clone()
    }

    fn description(&self) -> Option<String> {
        Some(self.kind.description())
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes {
            unit: (self.kind == SeriesKind::Helping).then(|| "%".to_owned()),
            higher_is_better: self.kind == SeriesKind::Helping,
        }
        .into()
    }

    fn update(
        &mut self,
        _item: &(),
        _metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        let (reading, notice) = {
            let mut shared = self.board.lock();
            let reading = shared.queues[self.index].pop_front().flatten();
            (reading, shared.notice.clone())
        };
        self.is_current = reading.is_some();
        let mut entry = match reading {
            Some(value) => {
                self.state.update(value, 1);
                self.has_values = true;
                self.state.compute_update(self.format())
            }
            None => SerializedEntry::not_available(None),
        };
        if let Some(notice) = notice {
            entry.formatted = match reading {
                Some(_) => format!("{} ({notice})", entry.formatted),
                None => notice,
            };
        }
        Ok(entry)
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(match self.has_values {
            true => self.state.compute_final(self.format()),
            false => SerializedEntry::not_available(None),
        })
    }

    fn clear(&mut self) {
        self.state.reset();
        self.is_current = false;
        self.has_values = false;
    }
}

impl Numeric for Series {
    fn value(&self) -> Option<NumericEntry> {
        self.is_current.then(|| self.state.current_value())
    }

    fn running_value(&self) -> Option<NumericEntry> {
        self.is_current.then(|| self.state.running_value())
    }

    fn final_value(&self) -> NumericEntry {
        self.state.final_value()
    }
}
