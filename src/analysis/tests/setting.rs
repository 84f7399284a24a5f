use tempfile::TempDir;

use super::synthetic::Synthetic;
use crate::analysis::layers::LayersOptions;
use crate::analysis::setting;
use crate::analysis::setting::{Setting, SettingOptions};
use crate::error::LcaError;
use crate::record::Run;

/// Runs of 10 steps of two layers: `first` does −1 over each run, `last` what is planted for it.
fn runs(planted: &[(f64, f64)]) -> (Vec<TempDir>, Vec<(f64, Run)>) {
    let run = |(value, lca): &(f64, f64)| {
        let (value, lca) = (*value, *lca);
        let folder = tempfile::tempdir().unwrap();
        let run = Synthetic::new(&[("first.weight", 1), ("last.weight", 1)], 10)
            .without_parameters()
            .lca(move |at| match at.tensor {
                "last.weight" => lca / 10.0,
                _ => -0.1,
            })
            .write(folder.path());
        (folder, (value, run))
    };
    planted.iter().map(run).unzip()
}

fn of(runs: &[(f64, Run)], options: SettingOptions) -> Setting {
    setting(runs, &options).unwrap()
}

fn assert_near(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-9, "{value}, not {expected}");
}

/// The points of the textbook line in the tests of regression, as tenths of a momentum: slope 4 per
/// 0.1, shifted by −2, so that the line is −2 + 40 x and turns at 0.05.
const PLANTED: [(f64, f64); 6] = [
    (0.2, 6.0),
    (0.0, -2.0),
    (0.1, -1.0),
    (0.0, 0.0),
    (0.2, 8.0),
    (0.1, 1.0),
];

#[test]
fn a_layer_that_turns_with_a_setting_has_its_line_and_where_it_crosses_zero() {
    let (_folders, runs) = runs(&PLANTED);
    let found = of(&runs, SettingOptions::default().name("momentum".into()));
    let [first, last] = &found.layers[..] else {
        panic!("{found:?}")
    };
    let line = last.line.unwrap();
    assert_near(line.slope, 40.0);
    assert_near(line.intercept, -2.0);
    assert_near(
        line.test.unwrap().standard_error,
        10.0 * (4.5_f64 / 4.0).sqrt(),
    );
    assert_near(last.turns_at.unwrap(), 0.05);
    // Only one layer varies and is tested.
    assert_eq!(last.p_corrected, last.p());
    let values: Vec<(f64, usize, f64)> = last
        .points
        .iter()
        .map(|point| (point.value, point.runs, point.lca))
        .collect();
    for (found, expected) in values
        .iter()
        .zip([(0.0, 2, -1.0), (0.1, 2, 0.0), (0.2, 2, 7.0)])
    {
        assert_eq!((found.0, found.1), (expected.0, expected.1));
        assert_near(found.2, expected.2);
    }
    // Two runs 2 apart: deviation √2, standard error 1, and 12.706 errors to either side.
    let point = last.points[2];
    assert_near(point.deviation.unwrap(), 2.0_f64.sqrt());
    assert_near(point.standard_error.unwrap(), 1.0);
    let [low, high] = point.interval.unwrap();
    assert!((low - (7.0 - 12.706_204_736)).abs() < 1e-6);
    assert!((high - (7.0 + 12.706_204_736)).abs() < 1e-6);
    // The other does the same everywhere, so nothing can be tested.
    assert_near(first.line.unwrap().slope, 0.0);
    assert_eq!(
        (first.p(), first.p_corrected, first.turns_at),
        (None, None, None)
    );
    // All together: −1 more everywhere, so the line crosses zero at 0.075.
    assert_near(found.network.line.unwrap().slope, 40.0);
    assert_near(found.network.turns_at.unwrap(), 0.075);
    assert_eq!(found.runs[0].value, 0.2);
    assert_eq!(found.runs[0].run.steps, 10);
}

#[test]
fn a_logarithmic_line_rises_by_factors_of_ten() {
    // −1, 1 and 3 at 0.01, 0.1 and 1: a slope of 2 for each factor, zero at the root of 0.001.
    let (_folders, runs) = runs(&[(0.01, -1.0), (0.1, 1.0), (1.0, 3.0)]);
    let last = &of(&runs, SettingOptions::default().log(true)).layers[1];
    assert_near(last.line.unwrap().slope, 2.0);
    assert_near(last.turns_at.unwrap(), 0.001_f64.sqrt());
}

#[test]
fn one_setting_has_a_mean_and_no_line() {
    let (_folders, runs) = runs(&[(0.9, 1.0), (0.9, 2.0)]);
    let last = &of(&runs, SettingOptions::default()).layers[1];
    assert_near(last.points[0].lca, 1.5);
    assert_eq!((last.line, last.turns_at), (None, None));
}

#[test]
fn numbers_that_no_line_can_be_fitted_to_and_unlike_runs_are_refused() {
    let (_folders, runs) = runs(&[(0.0, 1.0), (0.9, 2.0)]);
    let refused = |runs: &[(f64, Run)], options: &SettingOptions, word: &str| {
        let error = setting(runs, options).unwrap_err();
        assert!(matches!(error, LcaError::Setting { .. }), "{error:?}");
        assert!(error.to_string().contains(word), "{error}");
    };
    let plain = SettingOptions::default();
    refused(&[(f64::NAN, runs[0].1.clone())], &plain, "finite");
    refused(&runs, &plain.clone().log(true), "above zero");
    refused(
        &[runs[0].clone(), (0.5, runs[0].1.clone())],
        &plain,
        "given twice",
    );
    let sums = LayersOptions::default().class(Some(3));
    let error = setting(&runs, &plain.clone().sums(sums)).unwrap_err();
    assert!(matches!(error, LcaError::NotRecorded { .. }), "{error:?}");
    refused(&[], &plain, "no run");
}
