//! A renderer that remembers what it was given to show of training.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::{MetricDefinition, MetricId, NumericEntry};
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining,
};
use burn::train::{Interrupter, LearnerSummary};

/// What a renderer was given to show; shared by its clones.
#[derive(Clone, Default)]
pub struct Screen {
    names: Arc<Mutex<HashMap<MetricId, String>>>,
    shown: Arc<Mutex<Vec<Shown>>>,
    resets: Option<Interrupter>,
    delay: Duration,
}

#[derive(Clone, Debug)]
pub struct Shown {
    pub metric: String,
    pub text: String,
    pub value: Option<NumericEntry>,
}

impl Screen {
    /// A screen that resets the interrupter when training has ended, as Burn's dashboard does.
    pub fn resetting(interrupter: Interrupter) -> Self {
        Self {
            resets: Some(interrupter),
            ..Self::default()
        }
    }

    /// A screen that is slower than training, which then is ahead of what is shown.
    pub fn slow() -> Self {
        Self {
            delay: Duration::from_millis(5),
            ..Self::default()
        }
    }

    /// What was shown of one metric.
    pub fn of(&self, metric: &str) -> Vec<Shown> {
        let shown = self.shown.lock().unwrap();
        let of_metric = shown.iter().filter(|shown| shown.metric == metric);
        of_metric.cloned().collect()
    }

    /// The values that one metric had, by training item, those of whole epochs left out.
    pub fn values(&self, metric: &str) -> Vec<Option<f64>> {
        self.of(metric)
            .into_iter()
            .filter(|shown| !matches!(shown.value, Some(NumericEntry::Final(_))))
            .map(|shown| shown.value.map(|value| value.current()))
            .collect()
    }
}

impl MetricsRendererTraining for Screen {
    fn update_train(&mut self, state: MetricState) {
        std::thread::sleep(self.delay);
        let (entry, value) = match state {
            MetricState::Generic(entry) => (entry, None),
            MetricState::Numeric(entry, value) => (entry, value),
        };
        self.shown.lock().unwrap().push(Shown {
            metric: self.names.lock().unwrap()[&entry.metric_id].clone(),
            text: entry.serialized_entry.formatted,
            value,
        });
    }

    fn update_valid(&mut self, _: MetricState) {}

    fn on_train_end(
        &mut self,
        _: Option<LearnerSummary>,
    ) -> Result<(), Box<dyn std::error::Error>> {
        if let Some(interrupter) = &self.resets {
            interrupter.reset();
        }
        Ok(())
    }
}

impl MetricsRenderer for Screen {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, definition: MetricDefinition) {
        let name = definition.name.to_string();
        self.names
            .lock()
            .unwrap()
            .insert(definition.metric_id, name);
    }
}

impl TrainingProgressLogger for Screen {
    fn start(&mut self, _: usize, _: usize, _: Option<usize>, _: Option<&str>) {}
    fn update_epoch(&mut self, _: usize) {}
    fn start_split(&mut self, _: &str, _: usize) {}
    fn update_split(&mut self, _: usize) {}
    fn end_split(&mut self) {}
    fn end(&mut self) {}
    fn log_event_training(&mut self, _: String) {}
}

impl MetricsRendererEvaluation for Screen {
    fn update_test(&mut self, _: EvaluationName, _: MetricState) {}
}

impl EvaluationProgressLogger for Screen {
    fn start_global_progress(&mut self, _: usize) {}
    fn start_test(&mut self, _: &str, _: usize) {}
    fn update_test_progress(&mut self, _: usize) {}
    fn end_test(&mut self) {}
    fn end_global_progress(&mut self) {}
    fn log_event_evaluation(&mut self, _: String) {}
}
