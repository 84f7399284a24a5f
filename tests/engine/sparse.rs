//! Steps that are not measured each for itself: several in a row as one, or one in several.

use std::time::{Duration, Instant};

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, UInt64Type};
use burn::optim::SgdConfig;
use burn::optim::momentum::MomentumConfig;
use burn_lca::{Integrator, Lca, LcaError, LcaObserver, Recorder, Run, StepAllocation, Table};

use crate::by_hand::{Monomial, probe as numbers};
use crate::digits::{Digit, DigitNet};
use crate::refused::assert_names;
use crate::scaffold::{
    DirectLoss, assert_close, assert_same, by_class, label, minibatch, moved, net, probe, start,
    steps, thorough, train, training, validation, values,
};

/// f32 sums of a few numbers of size one to ten.
const ROUNDING: f64 = 1e-5;

fn monomial(lca: Lca<burn::tensor::Tensor<1>>) -> (Monomial, LcaObserver<Monomial>) {
    let model = Monomial::new(1, 1, [1.0, 2.0]);
    let observer = start(lca.integrator(Integrator::fixed(1)), &model);
    (model, observer)
}

/// L = 3 θ₀ θ₁ from (1, 2) by way of (4, −1) and (0, 5) to (1.5, 1): along the straight line from the
/// first to the last, θ₀ = 1 + α/2 and θ₁ = 2 − α, so ∫ 3 θ₁ dα · ½ = 2.25 and
/// ∫ 3 θ₀ dα · (−1) = −3.75. The trapezoid is exact. Where the line of the next two steps leads, from
/// (1.5, 1) to (1.5, 3), LCA is (0, 3 · 1.5 · 2).
#[test]
fn a_segment_is_the_straight_line_from_its_start_to_its_end() {
    let lca = Lca::new(numbers(&[1.0, 2.0, 6.0])).every(3);
    let (model, mut lca) = monomial(lca);
    let mut step = |theta| lca.step(&model.at(theta)).unwrap();
    assert!(step([4.0, -1.0]).is_none());
    assert!(step([0.0, 5.0]).is_none());
    let first = step([1.5, 1.0]).expect("three steps");
    assert_eq!((first.iteration(), first.span()), (0, 3));
    assert_same(&first.parameter("theta").unwrap(), &[2.25, -3.75], ROUNDING);
    assert_close(first.loss_change(), 4.5 - 6.0, ROUNDING);
    assert_close(first.residual(), 0.0, ROUNDING);
    assert_eq!(first.probe().sweeps(), 1);

    assert!(step([7.0, 7.0]).is_none());
    let end = model.at([1.5, 3.0]);
    assert!(lca.step(&end).unwrap().is_none());
    let last = lca.end_segment(&end).unwrap().expect("two steps");
    assert_eq!((last.iteration(), last.span()), (3, 2));
    assert_same(&last.parameter("theta").unwrap(), &[0.0, 9.0], ROUNDING);
    assert!(lca.end_segment(&end).unwrap().is_none());
}

/// Steps 0 and 3 of 5 are measured. What the others did is in no row.
#[test]
fn one_step_in_three_is_measured_from_where_it_starts() {
    let lca = Lca::new(numbers(&[1.0, 2.0, 6.0])).one_in(3);
    let (model, mut lca) = monomial(lca);
    let path = [[1.0, 1.0], [9.0, 9.0], [1.0, 2.0], [1.5, 1.0], [8.0, 8.0]];
    let measured: Vec<Option<StepAllocation>> = path
        .iter()
        .map(|theta| lca.step(&model.at(*theta)).unwrap())
        .collect();
    let [Some(first), None, None, Some(second), None] = &measured[..] else {
        panic!("steps 0 and 3: {measured:?}");
    };
    // From (1, 2) to (1, 1), and from (1, 2) to (1.5, 1) as above.
    assert_same(&first.parameter("theta").unwrap(), &[0.0, -3.0], ROUNDING);
    assert_same(
        &second.parameter("theta").unwrap(),
        &[2.25, -3.75],
        ROUNDING,
    );
    assert_eq!((second.iteration(), second.span()), (3, 1));
    // The start of the first was swept when observing began, that of the second was not.
    assert_eq!((first.probe().sweeps(), second.probe().sweeps()), (1, 2));
    assert!(lca.end_segment(&model).unwrap().is_none());
}

#[test]
fn settings_that_leave_nothing_to_measure_or_to_return_are_refused() {
    let model = Monomial::new(1, 1, [1.0, 2.0]);
    for none in [Lca::every, Lca::one_in] {
        let lca = none(Lca::new(numbers(&[1.0])), 0);
        let error = lca.start(&model).unwrap_err().to_string();
        assert_names(&error, &["every", "one_in", "0 steps"]);
        let mut lca = start(none(Lca::new(numbers(&[1.0])), 2), &model);
        let error = lca.observe(&model).unwrap_err();
        assert!(matches!(error, LcaError::Setting { .. }));
        assert_names(&error.to_string(), &["observe", "call `step`"]);
    }
    // Every step is measured by the one as by the other.
    let mut lca = start(Lca::new(numbers(&[1.0])).every(1), &model);
    assert_eq!(lca.observe(&model).unwrap().span(), 1);
    assert_eq!(lca.step(&model).unwrap().expect("a step").span(), 1);
}

const RATE: f64 = 0.1;

/// Trains with momentum, and returns what was measured and the model's values at the end.
fn observed(lca: Lca<crate::digits::DigitBatch>, count: usize) -> (Vec<StepAllocation>, DigitNet) {
    let mut model = net();
    let mut optimizer = SgdConfig::new()
        .with_momentum(Some(MomentumConfig::new()))
        .init();
    let mut lca = start(lca, &model);
    let mut measured = Vec::new();
    for index in 0..count {
        lca.set_epoch(1 + index as u32);
        model = train(model, &mut optimizer, RATE, minibatch(index));
        measured.extend(lca.step(&model).unwrap());
    }
    measured.extend(lca.end_segment(&model).unwrap());
    lca.finish().unwrap();
    (measured, model)
}

fn lca() -> Lca<crate::digits::DigitBatch> {
    Lca::new(by_class(training()))
        .validation(probe(validation()))
        .integrator(Integrator::adaptive().tolerance(1e-5, 0.0))
}

/// The loss at both ends is measured without the crate; single steps and segments are two ways from
/// one to the other.
#[test]
fn segments_add_up_to_the_loss_change_that_single_steps_add_up_to() {
    let count = steps(17, 5);
    let (before, rounding) = (DirectLoss::of(&net(), training()), 1e-6 * count as f64);
    let (single, model) = observed(lca(), count);
    let (segments, sparse) = observed(lca().every(4), count);
    assert_eq!(values(&model), values(&sparse));
    let after = DirectLoss::of(&model, training());
    for measured in [&single, &segments] {
        let sum = |part: fn(&StepAllocation) -> f64| measured.iter().map(part).sum::<f64>();
        let change = sum(StepAllocation::loss_change);
        assert_close(change, after.total - before.total, rounding);
        assert_close(sum(|step| step.lca() + step.residual()), change, 1e-9);
        assert_close(
            sum(StepAllocation::residual),
            0.0,
            1e-5 * measured.len() as f64,
        );
    }
    let spans: Vec<_> = segments
        .iter()
        .map(|s| (s.iteration(), s.span(), s.epoch()))
        .collect();
    let last = count as u64 % 4;
    assert_eq!(spans.first(), Some(&(0, 4, 4)));
    assert_eq!(
        spans.last(),
        Some(&(count as u64 - last, last, count as u32))
    );
    // Segments join where single steps do.
    for pair in segments.windows(2) {
        assert_eq!(pair[0].loss_after(), pair[1].loss_before());
        let step = &single[pair[1].iteration() as usize];
        assert_eq!(step.loss_before(), pair[1].loss_before());
    }
}

/// One step in three is the step of the full run to the last bit: sums, classes, errors, parameters.
#[test]
fn one_step_in_several_is_what_the_full_run_has_of_it() {
    if !thorough() {
        return;
    }
    for sampled in [false, true] {
        let lca = || {
            let probe = by_class(training());
            Lca::new(if sampled { probe.sampled(80, 1) } else { probe })
        };
        let (full, model) = observed(lca(), 8);
        let (some, sparse) = observed(lca().one_in(3), 8);
        assert_eq!(values(&model), values(&sparse));
        assert_eq!(some.len(), 3);
        for step in &some {
            let same = &full[step.iteration() as usize];
            let of = |step: &StepAllocation| {
                let tensors = step.tensors().iter();
                let tensors =
                    tensors.map(|t| (t.lca(), t.helping(), t.step_norm(), t.gradient_norm()));
                let classes = step.classes().iter().map(|class| {
                    let measured = class.measured().unwrap();
                    (measured.loss_before, measured.lca, measured.standard_error)
                });
                (
                    (step.iteration(), step.span(), step.epoch(), step.splits()),
                    (
                        step.loss_before(),
                        step.loss_after(),
                        step.residual(),
                        step.standard_error(),
                    ),
                    tensors.collect::<Vec<_>>(),
                    classes.collect::<Vec<_>>(),
                    step.parameter("fc1.weight").unwrap(),
                )
            };
            assert_eq!(of(step), of(same));
            // The start of a whole probe is swept anew, that of a sample always is.
            let more = u16::from(!sampled && step.iteration() > 0);
            assert_eq!(step.probe().sweeps(), same.probe().sweeps() + more);
        }
    }
}

/// Parameters of the model.
fn parameters(run: &Run) -> u64 {
    let tensors = run.info().tensors.iter();
    tensors.map(|tensor| tensor.parameters).sum()
}

/// How often a parameter helped, hurt or did neither, over all parameters and the whole run.
fn counted(run: &Run) -> u64 {
    let names = ["helping", "hurting", "zero"];
    let counts = columns(run, Table::ParameterTotals, &names);
    counts.iter().flatten().sum()
}

fn columns(run: &Run, table: Table, names: &[&str]) -> Vec<Vec<u64>> {
    let mut columns = vec![Vec::new(); names.len()];
    for batch in run
        .scan(table)
        .columns(names.iter().copied())
        .batches()
        .unwrap()
    {
        for (column, values) in columns.iter_mut().zip(batch.unwrap().columns()) {
            let values = cast(values, &DataType::UInt64).unwrap();
            column.extend(values.as_primitive::<UInt64Type>().values());
        }
    }
    columns
}

/// Of 10 steps: segments at 0, 4 and 8, the last of 2 steps; single steps at 0, 4 and 8.
#[test]
fn every_row_says_how_many_steps_it_is_about() {
    for single in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::new(folder.path()).full();
        let lca = Lca::new(by_class(training())).record(recorder);
        let lca = if single { lca.one_in(4) } else { lca.every(4) };
        let (measured, _) = observed(lca, 10);
        assert_eq!(measured.len(), 3);
        let run = Run::open(folder.path()).unwrap();
        let spans: &[u64] = if single { &[1, 1, 1] } else { &[4, 4, 2] };
        for table in [
            Table::Steps,
            Table::Tensors,
            Table::Classes,
            Table::Units,
            Table::Parameters,
        ] {
            let [mut iterations, spans_of] =
                <[_; 2]>::try_from(columns(&run, table, &["iteration", "span"])).unwrap();
            for (iteration, span) in iterations.iter().zip(&spans_of) {
                assert_eq!(*span, spans[*iteration as usize / 4], "{table}");
            }
            iterations.dedup();
            assert_eq!(iterations, [0, 4, 8], "{table}");
        }
        let windows = columns(
            &run,
            Table::Histograms,
            &["window_start", "window_end", "count"],
        );
        assert!(windows[0].iter().all(|start| *start == 0));
        assert!(
            windows[1]
                .iter()
                .all(|end| *end == if single { 9 } else { 10 })
        );
        assert_eq!(windows[2].iter().sum::<u64>(), 3 * parameters(&run));
        let totals = run.info().totals.unwrap();
        assert_eq!((totals.steps, totals.next_iteration), (3, 10));
        assert_eq!(counted(&run), 3 * parameters(&run));
    }
}

/// A training of 7 steps that goes on for 5 more: after 7 steps a segment is ended, and single steps
/// go on at 8.
#[test]
fn a_resumed_loop_counts_the_steps_that_nothing_was_measured_of() {
    for (single, expected) in [(false, [0, 4, 7, 11]), (true, [0, 4, 8, 12])] {
        let folder = tempfile::tempdir().unwrap();
        let lca = |every: usize| {
            let recorder = Recorder::new(folder.path()).resume();
            let lca = Lca::new(by_class(training())).record(recorder);
            if single {
                lca.one_in(every)
            } else {
                lca.every(every)
            }
        };
        observed(lca(4), 7);
        let error = lca(3).start(&net()).unwrap_err().to_string();
        assert_names(
            &error,
            &[
                "Recorder::resume",
                if single {
                    "one step in 4"
                } else {
                    "segments of 4 steps"
                },
            ],
        );
        observed(lca(4), 6);
        let run = Run::open(folder.path()).unwrap();
        let mut iterations = columns(&run, Table::Steps, &["iteration"]).remove(0);
        iterations.dedup();
        assert_eq!(iterations, expected);
        assert_eq!(run.info().totals.unwrap().next_iteration, 13);
        // The totals go on, too: 4 rows of every parameter.
        assert_eq!(counted(&run), 4 * parameters(&run));
    }
}

#[test]
fn a_run_is_not_resumed_on_other_examples_or_by_another_rule() {
    let folder = tempfile::tempdir().unwrap();
    let lca = |probe| Lca::new(probe).record(Recorder::new(folder.path()).resume());
    let sampled = |examples, seed| by_class(training()).sampled(examples, seed);
    observed(lca(sampled(80, 1)), 2);
    let fewer = &training()[1..];
    let of_fewer = format!("samples of 80 of {} examples", fewer.len());
    let of_two = probe(training()).classes(2, |digit: &Digit| label(digit) % 2);
    for (lca, named) in [
        (lca(by_class(training())), "training on all"),
        (
            lca(sampled(90, 1)),
            "training on stratified samples of 90 of",
        ),
        (lca(sampled(80, 2)), "\"sample of training\": 2"),
        (lca(by_class(fewer).sampled(80, 1)), of_fewer.as_str()),
        (lca(of_two.sampled(80, 1)), "on classes [0 of"),
        (
            lca(sampled(80, 1)).integrator(Integrator::paper()),
            "by the paper rule",
        ),
    ] {
        let error = lca.start(&net()).unwrap_err().to_string();
        assert_names(&error, &["Recorder::resume", named, ".overwrite()"]);
    }
    observed(lca(sampled(80, 1)), 2);
}

/// A step that takes longer than units are kept on the device hands them over itself.
#[test]
fn units_of_slow_steps_are_on_disk_as_soon_as_the_steps() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::new(folder.path())
        .units_every(1)
        .part_age(Duration::ZERO);
    let model = net();
    let mut lca = start(Lca::new(probe(training())).record(recorder), &model);
    std::thread::sleep(Duration::from_secs(2));
    lca.observe(&moved(&model, 1, 0.01)).unwrap();
    let begin = Instant::now();
    let run = || Run::open(folder.path()).unwrap();
    while run().tables().unwrap() != [Table::Steps, Table::Tensors, Table::Units] {
        assert!(
            begin.elapsed() < Duration::from_secs(10),
            "{:?}",
            run().tables()
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    lca.finish().unwrap();
}
