//! What a server tells of runs as they grow.

use crate::analysis::tests::random::noise_at;
use crate::analysis::tests::synthetic::{At, Synthetic};
use crate::record::Run;
use crate::report::page::{Piece, Served};

/// Asserts that one that has read the run before tells the same as one that reads it first.
fn assert_same(kept: &Served, run: &Run) {
    let anew = Served::new(vec![run.folder().to_owned()]);
    let [before, now] = [kept, &anew].map(|served| served.open().unwrap());
    for piece in Piece::ALL {
        let [before, now] = [(kept, before.clone()), (&anew, now.clone())]
            .map(|(served, runs)| served.piece(&runs, piece).unwrap());
        assert!(before == now, "{piece:?}: {before} {now}");
    }
    for (from, to) in [(0, 9), (13, 13), (5, 40), (90, 400)] {
        // What has read nothing before reads from the start.
        let anew = Served::new(vec![run.folder().to_owned()]);
        let [before, now] = [kept, &anew].map(|served| served.microscope(from, to).unwrap());
        assert!(before == now, "{from} {to}");
    }
}

#[test]
fn of_a_run_that_grows_every_piece_is_what_reading_all_of_it_would_give() {
    let folder = tempfile::tempdir().unwrap();
    let tensors = [("a.weight", 40), ("a.bias", 4), ("b.weight", 5)];
    // Who helps most changes as the run goes on.
    let lca = |at: At| {
        let trend = (at.iteration as f64 / 40.0 + at.index as f64).sin();
        (noise_at(at) - 0.5 + trend) * 1e-3
    };
    let served = Served::new(vec![folder.path().to_owned()]);
    let run = Synthetic::new(&tensors, 330)
        .classes(2)
        .validation()
        .lca(lca)
        .write_growing(folder.path(), 30, |run| assert_same(&served, &run));
    assert_same(&served, &run);
    // Another one in the same folder.
    std::fs::remove_dir_all(folder.path()).unwrap();
    std::fs::create_dir(folder.path()).unwrap();
    let run = Synthetic::new(&tensors, 330)
        .classes(2)
        .lca(move |at| -lca(at));
    assert_same(&served, &run.write(folder.path()));
}
