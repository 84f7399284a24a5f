use super::synthetic::Synthetic;
use crate::analysis::summary;

#[test]
fn a_grounded_run_reconciles() {
    let folder = tempfile::tempdir().unwrap();
    let run = Synthetic::new(&[("fc1.weight", 6), ("fc1.bias", 2), ("fc2.weight", 4)], 30)
        .write(folder.path());
    let summary = summary(&run).unwrap();
    let training = &summary.reconciliation[0];
    assert!((training.loss_change + 0.001 * 12.0 * 30.0).abs() < 1e-9);
    assert!(training.difference.abs() < 1e-9);
}
