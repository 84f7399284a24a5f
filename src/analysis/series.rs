//! Series over the observed steps, from the table `tensors`.

use std::collections::HashMap;

use arrow::array::Array;
use serde::Serialize;

use crate::error::LcaError;
use crate::record::{Run, Table};

use super::grouping::Grouping;
use super::read;
use super::sampling::is_sampled;

/// A number that every layer has at every step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Quantity {
    /// Its share of the loss change, in the unit of the loss.
    #[default]
    Lca,
    /// The Euclidean norm of its change.
    Step,
    /// The Euclidean norm of the loss's gradient.
    Gradient,
}

impl Quantity {
    fn column(self) -> &'static str {
        match self {
            Self::Lca => "lca",
            Self::Step => "step_norm",
            Self::Gradient => "gradient_norm",
        }
    }

    /// Joins the values of two tensors of a layer: LCA adds up, norms are those of both as one.
    pub(super) fn join(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Lca => a + b,
            Self::Step | Self::Gradient => a.hypot(b),
        }
    }
}

/// Returns the sum of those that are finite; NaN if none is.
pub(crate) fn finite_sum(values: impl Iterator<Item = f64>) -> f64 {
    let finite = values.filter(|value| value.is_finite());
    finite.reduce(|sum, value| sum + value).unwrap_or(f64::NAN)
}

/// Which series are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) quantity: Quantity,
    pub(super) probe: &'a str,
    pub(super) grouping: &'a Grouping,
    /// The rows of every class besides those of all classes together.
    pub(super) by_class: bool,
}

/// Series of equal length on one axis of iterations.
#[derive(Debug, Default)]
pub(super) struct SeriesTable {
    /// The observed steps, ascending: of several that were measured as one, the last. There may be
    /// gaps between them.
    pub(super) iterations: Vec<u64>,
    /// The first of each.
    pub(super) firsts: Vec<u64>,
    /// In the order of the model's tensors, the classes of a layer ascending.
    pub(super) series: Vec<Series>,
}

/// The values of a layer or tensor.
#[derive(Debug)]
pub(super) struct Series {
    /// The path of the layer or tensor.
    pub(super) name: String,
    /// `None`: all classes together.
    pub(super) class: Option<i32>,
    /// One per iteration; NaN where nothing was recorded.
    pub(super) values: Vec<f64>,
}

/// Reads the series of a run, in memory 8 bytes per value.
pub(super) fn series(run: &Run, request: Request<'_>) -> Result<SeriesTable, LcaError> {
    read_column(run, request, request.quantity.column())
}

/// Reads half the differences between the halves of every step's sample, whose squares are the
/// variances of LCA; `None` unless the probe is sampled.
pub(super) fn halves(run: &Run, request: Request<'_>) -> Result<Option<SeriesTable>, LcaError> {
    if !is_sampled(run, request.probe) {
        return Ok(None);
    }
    // They add up over tensors as LCA does.
    let request = Request {
        quantity: Quantity::Lca,
        ..request
    };
    read_column(run, request, "lca_halves").map(Some)
}

fn read_column(
    run: &Run,
    request: Request<'_>,
    column: &'static str,
) -> Result<SeriesTable, LcaError> {
    let columns = ["iteration", "span", "probe", "class", "tensor", column];
    let mut reading = SeriesReader::new(request);
    read::each(run, Table::Tensors, &columns, |batch| {
        let steps = batch.steps()?;
        let probes = batch.text("probe")?;
        let classes = batch.i32_or_null("class")?;
        let tensors = batch.text("tensor")?;
        let values = batch.f64(column)?;
        for (row, value) in values.iter().enumerate() {
            let class = classes.is_valid(row).then(|| classes.value(row));
            if probes.value(row) == request.probe && (class.is_none() || request.by_class) {
                reading.advance(run, steps(row))?;
                reading.add(class, tensors.value(row), *value);
            }
        }
        Ok(())
    })?;
    Ok(reading.finish(run))
}

struct SeriesReader<'a> {
    request: Request<'a>,
    iterations: Vec<u64>,
    firsts: Vec<u64>,
    series: Vec<Series>,
    /// The value of each series at the current iteration, once there is one.
    current: Vec<Option<f64>>,
    rows: usize,
    /// The series of each class by the layer or tensor.
    groups: HashMap<Option<i32>, HashMap<String, usize>>,
    /// The series of the layer or tensor of each class, by the tensor's path.
    indices: HashMap<Option<i32>, HashMap<String, usize>>,
}

impl<'a> SeriesReader<'a> {
    fn new(request: Request<'a>) -> Self {
        Self {
            request,
            iterations: Vec::new(),
            firsts: Vec::new(),
            series: Vec::new(),
            current: Vec::new(),
            rows: 0,
            groups: HashMap::new(),
            indices: HashMap::new(),
        }
    }

    fn advance(&mut self, run: &Run, (first, last): (u64, u64)) -> Result<(), LcaError> {
        match self.firsts.last() {
            Some(known) if *known == first => return Ok(()),
            Some(known) if *known > first => {
                return Err(read::out_of_order(run, Table::Tensors, first, *known));
            }
            _ => {}
        }
        self.flush();
        self.iterations.push(last);
        self.firsts.push(first);
        let values = self.iterations.len().saturating_mul(self.series.len());
        read::check_filled(run, Table::Tensors, values, self.rows)
    }

    /// Ends the current iteration.
    fn flush(&mut self) {
        for (series, current) in self.series.iter_mut().zip(&mut self.current) {
            // A series that begins late, or was not recorded for a while.
            series
                .values
                .resize(self.iterations.len().saturating_sub(1), f64::NAN);
            series.values.push(current.take().unwrap_or(f64::NAN));
        }
    }

    fn add(&mut self, class: Option<i32>, tensor: &str, value: f64) {
        self.rows += 1;
        let index = self.index(class, tensor);
        let current = &mut self.current[index];
        *current = Some(current.map_or(value, |sum| self.request.quantity.join(sum, value)));
    }

    fn index(&mut self, class: Option<i32>, tensor: &str) -> usize {
        let indices = self.indices.entry(class).or_default();
        if let Some(index) = indices.get(tensor) {
            return *index;
        }
        let name = self.request.grouping.of(tensor);
        let groups = self.groups.entry(class).or_default();
        let index = *groups.entry(name.to_owned()).or_insert_with(|| {
            self.series.push(Series {
                name: name.to_owned(),
                class,
                values: Vec::new(),
            });
            self.current.push(None);
            self.series.len() - 1
        });
        indices.insert(tensor.to_owned(), index);
        index
    }

    fn finish(mut self, run: &Run) -> SeriesTable {
        if !self.iterations.is_empty() {
            self.flush();
        }
        let mut places: HashMap<&str, usize> = HashMap::new();
        for (place, tensor) in run.info().tensors.iter().enumerate() {
            let name = self.request.grouping.of(&tensor.path);
            places.entry(name).or_insert(place);
        }
        let order = |series: &Series| {
            let place = places.get(&*series.name).copied();
            (place.unwrap_or(usize::MAX), series.class)
        };
        self.series.sort_by_cached_key(order);
        SeriesTable {
            iterations: self.iterations,
            firsts: self.firsts,
            series: self.series,
        }
    }
}

impl SeriesTable {
    /// Leaves out the iterations at which a value is missing or not finite, so that all series
    /// share one axis, and returns how many these were.
    pub(super) fn keep_finite(&mut self) -> usize {
        let finite: Vec<bool> = (0..self.iterations.len())
            .map(|step| {
                self.series
                    .iter()
                    .all(|series| series.values[step].is_finite())
            })
            .collect();
        self.keep(&finite);
        finite.iter().filter(|finite| !**finite).count()
    }

    /// Leaves out the steps that another table does not have.
    pub(super) fn keep_steps_of(&mut self, other: &Self) {
        let kept = self.firsts.iter();
        let kept = kept.map(|first| other.firsts.binary_search(first).is_ok());
        self.keep(&kept.collect::<Vec<bool>>());
    }

    fn keep(&mut self, kept: &[bool]) {
        keep(&mut self.iterations, kept);
        keep(&mut self.firsts, kept);
        for series in &mut self.series {
            keep(&mut series.values, kept);
        }
    }

    /// Returns the values of every layer or tensor, all classes together.
    pub(super) fn by_name(&self) -> HashMap<&str, &[f64]> {
        let together = self.series.iter().filter(|series| series.class.is_none());
        together
            .map(|series| (&*series.name, &*series.values))
            .collect()
    }
}

fn keep<T>(values: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    values.retain(|_| kept.next().copied().unwrap_or(false));
}
