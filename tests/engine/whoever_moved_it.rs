//! Whatever moves is allocated, whoever moved it: layers that start or stop training, parts that
//! are frozen and changed by hand, parameters that are replaced.

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use burn::module::{Module, ModuleMapper, Param, ParamGroup};
use burn::optim::{AdamConfig, SgdConfig};
use burn::tensor::Tensor;
use burn::train::InferenceStep;
use burn_lca::{Integrator, Lca, ParameterSelection, Recorder, Run, StepAllocation, Table};

use crate::by_hand::{Dot, Loss, probe as numbers};
use crate::digits::DigitNet;
use crate::scaffold::{
    DirectLoss, assert_close, assert_same, by_class, device, minibatch, moved, net, start, train,
    training,
};

/// The network with gradients of the first layer on or off.
fn first_layer(model: DigitNet, trained: bool) -> DigitNet {
    model.set_require_grad_group(ParamGroup::from_predicate("fc1"), trained)
}

fn fc1(step: &StepAllocation) -> &[burn_lca::TensorAllocation] {
    &step.tensors()[..2]
}

#[track_caller]
fn assert_grounded(step: &StepAllocation, change: f64) {
    assert_close(step.loss_change(), change, 4e-6);
    assert_close(step.lca(), change, 1e-4 + 1e-2 * change.abs());
    let tensors: f64 = step.tensors().iter().map(|tensor| tensor.lca()).sum();
    assert_close(tensors, step.lca(), 1e-12);
    assert!(!step.probe().is_capped());
}

#[test]
fn layers_that_start_and_stop_training_are_allocated_while_they_move() {
    let folder = tempfile::tempdir().unwrap();
    let mut model = first_layer(net(), false);
    let mut optimizer = AdamConfig::new().init();
    let lca = Lca::new(by_class(training()))
        .validation(by_class(crate::scaffold::validation()))
        .record(
            Recorder::new(folder.path())
                .units_every(1)
                .histogram_window(4)
                .parameters(ParameterSelection::all()),
        );
    let mut lca = start(lca, &model);
    let mut before = DirectLoss::of(&model, training()).total;
    let mut sums = 0.0;
    for iteration in 0..9 {
        let trained = (3..6).contains(&iteration);
        model = train(
            first_layer(model, trained),
            &mut optimizer,
            2e-3,
            minibatch(iteration),
        );
        let step = lca.observe(&model).unwrap();
        let after = DirectLoss::of(&model, training()).total;
        assert_grounded(&step, after - before);
        before = after;
        for tensor in fc1(&step) {
            assert_eq!(tensor.is_frozen(), !trained, "iteration {iteration}");
            assert!(!tensor.moved_while_frozen());
            assert_eq!(tensor.lca() != 0.0, trained);
            assert_eq!(tensor.by_class().is_empty(), !trained);
        }
        let count = step.probe().tally();
        let all = 64 * 64 + 64 + 64 * 32 + 32 + 32 * 10 + 10;
        let counted = count.helping + count.hurting + count.zero;
        assert_eq!(counted, if trained { all } else { all - 64 * 64 - 64 });
        for probe in [step.probe(), step.validation().unwrap()] {
            // One more where the gradient at the start of the step lacks a layer.
            let extra = u16::from(iteration == 3);
            assert_eq!(probe.sweeps(), probe.splits().max(1) + extra);
        }
        sums += fc1(&step)[0].lca();
    }
    lca.finish().unwrap();

    let run = Run::open(folder.path()).unwrap();
    assert!(run.info().tensors.iter().all(|tensor| tensor.trainable));
    let totals = column(&run, Table::ParameterTotals, "lca");
    assert_eq!(totals.len(), 64 * 64);
    assert_close(totals.iter().sum(), sums, 1e-6);
    // Six steps, from the one on at which the layer began to train.
    for (table, rows) in [(Table::Units, 6 * 64), (Table::Parameters, 6 * 64 * 64)] {
        let lcas = column(&run, table, "lca");
        assert_eq!(lcas.len(), rows, "{table}");
        assert_close(lcas.iter().sum(), sums, 1e-6);
    }
    let counts = column(&run, Table::Histograms, "count");
    assert_eq!(counts.iter().sum::<f64>(), f64::from(6 * 64 * 64));
}

/// A column of the rows of `fc1.weight`.
fn column(run: &Run, table: Table, name: &str) -> Vec<f64> {
    let scan = run.scan(table).tensor("fc1.weight").columns([name]);
    let values = scan.batches().unwrap().flat_map(|batch| {
        let values = cast(batch.unwrap().column(0), &DataType::Float64).unwrap();
        values.as_primitive::<Float64Type>().values().to_vec()
    });
    values.collect()
}

/// Three recordings into one run: the layer is trained, frozen, and trained again.
#[test]
fn totals_of_a_layer_that_is_frozen_after_a_resume_wait_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut model = net();
    let mut optimizer = SgdConfig::new().init();
    let mut sum = 0.0;
    for (part, parts) in [[true, true], [false, false], [false, true]]
        .iter()
        .enumerate()
    {
        model = first_layer(model, parts[0]);
        let lca = Lca::new(by_class(training()));
        let mut lca = start(lca.record(Recorder::new(folder.path()).resume()), &model);
        for (k, &trained) in parts.iter().enumerate() {
            let batch = minibatch(2 * part + k);
            model = train(first_layer(model, trained), &mut optimizer, 0.1, batch);
            sum += fc1(&lca.observe(&model).unwrap())[0].lca();
        }
        lca.finish().unwrap();
        let run = Run::open(folder.path()).unwrap();
        assert!(run.info().tensors.iter().all(|tensor| tensor.trainable));
        let totals = column(&run, Table::ParameterTotals, "lca");
        assert_eq!(totals.len(), 64 * 64);
        assert_close(totals.iter().sum(), sum, 1e-6);
    }
    assert!(sum < -1e-3);
}

/// Scales the first layer, which no optimizer trains.
struct Shrink;

impl ModuleMapper for Shrink {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if param.is_require_grad() {
            param
        } else {
            param.map(|old| old * 0.95)
        }
    }
}

#[test]
fn a_frozen_layer_that_is_scaled_at_every_step_takes_no_more_sweeps_than_it_needs() {
    let mut model = first_layer(net(), false);
    let mut optimizer = SgdConfig::new().init();
    let mut lca = start(Lca::new(by_class(training())), &model);
    let mut before = DirectLoss::of(&model, training()).total;
    for iteration in 0..4 {
        model = train(model, &mut optimizer, 0.1, minibatch(iteration)).map(&mut Shrink);
        let step = lca.observe(&model).unwrap();
        let after = DirectLoss::of(&model, training()).total;
        assert_grounded(&step, after - before);
        before = after;
        assert!(fc1(&step).iter().all(|tensor| tensor.moved_while_frozen()));
        assert!(step.probe().sweeps() <= if iteration == 0 { 3 } else { 2 });
    }
}

/// The step at which a layer starts to train, measured by an observer that knew of it all along.
#[test]
fn a_layer_that_starts_to_train_has_the_allocation_it_would_have_had() {
    let frozen = first_layer(net(), false);
    let observe = |first: &DigitNet| {
        let lca = Lca::new(by_class(training())).integrator(Integrator::fixed(2));
        let mut lca = start(lca, first);
        // The step before moves all but the first layer.
        let between = moved(&frozen, 4, 0.02);
        lca.observe(&between).unwrap();
        lca.observe(&moved(&first_layer(between, true), 5, 0.02))
            .unwrap()
    };
    let [midway, whole] = [frozen.clone(), first_layer(frozen.clone(), true)].map(|m| observe(&m));
    for (a, b) in midway.tensors().iter().zip(whole.tensors()) {
        assert!(!a.is_frozen());
        assert_close(a.lca(), b.lca(), 1e-6);
        assert_close(a.gradient_norm(), b.gradient_norm(), 1e-6);
        let [a, b] = [&midway, &whole].map(|step| step.parameter(a.path()).unwrap());
        assert_same(&a, &b, 2e-5);
    }
}

/// L = mean(x) · a · b, of which only a is trained.
fn product(a: f32, b: f32) -> Dot {
    let value = |value| Param::from_tensor(Tensor::from_floats([value], &device()));
    Dot {
        a: value(a),
        b: value(b).set_require_grad(false),
    }
}

/// From (1, 2) to (1.5, 1) with mean(x) = 3, as in `by_hand`: LCA is 2.25 and −3.75. Every model
/// here is made of new parameters.
#[test]
fn a_frozen_part_that_is_changed_by_hand_has_its_share_and_is_named() {
    let lca = Lca::new(numbers(&[1.0, 2.0, 6.0])).integrator(Integrator::fixed(1));
    let mut lca = start(lca, &product(1.0, 2.0));
    let step = lca.observe(&product(1.5, 1.0)).unwrap();
    assert_close(step.parameter("a").unwrap()[0].into(), 2.25, 1e-5);
    assert_close(step.parameter("b").unwrap()[0].into(), -3.75, 1e-5);
    assert_close(step.residual(), 0.0, 1e-5);
    let by_hand = |step: &StepAllocation| {
        let tensors = step.tensors().iter();
        tensors
            .map(|t| (t.is_frozen(), t.moved_while_frozen()))
            .collect::<Vec<_>>()
    };
    assert_eq!(by_hand(&step), [(false, false), (false, true)]);
    let tally = step.probe().tally();
    assert_eq!((tally.helping, tally.hurting), (1, 1));
    assert_eq!(step.probe().sweeps(), 2);

    let still = lca.observe(&product(2.5, 1.0)).unwrap();
    assert_close(still.lca(), 3.0, 1e-5);
    assert_eq!(by_hand(&still), [(false, false), (true, false)]);
    assert_eq!(still.parameter("b").unwrap(), [0.0]);
    // The gradient is at hand from now on.
    let again = lca.observe(&product(2.5, 2.0)).unwrap();
    assert_close(again.lca(), 7.5, 1e-5);
    assert_eq!(by_hand(&again), [(false, false), (false, true)]);
    for step in [&still, &again] {
        assert_eq!(step.probe().sweeps(), 1);
    }
}

/// Replaces every parameter by a new one with the same values, within bounds.
struct Clamp(f64);

impl ModuleMapper for Clamp {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let clamped = param.base().detach().clamp(-self.0, self.0);
        Param::from_tensor(clamped.detach())
    }
}

#[test]
fn parameters_that_are_replaced_by_new_ones_of_their_shape_go_on() {
    let mut model = net();
    let mut optimizer = SgdConfig::new().init();
    let mut lca = start(Lca::new(by_class(training())), &model);
    let mut before = DirectLoss::of(&model, training()).total;
    for iteration in 0..3 {
        let trained = train(model, &mut optimizer, 0.1, minibatch(iteration));
        model = trained.map(&mut Clamp(0.2));
        let step = lca.observe(&model).unwrap();
        let after = DirectLoss::of(&model, training()).total;
        assert_grounded(&step, after - before);
        assert!((after - before).abs() > 1e-3);
        before = after;
    }
}

/// θ, and a frozen mask that leaves the second of three outputs out.
#[derive(Module, Debug)]
struct Masked {
    theta: Param<Tensor<1>>,
    mask: Param<Tensor<1>>,
}

impl Masked {
    fn at(theta: f32) -> Self {
        let value = |values| Param::from_tensor(Tensor::from_floats(values, &device()));
        Self {
            theta: value([theta, 1.0, 0.0]),
            mask: value([0.0, f32::NEG_INFINITY, 0.0]).set_require_grad(false),
        }
    }
}

impl InferenceStep for Masked {
    type Input = Tensor<1>;
    type Output = Loss;

    /// mean(x) · softmax(θ + mask)₀
    fn step(&self, x: Tensor<1>) -> Loss {
        let shares = burn::tensor::activation::softmax(self.theta.val() + self.mask.val(), 0);
        Loss(x.mean() * shares.narrow(0, 0, 1))
    }
}

/// 3 σ(θ) from θ = 0 to 1.
#[test]
fn a_mask_of_infinities_does_not_move() {
    let lca = Lca::new(numbers(&[3.0; 3])).integrator(Integrator::fixed(8));
    let mut lca = start(lca, &Masked::at(0.0));
    let step = lca.observe(&Masked::at(1.0)).unwrap();
    assert!(step.tensors()[1].is_frozen());
    let change = 3.0 / (1.0 + (-1f64).exp()) - 1.5;
    assert_close(step.loss_change(), change, 1e-5);
    assert_close(step.lca(), change, 1e-5);
}
