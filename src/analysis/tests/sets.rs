use tempfile::TempDir;

use super::synthetic::Synthetic;
use crate::analysis::layers::LayersOptions;
use crate::analysis::sets::RunSet;
use crate::analysis::{Grouping, TensorGroup, layers, sets};
use crate::record::Run;

const TENSORS: [(&str, usize); 3] = [
    ("first.weight", 1),
    ("body.0.weight", 2),
    ("head.weight", 1),
];

/// A run of 10 steps in which the head does `head`, and every other parameter −1.
fn run(head: f64) -> (TempDir, Run) {
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::new(&TENSORS, 10)
        .without_parameters()
        .lca(move |at| match at.tensor {
            "head.weight" => head / 10.0,
            _ => -0.1,
        })
        .write(folder.path());
    (folder, run)
}

fn runs(heads: &[f64]) -> (Vec<TempDir>, Vec<Run>) {
    heads.iter().map(|head| run(*head)).unzip()
}

fn assert_near(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-9, "{value}, not {expected}");
}

#[test]
fn groups_sum_the_tensors_of_their_modules_and_the_rest() {
    let (_folder, run) = run(0.5);
    let group = |pattern: &str| TensorGroup::new("frozen", pattern);
    let options =
        LayersOptions::default().by(Grouping::Groups(vec![group("head"), group("first")]));
    let found = layers(std::slice::from_ref(&run), &options).unwrap();
    let sums: Vec<(&str, u64)> = found
        .layers
        .iter()
        .map(|group| (group.name.as_str(), group.parameters))
        .collect();
    assert_eq!(sums, [("frozen", 2), ("others", 2)]);
    assert_near(found.layers[0].lca, -0.5);
    assert_near(found.layers[1].lca, -2.0);
    assert_eq!(found.layers[0].counts.fraction_of_all(), Some(0.5));
    for groups in [
        vec![group("heads")],
        vec![TensorGroup::new("all", "*"), group("head")],
    ] {
        let options = LayersOptions::default().by(Grouping::Groups(groups));
        let error = layers(std::slice::from_ref(&run), &options).unwrap_err();
        assert!(error.to_string().contains("frozen=head"), "{error}");
    }
}

/// Heads of 0, 2 and of 0, 0, 6, 6: those of the tests of significance, with a difference of 2, an
/// error of 2 and 4 degrees of freedom.
#[test]
fn sets_of_runs_differ_from_the_first_by_welchs_test() {
    let (_a, plain) = runs(&[0.0, 2.0]);
    let (_b, frozen) = runs(&[0.0, 0.0, 6.0, 6.0]);
    let options = LayersOptions::default();
    let given = [RunSet::new("plain", plain), RunSet::new("frozen", frozen)];
    let found = sets(&given, &options).unwrap();
    assert_eq!(found[0].differences, [None; 3]);
    let [first, body, head] = found[1].differences[..] else {
        panic!("{found:?}")
    };
    assert_near(found[1].layers.layers[2].lca, 3.0);
    let test = head.unwrap().test.unwrap();
    assert_near(head.unwrap().lca, 2.0);
    assert_near(test.standard_error, 2.0);
    assert_near(test.t, 1.0);
    // The others are the same in all runs, so only one layer is tested.
    assert_eq!(test.p, test.p_corrected);
    assert_near(first.unwrap().lca, 0.0);
    assert_eq!((first.unwrap().test, body.unwrap().test), (None, None));
    // `body.0` has two parameters.
    assert_near(
        head.unwrap().divided(2).test.unwrap().interval[1],
        test.interval[1] / 2.0,
    );
}
