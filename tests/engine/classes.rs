//! The split by class, against the whole and against probes that are cut otherwise.

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::InMemDataset;
use burn::tensor::Device;
use burn_lca::{Integrator, Lca, LcaError, Probe, StepAllocation};

use crate::digits::{Digit, DigitBatch, DigitBatcher};
use crate::scaffold::{
    CLASSES, assert_close, assert_same, by_class, label, moved, net, probe, start, training, values,
};

/// Sums of 1,437 f32 terms in another order.
const ROUNDING: f64 = 2e-5;

/// The allocation of one large step in all parameters.
fn observe(probe: Probe<Digit, DigitBatch>) -> StepAllocation {
    let model = net();
    let lca = Lca::new(probe).integrator(Integrator::fixed(2));
    start(lca, &model).observe(&moved(&model, 5, 0.02)).unwrap()
}

const TENSORS: [&str; 6] = [
    "fc1.weight",
    "fc1.bias",
    "fc2.weight",
    "fc2.bias",
    "fc3.weight",
    "fc3.bias",
];

/// Asserts that two allocations are the same but for rounding, parameter by parameter.
#[track_caller]
fn assert_alike(a: &StepAllocation, b: &StepAllocation) {
    for path in TENSORS {
        assert_same(
            &a.parameter(path).unwrap(),
            &b.parameter(path).unwrap(),
            ROUNDING,
        );
    }
    assert_close(a.lca(), b.lca(), 1e-5 * b.lca().abs());
    assert_close(a.loss_after(), b.loss_after(), 1e-6);
    for (a, b) in a.classes().iter().zip(b.classes()) {
        let (a, b) = (a.measured().unwrap(), b.measured().unwrap());
        assert_close(a.lca, b.lca, ROUNDING * b.lca.abs().max(0.1));
        assert_close(a.loss_after, b.loss_after, 2e-6);
    }
}

#[test]
fn class_allocations_weighted_by_their_share_sum_to_the_total_for_every_tensor() {
    let step = observe(by_class(training()));
    let examples: usize = step.classes().iter().map(|class| class.examples()).sum();
    assert_eq!(examples, training().len());
    let share = |class: usize| step.classes()[class].examples() as f64 / examples as f64;

    let total: f64 = (0..CLASSES)
        .map(|class| share(class) * step.classes()[class].measured().unwrap().lca)
        .sum();
    assert_close(total, step.lca(), 1e-6);
    assert_eq!(step.tensors().len(), TENSORS.len());
    for (tensor, path) in step.tensors().iter().zip(TENSORS) {
        assert_eq!((tensor.path(), tensor.by_class().len()), (path, CLASSES));
        let classes = tensor.by_class().iter();
        let sum: f64 = classes
            .map(|class| share(class.class()) * class.lca())
            .sum();
        assert_close(sum, tensor.lca(), 1e-6);
    }
    for class in 0..CLASSES {
        let tensors = step.tensors().iter();
        let sum: f64 = tensors.map(|tensor| tensor.by_class()[class].lca()).sum();
        assert_close(sum, step.classes()[class].measured().unwrap().lca, 1e-9);
    }
}

#[test]
fn a_class_of_a_probe_is_the_probe_of_that_class_alone() {
    let step = observe(by_class(training()));
    for class in [0, 7] {
        let digits = training().iter().filter(|digit| label(digit) == class);
        let alone = observe(probe(&digits.cloned().collect::<Vec<_>>()));
        let measured = step.classes()[class].measured().unwrap();
        assert_close(measured.lca, alone.lca(), ROUNDING * alone.lca().abs());
        assert_close(measured.loss_before, alone.loss_before(), 1e-6);
        assert_close(measured.residual, alone.residual(), 1e-5);
        for (tensor, alone) in step.tensors().iter().zip(alone.tensors()) {
            let of_class = &tensor.by_class()[class];
            assert_close(of_class.lca(), alone.lca(), 1e-5);
            let counts = [of_class.helping(), of_class.hurting(), of_class.zero()];
            let expected = [alone.helping(), alone.hurting(), alone.zero()];
            for (count, expected) in counts.into_iter().zip(expected) {
                // A parameter next to zero may fall on its other side by rounding.
                assert!(count.abs_diff(expected) <= 2, "{count} is not {expected}");
            }
        }
    }
}

#[test]
fn class_pure_and_mixed_chunks_agree_on_every_parameter() {
    let mixed = observe(probe(training()));
    assert!(mixed.classes().is_empty() && mixed.tensors()[0].by_class().is_empty());
    assert_alike(&observe(by_class(training())), &mixed);
}

#[test]
fn the_chunk_size_changes_nothing_but_rounding() {
    let whole = observe(by_class(training()));
    for size in [37, training().len()] {
        assert_alike(&observe(by_class(training()).chunk_size(size)), &whole);
    }
    let mixed = observe(probe(training()).chunk_size(100));
    assert_alike(&mixed, &whole);
}

#[test]
fn the_size_that_is_found_by_timing_gives_the_same() {
    use burn::data::dataset::InMemDataset;
    let dataset = InMemDataset::new(training().to_vec());
    let timed = Probe::new(dataset, crate::digits::DigitBatcher).classes(CLASSES, label);
    assert_alike(&observe(timed), &observe(by_class(training())));
}

#[test]
fn a_stratified_subset_of_all_examples_is_the_whole() {
    let count = training().len();
    let subset = observe(by_class(training()).subset(count, 3));
    assert_alike(&subset, &observe(by_class(training())));
}

#[test]
fn a_stratified_subset_keeps_the_shares_and_is_near_the_whole() {
    let count = training().len() / 2;
    let half = observe(by_class(training()).subset(count, 3));
    let whole = observe(by_class(training()));
    let examples: usize = half.classes().iter().map(|class| class.examples()).sum();
    assert_eq!(examples, count);
    for (half, whole) in half.classes().iter().zip(whole.classes()) {
        assert!(half.examples().abs_diff(whole.examples() / 2) <= 1);
    }
    assert_close(half.loss_before(), whole.loss_before(), 0.1);
    assert_ne!(half.loss_before(), whole.loss_before());
    // Grounded on its own loss, not on the whole's.
    assert_close(half.lca(), half.loss_change(), 3e-4);
}

#[test]
fn counts_and_sums_are_those_of_the_parameters_read_back() {
    let step = observe(by_class(training()));
    let mut counts = [0; 3];
    let mut sums = [0.0; 2];
    for tensor in step.tensors() {
        let lca = step.parameter(tensor.path()).unwrap();
        let count = |sign: fn(&f32) -> bool| lca.iter().filter(|value| sign(value)).count() as u64;
        let sum = |sign: fn(&f64) -> bool| -> f64 {
            lca.iter().map(|&value| value.into()).filter(sign).sum()
        };
        let counted = [
            count(|&value| value < 0.0),
            count(|&value| value > 0.0),
            count(|&value| value == 0.0),
        ];
        assert_eq!(counted, [tensor.helping(), tensor.hurting(), tensor.zero()]);
        assert_eq!(counted.iter().sum::<u64>(), lca.len() as u64);
        assert_eq!(tensor.parameters(), lca.len());
        let [helping, hurting] = [sum(|&value| value < 0.0), sum(|&value| value > 0.0)];
        assert_close(tensor.lca(), helping + hurting, 1e-6 * (hurting - helping));
        counts = std::array::from_fn(|k| counts[k] + counted[k]);
        sums = [sums[0] + helping, sums[1] + hurting];
    }
    let tally = step.probe().tally();
    let size = sums[1] - sums[0];
    assert_close(tally.lca_helping, sums[0], 1e-6 * size);
    assert_close(tally.lca_hurting, sums[1], 1e-6 * size);
    assert_eq!([tally.helping, tally.hurting, tally.zero], counts);
    let [helping, hurting, zero] = counts.map(|count| count as f64);
    let percent = 100.0 * helping / (helping + hurting + zero);
    assert_close(tally.percent_helping(), percent, 1e-9);
    let percent = 100.0 * helping / (helping + hurting);
    assert_close(tally.percent_helping_of_nonzero(), percent, 1e-9);
}

#[test]
fn a_path_that_the_model_does_not_have_is_refused_with_those_it_has() {
    let step = observe(by_class(training()));
    match step.parameter("fc4.weight") {
        Err(LcaError::UnknownParameter { path, known, .. }) => {
            assert_eq!(path, "fc4.weight");
            let paths: Vec<&str> = step.tensors().iter().map(|tensor| tensor.path()).collect();
            assert_eq!(known, paths);
        }
        other => panic!("{other:?}"),
    }
}

/// Pixels that are blank in all digits have a gradient of exactly zero. Their rows of
/// fc1.weight, which is [in, out], are exact zeros, and no others of that tensor but those of
/// hidden units that never fire.
#[test]
fn exact_zeros_of_dead_inputs_are_counted_apart() {
    let step = observe(by_class(training()));
    let lca = step.parameter("fc1.weight").unwrap();
    let blank = |pixel: usize| training().iter().all(|digit| digit.pixels[pixel] == 0.0);
    let mut dead = 0;
    for (pixel, row) in lca.chunks(64).enumerate() {
        if blank(pixel) {
            dead += 1;
            assert!(row.iter().all(|&value| value == 0.0), "pixel {pixel}");
        } else {
            assert!(row.iter().any(|&value| value != 0.0), "pixel {pixel}");
        }
    }
    assert!(dead > 0, "the digits have blank pixels");
    assert!(step.tensors()[0].zero() >= dead * 64);
}

#[test]
fn norms_are_those_of_the_step_that_was_taken() {
    let model = net();
    let after = moved(&model, 5, 0.02);
    let step = observe(by_class(training()));
    let (before, after) = (values(&model), values(&after));
    for tensor in step.tensors() {
        let pairs = before[tensor.path()].iter().zip(&after[tensor.path()]);
        let squares = pairs.map(|(&a, &b)| (f64::from(b) - f64::from(a)).powi(2));
        let norm = squares.sum::<f64>().sqrt();
        assert_close(tensor.step_norm(), norm, 1e-5 * norm);
    }
}

#[test]
fn a_class_without_examples_is_named_and_the_rest_is_finite() {
    let names = || (0..12).map(|class| format!("digit {class}"));
    let step = observe(probe(training()).classes(12, label).class_names(names()));
    assert_eq!(step.classes().len(), 12);
    for class in step.classes() {
        assert_eq!(class.name(), format!("digit {}", class.class()));
        assert_eq!(class.measured().is_some(), class.class() < CLASSES);
        assert_eq!(class.examples() > 0, class.class() < CLASSES);
    }
    assert!(step.probe().is_finite());
    for tensor in step.tensors() {
        assert_eq!(tensor.by_class().len(), CLASSES);
        assert!(
            tensor
                .by_class()
                .iter()
                .all(|class| class.lca().is_finite())
        );
    }
    assert_alike(&step, &observe(probe(training())));
}

#[test]
fn classes_can_be_named_before_they_are_told_apart() {
    let names = (0..CLASSES).map(|class| format!("digit {class}"));
    let step = observe(probe(training()).class_names(names).classes(CLASSES, label));
    let named: Vec<&str> = step.classes().iter().map(|class| class.name()).collect();
    assert_eq!(named[..2], ["digit 0", "digit 1"]);
    assert_eq!(named.len(), CLASSES);
}

/// One class is one row, which is the whole probe.
#[test]
fn a_single_class_is_the_whole_probe() {
    let step = observe(probe(training()).classes(1, |_| 0));
    let only = step.classes()[0].measured().unwrap();
    assert_eq!(only.lca, step.lca());
    assert_eq!(only.loss_after, step.loss_after());
    for tensor in step.tensors() {
        assert_eq!(tensor.by_class()[0].lca(), tensor.lca());
    }
}

/// A digit with its place, so that every one is a group of its own.
struct Placed;

impl Batcher<(usize, Digit), DigitBatch> for Placed {
    fn batch(&self, items: Vec<(usize, Digit)>, device: &Device) -> DigitBatch {
        DigitBatcher.batch(items.into_iter().map(|(_, digit)| digit).collect(), device)
    }
}

#[test]
fn groups_of_one_are_lca_by_example_and_their_mean_is_the_whole() {
    let digits = &training()[..12];
    let placed = digits.iter().cloned().enumerate().collect();
    let by_example = Probe::new(InMemDataset::new(placed), Placed);
    let by_example = by_example.classes(digits.len(), |&(place, _)| place);
    let model = net();
    let lca = Lca::new(by_example).integrator(Integrator::fixed(2));
    let step = start(lca, &model).observe(&moved(&model, 5, 0.02)).unwrap();
    let examples = step.classes().iter();
    let by_example: Vec<f64> = examples.map(|one| one.measured().unwrap().lca).collect();
    for (digit, lca) in digits.iter().zip(&by_example) {
        let alone = observe(probe(std::slice::from_ref(digit)));
        assert_close(*lca, alone.lca(), 1e-5 * alone.lca().abs() + 1e-6);
    }
    let whole = observe(probe(digits));
    let mean = by_example.iter().sum::<f64>() / digits.len() as f64;
    assert_close(mean, whole.lca(), 1e-5 * whole.lca().abs());
    assert_close(step.lca(), whole.lca(), 1e-5 * whole.lca().abs());
}
