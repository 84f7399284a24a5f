//! Runs that are made up: the LCA of every parameter is planted, all tables follow from it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::Run;
use crate::record::{
    ClassInfo, ClassRow, ElementIndices, HISTOGRAM_BINS, ParameterRows, ParameterSelection,
    ParameterTotalRows, ProbeInfo, Recorder, Rows, RunInfo, RunState, RunWriter, StepRow,
    TensorInfo, TensorRow, UnitRows, histogram_bin, histogram_rows,
};

/// Examples that each probe has of each class.
const EXAMPLES: u64 = 100;
const INITIAL_LOSS: f64 = 2.5;
const HISTOGRAM_WINDOW: u64 = 10;

/// A parameter at a step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) iteration: u64,
    pub(crate) tensor: &'a str,
    pub(crate) index: usize,
    /// The class whose loss is split; `None` in a run without classes.
    pub(crate) class: Option<i32>,
    pub(crate) validation: bool,
}

type Values = Box<dyn Fn(At) -> f64>;

/// A run to be written: tensors of one axis, each element a unit of its own.
///
/// Of a run with classes the LCA is planted by class; that of all together is the mean.
pub(crate) struct Synthetic {
    tensors: Vec<(Arc<str>, usize)>,
    steps: u64,
    classes: i32,
    validation: bool,
    parameters: bool,
    lca: Values,
    step: Values,
    gradient: Values,
    residual: Box<dyn Fn(u64) -> f64>,
    adjust: Box<dyn Fn(&mut StepRow)>,
    state: RunState,
}

impl Synthetic {
    /// A run of one epoch, of tensors with so many parameters, in which every parameter helps
    /// by 0.001 at every step, moves by −0.01 and has the gradient 0.1.
    pub(crate) fn new(tensors: &[(&str, usize)], steps: u64) -> Self {
        Self {
            tensors: tensors
                .iter()
                .map(|(path, size)| (Arc::from(*path), *size))
                .collect(),
            steps,
            classes: 0,
            validation: false,
            parameters: true,
            lca: Box::new(|_| -0.001),
            step: Box::new(|_| -0.01),
            gradient: Box::new(|_| 0.1),
            residual: Box::new(|_| 0.0),
            adjust: Box::new(|_| {}),
            state: RunState::Finished,
        }
    }

    /// Splits by this many classes, of equally many examples.
    pub(crate) fn classes(mut self, classes: i32) -> Self {
        self.classes = classes;
        self
    }

    /// Adds a probe named `validation`.
    pub(crate) fn validation(mut self) -> Self {
        self.validation = true;
        self
    }

    /// Leaves the table of single parameters out.
    pub(crate) fn without_parameters(mut self) -> Self {
        self.parameters = false;
        self
    }

    /// Plants the LCA.
    pub(crate) fn lca(mut self, lca: impl Fn(At) -> f64 + 'static) -> Self {
        self.lca = Box::new(lca);
        self
    }

    /// Plants the change of the parameters; asked with no class.
    pub(crate) fn step(mut self, step: impl Fn(At) -> f64 + 'static) -> Self {
        self.step = Box::new(step);
        self
    }

    /// Plants the gradient; asked with no class.
    pub(crate) fn gradient(mut self, gradient: impl Fn(At) -> f64 + 'static) -> Self {
        self.gradient = Box::new(gradient);
        self
    }

    /// Plants the residual of every iteration: the loss changes by that much more than the LCA.
    pub(crate) fn residual(mut self, residual: impl Fn(u64) -> f64 + 'static) -> Self {
        self.residual = Box::new(residual);
        self
    }

    /// Changes the rows of `steps` last of all.
    pub(crate) fn adjust(mut self, adjust: impl Fn(&mut StepRow) + 'static) -> Self {
        self.adjust = Box::new(adjust);
        self
    }

    /// Ends the run otherwise than finished; `Running` looks like a killed run.
    pub(crate) fn state(mut self, state: RunState) -> Self {
        self.state = state;
        self
    }

    /// Writes the run and opens it.
    pub(crate) fn write(&self, folder: &Path) -> Run {
        let mut recorder = Recorder::new(folder)
            .units_every(1)
            .histogram_window(HISTOGRAM_WINDOW as usize);
        if self.parameters {
            recorder = recorder.parameters(ParameterSelection::all());
        }
        let writer = RunWriter::create(&recorder, self.info(), None).unwrap();
        let mut totals: Vec<ParameterTotalRows> = self
            .tensors
            .iter()
            .map(|tensor| self.begin(tensor))
            .collect();
        let mut histograms = BTreeMap::new();
        let mut losses = [BTreeMap::new(), BTreeMap::new()];
        for iteration in 0..self.steps {
            for (validation, losses) in self.probes().zip(&mut losses) {
                writer.write(self.probe_rows(iteration, validation, losses));
            }
            for ((path, size), totals) in self.tensors.iter().zip(&mut totals) {
                let row = self.parameter_rows(iteration, path, *size);
                let window = iteration / HISTOGRAM_WINDOW * HISTOGRAM_WINDOW;
                let counts = histograms
                    .entry((window, path.clone()))
                    .or_insert_with(|| vec![0; HISTOGRAM_BINS]);
                for lca in &row.lca {
                    counts[histogram_bin(*lca)] += 1;
                }
                self.count(iteration, totals, &row);
                writer.write(vec![Rows::Units(UnitRows {
                    iteration,
                    tensor: path.clone(),
                    unit: ElementIndices::All,
                    lca: row.lca.clone(),
                })]);
                if self.parameters {
                    writer.write(vec![Rows::Parameters(row)]);
                }
            }
        }
        if self.steps > 0 {
            let histograms = histograms
                .into_iter()
                .flat_map(|((window, tensor), counts)| {
                    let end = (window + HISTOGRAM_WINDOW).min(self.steps);
                    histogram_rows(window..end, &tensor, &counts).collect::<Vec<_>>()
                });
            writer.write(vec![
                Rows::Histograms(histograms.collect()),
                Rows::Totals(totals),
            ]);
            writer.epoch_end(1, self.steps);
        }
        writer.finish(self.state.clone()).unwrap();
        Run::open(folder).unwrap()
    }

    fn probes(&self) -> impl Iterator<Item = bool> {
        [false, true]
            .into_iter()
            .take(1 + usize::from(self.validation))
    }

    fn classes_of_run(&self) -> Vec<Option<i32>> {
        match self.classes {
            0 => vec![None],
            classes => (0..classes).map(Some).collect(),
        }
    }

    /// The LCA over all classes, as it is planted.
    fn total(&self, at: At) -> f64 {
        let classes = self.classes_of_run();
        let by_class = classes.iter().map(|class| {
            (self.lca)(At {
                class: *class,
                ..at
            })
        });
        by_class.sum::<f64>() / classes.len() as f64
    }

    fn probe_rows(
        &self,
        iteration: u64,
        validation: bool,
        losses: &mut BTreeMap<Option<i32>, f64>,
    ) -> Vec<Rows> {
        let probe: Arc<str> = if validation { "validation" } else { "training" }.into();
        let mut tensors = Vec::new();
        let mut classes = Vec::new();
        let with_all = match self.classes {
            0 => vec![None],
            _ => [vec![None], self.classes_of_run()].concat(),
        };
        let residual = (self.residual)(iteration);
        let mut step = None;
        for class in with_all {
            let at = |tensor, index| At {
                iteration,
                tensor,
                index,
                class,
                validation,
            };
            let first = tensors.len();
            let (mut lca_helping, mut lca_hurting) = (0.0, 0.0);
            for (path, size) in &self.tensors {
                let values: Vec<f64> = (0..*size)
                    .map(|index| match class {
                        None => self.total(at(path, index)),
                        Some(_) => (self.lca)(at(path, index)),
                    })
                    .collect();
                let norm = |of: &Values| {
                    let squares = (0..*size).map(|index| of(at(path, index)).powi(2));
                    squares.sum::<f64>().sqrt()
                };
                lca_helping += values.iter().filter(|lca| **lca < 0.0).sum::<f64>();
                lca_hurting += values.iter().filter(|lca| **lca > 0.0).sum::<f64>();
                tensors.push(TensorRow {
                    iteration,
                    probe: probe.clone(),
                    class,
                    tensor: path.clone(),
                    lca: values.iter().sum(),
                    helping: values.iter().filter(|lca| **lca < 0.0).count() as u64,
                    hurting: values.iter().filter(|lca| **lca > 0.0).count() as u64,
                    zero: values.iter().filter(|lca| **lca == 0.0).count() as u64,
                    step_norm: norm(&self.step),
                    gradient_norm: norm(&self.gradient),
                });
            }
            let rows = &tensors[first..];
            let lca = rows.iter().map(|row| row.lca).sum::<f64>();
            let loss = losses.entry(class).or_insert(INITIAL_LOSS);
            let loss_before = *loss;
            *loss += lca + residual;
            match class {
                Some(class) => classes.push(ClassRow {
                    iteration,
                    probe: probe.clone(),
                    class,
                    examples: EXAMPLES,
                    loss_before,
                    loss_after: *loss,
                    lca,
                    residual,
                }),
                None => {
                    step = Some(StepRow {
                        iteration,
                        epoch: 1,
                        probe: probe.clone(),
                        loss_before,
                        loss_after: *loss,
                        lca,
                        residual,
                        buffers: None,
                        splits: 1,
                        sweeps: 1,
                        capped: false,
                        helping: rows.iter().map(|row| row.helping).sum(),
                        hurting: rows.iter().map(|row| row.hurting).sum(),
                        zero: rows.iter().map(|row| row.zero).sum(),
                        lca_helping,
                        lca_hurting,
                        learning_rate: 0.05,
                        probe_seconds: 0.125,
                    });
                }
            }
        }
        let mut step = step.unwrap();
        (self.adjust)(&mut step);
        let mut rows = vec![Rows::Steps(vec![step]), Rows::Tensors(tensors)];
        if self.classes > 0 {
            rows.push(Rows::Classes(classes));
        }
        rows
    }

    fn parameter_rows(&self, iteration: u64, tensor: &Arc<str>, size: usize) -> ParameterRows {
        let at = |index| At {
            iteration,
            tensor,
            index,
            class: None,
            validation: false,
        };
        let all = |value: &dyn Fn(At) -> f64| -> Vec<f32> {
            (0..size).map(|index| value(at(index)) as f32).collect()
        };
        ParameterRows {
            iteration,
            tensor: tensor.clone(),
            index: ElementIndices::All,
            lca: all(&|at| self.total(at)),
            step: all(&self.step),
            gradient: all(&self.gradient),
        }
    }

    fn begin(&self, (path, size): &(Arc<str>, usize)) -> ParameterTotalRows {
        ParameterTotalRows {
            tensor: path.clone(),
            index: ElementIndices::All,
            lca: vec![0.0; *size],
            lca_validation: self.validation.then(|| vec![0.0; *size]),
            helping: vec![0; *size],
            hurting: vec![0; *size],
            zero: vec![0; *size],
            step_sign_changes: vec![0; *size],
            gradient_sign_changes: vec![0; *size],
            initial: vec![0.0; *size],
            last: vec![0.0; *size],
            step_sign: vec![0; *size],
            gradient_sign: vec![0; *size],
        }
    }

    fn count(&self, iteration: u64, totals: &mut ParameterTotalRows, row: &ParameterRows) {
        let turned = |sign: &mut i8, value: f32| {
            let now = if value == 0.0 {
                *sign
            } else {
                value.signum() as i8
            };
            let turned = *sign != 0 && now != *sign;
            *sign = now;
            u32::from(turned)
        };
        for index in 0..row.lca.len() {
            let validation = At {
                iteration,
                tensor: &row.tensor,
                index,
                class: None,
                validation: true,
            };
            totals.lca[index] += f64::from(row.lca[index]);
            if let Some(lca) = &mut totals.lca_validation {
                lca[index] += self.total(validation);
            }
            totals.helping[index] += u32::from(row.lca[index] < 0.0);
            totals.hurting[index] += u32::from(row.lca[index] > 0.0);
            totals.zero[index] += u32::from(row.lca[index] == 0.0);
            totals.last[index] += row.step[index];
            totals.step_sign_changes[index] +=
                turned(&mut totals.step_sign[index], row.step[index]);
            totals.gradient_sign_changes[index] +=
                turned(&mut totals.gradient_sign[index], row.gradient[index]);
        }
    }

    fn info(&self) -> RunInfo {
        let tensors = self.tensors.iter().map(|(path, size)| TensorInfo {
            path: path.to_string(),
            shape: vec![*size],
            parameters: *size as u64,
            unit_axis: Some(0),
            units: *size,
            trainable: true,
        });
        let classes = (0..self.classes).map(|index| ClassInfo {
            index,
            name: format!("class {index}"),
            examples: EXAMPLES,
        });
        let probe = |name: &str| ProbeInfo {
            name: name.into(),
            examples: EXAMPLES * u64::from(self.classes.max(1).unsigned_abs()),
            chunk_size: EXAMPLES as usize,
            chunks: self.classes.max(1) as usize,
            classes: classes.clone().collect(),
        };
        let mut probes = vec![probe("training")];
        if self.validation {
            probes.push(probe("validation"));
        }
        RunInfo {
            tensors: tensors.collect(),
            probes,
            ..RunInfo::default()
        }
    }
}
