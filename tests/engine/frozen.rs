//! What doesn't train has no allocation: frozen parameters, buffers, the base below LoRA.

use burn::module::{Lora, Module, ParamGroup, QLora, Quantizer};
use burn::optim::AdamConfig;
use burn::tensor::quantization::{Calibration, QuantValue};
use burn_lca::{Integrator, Lca, LcaError};
use rstest::rstest;

use crate::norm_net::NormNet;
use crate::scaffold::{
    DirectLoss, assert_close, assert_same, by_class, device, minibatch, moved, net, randomness,
    start, steps, train, training, values,
};

#[test]
fn frozen_parameters_are_zero_and_flagged_and_the_others_unaffected() {
    let frozen = net().set_require_grad_group(ParamGroup::from_path("fc1.weight"), false);
    let after = moved(&frozen, 5, 0.02);
    let step = {
        let lca = Lca::new(by_class(training())).integrator(Integrator::fixed(2));
        start(lca, &frozen).observe(&after).unwrap()
    };
    // The same values in a model that could train them all.
    let thawed = |model| Module::set_require_grad(model, true);
    let whole = {
        let lca = Lca::new(by_class(training())).integrator(Integrator::fixed(2));
        let mut lca = start(lca, &thawed(frozen));
        lca.observe(&thawed(after)).unwrap()
    };

    let [first, others @ ..] = step.tensors() else {
        panic!("no tensors")
    };
    assert!(first.is_frozen() && first.path() == "fc1.weight");
    assert_eq!((first.lca(), first.zero()), (0.0, 64 * 64));
    assert_eq!(step.parameter("fc1.weight").unwrap(), [0.0; 64 * 64]);
    assert!(first.by_class().is_empty());
    for (tensor, unfrozen) in others.iter().zip(&whole.tensors()[1..]) {
        assert!(!tensor.is_frozen());
        assert_close(tensor.lca(), unfrozen.lca(), 1e-6);
        let [a, b] = [&step, &whole].map(|step| step.parameter(tensor.path()).unwrap());
        assert_same(&a, &b, 2e-5);
    }
    assert_eq!(step.tensors().len(), whole.tensors().len());
    assert!(
        !whole.tensors()[0].is_frozen(),
        "it has not moved, but could"
    );
    assert_eq!(whole.tensors()[0].zero(), 64 * 64);
    // The tally is of what could have moved.
    let (all, trainable) = (whole.probe().tally(), step.probe().tally());
    let count = |t: burn_lca::Tally| t.helping + t.hurting + t.zero;
    assert_eq!(count(all) - count(trainable), 64 * 64);
}

#[test]
fn buffers_are_never_counted_as_parameters() {
    let model = NormNet::new([1e-5; 2]);
    let step = start(Lca::new(by_class(training())), &model)
        .observe(&moved(&model, 5, 0.02))
        .unwrap();
    let paths: Vec<&str> = step.tensors().iter().map(|tensor| tensor.path()).collect();
    let expected = [
        "fc1.weight",
        "fc1.bias",
        "z_norm.gamma",
        "z_norm.beta",
        "fc2.weight",
        "fc2.bias",
        "a_norm.gamma",
        "a_norm.beta",
        "fc3.weight",
        "fc3.bias",
    ];
    assert_eq!(paths, expected);
    let error = step.parameter("z_norm.running_mean").unwrap_err();
    assert!(
        matches!(error, LcaError::UnknownParameter { .. }),
        "{error}"
    );
    let all = values(&model);
    let count: u64 = expected.iter().map(|&path| all[path].len() as u64).sum();
    let tally = step.probe().tally();
    assert_eq!(tally.helping + tally.hurting + tally.zero, count);
}

/// `unfreeze` asks everything for gradients, running statistics included, which refuse.
#[test]
fn frozen_normalizations_keep_their_buffers_apart() {
    let model = NormNet::new([1e-5; 2]);
    let group = ParamGroup::from_paths(vec!["z_norm", "a_norm"]);
    let frozen = model.freeze_group(group);
    let step = start(Lca::new(by_class(training())), &frozen)
        .observe(&moved(&frozen, 5, 0.02))
        .unwrap();
    assert_eq!(step.tensors().len(), 10);
    // Nothing moved the buffers: they have a share, and it is nothing.
    assert_eq!(step.probe().buffers(), Some(0.0));
}

/// On a base of floats, or of eight bits.
#[rstest]
#[case::dense(false)]
#[case::quantized(true)]
fn lora_adapters_are_parameters_and_their_base_is_frozen(#[case] quantized: bool) {
    let mut model = {
        let _held = randomness();
        let lora = Lora::new(2, 4.0);
        if quantized {
            let scheme = device().settings().quantization.scheme;
            let scheme = scheme.with_value(QuantValue::Q8S);
            let quantizer = Quantizer::new(Calibration::MinMax, scheme);
            net().apply_qlora(QLora::new(lora, quantizer))
        } else {
            net().apply_lora(lora)
        }
    };
    let mut optimizer = AdamConfig::new().init();
    let lca = Lca::new(by_class(training())).integrator(Integrator::fixed(16));
    let mut lca = start(lca, &model);
    let mut before = DirectLoss::of(&model, training()).total;
    let mut lcas = std::collections::BTreeMap::<String, f64>::new();
    for step in 0..steps(5, 3) {
        model = train(model, &mut optimizer, 1e-2, minibatch(step));
        let allocation = lca.observe(&model).unwrap();
        let after = DirectLoss::of(&model, training()).total;
        let change = after - before;
        assert_close(allocation.lca(), change, 2e-3 * change.abs() + 4e-6);
        assert!(change < -1e-3, "the adapters learn: {change}");
        before = after;

        let tensors = allocation.tensors();
        assert_eq!(tensors.len(), 6 + 3 * 2, "three weights, two factors each");
        let trainable = tensors.iter().filter(|tensor| !tensor.is_frozen());
        for tensor in trainable {
            assert!(tensor.path().contains(".weight."), "{}", tensor.path());
            *lcas.entry(tensor.path().to_owned()).or_default() += tensor.lca().abs();
        }
        let tally = allocation.probe().tally();
        let count = tally.helping + tally.hurting + tally.zero;
        assert_eq!(count, 2 * (64 + 64 + 64 + 32 + 32 + 10));
    }
    assert_eq!(lcas.len(), 6);
    assert!(lcas.values().all(|&lca| lca > 0.0), "{lcas:?}");
}
