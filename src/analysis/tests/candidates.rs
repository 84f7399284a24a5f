use super::random::noise;
use super::synthetic::{At, Synthetic};
use crate::analysis::candidates;
use crate::analysis::candidates::{
    Candidates, CandidatesOptions, RunPortion, SumTest, UnitProblem,
};
use crate::record::Run;

fn advise(runs: &[Run]) -> Candidates {
    candidates(runs, &CandidatesOptions::default()).unwrap()
}

/// The mean that is planted for a tensor, in noise of five times 0.001.
fn hurts(at: At, seed: u64) -> f64 {
    let mean = match at.tensor {
        "hurting.weight" => 0.001,
        "even.weight" => 0.0,
        _ => -0.001,
    };
    mean + 0.005 * noise(at.iteration, at.tensor, seed)
}

const MEANS: [(&str, usize); 3] = [
    ("helping.weight", 1),
    ("hurting.weight", 1),
    ("even.weight", 1),
];

fn freezable(runs: &[Run]) -> (SumTest, Vec<String>) {
    let advice = advise(runs);
    let tensors = advice
        .freeze
        .tensors
        .into_iter()
        .filter(|tensor| tensor.candidate);
    (
        advice.freeze.test,
        tensors.map(|tensor| tensor.tensor).collect(),
    )
}

#[test]
fn only_the_hurting_tensor_is_to_be_frozen() {
    let folders = [(); 4].map(|()| tempfile::tempdir().unwrap());
    let runs: Vec<Run> = folders
        .iter()
        .zip(0..)
        .map(|(folder, seed)| {
            Synthetic::new(&MEANS, 400)
                .without_parameters()
                .lca(move |at| hurts(at, seed))
                .write(folder.path())
        })
        .collect();
    let (test, tensors) = freezable(&runs[..1]);
    assert!(matches!(test, SumTest::BlockBootstrap { block: 20, .. }));
    assert_eq!(tensors, ["hurting.weight"]);
    let (test, tensors) = freezable(&runs);
    assert_eq!(test, SumTest::StudentT { runs: 4 });
    assert_eq!(tensors, ["hurting.weight"]);
}

#[test]
fn a_short_run_and_one_without_a_validation_probe_say_what_they_can() {
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::new(&MEANS, 1)
        .lca(|at| hurts(at, 0))
        .write(folder.path());
    let advice = advise(&[run]);
    assert!(matches!(advice.freeze.test, SumTest::TooFewSteps { .. }));
    assert_eq!(advice.freeze.tensors.len(), 3);
    assert!(advice.freeze.tensors.iter().all(|tensor| !tensor.candidate));
    assert!(advice.overfitting.is_none());
    assert!(advice.lags.layers.is_empty());
    // Eight parts of 50 steps, and ten steps of lag on either side.
    assert!(advice.lags.unknown.unwrap().contains("420 observed steps"));
}

#[test]
fn a_tensor_that_only_training_gains_from_is_over_fitting() {
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::new(
        &[("sound.weight", 1), ("late.weight", 1), ("ever.weight", 1)],
        600,
    )
    .without_parameters()
    .validation()
    .lca(|at| {
        let mean = match (at.validation, at.tensor) {
            // So much at first that the run's sum helps validation too.
            (true, "late.weight") if at.iteration < 300 => -0.01,
            (true, "late.weight" | "ever.weight") => 0.002,
            _ => -0.002,
        };
        mean + 0.005 * noise(at.iteration, at.tensor, u64::from(at.validation))
    })
    .write(folder.path());
    let found = advise(&[run]).overfitting.unwrap();
    let found = found.tensors.iter().filter(|tensor| tensor.candidate);
    let found: Vec<(&str, RunPortion)> = found
        .map(|found| (found.tensor.as_str(), found.portion))
        .collect();
    assert_eq!(
        found,
        [
            ("late.weight", RunPortion::SecondHalf),
            ("ever.weight", RunPortion::WholeRun),
            ("ever.weight", RunPortion::SecondHalf),
        ]
    );
}

#[test]
fn dead_and_hurting_units_are_told_from_each_other_and_from_their_neighbours() {
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::new(
        &[("fc1.weight", 6), ("fc1.bias", 6), ("fc2.weight", 3)],
        100,
    )
    .step(|at| if at.index == 5 { 0.0 } else { 0.01 })
    .lca(|at| match (at.tensor, at.index) {
        ("fc1.weight" | "fc1.bias", 5) => 0.0,
        ("fc1.weight" | "fc1.bias", 3) if at.iteration > 40 => 0.0,
        // Ten steps are too few.
        ("fc1.weight" | "fc1.bias", 4) if at.iteration % 10 != 9 => 0.0,
        ("fc1.weight", 1) if at.iteration % 40 == 7 => -0.01,
        ("fc1.weight", 1) => 0.01,
        _ => 0.001 * noise(at.iteration, at.tensor, at.index as u64),
    })
    .write(folder.path());
    let advice = advise(&[run]);
    let [first, second] = &advice.units[..] else {
        panic!("{:?}", advice.units)
    };
    let found: Vec<_> = first
        .candidates
        .iter()
        .map(|unit| (unit.unit, unit.problem, unit.last_active))
        .collect();
    assert_eq!(
        found,
        [
            (1, UnitProblem::RarelyHelps, Some(99)),
            (3, UnitProblem::Dead, Some(40)),
            (5, UnitProblem::Dead, None),
        ]
    );
    assert_eq!((first.layer.as_str(), first.units), ("fc1", 6));
    // Iterations 7, 47 and 87.
    assert_eq!(
        (first.candidates[0].helping, first.candidates[0].hurting),
        (3, 97)
    );
    assert!(second.candidates.is_empty());
    assert_eq!((first.unjudged, second.unjudged), (1, 0));
    let unjudged = advice.units_unjudged.unwrap();
    assert!(
        unjudged.contains("fewer than 20 recorded steps: 1 of 9 units"),
        "{unjudged}"
    );

    let [weight, bias, other] = &advice.parameters[..] else {
        panic!("{:?}", advice.parameters)
    };
    for tensor in [weight, bias] {
        assert_eq!((tensor.parameters, tensor.dead, tensor.unmoved), (6, 1, 1));
        assert_eq!(tensor.unjudged, 1);
    }
    let unjudged = advice.parameters_unjudged.unwrap();
    assert!(unjudged.contains("2 of 15 parameters"), "{unjudged}");
    let worst: Vec<u32> = weight
        .worst
        .iter()
        .map(|parameter| parameter.index)
        .collect();
    assert_eq!((weight.rarely_helping, worst), (1, vec![1]));
    assert!((weight.rarely_helping_lca - 0.94).abs() < 1e-6);
    assert_eq!(
        (other.dead, other.rarely_helping, &other.reason),
        (0, 0, &None)
    );
}

#[test]
fn only_the_layer_that_is_three_steps_behind_lags() {
    let folder = tempfile::tempdir().unwrap();
    let layers = [
        ("conv1.weight", 1),
        ("conv2.weight", 1),
        ("fc1.weight", 1),
        ("fc2.weight", 1),
    ];
    let run = Synthetic::new(&layers, 800)
        .without_parameters()
        .lca(|at| {
            let behind = if at.tensor == "fc1.weight" { 3 } else { 0 };
            let now = at.iteration + 10 - behind;
            let shared = noise(now, "shared", 0) + 0.5 * noise(now - 1, "shared", 0);
            // Learning slows down, and the lagging layer counts for little.
            let start = 1.0 + 10.0 * (-(now as f64) / 50.0).exp();
            let size = if behind > 0 { 0.1 } else { 1.0 };
            size * start * (shared - 1.0 + noise(at.iteration, at.tensor, 1))
        })
        .write(folder.path());
    let lags = advise(&[run]).lags;
    assert_eq!(lags.unknown, None);
    let found: Vec<(&str, i64, bool)> = lags
        .layers
        .iter()
        .map(|layer| (layer.layer.as_str(), layer.lag, layer.candidate))
        .collect();
    assert_eq!(
        found,
        [
            ("conv1", 0, false),
            ("conv2", 0, false),
            ("fc1", 3, true),
            ("fc2", 0, false)
        ]
    );
}

#[test]
fn runs_of_different_models_are_refused() {
    let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let one = Synthetic::new(&[("a.weight", 1)], 3).write(folders[0].path());
    let other = Synthetic::new(&[("b.weight", 1)], 3).write(folders[1].path());
    let error = candidates(&[one, other], &CandidatesOptions::default()).unwrap_err();
    assert!(error.to_string().contains("different tensors"), "{error}");
    assert!(candidates(&[], &CandidatesOptions::default()).is_err());
}
