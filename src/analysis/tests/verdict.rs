//! A run in a line, of runs whose sums are known.

use super::synthetic::Synthetic;
use crate::analysis::{summary, verdict};

const TENSORS: [(&str, usize); 3] = [("fc1.weight", 6), ("fc1.bias", 2), ("fc2.weight", 4)];

#[test]
fn a_run_that_adds_up_and_helps_everywhere_is_said_to() {
    let folder = tempfile::tempdir().unwrap();
    // 12 parameters at 30 steps: LCA −0.36, residual 0.003 in all, so a change of −0.357.
    let run = Synthetic::new(&TENSORS, 30)
        .lca(|_| -0.001)
        .residual(|_| 0.0001)
        .write(folder.path());
    assert_eq!(
        verdict(&summary(&run).unwrap()),
        "LCA adds up to the change of the loss within 0.84 %. At a step, 100.0 % of the parameters \
         that moved the loss helped. No layer hurt over the run. Look next at which layers \
         learned, and when."
    );
}

#[test]
fn what_does_not_add_up_and_what_hurts_is_named() {
    let folder = tempfile::tempdir().unwrap();
    // fc1 does −0.24, fc2 +0.06 and the residual 0.03: 0.03 of a change of −0.15 is missed. Eight
    // parameters of twelve help.
    let run = Synthetic::new(&TENSORS, 30)
        .lca(|at| {
            if at.tensor == "fc2.weight" {
                0.0005
            } else {
                -0.001
            }
        })
        .residual(|_| 0.001)
        .write(folder.path());
    assert_eq!(
        verdict(&summary(&run).unwrap()),
        "LCA misses 20.0 % of the change of the loss: read its sums with care. At a step, 66.7 % of \
         the parameters that moved the loss helped. Over the run, these hurt: fc2. Look first at \
         the steps with a large residual."
    );
}
