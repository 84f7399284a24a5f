//! Probes of which a fresh sample is swept at every step.

use std::collections::HashMap;

use burn::data::dataset::InMemDataset;
use burn::optim::SgdConfig;
use burn::tensor::Tensor;
use burn_lca::{
    BatchNormMode, Integrator, Lca, Probe, ProbeAllocation, Recorder, Run, StepAllocation, Table,
};

use crate::by_hand::{Monomial, Numbers};
use crate::digits::{Digit, DigitBatch};
use crate::norm_net::NormNet;
use crate::refused::{assert_names, refusal};
use crate::scaffold::{
    CLASSES, assert_close, assert_same, by_class, minibatch, moved, net, probe, start, thorough,
    train, training, validation, values,
};

/// f32 sums of a few numbers of size one to ten.
const ROUNDING: f64 = 1e-5;

fn numbers(examples: &[f32]) -> Probe<f32, Tensor<1>> {
    Probe::new(InMemDataset::new(examples.to_vec()), Numbers)
}

/// Steps to and fro between L = x̄ · 1 · 2 and x̄ · 1.5 · 1, which change the loss by ± x̄/2; every
/// second one is left out.
fn to_and_fro(probe: Probe<f32, Tensor<1>>, steps: usize) -> Vec<StepAllocation> {
    let (from, to) = ([1.0, 2.0], [1.5, 1.0]);
    let model = Monomial::new(1, 1, from);
    let lca = Lca::new(probe).integrator(Integrator::fixed(1));
    let mut lca = start(lca, &model);
    let both = |_| {
        let step = lca.observe(&model.at(to)).unwrap();
        lca.observe(&model.at(from)).unwrap();
        step
    };
    (0..steps).map(both).collect()
}

/// L = x̄ θ₀ θ₁ over 2 of the examples 1, 2, 6, so LCA = −x̄/2. The halves are one example each:
/// se = √(1 − 2/3) · |a − b|/2 with a, b = −x/2.
///
/// Over all three pairs the mean of LCA is −3/2, that of the whole, and the mean of se² is
/// (1 − 2/3)/16 · (1 + 25 + 16)/3 = 7/24. That is the variance of LCA, which is −3/4, −7/4 or −2:
/// ((3/4)² + (1/4)² + (1/2)²)/3 = 7/24.
#[test]
fn a_sample_of_two_of_three_is_one_of_three_pairs_with_its_error() {
    let steps = to_and_fro(numbers(&[1.0, 2.0, 6.0]).sampled(2, 1), 300);
    let mut counts = [0; 3];
    let mut squares = 0.0;
    for step in &steps {
        let pairs = [[1.0, 2.0], [1.0, 6.0], [2.0, 6.0]];
        let is_drawn = |[a, b]: &[f64; 2]| (step.lca() + (a + b) / 4.0).abs() < ROUNDING;
        let pair = pairs.iter().position(is_drawn).expect("one of the pairs");
        counts[pair] += 1;
        let [a, b] = pairs[pair];
        let error = (1.0_f64 / 3.0).sqrt() * (b - a) / 4.0;
        assert_close(step.standard_error().unwrap(), error, ROUNDING);
        let theta = &step.tensors()[0];
        assert_close(theta.standard_error().unwrap(), error, ROUNDING);
        // Grounded on the pair, at both ends.
        assert_close(step.loss_before(), a + b, ROUNDING);
        assert_close(step.loss_after(), (a + b) * 0.75, ROUNDING);
        assert_close(step.residual(), 0.0, ROUNDING);
        assert_eq!((step.splits(), step.probe().sweeps()), (1, 2));
        squares += error * error;
    }
    // 100 ± 8 each.
    assert!(
        counts.iter().all(|count| (70..130).contains(count)),
        "{counts:?}"
    );
    let mean = steps.iter().map(|step| step.lca()).sum::<f64>() / 300.0;
    assert_close(mean, -1.5, 4.0 * (7.0_f64 / 24.0 / 300.0).sqrt());
    assert_close(squares / 300.0, 7.0 / 24.0, 0.06);
}

/// The classes {1, 2, 6} and {10}, of which two and one are swept. The second is known exactly;
/// of the first, with weight ¾, LCA is that of a pair. L = ¾ · pair + ¼ · 10.
#[test]
fn classes_count_with_their_share_in_the_whole_and_not_in_the_sample() {
    let of = |&x: &f32| usize::from(x > 9.0);
    let probe = || numbers(&[10.0, 1.0, 2.0, 6.0]).classes(2, of);
    for step in to_and_fro(probe().sampled(3, 1), 20) {
        let [few, one] = step.classes() else {
            panic!("two classes");
        };
        assert_eq!((few.examples(), one.examples()), (3, 1));
        let [few, one] = [few.measured().unwrap(), one.measured().unwrap()];
        assert_close(one.lca, -5.0, ROUNDING);
        assert_eq!(one.standard_error, Some(0.0));
        assert_close(step.lca(), 0.75 * few.lca + 0.25 * one.lca, ROUNDING);
        assert_close(step.loss_before(), 0.75 * few.loss_before + 5.0, ROUNDING);
        let error = few.standard_error.unwrap();
        assert_close(step.standard_error().unwrap(), 0.75 * error, ROUNDING);
        let pair = -4.0 * few.lca;
        let difference = match pair.round() {
            3.0 => 1.0,
            7.0 => 5.0,
            8.0 => 4.0,
            other => panic!("no pair adds up to {other}"),
        };
        let expected = (1.0_f64 / 3.0).sqrt() * difference / 4.0;
        assert_close(error, expected, ROUNDING);
        let by_class = step.tensors()[0].by_class();
        assert_close(by_class[0].standard_error().unwrap(), error, ROUNDING);
    }
}

/// L = x̄ θ⁵ from 0 to x̄ over two of three examples: whatever a rule makes of ∫ 5 α⁴ dα, it makes the
/// same of each half, so se is √(1 − 2/3) · |a − b|/(a + b) of LCA. Bisected to the end, too.
#[test]
fn every_rule_integrates_the_halves_as_it_integrates_the_whole() {
    for integrator in [
        Integrator::fixed(1),
        Integrator::fixed(2),
        Integrator::fixed(8),
        Integrator::adaptive().tolerance(1e-4, 0.0).budget(6),
    ] {
        let model = Monomial::new(5, 0, [0.0, 1.0]);
        let probe = numbers(&[1.0, 2.0, 6.0]).sampled(2, 1);
        let mut lca = start(Lca::new(probe).integrator(integrator), &model);
        let step = lca.observe(&model.at([1.0, 1.0])).unwrap();
        let difference = match (2.0 * step.loss_after()).round() {
            3.0 => 1.0,
            7.0 => 5.0,
            8.0 => 4.0,
            other => panic!("no pair adds up to {other}"),
        };
        let share = (1.0_f64 / 3.0).sqrt() * difference / (2.0 * step.loss_after());
        assert!(step.lca() > 0.0);
        assert_close(step.standard_error().unwrap(), share * step.lca(), ROUNDING);
    }
}

/// With the statistics of chunks, and with running ones that move and have their share.
#[test]
fn batch_normalization_is_grounded_on_samples_too() {
    for (sample, mode) in [
        (probe(training()).sampled(64, 1), BatchNormMode::Chunk),
        (by_class(training()).sampled(64, 1), BatchNormMode::Running),
    ] {
        let mut model = NormNet::new([1e-5, 1e-2]);
        let mut optimizer = SgdConfig::new().init();
        let lca = Lca::new(sample).batch_norm(mode);
        let mut lca = start(lca.integrator(Integrator::fixed(4)), &model);
        for step in 0..3 {
            model = train(model, &mut optimizer, 0.1, minibatch(step));
            let step = lca.observe(&model).unwrap();
            assert_close(step.residual(), 0.0, 1e-4);
            assert!(step.standard_error().unwrap() > 0.0);
            let running = mode == BatchNormMode::Running;
            assert_eq!(step.probe().buffers().is_some(), running);
            let changed = step.lca() + step.probe().buffers().unwrap_or(0.0);
            assert_close(changed, step.loss_change() - step.residual(), 1e-9);
        }
    }
}

fn observe(probe: Probe<Digit, DigitBatch>) -> StepAllocation {
    let model = net();
    let lca = Lca::new(probe).integrator(Integrator::fixed(2));
    start(lca, &model).observe(&moved(&model, 5, 0.02)).unwrap()
}

#[test]
fn a_sample_of_all_examples_is_the_whole_and_has_no_error() {
    let count = training().len();
    for whole in [probe, by_class] {
        let sampled = observe(whole(training()).sampled(count, 3));
        let whole = observe(whole(training()));
        assert_eq!(sampled.standard_error(), Some(0.0));
        assert_eq!(whole.standard_error(), None);
        assert_eq!((sampled.probe().sweeps(), whole.probe().sweeps()), (3, 2));
        assert_close(sampled.lca(), whole.lca(), 1e-5 * whole.lca().abs());
        assert_close(sampled.loss_before(), whole.loss_before(), 1e-6);
        for (sampled, whole) in sampled.classes().iter().zip(whole.classes()) {
            let [sampled, whole] = [sampled, whole].map(|class| class.measured().unwrap());
            assert_close(sampled.lca, whole.lca, 2e-5 * whole.lca.abs().max(0.1));
            assert_eq!(
                (sampled.standard_error, whole.standard_error),
                (Some(0.0), None)
            );
        }
        for tensor in whole.tensors() {
            assert_eq!(tensor.standard_error(), None);
            let [sampled, whole] =
                [&sampled, &whole].map(|step| step.parameter(tensor.path()).unwrap());
            assert_same(&sampled, &whole, 2e-5);
        }
    }
}

/// What a run is made of, in bits.
fn bits(probe: &ProbeAllocation) -> Vec<u64> {
    let sums = [probe.loss_before(), probe.loss_after(), probe.lca()];
    let errors = probe.tensors().iter().map(|t| t.standard_error().unwrap());
    let numbers = sums.into_iter().chain(errors);
    numbers.map(f64::to_bits).collect()
}

/// Both probes of a run of `steps`, recorded, from where the record ends.
fn record(folder: &std::path::Path, steps: std::ops::Range<usize>) -> HashMap<u64, Vec<u64>> {
    let mut model = net();
    for k in 0..steps.start {
        model = moved(&model, k as u64, 0.01);
    }
    let mut lca = Lca::new(by_class(training()).sampled(60, 1))
        .validation(probe(validation()).sampled(40, 2))
        .record(Recorder::new(folder).resume())
        .start(&model)
        .unwrap();
    let observed = steps.map(|k| {
        model = moved(&model, k as u64, 0.01);
        let step = lca.observe(&model).unwrap();
        let probes = [step.probe(), step.validation().unwrap()];
        (
            step.iteration(),
            probes.into_iter().flat_map(bits).collect(),
        )
    });
    let observed = observed.collect();
    lca.finish().unwrap();
    observed
}

#[test]
fn a_resumed_run_draws_what_it_would_have_drawn() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut whole = record(folders[0].path(), 0..4);
    let mut parts = record(folders[1].path(), 0..2);
    parts.extend(record(folders[1].path(), 2..4));
    assert_eq!(whole.len(), 4);
    for (iteration, whole) in &whole {
        for (whole, parts) in whole.iter().zip(&parts[iteration]) {
            let [whole, parts] = [*whole, *parts].map(f64::from_bits);
            // A GPU sums in no fixed order; another sample is off by tenths.
            let tolerance = if thorough() {
                0.0
            } else {
                1e-3 * whole.abs() + 1e-6
            };
            assert_close(parts, whole, tolerance);
        }
    }
    let [third, fourth] = [2, 3].map(|iteration| whole.remove(&iteration));
    assert_ne!(third, fourth);
}

#[test]
fn what_was_sampled_is_in_the_record_with_its_errors() {
    let folder = tempfile::tempdir().unwrap();
    record(folder.path(), 0..3);
    let run = Run::open(folder.path()).unwrap();
    let [training_info, validation_info] = &run.info().probes[..] else {
        panic!("two probes");
    };
    let sample = training_info.sample.as_ref().unwrap();
    assert_eq!(training_info.examples, training().len() as u64);
    assert_eq!(
        (sample.examples, sample.method.as_str()),
        (60, "stratified")
    );
    let sampled = training_info
        .classes
        .iter()
        .map(|class| class.sampled.unwrap());
    assert_eq!(sampled.sum::<u64>(), 60);
    let sample = validation_info.sample.as_ref().unwrap();
    assert_eq!((sample.examples, sample.method.as_str()), (40, "simple"));
    assert_eq!(run.info().seeds["sample of training"], 1);
    assert_eq!(run.info().seeds["sample of validation"], 2);

    for (table, rows) in [
        (Table::Steps, 3 * 2),
        (Table::Tensors, 3 * 6 * (1 + CLASSES + 1)),
        (Table::Classes, 3 * CLASSES),
    ] {
        let mut found = 0;
        for batch in run.scan(table).columns(["lca_se"]).batches().unwrap() {
            let batch = batch.unwrap();
            assert_eq!(batch.column(0).null_count(), 0, "{table}");
            found += batch.num_rows();
        }
        assert_eq!(found, rows, "{table}");
    }
}

/// Over the tensors, halves add up, and the square of the sum is the variance of the whole; each
/// class has its own.
#[test]
fn the_errors_of_tensors_and_classes_agree_with_that_of_the_whole() {
    let step = observe(by_class(training()).sampled(60, 1));
    let count = training().len() as f64;
    let weighted = |class: usize, error: f64| {
        let share = step.classes()[class].examples() as f64 / count;
        (share * error).powi(2)
    };
    let of_classes = step.classes().iter();
    let variance: f64 = of_classes
        .map(|class| {
            weighted(
                class.class(),
                class.measured().unwrap().standard_error.unwrap(),
            )
        })
        .sum();
    let error = step.standard_error().unwrap();
    assert!(error > 0.0);
    assert_close(error, variance.sqrt(), 1e-9);
    for tensor in step.tensors() {
        let of_classes = tensor.by_class().iter();
        let variance: f64 = of_classes
            .map(|class| weighted(class.class(), class.standard_error().unwrap()))
            .sum();
        assert_close(tensor.standard_error().unwrap(), variance.sqrt(), 1e-9);
    }
}

#[test]
fn training_is_the_same_bit_for_bit_beside_a_sampled_probe() {
    let weights = |sampled: bool| {
        let mut model = net();
        let mut optimizer = SgdConfig::new().init();
        let lca = Lca::new(by_class(training()).sampled(40, 1));
        let mut lca = sampled.then(|| start(lca, &model));
        for step in 0..4 {
            model = train(model, &mut optimizer, 0.1, minibatch(step));
            if let Some(lca) = &mut lca {
                lca.observe(&model).unwrap();
            }
        }
        values(&model)
    };
    assert!(weights(true) == weights(false));
}

#[test]
fn samples_that_have_no_halves_are_refused() {
    let net = net();
    for (sample, size) in [(1, "1 of"), (training().len() + 1, "no sample")] {
        let lca = Lca::new(probe(training()).sampled(sample, 1));
        assert_names(&refusal(lca, &net), &["Probe::sampled", size]);
    }
    let lca = Lca::new(by_class(training()).sampled(2 * CLASSES - 1, 1));
    assert_names(&refusal(lca, &net), &["Probe::sampled", "at least 20"]);
    let subset = Lca::new(probe(training()).subset(50, 1).sampled(51, 1));
    assert_names(&refusal(subset, &net), &["51 of 50"]);
}
