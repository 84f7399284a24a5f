use crate::scaffold::*;
use burn::optim::*;
use burn_lca::*;
#[test]
fn zz() {
    for (name, v) in [("train", training()), ("valid", validation())] {
        for splits in [1u16, 2, 4, 8, 16, 32] {
            let mut model = net();
            let mut opt = SgdConfig::new().init();
            let mut lca = start(
                Lca::new(by_class(v)).integrator(Integrator::fixed(splits)),
                &model,
            );
            print!("{name} {splits}: ");
            for s in 0..6 {
                model = train(model, &mut opt, 0.1, minibatch(s));
                let a = lca.observe(&model).unwrap();
                let worst = a
                    .classes()
                    .iter()
                    .map(|c| c.measured().unwrap().residual.abs())
                    .fold(0.0, f64::max);
                print!(
                    "{:+.1e}/{:+.1e}/{:.1e} ",
                    a.residual(),
                    a.loss_change(),
                    worst
                );
            }
            println!();
        }
    }
}
