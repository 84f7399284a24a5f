//! Runs that are made up: the LCA of every parameter is planted, all tables follow from it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::record::Run;
use crate::record::{
    ClassInfo, ClassRow, ElementIndices, HISTOGRAM_BINS, ObservedInfo, ParameterRows,
    ParameterSelection, ParameterTotalRows, ProbeInfo, Recorder, Rows, RunInfo, RunState,
    RunWriter, SampleInfo, StepRow, Table, TensorInfo, TensorRow, UnitRows, histogram_bin,
    histogram_rows,
};

/// Examples that each probe has of each class.
const EXAMPLES: u64 = 100;
/// Examples that a sample has.
const SAMPLE: u64 = 10;
const INITIAL_LOSS: f64 = 2.5;
const HISTOGRAM_WINDOW: u64 = 10;

/// A tensor: path, shape, and the axis of its units.
pub(crate) type Shaped<'a> = (&'a str, &'a [usize], usize);

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

type ValueOf = Box<dyn Fn(At) -> f64>;

/// A run to be written.
///
/// Of a run with classes the LCA is planted by class; that of all together is the mean.
pub(crate) struct Synthetic {
    tensors: Vec<Tensor>,
    steps: u64,
    observed: ObservedInfo,
    classes: i32,
    validation: bool,
    parameters: Option<ParameterSelection>,
    lca: ValueOf,
    step: ValueOf,
    gradient: ValueOf,
    residual: Box<dyn Fn(u64) -> f64>,
    halves: Option<ValueOf>,
    sample_seed: Option<u64>,
    decay: Option<ValueOf>,
    adjust: Box<dyn Fn(&mut StepRow)>,
    state: RunState,
}

impl Synthetic {
    /// A run of one epoch, of tensors of one axis with so many parameters, each a unit of its own.
    /// Every parameter helps by 0.001 at every step, moves by −0.01 and has the gradient 0.1.
    pub(crate) fn new(tensors: &[(&str, usize)], steps: u64) -> Self {
        let tensors = tensors.iter();
        let tensors = tensors.map(|(path, size)| Tensor::new((path, &[*size], 0)));
        Self::of(tensors.collect(), steps)
    }

    /// The same, of tensors of any shape.
    pub(crate) fn shaped(tensors: &[Shaped], steps: u64) -> Self {
        Self::of(tensors.iter().copied().map(Tensor::new).collect(), steps)
    }

    fn of(tensors: Vec<Tensor>, steps: u64) -> Self {
        Self {
            tensors,
            steps,
            observed: ObservedInfo::default(),
            classes: 0,
            validation: false,
            parameters: Some(ParameterSelection::all()),
            lca: Box::new(|_| -0.001),
            step: Box::new(|_| -0.01),
            gradient: Box::new(|_| 0.1),
            residual: Box::new(|_| 0.0),
            halves: None,
            sample_seed: None,
            decay: None,
            adjust: Box::new(|_| {}),
            state: RunState::Finished,
        }
    }

    /// Measures the steps otherwise than each for itself. What is planted at an iteration is then
    /// that of the row which begins there.
    pub(crate) fn observed(mut self, observed: ObservedInfo) -> Self {
        self.observed = observed;
        self
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
        self.parameters = None;
        self
    }

    /// Records only some of the single parameters.
    pub(crate) fn parameters(mut self, selection: ParameterSelection) -> Self {
        self.parameters = Some(selection);
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

    /// Plants LCA, step and gradient together, of a run without classes.
    pub(crate) fn values(self, values: impl Fn(At) -> [f32; 3] + Copy + 'static) -> Self {
        self.lca(move |at| values(at)[0].into())
            .step(move |at| values(at)[1].into())
            .gradient(move |at| values(at)[2].into())
    }

    /// Plants the residual of every iteration: the loss changes by that much more than the LCA.
    pub(crate) fn residual(mut self, residual: impl Fn(u64) -> f64 + 'static) -> Self {
        self.residual = Box::new(residual);
        self
    }

    /// Makes the probes sampled, and plants half the difference between the halves of the sample
    /// by tensor; asked with index 0.
    pub(crate) fn halves(mut self, halves: impl Fn(At) -> f64 + 'static) -> Self {
        self.halves = Some(Box::new(halves));
        self
    }

    /// Names the seed of the samples.
    pub(crate) fn sample_seed(mut self, seed: u64) -> Self {
        self.sample_seed = Some(seed);
        self
    }

    /// Plants the share of weight decay by tensor; asked with index 0.
    pub(crate) fn decay(mut self, decay: impl Fn(At) -> f64 + 'static) -> Self {
        self.decay = Some(Box::new(decay));
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
        self.write_growing(folder, self.steps.max(1), |_| {})
    }

    /// Writes the run in parts of so many steps, with a look at the run after each of them but the
    /// last, and opens it. What is recorded of all steps together is there at the end only.
    pub(crate) fn write_growing(
        &self,
        folder: &Path,
        steps: u64,
        mut look: impl FnMut(Run),
    ) -> Run {
        let mut recorder = Recorder::new(folder)
            .units_every(1)
            .histogram_window(HISTOGRAM_WINDOW as usize);
        if let Some(selection) = &self.parameters {
            recorder = recorder.parameters(selection.clone());
        }
        let writer = RunWriter::create(&recorder, self.info(), None).unwrap();
        let mut totals: Vec<ParameterTotalRows> = self
            .tensors
            .iter()
            .map(|tensor| self.begin(tensor))
            .collect();
        let mut histograms = BTreeMap::new();
        let mut losses = [BTreeMap::new(), BTreeMap::new()];
        let mut iteration = 0;
        while iteration < self.steps {
            let span = self.span(iteration);
            for (validation, losses) in self.probes().zip(&mut losses) {
                writer.write(self.probe_rows(iteration, validation, losses));
            }
            for (tensor, totals) in self.tensors.iter().zip(&mut totals) {
                let path = &tensor.path;
                let row = self.parameter_rows(iteration, tensor);
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
                    span,
                    tensor: path.clone(),
                    unit: ElementIndices::All,
                    lca: tensor.by_unit(&row.lca),
                })]);
                if let Some(row) = self.selected(tensor, row) {
                    writer.write(vec![Rows::Parameters(row)]);
                }
            }
            iteration = self.observed.next(iteration, span);
            if iteration.is_multiple_of(steps) && iteration < self.steps {
                writer.epoch_end((iteration / steps) as u32, iteration);
                look(Run::open(folder).unwrap());
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
            writer.epoch_end(self.steps.div_ceil(steps) as u32, self.steps);
        }
        writer.finish(self.state.clone()).unwrap();
        Run::open(folder).unwrap()
    }

    /// How many steps the row spans that begins at an iteration: the last one is cut short.
    fn span(&self, iteration: u64) -> u64 {
        self.observed.span.min(self.steps - iteration)
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
        let span = self.span(iteration);
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
            for Tensor { path, info } in &self.tensors {
                let size = &(info.parameters as usize);
                let values: Vec<f64> = (0..*size)
                    .map(|index| match class {
                        None => self.total(at(path, index)),
                        Some(_) => (self.lca)(at(path, index)),
                    })
                    .collect();
                let norm = |of: &ValueOf| {
                    let squares = (0..*size).map(|index| of(at(path, index)).powi(2));
                    squares.sum::<f64>().sqrt()
                };
                lca_helping += values.iter().filter(|lca| **lca < 0.0).sum::<f64>();
                lca_hurting += values.iter().filter(|lca| **lca > 0.0).sum::<f64>();
                let halves = self.halves.as_ref().map(|halves| halves(at(path, 0)));
                tensors.push(TensorRow {
                    iteration,
                    span,
                    probe: probe.clone(),
                    class,
                    tensor: path.clone(),
                    lca: values.iter().sum(),
                    lca_se: halves.map(f64::abs),
                    lca_halves: halves,
                    lca_decay: self.decay.as_ref().map(|decay| decay(at(path, 0))),
                    helping: values.iter().filter(|lca| **lca < 0.0).count() as u64,
                    hurting: values.iter().filter(|lca| **lca > 0.0).count() as u64,
                    zero: values.iter().filter(|lca| **lca == 0.0).count() as u64,
                    step_norm: norm(&self.step),
                    gradient_norm: norm(&self.gradient),
                });
            }
            let rows = &tensors[first..];
            let lca = rows.iter().map(|row| row.lca).sum::<f64>();
            let halves: Option<f64> = rows.iter().map(|row| row.lca_halves).sum();
            let lca_se = halves.map(f64::abs);
            let loss = losses.entry(class).or_insert(INITIAL_LOSS);
            let loss_before = *loss;
            *loss += lca + residual;
            match class {
                Some(class) => classes.push(ClassRow {
                    iteration,
                    span,
                    probe: probe.clone(),
                    class,
                    examples: EXAMPLES,
                    loss_before,
                    loss_after: *loss,
                    lca,
                    lca_se,
                    residual,
                }),
                None => {
                    step = Some(StepRow {
                        iteration,
                        span,
                        epoch: 1,
                        probe: probe.clone(),
                        loss_before,
                        loss_after: *loss,
                        lca,
                        lca_se,
                        lca_decay: rows.iter().map(|row| row.lca_decay).sum(),
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

    /// Returns what is recorded of a tensor's parameters, of all of them; `None` if nothing is.
    fn selected(&self, tensor: &Tensor, rows: ParameterRows) -> Option<ParameterRows> {
        let selection = self.parameters.as_ref()?;
        if !selection.wants_tensor(&tensor.path) {
            return None;
        }
        let Some(indices) = selection.indices(&tensor.path, rows.lca.len()) else {
            return Some(rows);
        };
        let chosen = |values: &[f32]| {
            indices
                .iter()
                .map(|index| values[*index as usize])
                .collect()
        };
        Some(ParameterRows {
            lca: chosen(&rows.lca),
            step: chosen(&rows.step),
            gradient: chosen(&rows.gradient),
            index: ElementIndices::Chosen(indices.clone()),
            ..rows
        })
    }

    fn parameter_rows(&self, iteration: u64, tensor: &Tensor) -> ParameterRows {
        let size = tensor.info.parameters as usize;
        let span = self.span(iteration);
        let tensor = &tensor.path;
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
            span,
            tensor: tensor.clone(),
            index: ElementIndices::All,
            lca: all(&|at| self.total(at)),
            step: all(&self.step),
            gradient: all(&self.gradient),
        }
    }

    fn begin(&self, Tensor { path, info }: &Tensor) -> ParameterTotalRows {
        let size = &(info.parameters as usize);
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
        let changed = |sign: &mut i8, value: f32| {
            let now = if value == 0.0 {
                *sign
            } else {
                value.signum() as i8
            };
            let changed = *sign != 0 && now != *sign;
            *sign = now;
            u32::from(changed)
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
                changed(&mut totals.step_sign[index], row.step[index]);
            totals.gradient_sign_changes[index] +=
                changed(&mut totals.gradient_sign[index], row.gradient[index]);
        }
    }

    fn info(&self) -> RunInfo {
        let tensors = self.tensors.iter().map(|tensor| tensor.info.clone());
        let classes = (0..self.classes).map(|index| ClassInfo {
            index,
            name: format!("class {index}"),
            examples: EXAMPLES,
            sampled: None,
        });
        let probe = |name: &str| ProbeInfo {
            from_loader: false,
            name: name.into(),
            examples: EXAMPLES * u64::from(self.classes.max(1).unsigned_abs()),
            sample: self.halves.as_ref().map(|_| SampleInfo {
                examples: SAMPLE,
                method: "simple".into(),
            }),
            weight: f64::from(EXAMPLES as u32 * self.classes.max(1).unsigned_abs()),
            chunk_size: EXAMPLES as usize,
            workers: 1,
            devices: Vec::new(),
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
            observed: self.observed,
            seeds: self
                .sample_seed
                .into_iter()
                .map(|seed| ("sample of training".to_owned(), seed))
                .collect(),
            ..RunInfo::default()
        }
    }
}

/// A tensor of the run.
struct Tensor {
    path: Arc<str>,
    info: TensorInfo,
}

impl Tensor {
    fn new(shaped: Shaped) -> Self {
        Self {
            path: shaped.0.into(),
            info: tensor_info(shaped),
        }
    }

    /// Sums the parameters' values by unit.
    fn by_unit(&self, values: &[f32]) -> Vec<f32> {
        let axis = self.info.unit_axis.unwrap_or(0);
        let stride: usize = self.info.shape.iter().skip(axis + 1).product();
        let mut units = vec![0.0; self.info.units];
        for (index, value) in values.iter().enumerate() {
            units[index / stride % self.info.units] += value;
        }
        units
    }
}

/// Describes a tensor as a recorder does.
pub(crate) fn tensor_info((path, shape, unit_axis): Shaped) -> TensorInfo {
    TensorInfo::new(path, shape, (!shape.is_empty()).then_some(unit_axis))
}

/// A run with nothing but totals: helping and hurting steps of each parameter of one tensor.
pub(crate) fn totals(counts: &[(u32, u32)], lca: &[f64]) -> (tempfile::TempDir, Run) {
    let folder = tempfile::tempdir().unwrap();
    let info = RunInfo {
        tensors: vec![TensorInfo::new("fc.weight", &[counts.len()], Some(0))],
        ..RunInfo::default()
    };
    let writer = RunWriter::create(&Recorder::new(folder.path()), info, None).unwrap();
    let zeros = vec![0; counts.len()];
    writer.write(vec![Rows::Totals(vec![ParameterTotalRows {
        tensor: "fc.weight".into(),
        index: ElementIndices::All,
        lca: lca.to_vec(),
        lca_validation: None,
        helping: counts.iter().map(|(helping, _)| *helping).collect(),
        hurting: counts.iter().map(|(_, hurting)| *hurting).collect(),
        zero: zeros.clone(),
        step_sign_changes: zeros.clone(),
        gradient_sign_changes: zeros,
        initial: vec![0.0; counts.len()],
        last: vec![0.0; counts.len()],
        step_sign: vec![0; counts.len()],
        gradient_sign: vec![0; counts.len()],
    }])]);
    writer.finish(RunState::Finished).unwrap();
    let run = Run::open(folder.path()).unwrap();
    (folder, run)
}

/// Makes a run one that has not recorded some of its tables.
pub(crate) fn without(run: &Run, tables: &[Table]) -> Run {
    let mut info = run.info().clone();
    for table in tables {
        std::fs::remove_dir_all(run.folder().join(table.name())).unwrap();
        info.rows.remove(table.name());
    }
    let text = info.to_text().unwrap();
    std::fs::write(run.folder().join("run.json"), text).unwrap();
    Run::open(run.folder()).unwrap()
}
