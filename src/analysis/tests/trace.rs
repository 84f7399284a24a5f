use crate::analysis::trace;
use crate::analysis::trace::TraceOptions;
use crate::error::LcaError;
use crate::record::{Run, Table};

use super::synthetic::{Synthetic, without};

/// In `fc1` parameter i has LCA (i − 2)·10⁻³ at every step; `fc2` helps by more than any of it.
fn run(folder: &std::path::Path) -> Run {
    Synthetic::new(&[("fc1.weight", 5), ("fc2.weight", 2)], 8)
        .lca(|at| match at.tensor {
            "fc1.weight" => (at.index as f64 - 2.0) / 1024.0,
            _ => -0.5 - at.index as f64,
        })
        .step(|at| at.iteration as f64)
        .gradient(|at| -(at.index as f64))
        .write(folder)
}

fn of(tensor: Option<&str>, indices: &[u32], extremes: usize) -> TraceOptions {
    TraceOptions {
        tensor: tensor.map(Into::into),
        indices: indices.into(),
        extremes,
        iterations: None,
    }
}

fn found(run: &Run, options: &TraceOptions) -> Vec<(String, u32)> {
    let parameters = trace(run, options).unwrap().parameters;
    parameters
        .into_iter()
        .map(|at| (at.tensor, at.index))
        .collect()
}

#[test]
fn a_parameter_is_traced_through_every_step() {
    let folder = tempfile::tempdir().unwrap();
    let trace = trace(&run(folder.path()), &of(Some("fc1.weight"), &[3, 1], 0)).unwrap();
    let [three, one] = &trace.parameters[..] else {
        panic!("{trace:?}");
    };
    assert_eq!((three.index, one.index), (3, 1));
    assert_eq!((three.lca, one.lca), (8.0 / 1024.0, -8.0 / 1024.0));
    for (iteration, step) in one.steps.iter().enumerate() {
        assert_eq!(step.iteration, iteration as u64);
        assert_eq!((step.step, step.gradient), (iteration as f32, -1.0));
        assert_eq!(step.lca, -1.0 / 1024.0);
    }
    assert_eq!(one.steps.len(), 8);
}

#[test]
fn without_an_index_the_ones_that_helped_and_hurt_most_are_traced() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path());
    let name = |tensor: &str, index| (tensor.to_owned(), index);
    let of_run = [
        ("fc2.weight", 1),
        ("fc2.weight", 0),
        ("fc1.weight", 3),
        ("fc1.weight", 4),
    ];
    let of_run = of_run.map(|(tensor, index)| name(tensor, index));
    let of_tensor = [0, 1, 3, 4].map(|index| name("fc1.weight", index));
    // By the totals, and without them by the rows themselves.
    let bare = tempfile::tempdir().unwrap();
    let alike = self::run(bare.path());
    for run in [run, without(&alike, &[Table::ParameterTotals])] {
        assert_eq!(found(&run, &of(None, &[], 2)), of_run);
        // Parameter 2 did neither.
        assert_eq!(found(&run, &of(Some("fc1.weight"), &[], 5)), of_tensor);
    }
}

#[test]
fn what_is_not_there_is_an_error_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path());
    let says = |options: TraceOptions| trace(&run, &options).unwrap_err().to_string();
    let tensor = says(of(Some("fc9.weight"), &[0], 0));
    assert!(
        tensor.ends_with("its tensors are fc1.weight, fc2.weight"),
        "{tensor}"
    );
    let index = says(of(Some("fc1.weight"), &[5], 0));
    assert!(index.ends_with("give an index below 5"), "{index}");
    let alone = says(of(None, &[5], 0));
    assert!(alone.ends_with("give the tensor before them"), "{alone}");
    let run = without(&run, &[Table::Parameters]);
    let says = |options: TraceOptions| trace(&run, &options).unwrap_err().to_string();
    let table = says(of(Some("fc1.weight"), &[0], 0));
    assert!(table.contains("Recorder::full()"), "{table}");
    assert!(matches!(
        trace(&run, &TraceOptions::default()),
        Err(LcaError::NotRecorded { .. })
    ));
}
