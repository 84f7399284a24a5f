//! A run as its readers find it: a network is trained in a loop of its own with everything
//! recorded, and every table is held against what `observe` returned and against the others.
//!
//! With `BURN_LCA_RECIPES_DIR` set, the run stays in its sub-folder `run`, and `expected.json`
//! beside it has the answers that the recipes of `docs/recipes.md` should give.

#[path = "../../examples/shared/digits.rs"]
mod digits;

mod answer;
mod frame;
mod observed;
mod recipes;
mod truth;

use std::collections::{BTreeMap, BTreeSet};

use burn_lca::{ProbeAllocation, RunStatus, Table};

use frame::Frame;
use observed::{OBSERVED, RECIPES_DIR, STEPS};
use truth::{Turns, unit_of};

const DOCUMENT: &str = include_str!("../../docs/recipes.md");

/// Asserts that two sums of single-precision numbers are the same up to rounding; `size` is the
/// sum of the magnitudes of what was summed.
#[track_caller]
fn assert_rounded(actual: f64, expected: f64, size: f64, what: &str) {
    let tolerance = 16.0 * f64::from(f32::EPSILON) * size;
    assert!(
        (actual - expected).abs() <= tolerance,
        "{what}: {actual:e} is not {expected:e}, off by {:e} > {tolerance:e}",
        actual - expected
    );
}

#[test]
fn a_full_record_has_every_table_and_ends_as_finished() {
    let observed = &*OBSERVED;
    assert_eq!(observed.status, RunStatus::Finished);
    assert_eq!(
        observed.tables.keys().copied().collect::<Vec<_>>(),
        Table::ALL
    );
    let totals = observed.info.totals.as_ref().expect("the run has ended");
    assert_eq!(totals.steps, STEPS as u64);
    for (table, frame) in &observed.tables {
        let counted = observed.info.rows[table.name()];
        assert_eq!(counted, frame.rows() as u64, "{table}");
    }
}

#[test]
fn steps_are_what_observe_returned() {
    let observed = &*OBSERVED;
    let frame = &observed.tables[&Table::Steps];
    let mut rows = 0;
    for step in &observed.steps {
        for probe in probes(step) {
            let tally = probe.tally();
            let row = |name: &str| frame.number(name, rows);
            assert_eq!(row("iteration"), step.iteration() as f64);
            assert_eq!(row("epoch"), f64::from(step.epoch()));
            assert_eq!(frame.text("probe", rows), probe.name());
            assert_eq!(row("loss_before"), probe.loss_before());
            assert_eq!(row("loss_after"), probe.loss_after());
            assert_eq!(row("lca"), probe.lca());
            assert_eq!(row("residual"), probe.residual());
            assert_eq!(frame.get("lca_decay", rows), probe.lca_decay());
            assert_eq!(frame.get("buffers", rows), probe.buffers());
            assert_eq!(row("splits"), f64::from(probe.splits()));
            assert_eq!(row("sweeps"), f64::from(probe.sweeps()));
            assert_eq!(row("helping"), tally.helping as f64);
            assert_eq!(row("hurting"), tally.hurting as f64);
            assert_eq!(row("zero"), tally.zero as f64);
            assert_eq!(row("lca_helping"), tally.lca_helping);
            assert_eq!(row("lca_hurting"), tally.lca_hurting);
            assert_eq!(row("learning_rate"), observed::LEARNING_RATE);
            rows += 1;
        }
    }
    assert_eq!(rows, frame.rows());
}

#[test]
fn tensors_are_what_observe_returned() {
    let observed = &*OBSERVED;
    let frame = &observed.tables[&Table::Tensors];
    let by_key: BTreeMap<_, usize> = (0..frame.rows())
        .map(|row| {
            let class = frame.get("class", row).map(|class| class as usize);
            let key = (
                frame.number("iteration", row) as u64,
                frame.text("probe", row),
                class,
                frame.text("tensor", row),
            );
            (key, row)
        })
        .collect();
    assert_eq!(by_key.len(), frame.rows(), "a row is double");
    let mut rows = 0;
    for step in &observed.steps {
        for probe in probes(step) {
            for tensor in probe.tensors() {
                let mut check = |class, lca, counts: [u64; 3]| {
                    let key = (step.iteration(), probe.name(), class, tensor.path());
                    let row = by_key[&key];
                    assert_eq!(frame.number("lca", row), lca, "{key:?}");
                    let read = ["helping", "hurting", "zero"].map(|name| frame.number(name, row));
                    assert_eq!(read, counts.map(|count| count as f64), "{key:?}");
                    assert_eq!(frame.number("step_norm", row), tensor.step_norm());
                    rows += 1;
                };
                let counts = [tensor.helping(), tensor.hurting(), tensor.zero()];
                check(None, tensor.lca(), counts);
                for class in tensor.by_class() {
                    let counts = [class.helping(), class.hurting(), class.zero()];
                    check(Some(class.class()), class.lca(), counts);
                }
            }
        }
    }
    assert_eq!(rows, frame.rows());
}

#[test]
fn classes_are_what_observe_returned() {
    let observed = &*OBSERVED;
    let frame = &observed.tables[&Table::Classes];
    let mut rows = 0;
    for step in &observed.steps {
        for probe in probes(step) {
            for class in probe.classes() {
                let measured = class.measured().expect("every class has examples");
                let row = |name: &str| frame.number(name, rows);
                assert_eq!(row("iteration"), step.iteration() as f64);
                assert_eq!(frame.text("probe", rows), probe.name());
                assert_eq!(row("class"), class.class() as f64);
                assert_eq!(row("examples"), class.examples() as f64);
                assert_eq!(row("loss_before"), measured.loss_before);
                assert_eq!(row("loss_after"), measured.loss_after);
                assert_eq!(row("lca"), measured.lca);
                assert_eq!(row("residual"), measured.residual);
                rows += 1;
            }
        }
    }
    assert_eq!(rows, frame.rows());
}

#[test]
fn parameters_are_the_step_the_gradient_and_the_lca_of_the_model() {
    let observed = &*OBSERVED;
    for (path, steps) in &observed.parameters {
        assert_eq!(steps.len(), STEPS);
        for (step, rows) in steps.iter().enumerate() {
            let [before, after] = [step, step + 1].map(|point| &observed.values[point][path]);
            let lca = &observed.lca[step][path];
            let gradient = &observed.gradients[step][path];
            let largest = gradient.iter().fold(0.0, |most: f32, g| most.max(g.abs()));
            assert_eq!(rows.len(), before.len());
            for (index, row) in rows.iter().enumerate() {
                assert_eq!(row.step, after[index] - before[index], "{path} {index}");
                assert_eq!(row.lca, lca[index], "{path} {index}");
                // This gradient is of all examples at once; the probe sums chunks of classes.
                let off = (row.gradient - gradient[index]).abs();
                assert!(off <= 1e-4 * largest, "{path} {index}: off by {off:e}");
            }
        }
    }
}

#[test]
fn totals_are_sums_of_the_parameters_of_every_step() {
    let observed = &*OBSERVED;
    let frame = &observed.tables[&Table::ParameterTotals];
    let mut seen = BTreeSet::new();
    for row in 0..frame.rows() {
        let path = frame.text("tensor", row);
        let number = |name: &str| frame.number(name, row);
        let index = number("index") as usize;
        assert!(seen.insert((path, index)), "{path} {index} is double");
        let steps = observed.parameters[path].iter().map(|rows| &rows[index]);

        let count = |wanted: fn(&f32) -> bool| {
            let lca = steps.clone().map(|step| step.lca);
            lca.filter(wanted).count() as f64
        };
        assert_eq!(number("helping"), count(|&lca| lca < 0.0));
        assert_eq!(number("hurting"), count(|&lca| lca > 0.0));
        assert_eq!(number("zero"), count(|&lca| lca == 0.0));
        let turns = |of: fn(&truth::Parameter) -> f32| {
            let mut turns = Turns::default();
            steps.clone().for_each(|step| turns.add(of(step)));
            f64::from(turns.count())
        };
        assert_eq!(number("step_sign_changes"), turns(|step| step.step));
        assert_eq!(number("gradient_sign_changes"), turns(|step| step.gradient));
        let [first, last] = [0, STEPS].map(|point| observed.values[point][path][index]);
        assert_eq!(number("initial"), f64::from(first));
        assert_eq!(number("final"), f64::from(last));

        // Sums in double precision of the same numbers: no rounding of single precision in them.
        let training: f64 = steps.clone().map(|step| f64::from(step.lca)).sum();
        let validation = observed.lca_validation.iter();
        let validation: f64 = validation.map(|lca| f64::from(lca[path][index])).sum();
        for (name, expected) in [("lca", training), ("lca_validation", validation)] {
            let off = (number(name) - expected).abs();
            assert!(off <= 1e-14, "{path} {index}: {name} is off by {off:e}");
        }
    }
    let parameters: u64 = observed.info.tensors.iter().map(|t| t.parameters).sum();
    assert_eq!(seen.len() as u64, parameters);
}

#[test]
fn units_are_sums_of_their_parameters() {
    let observed = &*OBSERVED;
    let frame = &observed.tables[&Table::Units];
    let mut expected: BTreeMap<(u64, &str, u64), [f64; 2]> = BTreeMap::new();
    for (path, steps) in &observed.parameters {
        for (iteration, rows) in steps.iter().enumerate() {
            for (index, row) in rows.iter().enumerate() {
                let unit = unit_of(path, index) as u64;
                let entry = expected.entry((iteration as u64, path, unit)).or_default();
                entry[0] += f64::from(row.lca);
                entry[1] += f64::from(row.lca.abs());
            }
        }
    }
    assert_eq!(frame.rows(), expected.len());
    for row in 0..frame.rows() {
        let [iteration, unit] = ["iteration", "unit"].map(|name| frame.number(name, row) as u64);
        let key = (iteration, frame.text("tensor", row), unit);
        let [sum, size] = expected.remove(&key).expect("one row per unit and step");
        assert_rounded(frame.number("lca", row), sum, size, &format!("{key:?}"));
    }
}

#[test]
fn tensors_are_sums_of_their_units() {
    let observed = &*OBSERVED;
    let units = &observed.tables[&Table::Units];
    let sums = sums(units, |row| units.text("tensor", row).to_owned());
    let tensors = &observed.tables[&Table::Tensors];
    let mut compared = 0;
    for row in 0..tensors.rows() {
        if tensors.text("probe", row) != "training" || tensors.get("class", row).is_some() {
            continue;
        }
        let iteration = tensors.number("iteration", row) as u64;
        let path = tensors.text("tensor", row);
        let lca = &observed.lca[iteration as usize][path];
        let size = lca.iter().map(|lca| f64::from(lca.abs())).sum();
        let sum = sums[&(iteration, path.to_owned())];
        assert_rounded(tensors.number("lca", row), sum, size, path);
        compared += 1;
    }
    assert_eq!(compared, sums.len());
}

#[test]
fn steps_are_sums_of_their_tensors() {
    let observed = &*OBSERVED;
    let all = observed.tables[&Table::Tensors].filter(|row, frame| {
        // The classes are another split of the same loss.
        frame.get("class", row).is_none()
    });
    let steps = &observed.tables[&Table::Steps];
    for name in ["helping", "hurting", "zero", "lca"] {
        let sums = sums_of(&all, name, |row| all.text("probe", row).to_owned());
        for row in 0..steps.rows() {
            let iteration = steps.number("iteration", row) as u64;
            let sum = sums[&(iteration, steps.text("probe", row).to_owned())];
            let off = (steps.number(name, row) - sum).abs();
            let tolerance = if name == "lca" { 1e-14 } else { 0.0 };
            assert!(
                off <= tolerance,
                "{name} of step {iteration}: off by {off:e}"
            );
        }
    }
}

#[test]
fn steps_are_means_of_their_classes() {
    let observed = &*OBSERVED;
    let classes = &observed.tables[&Table::Classes];
    let key = |row| classes.text("probe", row).to_owned();
    let mut sums: BTreeMap<_, [f64; 3]> = BTreeMap::new();
    for row in 0..classes.rows() {
        let iteration = classes.number("iteration", row) as u64;
        let examples = classes.number("examples", row);
        let sum = sums.entry((iteration, key(row))).or_default();
        sum[0] += examples;
        sum[1] += examples * classes.number("lca", row);
        sum[2] += examples * classes.number("loss_after", row);
    }
    let steps = &observed.tables[&Table::Steps];
    assert_eq!(sums.len(), steps.rows());
    for row in 0..steps.rows() {
        let iteration = steps.number("iteration", row) as u64;
        let [examples, lca, loss] = sums[&(iteration, steps.text("probe", row).to_owned())];
        let size = steps.number("lca_hurting", row) - steps.number("lca_helping", row);
        // The gradients of the classes are added in single precision.
        assert_rounded(steps.number("lca", row), lca / examples, 4.0 * size, "lca");
        let after = steps.number("loss_after", row);
        assert_rounded(after, loss / examples, after, "loss");
    }
}

#[test]
fn histograms_count_every_parameter_at_every_step_in_its_bin() {
    let observed = &*OBSERVED;
    let frame = &observed.tables[&Table::Histograms];
    for tensor in &observed.info.tensors {
        let bins = frame.filter(|row, frame| frame.text("tensor", row) == tensor.path);
        let counted: f64 = (0..bins.rows()).map(|row| bins.number("count", row)).sum();
        assert_eq!(counted, (tensor.parameters * STEPS as u64) as f64);
        for row in 0..bins.rows() {
            let [start, end] = ["window_start", "window_end"].map(|name| bins.number(name, row));
            assert_eq!([start, end], [0.0, STEPS as f64]);
            let lower = bins.get("lower", row).expect("all values are finite");
            let upper = bins.get("upper", row).expect("all values are finite");
            let lca = observed.lca.iter().flat_map(|lca| &lca[&tensor.path]);
            // A value within rounding of an edge may be counted on either side.
            let [mut surely, mut perhaps] = [0, 0];
            for lca in lca.map(|&lca| f64::from(lca)) {
                let [inner, outer] = [-1e-5, 1e-5].map(|room| {
                    lca >= lower - room * lower.abs() && lca <= upper + room * upper.abs()
                });
                surely += usize::from(inner && (lca != 0.0) == (lower != upper));
                perhaps += usize::from(outer && (lca != 0.0) == (lower != upper));
            }
            let count = bins.number("count", row) as usize;
            assert!(
                (surely..=perhaps).contains(&count),
                "{} {lower:e}..{upper:e}: {count} is not {surely} to {perhaps}",
                tensor.path
            );
        }
    }
}

#[test]
fn every_recipe_has_an_answer_that_was_computed_here() {
    let answers = recipes::answers(&OBSERVED);
    let described: BTreeSet<&str> = DOCUMENT
        .lines()
        .filter_map(|line| line.strip_prefix("<!-- recipe: ")?.strip_suffix(" -->"))
        .collect();
    assert_eq!(
        described,
        answers.keys().copied().collect::<BTreeSet<_>>(),
        "docs/recipes.md on the left, tests/downstream on the right"
    );
    for (recipe, answer) in &answers {
        assert!(!answer.rows.is_empty(), "{recipe} has no rows");
    }
    if let Some(folder) = std::env::var_os(RECIPES_DIR) {
        let path = std::path::Path::new(&folder).join("expected.json");
        let text = serde_json::to_string(&answers).expect("numbers and texts");
        std::fs::write(path, text).expect("the folder can be written");
    }
}

fn probes(step: &burn_lca::StepAllocation) -> impl Iterator<Item = &ProbeAllocation> {
    std::iter::once(step.probe()).chain(step.validation())
}

/// The sum of LCA by iteration and key.
fn sums(frame: &Frame, key: impl Fn(usize) -> String) -> BTreeMap<(u64, String), f64> {
    sums_of(frame, "lca", key)
}

fn sums_of(
    frame: &Frame,
    column: &str,
    key: impl Fn(usize) -> String,
) -> BTreeMap<(u64, String), f64> {
    let mut sums = BTreeMap::new();
    for row in 0..frame.rows() {
        let iteration = frame.number("iteration", row) as u64;
        *sums.entry((iteration, key(row))).or_default() += frame.number(column, row);
    }
    sums
}
