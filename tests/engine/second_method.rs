//! The allocation by parameter, computed a second time without the crate.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};
use burn::train::InferenceStep;
use burn_lca::{Integrator, Lca};

use crate::digits::DigitNet;
use crate::scaffold::{
    assert_same, batch, by_class, host_values, moved, net, start, training, values,
};

/// The gradient of the mean loss over all digits in one batch, by path.
fn gradients(model: &DigitNet) -> BTreeMap<String, Vec<f32>> {
    struct Take<'a> {
        gradients: &'a Gradients,
        path: Vec<String>,
        taken: BTreeMap<String, Vec<f32>>,
    }
    impl ModuleVisitor for Take<'_> {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.path.push(name.to_owned());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let gradient = param.val().grad(self.gradients).expect("a gradient");
            let gradient = host_values(gradient);
            self.taken.insert(self.path.join("."), gradient);
        }
    }
    let loss = InferenceStep::step(model, batch(training())).loss;
    let mut take = Take {
        gradients: &loss.backward(),
        path: Vec::new(),
        taken: BTreeMap::new(),
    };
    model.visit(&mut take);
    take.taken
}

/// LCA_i = Δ_i Σ_k w_k g_i(θ + α_k Δ), on the host in f64, from gradients of whole batches.
fn by_hand(models: &[DigitNet], weights: &[f64], path: &str) -> Vec<f32> {
    let ends = [&models[0], &models[models.len() - 1]].map(|model| values(model)[path].clone());
    let gradients: Vec<_> = models
        .iter()
        .map(|model| gradients(model)[path].clone())
        .collect();
    (0..ends[0].len())
        .map(|i| {
            let step = f64::from(ends[1][i]) - f64::from(ends[0][i]);
            let nodes = gradients.iter().zip(weights);
            let integrated: f64 = nodes.map(|(g, weight)| weight * f64::from(g[i])).sum();
            (step * integrated) as f32
        })
        .collect()
}

const TENSORS: [&str; 6] = [
    "fc1.weight",
    "fc1.bias",
    "fc2.weight",
    "fc2.bias",
    "fc3.weight",
    "fc3.bias",
];

#[test]
fn the_trapezoid_by_parameter_is_that_of_gradients_taken_directly() {
    let first = net();
    let second = moved(&first, 5, 0.02);
    let third = moved(&second, 6, 0.02);
    let lca = Lca::new(by_class(training())).integrator(Integrator::fixed(1));
    let mut lca = start(lca, &first);
    for models in [[first, second.clone()], [second, third]] {
        let step = lca.observe(&models[1]).unwrap();
        for path in TENSORS {
            let expected = by_hand(&models, &[0.5, 0.5], path);
            assert_same(&step.parameter(path).unwrap(), &expected, 1e-5);
        }
    }
}

/// The middle is the model moved by half: the same random numbers at half the size.
#[test]
fn simpson_by_parameter_is_that_of_gradients_taken_directly() {
    let first = net();
    let models = [
        first.clone(),
        moved(&first, 5, 0.01),
        moved(&first, 5, 0.02),
    ];
    let lca = Lca::new(by_class(training())).integrator(Integrator::fixed(2));
    let step = start(lca, &first).observe(&models[2]).unwrap();
    for path in TENSORS {
        let expected = by_hand(&models, &[1.0 / 6.0, 4.0 / 6.0, 1.0 / 6.0], path);
        assert_same(&step.parameter(path).unwrap(), &expected, 2e-5);
    }
}

#[test]
fn the_gradient_norm_is_that_of_the_gradient_at_the_start() {
    let model = net();
    let lca = Lca::new(by_class(training())).integrator(Integrator::fixed(1));
    let step = start(lca, &model).observe(&moved(&model, 5, 0.02)).unwrap();
    let gradients = gradients(&model);
    for tensor in step.tensors() {
        let squares = gradients[tensor.path()]
            .iter()
            .map(|&g| f64::from(g).powi(2));
        let norm = squares.sum::<f64>().sqrt();
        crate::scaffold::assert_close(tensor.gradient_norm(), norm, 1e-5 * norm);
    }
}
