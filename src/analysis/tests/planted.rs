//! Runs with planted values of single parameters.

use std::path::Path;
use std::sync::Arc;

use crate::record::Run;
use crate::record::{
    ElementIndices, ParameterRows, ParameterSelection, ProbeInfo, Recorder, Rows, RunInfo,
    RunState, RunWriter, StepRow, TensorInfo,
};

/// A tensor: path, shape, and the axis of its units.
pub(crate) type Planted = (&'static str, &'static [usize], usize);

/// Returns a run of so many steps: `value` gives LCA, step and gradient of the n-th parameter of
/// a tensor at a step. The loss falls by 0.01 a step.
pub(crate) fn run(
    folder: &Path,
    tensors: &[Planted],
    steps: u64,
    selection: Option<ParameterSelection>,
    value: impl Fn(u64, &str, usize) -> [f32; 3],
) -> Run {
    let info = RunInfo {
        tensors: tensors.iter().map(info).collect(),
        probes: vec![ProbeInfo {
            name: "training".into(),
            ..ProbeInfo::default()
        }],
        ..RunInfo::default()
    };
    let mut recorder = Recorder::new(folder);
    if let Some(selection) = &selection {
        recorder = recorder.parameters(selection.clone());
    }
    let writer = RunWriter::create(&recorder, info, None).unwrap();
    for iteration in 0..steps {
        let loss = 2.0 - 0.01 * iteration as f64;
        writer.write(vec![Rows::Steps(vec![StepRow {
            iteration,
            span: 1,
            epoch: 1,
            probe: "training".into(),
            loss_before: loss,
            loss_after: loss - 0.01,
            lca: -0.01,
            lca_se: None,
            lca_decay: None,
            residual: 0.0,
            buffers: None,
            splits: 1,
            sweeps: 1,
            capped: false,
            helping: 1,
            hurting: 0,
            zero: 0,
            lca_helping: -0.01,
            lca_hurting: 0.0,
            learning_rate: 0.1,
            probe_seconds: 0.1,
        }])]);
        for (path, shape, _) in tensors {
            let Some(selection) = selection
                .as_ref()
                .filter(|wanted| wanted.wants_tensor(path))
            else {
                continue;
            };
            let count = shape.iter().product();
            let indices = selection.indices(path, count);
            let all = || (0..count as u32).collect();
            let values: Vec<[f32; 3]> = (indices.as_deref().map_or_else(all, <[u32]>::to_vec))
                .into_iter()
                .map(|index| value(iteration, path, index as usize))
                .collect();
            let of = |which: usize| values.iter().map(|values| values[which]).collect();
            writer.write(vec![Rows::Parameters(ParameterRows {
                iteration,
                span: 1,
                tensor: Arc::from(*path),
                index: indices.map_or(ElementIndices::All, ElementIndices::Chosen),
                lca: of(0),
                step: of(1),
                gradient: of(2),
            })]);
        }
    }
    writer.finish(RunState::Finished).unwrap();
    Run::open(folder).unwrap()
}

pub(crate) fn info((path, shape, unit_axis): &Planted) -> TensorInfo {
    TensorInfo::new(*path, shape, (!shape.is_empty()).then_some(*unit_axis))
}
