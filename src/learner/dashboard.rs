//! What the training loop hands to the dashboard.
//!
//! Burn's metrics run on a thread of their own and lag behind the loop by an item or two, so the
//! loop queues one reading per training item, and a metric takes one per update.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::tensor::TensorReadError;
use burn::train::metric::{
    Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry,
    SerializedEntry,
    state::{FormatOptions, NumericMetricState},
};

use super::series::StepSeries;
use super::terminal;
use crate::allocation::StepAllocation;
use crate::error::LcaError;

/// What the training loop and the metrics share.
#[derive(Clone)]
pub(super) struct DashboardState {
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    series: Vec<StepSeries>,
    /// By series, one reading per training item; `None` for an item without an optimizer step.
    queues: Vec<VecDeque<Option<f64>>>,
    /// Why there is nothing, or not all, to show.
    notice: Option<String>,
    /// What measuring costs.
    cost: Option<String>,
}

impl DashboardState {
    pub fn new(series: Vec<StepSeries>) -> Self {
        let queues = vec![VecDeque::new(); series.len()];
        Self {
            shared: Arc::new(Mutex::new(Shared {
                series,
                queues,
                notice: None,
                cost: None,
            })),
        }
    }

    /// The metrics to register with Burn.
    pub fn metrics(&self) -> Vec<SeriesMetric> {
        let series = self.lock().series.clone();
        series
            .into_iter()
            .enumerate()
            .map(|(index, series)| SeriesMetric {
                name: Arc::new(series.name()),
                series,
                index,
                dashboard: self.clone(),
                state: NumericMetricState::new(),
                is_current: false,
                has_values: false,
            })
            .collect()
    }

    /// The text to register with Burn: what measuring costs.
    pub fn text(&self) -> CostMetric {
        CostMetric {
            name: Arc::new("LCA Cost".to_owned()),
            dashboard: self.clone(),
        }
    }

    /// Checks the series against what there is to show: the paths of all tensors, and the number
    /// of classes.
    pub fn check(&self, paths: &[&str], classes: usize) -> Result<(), LcaError> {
        let shared = self.lock();
        let mut series = shared.series.iter();
        series.try_for_each(|series| series.check(paths, classes))
    }

    /// Queues what to show of a training item.
    pub fn push(&self, step: Option<&StepAllocation>) {
        let mut shared = self.lock();
        let Shared { series, queues, .. } = &mut *shared;
        for (series, queue) in series.iter().zip(queues) {
            queue.push_back(step.and_then(|step| series.read(step)));
        }
    }

    /// Shows beside the values why some of them, or all, are missing.
    pub fn notify(&self, notice: String) {
        self.lock().notice = Some(notice);
    }

    /// Shows what measuring costs, beside the values as long as training runs, and says it once
    /// elsewhere.
    pub fn announce(&self, cost: String) {
        log::info!("LCA: {cost}");
        if !terminal::is_drawn_on() {
            eprintln!("LCA: {cost}");
        }
        self.lock().cost = Some(cost);
    }

    /// Shows a notice, and says it once on stderr unless Burn's dashboard has the terminal.
    pub fn tell(&self, notice: String) {
        let known = self.lock().notice.as_ref() == Some(&notice);
        if !known && !terminal::is_drawn_on() {
            eprintln!("{notice}");
        }
        self.notify(notice);
    }

    /// A thread that panicked while it held the lock left whole readings behind.
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One series as a metric of Burn's.
#[derive(Clone)]
pub(super) struct SeriesMetric {
    name: MetricName,
    series: StepSeries,
    index: usize,
    dashboard: DashboardState,
    state: NumericMetricState,
    /// Whether the last update brought a value.
    is_current: bool,
    /// Whether any update of the epoch did.
    has_values: bool,
}

impl SeriesMetric {
    fn format(&self) -> FormatOptions {
        let format = FormatOptions::new(self.name.clone()).precision(3);
        match self.series.unit() {
            Some(unit) => format.unit(unit),
            None => format,
        }
    }
}

/// What measuring costs, as a metric of Burn's that has a text and no values.
#[derive(Clone)]
pub(super) struct CostMetric {
    name: MetricName,
    dashboard: DashboardState,
}

impl Metric for CostMetric {
    type Input = ();

    fn name(&self) -> MetricName {
        self.name.clone()
    }

    fn description(&self) -> Option<String> {
        Some("What measuring LCA takes: sweeps, time, memory and disk".to_owned())
    }

    fn update(
        &mut self,
        _item: &(),
        _metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        self.compute()
    }

    /// An entry that is shown, but nothing to write into the logs.
    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        let mut entry = SerializedEntry::not_available(None);
        if let Some(cost) = &self.dashboard.lock().cost {
            entry.formatted.clone_from(cost);
        }
        Ok(entry)
    }

    fn clear(&mut self) {}
}

impl Metric for SeriesMetric {
    type Input = ();

    fn name(&self) -> MetricName {
        self.name.clone()
    }

    fn description(&self) -> Option<String> {
        Some(self.series.description())
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes {
            unit: self.series.unit().map(str::to_owned),
            higher_is_better: self.series == StepSeries::Helping,
        }
        .into()
    }

    fn update(
        &mut self,
        _item: &(),
        _metadata: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        let (reading, notice) = {
            let mut shared = self.dashboard.lock();
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
        Ok(if self.has_values {
            self.state.compute_final(self.format())
        } else {
            SerializedEntry::not_available(None)
        })
    }

    fn clear(&mut self) {
        self.state.reset();
        self.is_current = false;
        self.has_values = false;
    }
}

impl Numeric for SeriesMetric {
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
