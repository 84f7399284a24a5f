//! Runs whose rows are about several optimizer steps, or that leave some out.

use crate::analysis::helping::HelpingOptions;
use crate::analysis::parameter_map::{ParameterMapOptions, ParameterQuantity};
use crate::analysis::peaks::PeaksOptions;
use crate::analysis::trace::TraceOptions;
use crate::analysis::units::UnitMapOptions;
use crate::analysis::{
    compare, helping, loss_curves, parameter_map, peaks, summary, trace, trajectories, unit_maps,
};
use crate::record::{ObservedInfo, Run};

use super::synthetic::Synthetic;

/// Of 10 optimizer steps, rows of 4, 4 and 2 or of steps 0, 4 and 8; a row that begins at i has LCA
/// −(1 + i) of each of two parameters.
fn run(folder: &std::path::Path, observed: ObservedInfo) -> Run {
    Synthetic::new(&[("fc.weight", 2)], 10)
        .observed(observed)
        .lca(|at| -1.0 - at.iteration as f64)
        .write(folder)
}

#[test]
fn segments_are_grounded_on_the_change_over_all_of_their_steps() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), ObservedInfo::segments(4));
    let found = summary(&run).unwrap();
    assert_eq!((found.steps, found.optimizer_steps), (3, 10));
    assert_eq!((found.first_iteration, found.last_iteration), (0, 9));
    let main = &found.reconciliation[0];
    // 2 · (1 + 5 + 9)
    assert_eq!(
        (main.lca, main.loss_change, main.unobserved),
        (-30.0, -30.0, 0)
    );
    assert_eq!(main.loss_change, main.loss_after - main.loss_before);
    let notes = run.notes();
    assert!(notes[0].contains("segments of 4 steps"), "{notes:?}");

    let curve = loss_curves(&run).unwrap().remove(0);
    let points: Vec<_> = curve
        .points
        .iter()
        .map(|p| (p.first_iteration, p.iteration))
        .collect();
    assert_eq!(points, [(0, 3), (4, 7), (8, 9)]);
    for point in &curve.points {
        assert_eq!(point.explained, point.loss);
    }
    let trajectories = trajectories(&run).unwrap().remove(0);
    assert_eq!(trajectories.iterations, [3, 7, 9]);
    assert_eq!(trajectories.first_iteration, Some(0));
    let helping = helping(&run, &HelpingOptions::default()).unwrap();
    let steps: Vec<_> = helping
        .steps
        .iter()
        .map(|s| (s.first_iteration, s.iteration))
        .collect();
    assert_eq!(steps, points);
    // A unit's LCA by optimizer step: 1/4, 5/4 and 9/2 of it, and in two columns (1 + 5)/8 and 9/2.
    let units = |columns| {
        let options = UnitMapOptions::default().columns(columns);
        unit_maps(&run, &options).unwrap().remove(0).raster
    };
    assert_eq!(units(3).values[..3], [-0.25, -1.25, -4.5]);
    let raster = units(2);
    assert_eq!(raster.values[..2], [-0.75, -4.5]);
    assert_eq!((raster.starts, raster.last), (vec![0, 8], Some(9)));
    // Where a step is looked at by its iteration, it is the same one everywhere.
    let traced = trace(&run, &TraceOptions::default()).unwrap();
    let iterations = traced.parameters[0].steps.iter().map(|step| step.iteration);
    assert_eq!(iterations.collect::<Vec<_>>(), [3, 7, 9]);
    let quantities = [ParameterQuantity::Lca];
    let map = parameter_map(&run, &quantities, &ParameterMapOptions::default()).unwrap();
    assert_eq!(map.iterations, [3, 7, 9]);
}

#[test]
fn steps_that_were_not_observed_are_no_false_residual() {
    let folder = tempfile::tempdir().unwrap();
    // Between the rows the loss falls by 5 in steps that nobody looks at.
    let run = Synthetic::new(&[("fc.weight", 2)], 10)
        .observed(ObservedInfo::one_in(4))
        .lca(|at| -1.0 - at.iteration as f64)
        .adjust(|row| {
            let fallen = 5.0 * (row.iteration / 4) as f64;
            row.loss_before -= fallen;
            row.loss_after -= fallen;
        })
        .write(folder.path());
    let found = summary(&run).unwrap();
    assert_eq!(
        (found.steps, found.optimizer_steps, found.last_iteration),
        (3, 3, 8)
    );
    let main = &found.reconciliation[0];
    assert_eq!(
        (main.unobserved, main.lca, main.loss_change),
        (6, -30.0, -30.0)
    );
    assert_eq!(main.difference, 0.0);
    // It is not what the loss did over the run, and does not pretend to be.
    assert_eq!(main.loss_after - main.loss_before, -40.0);
    let notes = run.notes();
    assert!(notes[0].contains("one step in 4"), "{notes:?}");
    for point in loss_curves(&run).unwrap().remove(0).points {
        assert_eq!(point.explained, point.loss);
    }
}

/// 60 rows with peaks at some, as single steps, segments of 7 steps with one cut short, or one step
/// in 7: neighbours are neighbours, however far apart, and no gap is where none is.
#[test]
fn what_is_usual_for_a_run_is_no_gap() {
    for (observed, steps) in [
        (ObservedInfo::default(), 60),
        (ObservedInfo::segments(7), 415),
        (ObservedInfo::one_in(7), 416),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let every = observed.period;
        let run = Synthetic::new(&[("a.weight", 2), ("b.weight", 2)], steps)
            .observed(observed)
            .lca(move |at| {
                let row = at.iteration / every;
                if row.is_multiple_of(9) && row > 0 {
                    -1.0
                } else {
                    -0.1 - 0.001 * (row % 3) as f64
                }
            })
            .write(folder.path());
        let found = peaks(&run, &PeaksOptions::default().top(6).permutations(10)).unwrap();
        assert_eq!((found.steps, found.gaps), (60, 0), "{observed}");
        let last = |row: u64| row * every + observed.span - 1;
        let expected: Vec<u64> = [9, 18, 27, 36, 45, 54].map(last).into();
        let moments: Vec<u64> = found
            .moments
            .iter()
            .map(|moment| moment.iteration)
            .collect();
        assert_eq!(moments, expected, "{observed}");
    }
}

#[test]
fn runs_with_other_spans_are_compared_over_their_optimizer_steps() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let first = run(folders[0].path(), ObservedInfo::default());
    let second = run(folders[1].path(), ObservedInfo::segments(4));
    let found = compare(&first, &second).unwrap();
    let seen = found
        .runs
        .each_ref()
        .map(|run| (run.steps, run.optimizer_steps, run.last_iteration));
    assert_eq!(seen, [(10, 10, 9), (3, 10, 9)]);
}
