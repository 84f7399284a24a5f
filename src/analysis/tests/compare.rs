use crate::analysis::compare;
use crate::analysis::compare::{Pair, Unmatched};
use crate::record::RunState;

use super::synthetic::Synthetic;

fn near(pair: Pair, first: f64, second: f64) {
    let close = |number: f64, truth: f64| (number - truth).abs() < 1e-9;
    assert!(
        close(pair.first, first)
            && close(pair.second, second)
            && close(pair.difference, second - first),
        "{pair:?} is not {first}, {second}"
    );
}

/// The first run has 10 steps of 2 classes, the second 20 steps of 3; in the second `fc2` hurts,
/// and class 1 learns at twice the rate of class 0. They share `fc1`, where the second has one
/// parameter more, and `fc2`.
#[test]
fn what_both_runs_have_is_side_by_side_and_the_rest_is_listed() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let first = Synthetic::new(
        &[
            ("fc1.weight", 3),
            ("fc1.bias", 1),
            ("fc2.weight", 2),
            ("head.weight", 1),
        ],
        10,
    )
    .classes(2)
    .validation()
    .lca(|_| -0.5)
    .write(folders[0].path());
    let second = Synthetic::new(
        &[("conv.weight", 2), ("fc2.weight", 2), ("fc1.weight", 5)],
        20,
    )
    .classes(3)
    .lca(|at| match (at.tensor, at.class) {
        ("fc2.weight", _) => 0.25,
        ("fc1.weight", Some(1)) => -2.0,
        ("fc1.weight", _) => -1.0,
        _ => 0.0,
    })
    .state(RunState::Interrupted)
    .write(folders[1].path());
    let found = compare(&first, &second).unwrap();

    let of_runs = found
        .runs
        .each_ref()
        .map(|run| (run.parameters, run.steps, run.last_iteration));
    assert_eq!(of_runs, [(7, 10, 9), (9, 20, 19)]);

    // The mean over the classes of fc1 is -4/3 a parameter.
    let [training] = &found.probes[..] else {
        panic!("{found:?}");
    };
    let (fc1, fc2) = (-20.0 * 5.0 * 4.0 / 3.0, 20.0 * 2.0 * 0.25);
    near(training.lca, -35.0, fc1 + fc2);
    near(training.loss_change, -35.0, fc1 + fc2);
    near(training.loss_after, 2.5 - 35.0, 2.5 + fc1 + fc2);
    near(training.lca_helping, -35.0, fc1);
    near(training.lca_hurting, 0.0, fc2);
    near(training.fraction_of_all, 1.0, 5.0 / 9.0);
    near(training.fraction_of_nonzero, 1.0, 5.0 / 7.0);

    let [one, two] = &found.layers[..] else {
        panic!("{found:?}");
    };
    assert_eq!((one.layer.as_str(), one.parameters), ("fc1", [4, 5]));
    near(one.lca, -20.0, fc1);
    near(one.fraction_of_nonzero, 1.0, 1.0);
    assert_eq!((two.layer.as_str(), two.parameters), ("fc2", [2, 2]));
    near(two.lca, -10.0, fc2);
    near(two.fraction_of_network, 10.0 / 35.0, fc2 / (fc1 + fc2));
    near(two.fraction_of_nonzero, 1.0, 0.0);

    let [zero, one] = &found.classes[..] else {
        panic!("{found:?}");
    };
    assert_eq!((zero.class, zero.name.as_str()), (0, "class 0"));
    near(zero.lca, -35.0, -100.0 + fc2);
    near(one.lca, -35.0, -200.0 + fc2);
    near(one.loss_after, 2.5 - 35.0, 2.5 - 200.0 + fc2);

    let unmatched = |probes: &[&str], layers: &[&str], classes: &[&str]| Unmatched {
        probes: probes.iter().map(|name| (*name).into()).collect(),
        layers: layers.iter().map(|name| (*name).into()).collect(),
        classes: classes.iter().map(|name| (*name).into()).collect(),
    };
    let [of_first, of_second] = &found.unmatched;
    assert_eq!(*of_first, unmatched(&["validation"], &["head"], &[]));
    assert_eq!(*of_second, unmatched(&[], &["conv"], &["class 2"]));
}

#[test]
fn a_run_does_not_differ_from_itself() {
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::new(&[("fc1.weight", 3), ("fc2.weight", 2)], 5)
        .lca(|at| (at.index as f64 - 1.0) * (at.iteration as f64).cos())
        .write(folder.path());
    let found = compare(&run, &run).unwrap();
    assert_eq!(
        found.unmatched,
        [Unmatched::default(), Unmatched::default()]
    );
    let layers = found.layers.iter().flat_map(|layer| {
        [
            layer.lca,
            layer.fraction_of_network,
            layer.fraction_of_nonzero,
        ]
    });
    let probes = found
        .probes
        .iter()
        .flat_map(|probe| [probe.lca, probe.loss_after]);
    let pairs: Vec<Pair> = layers.chain(probes).collect();
    assert_eq!(pairs.len(), 8);
    assert!(pairs.iter().all(|pair| pair.difference == 0.0), "{pairs:?}");
}
